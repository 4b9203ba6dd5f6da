// The next runs of a schedule, in the viewer's time zone and in its own.

import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { previewRuns } from "../api/preview";
import type { JsonObject, Preview, PreviewRun } from "../api/types";
import { now } from "../state/live";
import { previewText } from "../lib/problem";
import { refusalOf, type Refusal } from "../lib/refusal";
import { fullSentence } from "../lib/sentence";
import { duration, HERE, isZone, relative } from "../lib/time";
import { ApiText, ErrorNote, Time } from "./basics";

const TYPING_MS = 250;
/** The number of runs that a form shows. */
const SHOWN = 6;
/** The clock of the scheduler may be ahead by this much. */
const CLOCKS_APART_MS = 5_000;

interface PreviewState {
  preview?: Preview | undefined;
  /** When the preview arrived, by the clock of the viewer. */
  at?: number | undefined;
  error?: Error | undefined;
  /** The definition that was refused. */
  of?: JsonObject | undefined;
}

/** Returns whether nobody has said yet when the task fires: the field for the words is empty. */
const isBlank = ({ schedule }: JsonObject): boolean => typeof schedule === "string" && schedule.trim() === "";

/** Requests the runs of a definition when it has not changed for a moment. */
export function usePreview(definition: JsonObject, count: number, refreshedBy: unknown = undefined): PreviewState {
  const [state, setState] = useState<PreviewState>({});
  const text = JSON.stringify(definition);
  useEffect(() => {
    if (isBlank(definition)) {
      setState({});
      return undefined;
    }
    const controller = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const preview = await previewRuns(definition, { count }, controller.signal);
        setState({ preview, at: Date.now() });
      } catch (error) {
        if (!controller.signal.aborted) setState({ error: error as Error, of: definition });
      }
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text, count, refreshedBy]);
  return state;
}

/** A run that is past when the API shows it is due at that moment. */
const isPast = ({ time, due }: PreviewRun): boolean => time < now.value && due <= now.value + CLOCKS_APART_MS;

function Change({ run }: { run: PreviewRun }) {
  return (
    <>
      {run.movedFrom !== undefined && (
        <p class="muted small">
          Moved from <Time at={run.movedFrom} />
        </p>
      )}
      {run.explanation && (
        <p class="warn small">
          <strong>{run.clockChange}</strong> {run.explanation}
        </p>
      )}
    </>
  );
}

/** Lists runs in the viewer's time zone. Below each, shows its time in the zone of the schedule if it has one and that is another. */
export function RunTimes({ preview, hasZone = true }: { preview: Preview; hasZone?: boolean }) {
  const zone = preview.timezone;
  const hasOwnZone = hasZone && zone !== HERE && isZone(zone);
  if (preview.runs.length === 0) return <p class="muted">It does not fire by itself.</p>;
  return (
    <>
      <ol class="next-runs" aria-label="Next runs">
        {preview.runs.map((run) => (
          <li key={run.time}>
            <div class="next-run">
              <Time at={run.time} />
              <span class="muted">{relative(run.due, now.value)}</span>
            </div>
            {hasOwnZone && (
              <div class="muted small">
                <Time at={run.time} zone={zone} isBare={zone === "UTC"} /> {zone}
              </div>
            )}
            <Change run={run} />
            {run.due !== run.time && (
              <p class="muted small">{isPast(run) ? "This time is past, so it fires at once." : `Fires ${duration(run.due - run.time)} later, because of its jitter or window.`}</p>
            )}
          </li>
        ))}
      </ol>
      {!preview.more && preview.runs.length > 1 && <p class="muted small">There are no further runs.</p>}
    </>
  );
}

/** Returns whether the runs of a definition are counted from the request that creates or changes the task. */
const isCounted = ({ delayInSeconds, everySeconds, anchor, startAt }: JsonObject): boolean => delayInSeconds !== undefined || (everySeconds !== undefined && anchor === undefined && startAt === undefined);

/** Moves the runs of a preview. */
const movedBy = (preview: Preview, millis: number): Preview => ({ ...preview, runs: preview.runs.map((run) => ({ ...run, time: run.time + millis, due: run.due + millis })) });

/**
 * Returns the time from which the runs of a preview are counted, by the clock of the scheduler: before its first run by the delay or the
 * interval. If the first run is elsewhere, such as after days that are left out, this is about when the preview arrived.
 */
function beginningOf({ runs: [first] }: Preview, { delayInSeconds, everySeconds }: JsonObject, at: number): number {
  const counted = first === undefined ? Number.NaN : first.time - Number(delayInSeconds ?? everySeconds) * 1_000;
  return Math.abs(counted - at) < CLOCKS_APART_MS ? counted : at;
}

interface NextRunsProps {
  definition: JsonObject;
  verb?: "create" | "save";
  /** Called when the scheduler refuses the definition, and with undefined when it does not any more. */
  onRefused: (refusal: Refusal | undefined) => void;
}

/**
 * Shows the schedule of a definition as a sentence, and its next runs or its error. The runs move with the clock if they are counted from
 * the moment of the request, which `verb` names. Otherwise they are read again when the first of them is past.
 */
export function NextRuns({ definition, verb = "create", onRefused }: NextRunsProps) {
  /** The time of the last first run that is past. */
  const [past, setPast] = useState<number>();
  const { preview, at = 0, error, of } = usePreview(definition, SHOWN, past);
  const isMoving = isCounted(definition);
  const [first] = preview?.runs ?? [];
  const isOver = !isMoving && preview?.more === true && first !== undefined && first.due < now.value;
  useEffect(() => {
    if (isOver) setPast(first.due);
  }, [isOver, first?.due]);
  useEffect(() => {
    // The field for the sentence itself shows what is unclear.
    const problem = error instanceof ApiError && error.status === 422 && error.problem.field !== "schedule" ? error.problem : undefined;
    onRefused(problem && of && refusalOf({ field: problem.field, detail: previewText(problem) }, of));
  }, [error]);
  if (isBlank(definition)) return <p class="muted">Say when it fires, and its next runs appear here.</p>;
  // A schedule that the scheduler refuses has no meaning to describe.
  const isRefused = error instanceof ApiError && error.status === 422;
  return (
    <>
      {!isRefused && (
        <p>
          <ApiText>{fullSentence(definition as Parameters<typeof fullSentence>[0], error ? undefined : preview?.sentence)}</ApiText>
        </p>
      )}
      <Runs preview={preview && isMoving ? movedBy(preview, now.value - beginningOf(preview, definition, at)) : preview} error={error} hasZone={!isMoving} />
      {isMoving && preview && !error && <p class="muted small">If you {verb} it now. The times move on until you do.</p>}
    </>
  );
}

function Runs({ preview, error, hasZone }: PreviewState & { hasZone: boolean }) {
  if (error instanceof ApiError && error.status === 422) {
    return (
      <p class="note warn" role="status">
        <span>
          <strong>No runs yet.</strong>
          {error.problem.field === "schedule" ? " The part “When” says why." : ` ${previewText(error.problem)}`}
        </span>
      </p>
    );
  }
  if (error) return <ErrorNote error={error} />;
  return preview ? <RunTimes preview={preview} hasZone={hasZone} /> : <p class="muted">…</p>;
}
