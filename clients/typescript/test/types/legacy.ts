// The same decorators with TypeScript's older convention.

import { cron, every, Scheduler, task } from "durable-scheduler";

export class Legacy extends Scheduler {
  @task({ retries: 3 })
  remind(payload: { text: string }) {
    return payload.text;
  }

  @cron("0 9 * * MON")
  report() {}

  @every(60, { payload: { n: 1 } })
  tick(payload: { n: number }) {
    return payload.n;
  }

  // @ts-expect-error There is no minute 61.
  @cron("61 9 * * *")
  wrong() {}

  // @ts-expect-error The method needs a payload, and the schedule has none.
  @every(60)
  needs(payload: { n: number }) {
    return payload;
  }
}
