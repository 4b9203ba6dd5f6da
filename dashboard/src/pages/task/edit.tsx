// Changes a task. Sends the differences as a PATCH, on the condition that nobody else has changed the task in the meantime.

import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../../api/client";
import { getTask, patchTask } from "../../api/tasks";
import type { JsonObject, Task } from "../../api/types";
import { Button, ErrorNote, LinkButton, Loading, PageHead } from "../../components/basics";
import { focusInvalid, hasUnread, submitOnKeys } from "../../components/field";
import { NextRuns } from "../../components/next-runs";
import { UnreadNote } from "../../components/unread-note";
import { useReturn } from "../../components/use-return";
import { NOTHING_ASIDE } from "../../lib/aside";
import { definitionOf, isEqual, patchOf } from "../../lib/definition";
import { named } from "../../lib/names";
import { isStillRefused, missingIn, refusalOf, type Refusal } from "../../lib/refusal";
import { go, taskPath } from "../../state/router";
import { tell } from "../../state/notices";
import { DefinitionForm } from "../create/form";
import { DefinitionJson } from "../create/json";
import { ConflictDialog } from "./conflict";
import { NotEditable, whyNotEditable } from "./not-editable";

interface Version {
  task: Task;
  definition: JsonObject;
  etag: string | undefined;
}

async function readVersion(id: string): Promise<Version> {
  const { body, etag } = await getTask(id);
  return { task: body, definition: definitionOf(body), etag };
}

export function EditTask({ id }: { id: string }) {
  const [base, setBase] = useState<Version>();
  const [edited, setEdited] = useState<JsonObject>();
  /** What was typed in the tabs that are not open. */
  const [aside, setAside] = useState(NOTHING_ASIDE);
  const [theirs, setTheirs] = useState<Version>();
  const [error, setError] = useState<unknown>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [previewed, setPreviewed] = useState<Refusal>();
  const [isBusy, setBusy] = useState(false);

  // The refused field is marked only after this render.
  useEffect(() => {
    if (refusal) focusInvalid();
  }, [refusal]);

  const begin = () => {
    setError(undefined);
    readVersion(id).then((version) => {
      setBase(version);
      setEdited(version.definition);
    }, setError);
  };
  useEffect(begin, [id]);
  useReturn(() => {
    if (!base) begin();
  });

  if (!base || !edited) {
    return (
      <div class="page">
        <PageHead title={`Edit ${named(id)}`} />
        {error ? <ErrorNote error={error} onRetry={begin} /> : <Loading />}
      </div>
    );
  }
  const why = whyNotEditable(base.task);
  if (why) return <NotEditable task={base.task} why={why} />;
  const patch = patchOf(base.definition, edited);
  const isChanged = Object.keys(patch).length > 0;

  /** Sends a patch for a version of the task. If the task has another version, shows the changes of the other writer. */
  const send = async (body: JsonObject, etag: string | undefined) => {
    const missing = missingIn(edited);
    setError(undefined);
    setRefusal(missing);
    if (missing) return;
    setBusy(true);
    try {
      const { body: task } = await patchTask(id, body, etag);
      tell(`${named(id)} is changed.`, { page: taskPath(id) });
      for (const { detail } of task.warnings ?? []) tell(`${named(id)}: ${detail}`, { isBad: true, page: taskPath(id) });
      go(taskPath(id));
    } catch (problem) {
      setTheirs(undefined);
      if (problem instanceof ApiError && problem.is("other-version")) {
        await readVersion(id).then(setTheirs, setError);
      } else {
        setError(problem);
        if (problem instanceof ApiError) setRefusal(refusalOf(problem.problem, edited));
      }
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="page"
      noValidate
      onKeyDown={submitOnKeys}
      onSubmit={(event) => {
        event.preventDefault();
        if (!hasUnread(event.currentTarget)) void send(patch, base.etag);
      }}
    >
      <PageHead title={`Edit ${named(id)}`} about="Only your changes are sent. If somebody else changes the task in the meantime, you see both versions.">
        <LinkButton to={taskPath(id)}>Back</LinkButton>
        <Button type="submit" kind="main" disabled={isBusy || !isChanged}>
          Save
        </Button>
      </PageHead>
      {(!refusal || isStillRefused(refusal, edited)) && <ErrorNote error={error} />}
      <div class="split">
        <DefinitionForm
          definition={edited}
          aside={aside}
          onChange={(next, nextAside = aside) => {
            setEdited(next);
            setAside(nextAside);
          }}
          refusal={refusal}
          previewed={previewed}
          isIdFixed
        />
        <div class="stack sticky">
          <section class="panel">
            <div class="panel-head">
              <h2>Next runs</h2>
            </div>
            <UnreadNote what="the runs below are those of the task" />
            <NextRuns definition={edited} verb="save" onRefused={setPreviewed} />
          </section>
          <section class="panel">
            <div class="panel-head">
              <h2>What is sent</h2>
            </div>
            <UnreadNote what="this is the change" />
            <pre class="code-block" tabIndex={0} aria-label="The patch">
              {isChanged ? JSON.stringify(patch, null, 2) : "Nothing is changed yet."}
            </pre>
          </section>
          <section class="panel">
            <DefinitionJson definition={edited} onChange={(next) => setEdited({ ...next, ...(isEqual(next["id"], edited["id"]) ? {} : { id: edited["id"] ?? id }) })} />
          </section>
        </div>
      </div>
      {theirs && (
        <ConflictDialog
          id={id}
          base={base.definition}
          theirs={theirs.definition}
          mine={edited}
          onClose={() => setTheirs(undefined)}
          onTakeTheirs={() => {
            setBase(theirs);
            setEdited(theirs.definition);
            setTheirs(undefined);
          }}
          onSave={(merged) => send(patchOf(theirs.definition, merged), theirs.etag)}
        />
      )}
    </form>
  );
}
