// Runs that failed for good, grouped by their errors.

import { useEffect, useRef, useState } from "preact/hooks";
import { changeLetters, lettersOf, listDeadLetters, type Letters } from "../api/dead-letters";
import { isEmptyFilter } from "../api/tasks";
import type { Task } from "../api/types";
import { Button, Empty, ErrorNote, Link, Loading, PageHead, Time } from "../components/basics";
import { ActionDialog } from "../components/dialog";
import { WiderNote } from "../components/ignored-note";
import { UncountedNote } from "../components/uncounted-note";
import { countedText, useDryRun } from "../components/use-dry-run";
import { useReturnToRow } from "../components/row-keys";
import { useReturn } from "../components/use-return";
import { describeFilter, filterOf } from "../lib/filter";
import { adviceOn, explained } from "../lib/errors";
import { grouped, titleOf, type LetterGroup } from "../lib/groups";
import { count, whole } from "../lib/numbers";
import { millisOf } from "../lib/time";
import { selection } from "../state/entries";
import { ignored, query } from "../state/router";
import { mayWrite } from "../state/session";
import { tell } from "../state/notices";
import { TaskFilters } from "./tasks/filters";

const PAGE = 1_000;
/** The most empty pages that are read in a row. Then the user must continue the search. */
const MAX_EMPTY_PAGES = 10;
/** The rows of a group that are in the document. */
const SHOWN = 50;

interface Asked {
  verb: "replay" | "discard";
  letters: Letters;
  /** Describes the dead letters of a change, and their number. */
  which: string;
}

export function DeadLetters() {
  const filter = filterOf(query.value);
  const [letters, setLetters] = useState<Task[]>();
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<unknown>();
  const [chosen, setChosen] = selection();
  const [asked, setAsked] = useState<Asked>();
  const [round, setRound] = useState(0);

  const read = async (from: string | undefined, before: Task[], signal?: AbortSignal) => {
    try {
      let page = await listDeadLetters(filter, { limit: PAGE, cursor: from }, signal);
      for (let pages = 1; pages < MAX_EMPTY_PAGES && page.deadLetters.length === 0 && page.cursor !== null; pages += 1) {
        page = await listDeadLetters(filter, { limit: PAGE, cursor: page.cursor }, signal);
      }
      setLetters([...before, ...page.deadLetters]);
      setCursor(page.cursor);
      setError(undefined);
    } catch (problem) {
      if (!signal?.aborted) setError(problem);
    }
  };
  const isFirst = useRef(true);
  useEffect(() => {
    const controller = new AbortController();
    // What was selected before “Back” stays. Other letters begin with no selection.
    if (!isFirst.current) setChosen(new Set());
    isFirst.current = false;
    void read(undefined, [], controller.signal);
    return () => controller.abort();
  }, [query.value.toString(), round]);

  useReturn(() => {
    if (error) setRound(round + 1);
  });
  useReturnToRow(letters);

  const choose = (ids: readonly string[], isChosen: boolean) => {
    const next = new Set(chosen);
    for (const id of ids) {
      if (isChosen) next.add(id);
      else next.delete(id);
    }
    setChosen(next);
  };
  const parts = describeFilter(filter);
  const all = (verb: Asked["verb"]) => setAsked({ verb, letters: lettersOf(filter), which: parts.length === 0 ? "every dead letter of the namespace" : `all dead letters with ${parts.join(", ")}` });
  // What matches would be more than the address asks for.
  const isWider = ignored.value.length > 0;
  const some = (verb: Asked["verb"]) => setAsked({ verb, letters: { ids: [...chosen] }, which: count(chosen.size, "selected dead letter") });
  return (
    <div class="page">
      <PageHead title="Dead letters" about="Runs that failed for good. Each is kept until you replay or discard it.">
        <Button onClick={() => setRound(round + 1)}>Read again</Button>
        {mayWrite.value && letters && letters.length > 0 && (
          <>
            <WiderNote />
            <Button disabled={isWider} onClick={() => all("replay")}>{parts.length === 0 ? "Replay all" : "Replay all that match"}</Button>
            <Button disabled={isWider} onClick={() => all("discard")}>{parts.length === 0 ? "Discard all" : "Discard all that match"}</Button>
          </>
        )}
      </PageHead>
      <TaskFilters without={["status", "paused", "lastOutcome"]} />
      <ErrorNote error={error} onRetry={() => setRound(round + 1)} />
      {chosen.size > 0 && (
        <div class="bulk" role="group" aria-label="Selected dead letters">
          <span class="muted">{whole(chosen.size)} selected:</span>
          <Button onClick={() => some("replay")}>Replay selected</Button>
          <Button onClick={() => some("discard")}>Discard selected</Button>
          <Button kind="quiet" onClick={() => setChosen(new Set())}>
            Clear the selection
          </Button>
        </div>
      )}
      {!letters && !error && <Loading />}
      {letters?.length === 0 && cursor === null && (
        <Empty title={isEmptyFilter(filter) ? "No dead letters" : "No dead letter matches"}>
          A run becomes a dead letter when all attempts of its retry policy have failed, or when its target says that another attempt would not help (HTTP 410, or a status in “permanentStatuses”). It waits here until you
          replay or discard it.
        </Empty>
      )}
      {letters && grouped(letters).map((group) => <Group key={group.error} group={group} chosen={chosen} onChoose={choose} onAsk={setAsked} />)}
      {cursor !== null && letters && (
        <p class="row muted">
          {count(letters.length, "dead letter")} read, the newest first. <Button onClick={() => void read(cursor, letters)}>Read more</Button>
        </p>
      )}
      {asked && <LettersDialog asked={asked} onClose={() => setAsked(undefined)} onDone={() => setRound(round + 1)} />}
    </div>
  );
}

/** Asks before many dead letters are changed, and counts those that match a filter. */
function LettersDialog({ asked: { verb, letters, which }, onClose, onDone }: { asked: Asked; onClose: () => void; onDone: () => void }) {
  const isByIds = "ids" in letters;
  const counting = useDryRun(`/v1/dead-letters/${verb}`, isByIds ? undefined : letters);
  const isReplay = verb === "replay";
  return (
    <ActionDialog
      title={isReplay ? "Replay" : "Discard"}
      verb={isReplay ? "Replay" : "Discard"}
      isDanger={!isReplay}
      isDisabled={!isByIds && !counting.counted}
      {...(isReplay && isByIds ? {} : { confirmWith: verb })}
      onClose={onClose}
      onAct={async () => {
        const sum = await changeLetters(verb, letters);
        tell(`${count(sum, "dead letter")} ${isReplay ? "replayed" : "discarded"}`);
        onDone();
      }}
    >
      <p>
        This means <strong>{which}</strong>
        {isByIds ? "" : `: ${countedText(counting, "dead letter")}`}.
      </p>
      <p>{isReplay ? "Each starts again with its first attempt, and has all attempts of its retry policy. A task that fires once is put back as it was. A recurring task does not change." : "After that, nobody can replay them. A task that fires once is gone then, and a recurring task goes on. Their history stays. This cannot be undone."}</p>
      <UncountedNote counting={counting} noun="dead letter" />
    </ActionDialog>
  );
}

interface GroupProps {
  group: LetterGroup;
  chosen: ReadonlySet<string>;
  onChoose: (ids: readonly string[], isChosen: boolean) => void;
  onAsk: (asked: Asked) => void;
}

function Group({ group, chosen, onChoose, onAsk }: GroupProps) {
  const [shown, setShown] = useState(5);
  const error = titleOf(group);
  const title = explained(error);
  const isMixed = group.letters.some((letter) => letter.error !== group.letters[0]?.error);
  const ids = group.letters.map((letter) => letter.deadLetterId ?? "").filter(Boolean);
  const isOneSecond = Math.floor(group.firstAt / 1_000) === Math.floor(group.lastAt / 1_000);
  const ask = (verb: Asked["verb"]) => onAsk({ verb, letters: { ids }, which: `the ${count(ids.length, "dead letter")} with this error` });
  return (
    <section class="panel" aria-label={title}>
      <div class="panel-head">
        <h2 class="error-text">{title}</h2>
        {mayWrite.value && (
          <div class="actions">
            <Button onClick={() => ask("replay")}>Replay these</Button>
            <Button onClick={() => ask("discard")}>Discard these</Button>
          </div>
        )}
      </div>
      <p class="muted small">
        {count(ids.length, "dead letter")}, {isOneSecond ? "at " : "from "}
        <Time at={group.firstAt} />
        {!isOneSecond && (
          <>
            {" to "}
            <Time at={group.lastAt} />
          </>
        )}
        . {isMixed && "This is the error of the newest. Those of the others differ in numbers or ids. "}
        {adviceOn(error)}
      </p>
      <div class="scrolls" tabIndex={0} role="region" aria-label={`Dead letters: ${title}`}>
        <table class="table letters">
          <thead>
            <tr>
              <th scope="col">{mayWrite.value ? <input type="checkbox" aria-label="Select the whole group" checked={ids.every((id) => chosen.has(id))} onChange={(event) => onChoose(ids, event.currentTarget.checked)} /> : <span class="hidden">Selected</span>}</th>
              <th scope="col">Task</th>
              <th scope="col">Failed</th>
              <th scope="col">Was due</th>
              <th scope="col" class="number">
                Attempts
              </th>
              <th scope="col">Error</th>
            </tr>
          </thead>
          <tbody>
            {group.letters.slice(0, shown).map((letter) => (
              <tr key={letter.deadLetterId} data-row>
                <td>
                  {mayWrite.value && letter.deadLetterId && (
                    <input type="checkbox" aria-label={`Select ${letter.id}`} checked={chosen.has(letter.deadLetterId)} onChange={(event) => onChoose([letter.deadLetterId ?? ""], event.currentTarget.checked)} />
                  )}
                </td>
                <td>
                  <Link to={`/dead-letters/${encodeURIComponent(letter.deadLetterId ?? "")}`}>{letter.id}</Link> {letter.stage && <span class="muted">{letter.stage}</span>}
                </td>
                <td>
                  <Time at={letter.failedAt} />
                </td>
                <td>
                  <Time at={millisOf(letter.time)} />
                </td>
                <td class="number">{letter.attempt ?? "–"}</td>
                <td class="muted error-cell">{explained(letter.error ?? "")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {group.letters.length > shown && (
        <Button kind="quiet" onClick={() => setShown(shown + SHOWN)}>
          Show {whole(Math.min(SHOWN, group.letters.length - shown))} more of {whole(group.letters.length)}
        </Button>
      )}
    </section>
  );
}
