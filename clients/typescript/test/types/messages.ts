// What types.test.mjs compiles for its messages: a line for each mistake, with what the compiler must say of it.

import { cron, Scheduler } from "durable-scheduler";

export class Mistakes extends Scheduler {
  async note(payload: { text: string; priority: "high" | "low" }) {
    return payload;
  }
  _hidden() {}

  async schedule() {
    const { scheduler } = this;
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "notes" } }); // says: Property 'notes' is missing in type 'Mistakes'
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "note" }, payload: { text: "a", priority: "no" } }); // says: Type '"no"' is not assignable to type '"high" | "low"'
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "note" } }); // says: Type 'undefined' is not assignable to type '{ text: string; priority: "high" | "low"; }'
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "_hidden" } }); // says: its name begins with _: no task may call it
    await scheduler.scheduleTask({ delayInSeconds: 1, payload: { at: new Date() } }); // says: JSON has no Date: give its toISOString(), or its getTime()
    await scheduler.scheduleTask({ delayInSeconds: 1, cron: "0 9 * * *" }); // says: Types of property 'cron' are incompatible
  }

  @cron("0 9 * * MOM") // says: \"MOM\" is not valid in the day of the week field, which takes 0-7 or SUN-SAT
  day() {}
  @cron(["0 9 * * *", "0 24 * * *"]) // says: \"24\" is not valid in the hour field, which takes 0-23
  hour() {}
  @cron("0 9 * * *") // says: Type 'undefined' is not assignable to type '{ n: number; }'
  needs(payload: { n: number }) {
    return payload;
  }
}
