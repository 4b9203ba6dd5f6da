import type { SchedulerClient, TaskQuery as ApiTaskQuery } from "../client/client.ts";
import type { Pages } from "../client/pages.ts";
import type { Explanation, ListRunsQuery, Run } from "../generated/openapi.ts";
import { fromApi, toApi } from "./convert.ts";
import type { Home } from "./home.ts";
import type { CheckedCallback, CheckedPayload, MethodOf, Plain } from "./checks.ts";
import type { Callback, Criteria, NewTask, Task, TaskRun, TaskSchedule } from "./types.ts";

/** Something whose method `Method` takes a `Payload`. What the method returns is not compared, because it may depend on the call itself. */
interface OwnedBy<Method extends string, Payload> {
  readonly owner?: Record<Method, (payload: Payload, run: TaskRun) => void>;
}

/** What the ids of declared schedules begin with. */
export const DECLARED = "@";

/**
 * Schedules tasks of one object or entry point, and finds and cancels them. It sees no tasks of others.
 *
 * Every method throws a `SchedulerError` if the scheduler refuses the call or cannot be reached.
 */
export class TaskScheduler<Owner extends object = object> {
  /** The object whose methods tasks call. Only the compiler uses it. */
  declare readonly owner?: Owner;
  readonly #client: () => SchedulerClient;
  readonly #home: Home;
  /** Creates that have been called and not answered. A query sees what they create, also if nobody has waited for them. */
  readonly #creating = new Set<Promise<unknown>>();

  constructor(home: Home, client: () => SchedulerClient) {
    this.#home = home;
    this.#client = client;
  }

  /** The client of the whole scheduler, for everything that is not about the tasks of this object. */
  get client(): SchedulerClient {
    return this.#client();
  }

  /**
   * Schedules a task, and returns it. An existing task with the same id is overwritten. Without an id, the task gets a random
   * UUID. Without a callback, the task calls the method `onTask` of this object.
   *
   * TypeScript checks that the object has the method, and that the method takes the payload.
   *
   * Throws a `TypeError` if tasks may not call the method.
   *
   * @example
   * await this.scheduler.scheduleTask({ delayInSeconds: 60, callback: { type: "self", function: "remind" }, payload: { text: "Tea" } });
   */
  scheduleTask<const Called extends Callback | undefined = undefined, const Payload = undefined>(
    this: OwnedBy<MethodOf<Called>, Plain<Payload>>,
    task: TaskSchedule & { callback?: Called & CheckedCallback<Called>; payload?: Payload & CheckedPayload<Payload> },
  ): Promise<Task>;
  scheduleTask(task: object): Promise<Task> {
    return (this as TaskScheduler).scheduleAny(task as NewTask);
  }

  /** Does the same as `scheduleTask`, for a task whose method and payload TypeScript does not know. */
  async scheduleAny(task: NewTask): Promise<Task> {
    const { id = crypto.randomUUID() } = task;
    if (id === null || id.startsWith(DECLARED)) throw new TypeError(`the id is ${id}: ids that begin with "${DECLARED}" are those of declared schedules`);
    const creating = toApi(task, this.apiId(id), this.#home).then((sent) => this.client.scheduleTask(sent));
    this.#creating.add(creating);
    try {
      return fromApi(await creating, this.#home);
    } finally {
      this.#creating.delete(creating);
    }
  }

  /**
   * Returns the tasks of this object that meet all criteria, in the order of their times: as an array when awaited, or one
   * by one with `for await`.
   */
  query(criteria: Criteria = {}): FoundTasks {
    return new FoundTasks(() => this.#query(criteria));
  }

  /** Returns a task, or `undefined` if no task has this id now. */
  async getTask(id: string): Promise<Task | undefined> {
    await this.#created();
    const task = await this.client.getTask(this.apiId(id));
    return task === undefined ? undefined : fromApi(task, this.#home);
  }

  /**
   * Cancels a task. Returns false if no task has this id now. No attempt starts after that; one in flight runs to its end.
   *
   * If the answer is lost, the request is sent again. If that one finds no task, the first may have cancelled it, and the result is true.
   * `client.cancelTask(apiId(id))` tells the two apart.
   */
  async cancelTask(id: string): Promise<boolean> {
    await this.#created();
    return (await this.client.cancelTask(this.apiId(id))) !== undefined;
  }

  /** Lists the attempts at a task of this object, the newest first, even after the task is gone. */
  runs(id: string, query: ListRunsQuery = {}): Pages<Run> {
    return this.client.runs(this.apiId(id), query);
  }

  /** Explains why a task of this object did or did not fire, and when it will. */
  async explain(id: string): Promise<Explanation> {
    return this.client.explain(this.apiId(id));
  }

  /** Returns the id that a task of this object has in the whole scheduler: for `client`, the HTTP API and the dashboard. */
  apiId(id: string): string {
    return this.#home.prefix + id;
  }

  /** Keeps a task from firing until it is resumed. The `note` says why. Declared schedules stay paused over deploys, with their notes. */
  async pause(id: string, { note }: { note?: string | undefined } = {}): Promise<Task> {
    return fromApi(await this.client.pause(this.apiId(id), { note }), this.#home);
  }

  /** Ends the pause of a task. */
  async resume(id: string): Promise<Task> {
    return fromApi(await this.client.resume(this.apiId(id)), this.#home);
  }

  /** Runs a task now. A recurring task runs in addition to its schedule. */
  async run(id: string): Promise<Task> {
    return fromApi(await this.client.run(this.apiId(id)), this.#home);
  }

  async *#query({ id, description, type, tag, timeRange, from = timeRange?.start, to = timeRange?.end }: Criteria): AsyncGenerator<Task, void, undefined> {
    await this.#created();
    const query = { prefix: this.apiId(id ?? ""), from, to, tag, text: description, kind: kindOf(type) };
    const present = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as ApiTaskQuery;
    for await (const found of this.client.query(present)) {
      const task = fromApi(found, this.#home);
      const isAsked = (id ?? task.id) === task.id && (description ?? task.description) === task.description && (type ?? task.type) === task.type;
      if (isAsked) yield task;
    }
  }

  async #created(): Promise<void> {
    await Promise.allSettled(this.#creating);
  }
}

function kindOf(type: Criteria["type"]): ApiTaskQuery["kind"] {
  return type === "scheduled" || type === "delayed" ? "once" : type;
}

/** The tasks that a query finds. Each use sends the query again. */
export class FoundTasks implements PromiseLike<Task[]>, AsyncIterable<Task> {
  readonly #tasks: () => AsyncGenerator<Task, void, undefined>;

  constructor(tasks: () => AsyncGenerator<Task, void, undefined>) {
    this.#tasks = tasks;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Task, void, undefined> {
    return this.#tasks();
  }

  /** Reads all tasks into an array. */
  async toArray(): Promise<Task[]> {
    const tasks: Task[] = [];
    for await (const task of this) tasks.push(task);
    return tasks;
  }

  /** Calls a function with each task, and waits for what it returns. */
  async forEach(visit: (task: Task) => unknown): Promise<void> {
    for await (const task of this) await visit(task);
  }

  then<Result = Task[], Failure = never>(
    onFulfilled?: ((tasks: Task[]) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return this.toArray().then(onFulfilled, onRejected);
  }
}
