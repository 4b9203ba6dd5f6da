// The part of the form that says when.

import type { Json, JsonObject } from "../../api/types";
import { Choice, Fold, TextArea, TextField } from "../../components/field";
import { openKind } from "../../lib/aside";
import { isZoneIdle, kindOf, type Kind } from "../../lib/definition";
import { clockAt, HERE, isZone } from "../../lib/time";
import { Segments } from "../../components/basics";
import { ExcludeFields } from "./exclude";
import { numberOf, textOf, type PartProps } from "./parts";
import { WordsField } from "./words";

/** Formats a time of a definition for its field, in the task's time zone. */
function forTimeField(value: Json | undefined, zone: string): string {
  const millis = typeof value === "number" ? value : typeof value === "string" && /(?:Z|[+-]\d\d:?\d*)$/.test(value) && value.includes("T") ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(millis)) {
    const { date, time } = clockAt(millis, zone);
    return `${date}T${time}`;
  }
  return typeof value === "string" ? value : "";
}

/** A field with a time in the task's time zone. */
function TimeField({ definition, set, errorOf, name, label, help, isRequired = false }: PartProps & { name: string; label: string; help?: string; isRequired?: boolean }) {
  const zone = typeof definition["timezone"] === "string" && isZone(definition["timezone"]) ? definition["timezone"] : HERE;
  return (
    <TextField
      label={`${label} (${zone})`}
      type="datetime-local"
      step="1"
      value={forTimeField(definition[name], zone)}
      isRequired={isRequired}
      help={help}
      error={errorOf(name)}
      onChange={(value) => set({ [name]: value === "" && name !== "time" ? undefined : value, timezone: definition["timezone"] ?? HERE })}
    />
  );
}

function ZoneField({ definition, set, errorOf }: PartProps) {
  return (
    <TextField
      label="Time zone"
      list="zones"
      value={textOf(definition["timezone"])}
      placeholder="UTC"
      onChange={(value) => set({ timezone: value === "" ? undefined : value })}
      help="An IANA name such as Europe/Berlin. Runs follow its clock changes."
      error={errorOf("timezone")}
    />
  );
}

const KIND_NAMES: readonly (readonly [Kind, string])[] = [
  ["schedule", "In words"],
  ["delayInSeconds", "After a delay"],
  ["time", "At a time"],
  ["everySeconds", "Every"],
  ["cron", "Cron"],
  ["rrule", "Rule"],
  ["no-schedule", "By hand"],
];

function KindFields(props: PartProps) {
  const { definition, set, errorOf } = props;
  switch (kindOf(definition)) {
    case "delayInSeconds":
      return <TextField label="Delay in seconds" type="number" min="0" step="any" value={textOf(definition["delayInSeconds"])} onChange={(value) => set({ delayInSeconds: numberOf(value) ?? "" })} error={errorOf("delayInSeconds")} help="Counted from the moment at which the task is created." />;
    case "time":
      return (
        <div class="columns">
          <TimeField {...props} name="time" label="Time" isRequired help="A time in the past fires at once." />
          <ZoneField {...props} />
        </div>
      );
    case "everySeconds":
      return (
        <div class="columns">
          <TextField label="Interval in seconds" type="number" min="1" step="any" value={textOf(definition["everySeconds"])} onChange={(value) => set({ everySeconds: numberOf(value) ?? "" })} error={errorOf("everySeconds")} help="The first run is one interval from now, unless there is a start." />
          {!isZoneIdle(definition) && <ZoneField {...props} />}
        </div>
      );
    case "cron":
      return (
        <div class="columns">
          <TextArea
            label="Cron expressions, one a line"
            rows={2}
            value={Array.isArray(definition["cron"]) ? definition["cron"].join("\n") : textOf(definition["cron"])}
            onChange={(value) => set({ cron: value.includes("\n") ? value.split("\n") : value })}
            error={errorOf("cron")}
            help="Minute, hour, day of the month, month, day of the week; a sixth field in front is the second."
          />
          <ZoneField {...props} />
        </div>
      );
    case "rrule":
      return (
        <>
          <TextField label="Rule (RFC 5545)" isCode value={textOf(definition["rrule"])} onChange={(rrule) => set({ rrule })} error={errorOf("rrule")} help="Such as FREQ=MONTHLY;BYDAY=-1FR, the last Friday of each month." />
          <ZoneField {...props} />
        </>
      );
    case "schedule":
      return (
        <>
          <WordsField {...props} />
          <ZoneField {...props} />
        </>
      );
    case "no-schedule":
      return <p class="muted">It fires only when you run it, with the button “Run now” or by the API. It is kept after each run.</p>;
  }
}

export function ScheduleFields(props: PartProps) {
  const { definition, aside, set, open, errorOf } = props;
  const kind = kindOf(definition);
  const isRecurring = kind === "cron" || kind === "everySeconds" || kind === "rrule";
  const isUsed = (...names: readonly string[]) => names.some((name) => definition[name] !== undefined || errorOf(name) !== undefined);
  return (
    <fieldset class="panel">
      <legend>When</legend>
      <Segments label="Kind of schedule" value={kind} options={KIND_NAMES} onChange={(to) => open(...openKind(definition, aside, to, HERE))} />
      <KindFields {...props} />
      {kind !== "schedule" && errorOf("schedule") && <p class="field-error">{errorOf("schedule")}</p>}
      {isRecurring && (
        <Fold summary="Bounds and overlap" isUsed={isUsed("startAt", "endAt", "maxRuns", "overlap")}>
          <div class="columns">
            <TimeField {...props} name="startAt" label="Not before" isRequired={kind === "rrule"} />
            <TimeField {...props} name="endAt" label="Not after" />
            <TextField label="Number of runs" type="number" min="1" value={textOf(definition["maxRuns"])} onChange={(value) => set({ maxRuns: numberOf(value) })} error={errorOf("maxRuns")} />
            <Choice
              label="If the run before has not ended"
              value={textOf(definition["overlap"])}
              options={[
                ["", "fire the next one at the same time"],
                ["skip", "skip the next one"],
                ["queue-one", "hold one run until it ends"],
              ]}
              onChange={(value) => set({ overlap: value === "" ? undefined : value })}
              error={errorOf("overlap")}
            />
          </div>
        </Fold>
      )}
      {isRecurring && (
        <Fold summary="Days and times to leave out" isUsed={isUsed("exclude")}>
          <ExcludeFields {...props} />
        </Fold>
      )}
      {kind !== "no-schedule" && (
        <Fold summary="Delays and lateness" isUsed={isUsed("jitterSeconds", "windowSeconds", "expireAfterSeconds", "misfire")}>
          <div class="columns">
            <TextField label="Jitter in seconds" type="number" min="0" value={textOf(definition["jitterSeconds"])} onChange={(value) => set({ jitterSeconds: numberOf(value) })} error={errorOf("jitterSeconds")} help="Delays each run by a random part of this time, so that not all tasks fire at once." />
            <TextField label="Window in seconds" type="number" min="0" value={textOf(definition["windowSeconds"])} onChange={(value) => set({ windowSeconds: numberOf(value) })} error={errorOf("windowSeconds")} help="The run may fire up to this much later, together with others, which costs less." />
            <TextField label="Expires after seconds" type="number" min="0" step="any" value={textOf(definition["expireAfterSeconds"])} onChange={(value) => set({ expireAfterSeconds: numberOf(value) })} error={errorOf("expireAfterSeconds")} help="A run that would start later than this does not start at all." />
            <Choice
              label="Runs missed during an outage"
              value={textOf((definition["misfire"] as JsonObject | undefined)?.["policy"])}
              options={[
                ["", "fire all of them, however late"],
                ["fire-once", "fire only the last one"],
                ["skip", "skip them"],
                ["dead-letter", "keep them as dead letters"],
              ]}
              onChange={(policy) => set({ misfire: policy === "" ? undefined : { ...(definition["misfire"] as JsonObject | undefined), policy } })}
              error={errorOf("misfire")}
            />
          </div>
        </Fold>
      )}
    </fieldset>
  );
}
