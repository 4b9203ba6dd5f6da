// The part of the virtual clock in the Worker under test. It is bundled before the Worker's own modules.

import type { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

/** The path at which the Worker accepts a new time. */
export const CLOCK_PATH = "/durable-scheduler/clock";

/** The bindings of the Durable Objects whose alarms follow the virtual clock, by the names of their classes. */
const BINDINGS: Readonly<Record<string, string>> = { Shard: "SHARDS", Registry: "REGISTRY", Limiter: "LIMITERS" };

const RealDate = Date;
/** How far the virtual clock is ahead of the real one, in milliseconds. */
let offset = 0;
/** The alarms of objects, in milliseconds of virtual time, by binding and id. */
const alarms = new Map<string, number>();

// Makes `Date` show the virtual time in this isolate, before another module runs.
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[], newTarget) => Reflect.construct(target, args.length === 0 ? [target.now() + offset] : args, newTarget) as Date,
  apply: () => new Date().toString(),
  get: (target, name, receiver) => (name === "now" ? () => target.now() + offset : (Reflect.get(target, name, receiver) as unknown)),
});

/**
 * The longest timer that follows the virtual clock, in milliseconds: `STAY_AWAKE_MILLIS` of the engine. A shard waits at most this long for
 * what is due next, and sets its alarm for what is later. By the real clock, a test with a task each second would take half as long as the
 * seconds.
 */
const LONGEST_TIMER_MILLIS = 1_000;
/** How often such a timer checks the virtual clock, in milliseconds of real time. */
const LOOK_MILLIS = 5;

type Handle = ReturnType<typeof setTimeout>;

const { setTimeout: startTimer, clearTimeout: endTimer } = globalThis;
/** The timers that check the clock: the current real timer, by the handle that the caller has. */
const looking = new Map<Handle, Handle>();

// Each timer checks the clock by itself, because only the object that has started a timer may end it.
globalThis.setTimeout = ((callback: (...args: unknown[]) => void, delay?: number, ...args: unknown[]): Handle => {
  const millis = Number(delay);
  if (!(millis > LOOK_MILLIS && millis <= LONGEST_TIMER_MILLIS)) return startTimer(callback, delay, ...args);
  const end = Date.now() + millis;
  const look = () => {
    const left = end - Date.now();
    if (left > 0) {
      looking.set(handle, startTimer(look, Math.min(left, LOOK_MILLIS)));
    } else {
      looking.delete(handle);
      callback(...args);
    }
  };
  const handle = startTimer(look, LOOK_MILLIS);
  looking.set(handle, handle);
  return handle;
}) as typeof setTimeout;

globalThis.clearTimeout = (handle) => {
  if (handle === null || handle === undefined) return;
  endTimer(looking.get(handle as Handle) ?? handle);
  looking.delete(handle as Handle);
};

type ObjectClass = new (ctx: DurableObjectState, env: Record<string, DurableObjectNamespace>) => DurableObject & { fetch(request: Request): Promise<Response> };
type WorkerClass = new (ctx: ExecutionContext, env: Record<string, DurableObjectNamespace>) => WorkerEntrypoint & { fetch(request: Request): Response | Promise<Response> };

/** Returns a class of Durable Objects whose alarms follow the virtual clock. */
export function withVirtualAlarms(name: string, Base: ObjectClass): ObjectClass {
  if (typeof Base !== "function") throw new TypeError(`the main module does not export ${name}: export { ${name} } from "durable-scheduler/worker"`);
  return class extends Base {
    readonly #setRealAlarm: (time: number) => Promise<void>;
    readonly #key: string;

    constructor(ctx: DurableObjectState, env: Record<string, DurableObjectNamespace>) {
      const key = `${BINDINGS[name]} ${ctx.id.toString()}`;
      super(withStorage(ctx, virtualStorage(ctx.storage, key)), env);
      this.#key = key;
      this.#setRealAlarm = (time) => ctx.storage.setAlarm(time);
    }

    override async fetch(request: Request): Promise<Response> {
      if (new URL(request.url).pathname !== CLOCK_PATH) return super.fetch(request);
      const time = alarms.get(this.#key);
      if (time !== undefined) await this.#setRealAlarm(realAlarm(time));
      return new Response();
    }
  };
}

/** Returns the time of the real alarm for a virtual time. A time that has passed means at once. */
function realAlarm(time: number): number {
  return Math.max(time - offset, RealDate.now() + 1);
}

function virtualStorage(storage: DurableObjectStorage, key: string): DurableObjectStorage {
  return withMembers(storage, {
    setAlarm(time: number | Date, options?: DurableObjectSetAlarmOptions) {
      alarms.set(key, Number(time));
      return storage.setAlarm(realAlarm(Number(time)), options);
    },
    async getAlarm(options?: DurableObjectGetAlarmOptions) {
      const time = await storage.getAlarm(options);
      return time === null ? null : time + offset;
    },
    deleteAlarm(options?: DurableObjectSetAlarmOptions) {
      alarms.delete(key);
      return storage.deleteAlarm(options);
    },
  });
}

function withStorage(ctx: DurableObjectState, storage: DurableObjectStorage): DurableObjectState {
  return withMembers(ctx, { storage });
}

/** Returns an object of the platform with some members replaced. Its methods are called on the object itself. */
function withMembers<Target extends object>(target: Target, members: Record<string, unknown>): Target {
  return new Proxy(target, {
    get(_, name) {
      if (typeof name === "string" && Object.hasOwn(members, name)) return members[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Returns the same Worker, which also accepts a new time. */
export function withClock(Base: WorkerClass): WorkerClass {
  if (typeof Base !== "function") throw new TypeError("the default export of the main module is not a class: export SchedulerWorker, or a class that extends it");
  return class extends Base {
    override async fetch(request: Request): Promise<Response> {
      if (new URL(request.url).pathname !== CLOCK_PATH) return super.fetch(request);
      offset = Number(await request.text());
      const env = this.env as Record<string, DurableObjectNamespace>;
      await Promise.all(
        [...alarms.keys()].map((key) => {
          const [binding = "", id = ""] = key.split(" ");
          const namespace = env[binding];
          return namespace?.get(namespace.idFromString(id)).fetch(`https://clock${CLOCK_PATH}`);
        }),
      );
      return Response.json(Date.now());
    }
  };
}
