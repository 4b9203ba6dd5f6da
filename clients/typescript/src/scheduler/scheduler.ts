import { DurableObject } from "cloudflare:workers";
import type { SchedulerClient } from "../client/client.ts";
import type { OverRpc } from "../rpc.ts";
import { connect } from "./connect.ts";
import type { Class } from "./declarations.ts";
import { PermanentError } from "./errors.ts";
import type { Home } from "./home.ts";
import { homeOfObject, type ObjectClass } from "./object-home.ts";
import { fingerprintOf, reconcile, throwAll } from "./reconcile.ts";
import { interceptRuns } from "./runs.ts";
import { TaskScheduler } from "./task-scheduler.ts";
import type { Criteria, NewTask, Task, TaskRun } from "./types.ts";

/** The key of an entry in the object's storage. */
const FINGERPRINT = "durable-scheduler:declared";

/**
 * A Durable Object that schedules tasks which call its own methods.
 *
 * The object needs a name, and a binding in the scheduler's Worker. Its tasks may call its public methods, but none that it
 * inherits from here, and only tasks that it has scheduled itself may call them.
 *
 * Schedules that `@cron` and `@every` declare are those of each object of the class. An object brings them up to date when
 * it starts: at its first request or run after a deploy.
 *
 * @example
 * export class Reminders extends Scheduler<Env> {
 *   async add(text: string, seconds: number) {
 *     await this.scheduler.scheduleTask({ delayInSeconds: seconds, callback: { type: "self", function: "remind" }, payload: { text } });
 *   }
 *   async remind({ text }: { text: string }) {
 *     console.log(text);
 *   }
 * }
 */
export class Scheduler<Env = unknown> extends DurableObject<Env> {
  /**
   * The name of the binding by which the scheduler calls objects of this class. Default: the one in this Worker's own
   * bindings. Set it if the scheduler is in another Worker.
   */
  static binding: string | undefined;

  /** Schedules, finds and cancels tasks of this object. */
  readonly scheduler: TaskScheduler<this>;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const type = new.target as unknown as ObjectClass;
    let client: SchedulerClient | undefined;
    const connected = () => (client ??= connect(env, ctx));
    const home = homeOfObject(ctx, env, type, Scheduler as unknown as Class);
    this.scheduler = new TaskScheduler(home, connected);
    const declared = new DeclaredSchedules(ctx.storage, home, connected);
    interceptRuns(this, home, { onCall: (isGenuine) => declared.noteCall(isGenuine), before: () => ctx.waitUntil(declared.bringUpToDate()) });
    ctx.waitUntil(declared.bringUpToDate());
  }

  /** Schedules a task, as `this.scheduler.scheduleTask` does: for callers with a stub of this object. */
  async scheduleTask(task: NewTask): Promise<OverRpc<Task>> {
    return (await this.scheduler.scheduleAny(task)) as OverRpc<Task>;
  }

  /** Returns the tasks of this object that meet all criteria, in the order of their times: for callers with a stub. */
  async query(criteria: Criteria = {}): Promise<OverRpc<Task>[]> {
    return (await this.scheduler.query(criteria)) as OverRpc<Task>[];
  }

  /** Cancels a task, as `this.scheduler.cancelTask` does: for callers with a stub. Returns false if no task has this id now. */
  async cancelTask(id: string): Promise<boolean> {
    return this.scheduler.cancelTask(id);
  }

  /**
   * Runs a task without a callback. A class may override this method. Here it throws a `PermanentError`, because there is nothing to do.
   */
  onTask(_payload: unknown, run: TaskRun): unknown {
    throw new PermanentError(`the task ${run.id} has no callback, and ${this.constructor.name} has no method onTask: give the task a callback, or the class this method`);
  }
}

/** The wait in milliseconds before the declared schedules are tried again after a failure. */
const RETRY_MILLIS = 30_000;

/** The declared schedules of an object. */
class DeclaredSchedules {
  readonly #storage: DurableObjectStorage;
  readonly #home: Home;
  readonly #client: () => SchedulerClient;
  /** When they may next be brought up to date, milliseconds since 1970; never again when they are up to date. */
  #nextAttempt = 0;
  /** Whether the first call by the scheduler is genuine, if there was a call. */
  #firstCall: Promise<boolean> | undefined;

  constructor(storage: DurableObjectStorage, home: Home, client: () => SchedulerClient) {
    this.#storage = storage;
    this.#home = home;
    this.#client = client;
  }

  /** Records a call by the scheduler. */
  noteCall(isGenuine: Promise<boolean>): void {
    this.#firstCall ??= isGenuine;
  }

  /**
   * Reconciles the declared schedules if they have changed. Does nothing if that was done since the object has started, or was tried a
   * moment ago. Logs the error if it fails.
   */
  async bringUpToDate(): Promise<void> {
    if (Date.now() < this.#nextAttempt) return;
    this.#nextAttempt = Infinity;
    try {
      const [stored, wanted] = await Promise.all([this.#storage.get<string>(FINGERPRINT), fingerprintOf(this.#home)]);
      if ((stored ?? "") === wanted) return;
      if (stored === undefined && !(await this.#isCalled())) {
        this.#nextAttempt = 0;
        return;
      }
      const { fingerprint, errors } = await reconcile(this.#client(), this.#home, stored ?? "");
      await this.#storage.put(FINGERPRINT, fingerprint);
      throwAll(errors);
    } catch (error) {
      this.#nextAttempt = Date.now() + RETRY_MILLIS;
      console.error(`${this.#home.type.name}: ${(error as Error).message}`);
    }
  }

  /**
   * Returns false if a forged run has started an object for the first time. Otherwise anybody who may create tasks could create any number
   * of objects, each with schedules.
   */
  async #isCalled(): Promise<boolean> {
    // By then, the call that has started the object has arrived.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return (await this.#firstCall) ?? true;
  }
}
