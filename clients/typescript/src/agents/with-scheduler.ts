import type { DurableObject } from "cloudflare:workers";
import type { SchedulerClient } from "../client/client.ts";
import type { ListRunsQuery, Run } from "../generated/openapi.ts";
import { connect } from "../scheduler/connect.ts";
import { type Class, declaredSchedules } from "../scheduler/declarations.ts";
import { homeOfObject, type ObjectClass } from "../scheduler/object-home.ts";
import { interceptRuns } from "../scheduler/runs.ts";
import { Schedules } from "./schedules.ts";
import type { RetryOptions, Schedule, ScheduleCriteria, ScheduledMethods, ScheduleOptions } from "./types.ts";

/** A class of Durable Objects, such as `Agent`. */
type AnyClass = abstract new (...args: any[]) => DurableObject<any>;

/** The parts of an `Agent` of any version that `withScheduler` needs. */
interface AgentLike {
  schedule?(when: Date | string | number, callback: PropertyKey, payload?: unknown, options?: object): Promise<Schedule<unknown>>;
  scheduleEvery?(intervalSeconds: number, callback: PropertyKey, payload?: unknown, options?: object): Promise<Schedule<unknown>>;
  getScheduleById?(id: string): Promise<Schedule<unknown> | undefined>;
  listSchedules?(criteria?: ScheduleCriteria): Promise<Schedule<unknown>[]>;
  cancelSchedule?(id: string): Promise<boolean>;
  /** Versions without the two members above have these. */
  getSchedule?(id: string): Schedule<unknown> | undefined | Promise<Schedule<unknown> | undefined>;
  getSchedules?(criteria?: ScheduleCriteria): Schedule<unknown>[];
  /** Starts the agent. A call from outside does not do so by itself. */
  __unsafe_ensureInitialized?(): Promise<void>;
  destroy?(): Promise<void>;
  /** Is called with the error of a run that has failed for good. */
  onError?(error: unknown): unknown;
  /** The name that the agent has stored. */
  readonly name?: unknown;
  /** Whether it is a sub-agent, which has no address of its own. */
  _isFacet?: boolean;
}

/** A class whose objects have the methods of {@link ScheduledMethods}. For `binding`, see `Scheduler.binding`. */
export type ScheduledClass = (abstract new (...args: any[]) => ScheduledMethods) & { binding?: string | undefined };

/**
 * Returns a class like `base` whose schedules are tasks of the scheduler. The methods are those of Cloudflare's agents
 * package, so an agent moves over by one line: `class MyAgent extends Agent<Env>` becomes
 * `class MyAgent extends withScheduler(Agent<Env>)`.
 *
 * Schedules that the agent has made before this change continue in the agent itself, and the methods list, find and cancel them, too. A
 * schedule that is declared again, such as a cron expression in `onStart`, moves to the scheduler.
 *
 * The agent needs a name, and a binding in the scheduler's Worker. Tasks that the agent itself has scheduled may call
 * the methods that the class declares, but none with a name that begins with `_`. Sub-agents, and what the agents package
 * schedules for itself, stay with the agent's own alarm.
 *
 * @example
 * export class ReminderAgent extends withScheduler(Agent<Env>) {
 *   async onStart() {
 *     await this.schedule("0 8 * * *", "dailyDigest", { user: "kim" }, { timezone: "Europe/Berlin" });
 *   }
 *   async dailyDigest({ user }: { user: string }) {
 *     console.log(`Good morning, ${user}`);
 *   }
 * }
 */
export function withScheduler<Base extends AnyClass>(base: Base): ScheduledClass & Base {
  const inherited = base.prototype as AgentLike;

  abstract class Scheduled extends (base as AnyClass) implements Omit<ScheduledMethods, "schedule" | "scheduleEvery" | "getSchedule" | "getSchedules"> {
    static binding: string | undefined;
    readonly #schedules: Schedules;

    // TypeScript requires these arguments of a mixin.
    constructor(...args: any[]) {
      super(...args);
      const type = new.target as unknown as ObjectClass & { options?: { retry?: RetryOptions } };
      const home = homeOfObject(this.ctx, this.env, type, Scheduled as unknown as Class, () => nameOf(this as unknown as AgentLike));
      const [declared] = declaredSchedules(home.type, home.base);
      if (declared !== undefined) throw new TypeError(`${type.name}.${declared.method}() has @cron or @every, which are for Scheduler and Tasks: call this.schedule in onStart`);
      let client: SchedulerClient | undefined;
      this.#schedules = new Schedules(home, () => (client ??= connect(this.env, this.ctx)), type.options?.retry);
      interceptRuns(this, home, {
        before: () => inherited.__unsafe_ensureInitialized?.call(this),
        argument: (task) => this.#schedules.ofRun(task),
        afterFailure: (error) => (this as unknown as AgentLike).onError?.(error),
      });
    }

    async schedule(when: Date | string | number, callback: PropertyKey, payload?: unknown, options: ScheduleOptions = {}): Promise<Schedule<unknown>> {
      if (inherited.schedule && this.#isOfAgent(callback)) return inherited.schedule.call(this, when, callback, payload, options);
      // The agents package accepts a delay that has passed, and runs the schedule at once.
      const times = when instanceof Date ? { time: when } : typeof when === "string" ? { cron: when } : { delayInSeconds: Math.max(0, when) };
      const schedule = await this.#schedules.create(times, String(callback), payload, options);
      if (options.idempotent ?? typeof when === "string") await this.#retire(schedule);
      return schedule;
    }

    async scheduleEvery(intervalSeconds: number, callback: PropertyKey, payload?: unknown, options: ScheduleOptions = {}): Promise<Schedule<unknown>> {
      if (inherited.scheduleEvery && this.#isOfAgent(callback)) return inherited.scheduleEvery.call(this, intervalSeconds, callback, payload, options);
      const schedule = await this.#schedules.create({ everySeconds: intervalSeconds }, String(callback), payload, options);
      if (options.idempotent ?? true) await this.#retire(schedule);
      return schedule;
    }

    async getScheduleById(id: string): Promise<Schedule<unknown> | undefined> {
      return (await this.#findOfAgent(id)) ?? (this.#isSubAgent ? undefined : this.#schedules.get(id));
    }

    async listSchedules(criteria: ScheduleCriteria = {}): Promise<Schedule<unknown>[]> {
      const [ofAgent, ofScheduler] = await Promise.all([this.#listOfAgent(criteria), this.#isSubAgent ? [] : this.#schedules.list(criteria)]);
      return [...ofAgent, ...ofScheduler].sort((one, two) => one.time - two.time);
    }

    async cancelSchedule(id: string): Promise<boolean> {
      if (inherited.cancelSchedule && (this.#isSubAgent || (await this.#findOfAgent(id)))) return inherited.cancelSchedule.call(this, id);
      return this.#schedules.cancel(id);
    }

    getSchedule(id: string): Promise<Schedule<unknown> | undefined> {
      return this.getScheduleById(id);
    }

    getSchedules(criteria: ScheduleCriteria = {}): Promise<Schedule<unknown>[]> {
      return this.listSchedules(criteria);
    }

    async pauseSchedule(id: string): Promise<boolean> {
      return this.#schedules.change(id, "pause");
    }

    async resumeSchedule(id: string): Promise<boolean> {
      return this.#schedules.change(id, "resume");
    }

    async runSchedule(id: string): Promise<boolean> {
      return this.#schedules.change(id, "run");
    }

    async getScheduleRuns(id: string, query: Pick<ListRunsQuery, "limit"> = {}): Promise<Run[]> {
      return this.#schedules.runs(id, query);
    }

    /** Cancels all schedules and deletes the agent. */
    async destroy(): Promise<void> {
      if (!this.#isSubAgent) await this.#schedules.cancelAll();
      await inherited.destroy?.call(this);
    }

    get #isSubAgent(): boolean {
      return (this as unknown as AgentLike)._isFacet === true;
    }

    /** Whether a call is made by the agent's own alarm: by the agents package itself, or by a sub-agent. */
    #isOfAgent(callback: PropertyKey): boolean {
      return this.#isSubAgent || callback in inherited || String(callback).startsWith("_");
    }

    async #findOfAgent(id: string): Promise<Schedule<unknown> | undefined> {
      return inherited.getScheduleById ? inherited.getScheduleById.call(this, id) : inherited.getSchedule?.call(this, id);
    }

    async #listOfAgent(criteria: ScheduleCriteria): Promise<Schedule<unknown>[]> {
      return (inherited.listSchedules ? await inherited.listSchedules.call(this, criteria) : inherited.getSchedules?.call(this, criteria)) ?? [];
    }

    /** Cancels the schedule of the agent's own alarm that the scheduler has now. */
    async #retire(schedule: Schedule<unknown>): Promise<void> {
      for (const old of await this.#listOfAgent({ type: schedule.type })) {
        if (ruleOf(old) === ruleOf(schedule)) await inherited.cancelSchedule?.call(this, old.id);
      }
    }
  }
  return Scheduled as unknown as ScheduledClass & Base;
}

/** Returns the name that an agent has stored, or undefined. */
function nameOf(agent: AgentLike): string | undefined {
  try {
    return typeof agent.name === "string" ? agent.name : undefined;
  } catch {
    // The agents package does the same if the agent has no name.
    return undefined;
  }
}

/** Returns a text that is equal for schedules that the agents package treats as the same. */
function ruleOf(schedule: Schedule<unknown>): string {
  const { callback, payload, type } = schedule;
  const rule = schedule.type === "cron" ? schedule.cron : schedule.type === "interval" ? schedule.intervalSeconds : undefined;
  return JSON.stringify([type, callback, payload, rule]);
}
