import { Agent } from "agents";
import { withScheduler } from "durable-scheduler/agents";

export interface Env {
  WATCHERS: DurableObjectNamespace<Watcher>;
}

interface State {
  /** The page that is watched. */
  url?: string;
  /** Whether it answered at the last check. */
  isUp?: boolean;
  /** How often it was checked since the last summary. */
  checks: number;
  /** What the team can read. */
  messages: string[];
}

/** Watches a web page for a team, and sums up every working day. */
export class Watcher extends withScheduler(Agent<Env, State>) {
  initialState: State = { checks: 0, messages: [] };

  async onStart() {
    await this.scheduleEvery(60, "check", undefined, { retry: { maxAttempts: 5, minBackoffSeconds: 1, maxBackoffSeconds: 20 } });
    await this.schedule("0 8 * * 1-5", "sumUp", undefined, { timezone: "Europe/Berlin" });
  }

  async onRequest(request: Request) {
    const { pathname, searchParams } = new URL(request.url);
    const text = searchParams.get("text") ?? "";
    switch (`${request.method} ${pathname.split("/").at(-1)}`) {
      case "PUT page":
        this.setState({ ...this.state, url: text });
        break;
      case "POST reminder":
        await this.schedule(Number(searchParams.get("seconds")), "post", text);
        break;
      case "DELETE reminder":
        await this.cancelSchedule(text);
        break;
      case "GET history":
        return Response.json(await this.getScheduleRuns(text));
    }
    return Response.json({ ...this.state, schedules: await this.listSchedules() });
  }

  async check() {
    const { url, checks, isUp } = this.state;
    if (url === undefined) return;
    const response = await fetch(url);
    await response.body?.cancel();
    if (response.status === 503) throw new Error(`${url} is busy`);
    this.setState({ ...this.state, checks: checks + 1, isUp: response.ok });
    if (isUp !== undefined && isUp !== response.ok) this.post(`${url} is ${response.ok ? "up" : "down"}`);
  }

  sumUp() {
    this.post(`${this.state.checks} checks`);
    this.setState({ ...this.state, checks: 0 });
  }

  post(message: string) {
    this.setState({ ...this.state, messages: [...this.state.messages, message] });
  }
}
