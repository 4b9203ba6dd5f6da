// The part of the form that says when.

import type { Json, JsonObject } from "../../api/types";
import { Choice, TextArea, TextField } from "../../components/field";
import { kindOf, withKind, type Kind } from "../../lib/definition";
import { clockAt, HERE, isZone } from "../../lib/time";
import { Segments } from "../../components/basics";
import { JsonField, numberOf, textOf, type PartProps } from "./parts";
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
      return <TextField label="Interval in seconds" type="number" min="1" step="any" value={textOf(definition["everySeconds"])} onChange={(value) => set({ everySeconds: numberOf(value) ?? "" })} error={errorOf("everySeconds")} help="The first run is one interval from now, unless there is a start." />;
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
  const { definition, set, replace, errorOf } = props;
  const kind = kindOf(definition);
  const isRecurring = kind === "cron" || kind === "everySeconds" || kind === "rrule";
  return (
    <fieldset class="panel">
      <legend>When</legend>
      <Segments label="Kind of schedule" value={kind} options={KIND_NAMES} onChange={(to) => replace(withKind(definition, to, HERE))} />
      <KindFields {...props} />
      {kind !== "schedule" && errorOf("schedule") && <p class="field-error">{errorOf("schedule")}</p>}
      {isRecurring && (
        <details open={["startAt", "endAt", "maxRuns", "exclude", "overlap"].some((name) => definition[name] !== undefined) || undefined}>
          <summary>Bounds and overlap</summary>
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
          <JsonField label="Days and times to leave out, as JSON" value={definition["exclude"]} onChange={(exclude) => set({ exclude })} error={errorOf("exclude")} help={`Such as {"weekdays":["SAT","SUN"],"dates":["12-24/12-26"],"times":["12:00-13:00"]}. "calendars":["holidays"] adds those of calendars. With "instead":"next", a run moves to the next other day.`} rows={2} />
        </details>
      )}
      {kind !== "no-schedule" && (
        <details open={["jitterSeconds", "windowSeconds", "expireAfterSeconds", "misfire"].some((name) => definition[name] !== undefined) || undefined}>
          <summary>Delays and lateness</summary>
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
        </details>
      )}
    </fieldset>
  );
}
