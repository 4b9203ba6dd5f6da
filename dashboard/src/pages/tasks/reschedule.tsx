// The new time of a task.

import type { JsonObject } from "../../api/types";
import { Choice, TextField } from "../../components/field";
import { HERE, isZone } from "../../lib/time";
import { ZoneList } from "../create/zones";

export interface RescheduleForm {
  how: "delay" | "time";
  delay: string;
  time: string;
  /** Empty for the viewer's zone. */
  timezone: string;
}

/** Returns the body of a request from the form; undefined while the form has no time. */
export function rescheduleBody({ how, delay, time, timezone }: RescheduleForm): JsonObject | undefined {
  if (how === "delay") return delay === "" ? undefined : { delayInSeconds: Number(delay) };
  return time === "" ? undefined : { time, timezone: timezone === "" ? HERE : timezone };
}

export function RescheduleFields({ form, onChange }: { form: RescheduleForm; onChange: (form: RescheduleForm) => void }) {
  const zone = isZone(form.timezone) ? form.timezone : HERE;
  return (
    <>
      <Choice
        label="To"
        value={form.how}
        options={[
          ["delay", "a delay from now"],
          ["time", "a time"],
        ]}
        onChange={(how) => onChange({ ...form, how: how as RescheduleForm["how"] })}
      />
      {form.how === "delay" ? (
        <TextField label="Delay in seconds" type="number" min="0" step="any" value={form.delay} onChange={(delay) => onChange({ ...form, delay })} isRequired />
      ) : (
        <>
          <TextField label={`Time (${zone})`} type="datetime-local" value={form.time} onChange={(time) => onChange({ ...form, time })} isRequired />
          <TextField label="Time zone" list="zones" value={form.timezone} placeholder={HERE} onChange={(timezone) => onChange({ ...form, timezone })} help="An IANA name. Without one, the time is by your clock." />
          <ZoneList />
        </>
      )}
    </>
  );
}
