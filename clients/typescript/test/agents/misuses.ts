// What must not compile with an agent: a line that compiles all the same is an error of its comment.

import { Agent } from "agents";
import { withScheduler } from "durable-scheduler/agents";

export class Misused extends withScheduler(Agent<object, { count: number }>) {
  override initialState = { count: 0 };

  async remind(payload: { text: string }): Promise<void> {
    // The state has the type of the agent.
    this.setState({ count: this.state.count + payload.text.length });
    // @ts-expect-error: no such state.
    this.setState({ total: 1 });
  }

  async misuses(): Promise<void> {
    await this.schedule(1, "remind", { text: "a" }, { retry: { maxAttempts: 5 }, timezone: "Europe/Berlin" });
    // @ts-expect-error: no such method.
    await this.schedule(1, "reminds", { text: "a" });
    // @ts-expect-error: no such time.
    await this.schedule({ seconds: 1 }, "remind", { text: "a" });
    // @ts-expect-error: an interval is a number of seconds.
    await this.scheduleEvery("30", "remind");
    // @ts-expect-error: no such option.
    await this.schedule(1, "remind", { text: "a" }, { timeZone: "Europe/Berlin" });
    // @ts-expect-error: no such type.
    await this.listSchedules({ type: "daily" });
    // @ts-expect-error: there may be no such schedule.
    (await this.getScheduleById("a")).id.trim();
    // @ts-expect-error: a promise, unlike in the agents package.
    this.getSchedules().map((schedule) => schedule.id);
    const schedule = await this.schedule(1, "remind", { text: "a" });
    if (schedule.type === "cron") schedule.cron.trim();
    // @ts-expect-error: only a delay has this.
    schedule.delayInSeconds.toFixed();
    schedule.payload.text.trim();
  }
}
