// A new task: a form, its next runs, and the definition as JSON, as a command and as code.

import type { TargetedSubmitEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { createTask, getTask } from "../api/tasks";
import type { JsonObject, Task } from "../api/types";
import { Button, Copy, ErrorNote, Loading, PageHead, Segments } from "../components/basics";
import { ActionDialog } from "../components/dialog";
import { focusInvalid, hasUnread, submitOnKeys } from "../components/field";
import { NextRuns } from "../components/next-runs";
import { UnreadNote } from "../components/unread-note";
import { DraftNote } from "./create/draft-note";
import { DefinitionForm } from "./create/form";
import { DefinitionJson, JSON_LABEL } from "./create/json";
import { isNothingAside, NOTHING_ASIDE } from "../lib/aside";
import { definitionOf, isEqual } from "../lib/definition";
import { isStillRefused, missingIn, refusalOf, type Refusal } from "../lib/refusal";
import { named } from "../lib/names";
import { curlOf, typescriptOf } from "../lib/snippets";
import { HERE } from "../lib/time";
import { mayRead, namespace } from "../state/session";
import { draftOf, dropDraft, keepDraft } from "../state/drafts";
import { go, query, taskPath } from "../state/router";
import { remember, remembered } from "../state/seen";
import { tell } from "../state/notices";
import { unreadLabels } from "../state/unread";

const BLANK: JsonObject = { delayInSeconds: 60, callback: { type: "webhook", url: "" } };
const HELLO: JsonObject = { id: "hello", description: "My first task", delayInSeconds: 5, callback: { type: "handler", name: "log" }, payload: { hello: "world" } };

/** Returns what the form of an address begins with. */
function firstOf(query: URLSearchParams): JsonObject {
  const calendar = query.get("calendar");
  if (calendar !== null) return { cron: "0 9 * * *", timezone: HERE, exclude: { calendars: [calendar] }, callback: { type: "webhook", url: "" } };
  return query.get("example") === "hello" ? HELLO : BLANK;
}

type View = "json" | "curl" | "typescript";

interface SideProps {
  definition: JsonObject;
  onChange: (definition: JsonObject) => void;
  onRefused: (refusal: Refusal | undefined) => void;
}

function Side({ definition, onChange, onRefused }: SideProps) {
  const [view, setView] = useState<View>("json");
  const code = view === "curl" ? curlOf(definition, location.origin, namespace.value) : typescriptOf(definition, location.origin, namespace.value);
  return (
    <div class="stack sticky">
      <section class="panel">
        <div class="panel-head">
          <h2>Next runs</h2>
        </div>
        <UnreadNote what="the runs below are those of the task" />
        {mayRead.value ? <NextRuns definition={definition} onRefused={onRefused} /> : <p class="muted">Your key cannot show the next runs: it lacks the scope “read”.</p>}
      </section>
      <section class="panel">
        <div class="panel-head">
          <Segments
            label="The task as"
            value={view}
            options={[
              ["json", "JSON"],
              ["curl", "curl"],
              ["typescript", "TypeScript"],
            ]}
            onChange={(next) => {
              // The field would take with it what cannot be read yet.
              const unread = document.querySelector<HTMLElement>("[data-unread]");
              if (unread) unread.focus();
              else setView(next);
            }}
          />
          {unreadLabels.value.length === 0 && <Copy text={view === "json" ? JSON.stringify(definition, null, 2) : code} />}
        </div>
        <UnreadNote what="this is the task" isAbout={(label) => view !== "json" || label !== JSON_LABEL} />
        {view === "json" ? (
          <DefinitionJson definition={definition} onChange={onChange} />
        ) : (
          <pre class="code-block" tabIndex={0}>
            {code}
          </pre>
        )}
      </section>
    </div>
  );
}

export function Create() {
  const source = query.value.get("from");
  const form = query.value.toString();
  /** What was typed into this form before, while the page says so. */
  const [restored, setRestored] = useState(() => draftOf(form));
  /** What the form begins with; undefined while the task to clone is not read. */
  const [first, setFirst] = useState<JsonObject | undefined>(source === null ? firstOf(query.value) : undefined);
  const [definition, setDefinition] = useState(restored?.definition ?? first);
  /** What was typed in the tabs that are not open. */
  const [aside, setAside] = useState(restored?.aside ?? NOTHING_ASIDE);
  const [error, setError] = useState<unknown>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [previewed, setPreviewed] = useState<Refusal>();
  const [isBusy, setBusy] = useState(false);
  const [taken, setTaken] = useState<string>();

  // The refused field is marked only after this render.
  useEffect(() => {
    if (refusal) focusInvalid();
  }, [refusal]);

  const beginWith = (next: JsonObject) => {
    setFirst(next);
    setDefinition(next);
  };
  const isRead = definition !== undefined;
  useEffect(() => {
    if (source === null || isRead) return;
    const begin = (task: Task) => {
      const { id: _, paused: __, ...rest } = definitionOf(task);
      beginWith(rest);
    };
    getTask(source).then(
      ({ body }) => begin(body),
      (problem) => {
        const former = remembered(source);
        if (former) return begin(former);
        setError(problem);
        beginWith(BLANK);
      },
    );
  }, [source, isRead]);

  const change = (next: JsonObject, nextAside = aside) => {
    setDefinition(next);
    setAside(nextAside);
    if (first && isEqual(next, first) && isNothingAside(nextAside)) dropDraft(form);
    else keepDraft(form, next, nextAside);
  };
  const discard = () => {
    dropDraft(form);
    setRestored(undefined);
    setRefusal(undefined);
    setError(undefined);
    setDefinition(first);
    setAside(NOTHING_ASIDE);
  };

  const title = source === null ? "Create a task" : `Clone ${named(source)}`;
  if (!definition) {
    return (
      <div class="page">
        <PageHead title={title} />
        <Loading what="Reading the task to clone" />
      </div>
    );
  }
  const { id } = definition;
  const create = async (headers: Readonly<Record<string, string>>) => {
    const { body, status } = await createTask(definition, headers);
    // A task that fires at once may have ended before its page reads it.
    remember(body);
    dropDraft(form);
    setRestored(undefined);
    const next = mayRead.value ? taskPath(body.id) : "/create";
    tell(status === 200 ? `${named(body.id)} is overwritten.` : `${named(body.id)} is created.`, { page: next });
    for (const { detail } of body.warnings ?? []) tell(`${named(body.id)}: ${detail}`, { isBad: true, page: next });
    go(next);
  };
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (hasUnread(event.currentTarget)) return;
    const missing = missingIn(definition);
    setError(undefined);
    setRefusal(missing);
    if (missing) return;
    setBusy(true);
    try {
      // Refused if the task exists, so that nobody overwrites a task unknowingly.
      await create(id === undefined ? {} : { "if-none-match": "*" });
    } catch (problem) {
      if (problem instanceof ApiError && problem.is("other-version") && typeof id === "string") return setTaken(id);
      setError(problem);
      if (problem instanceof ApiError) setRefusal(refusalOf(problem.problem, definition));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <form class="page" onSubmit={submit} onKeyDown={submitOnKeys} noValidate>
        <PageHead title={title}>
          <Button type="submit" kind="main" disabled={isBusy}>
            Create
          </Button>
        </PageHead>
        {restored && <DraftNote draft={restored} onDiscard={discard} />}
        {(!refusal || isStillRefused(refusal, definition)) && <ErrorNote error={error} />}
        {/* The fields forget what they cannot read yet when the draft is discarded. */}
        <div class="split" key={restored ? "draft" : "new"}>
          <DefinitionForm definition={definition} aside={aside} onChange={change} refusal={refusal} previewed={previewed} />
          <Side definition={definition} onChange={change} onRefused={setPreviewed} />
        </div>
      </form>
      {taken !== undefined && (
        <ActionDialog title={`There is a task ${named(taken)} already`} verb="Overwrite it" isDanger onClose={() => setTaken(undefined)} onAct={() => create({})}>
          <p>Your definition would replace the existing one. To keep both, close this dialog and choose another id.</p>
        </ActionDialog>
      )}
    </>
  );
}
