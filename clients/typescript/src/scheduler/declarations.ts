// The declarations of decorators, and the methods that tasks may call.

import type { Misfire, NewCronTask, Retry } from "../generated/openapi.ts";

/** The options of a decorated method for every task that calls it. */
export interface TaskOptions {
  /** The most retries of a failed run, 0 to 99. Default: 9. Not together with `retry`. */
  retries?: number | undefined;
  /** The whole retry policy. */
  retry?: Retry | undefined;
  /** How long an attempt may take, seconds, 1 to 60. Default: 30. */
  timeoutSeconds?: number | undefined;
  /** What the task is, in your words. */
  description?: string | undefined;
  /** Labels to find the task by. */
  tags?: readonly string[] | undefined;
  /** 0 to 9. Among tasks that are due together, those with a higher priority fire first. Default: 5. */
  priority?: number | undefined;
  /** The key of the limit that bounds the runs of the task. */
  limitKey?: string | undefined;
}

/** The options of a declared schedule in addition to the times of its runs. */
export interface ScheduleOptions<Payload = undefined> extends TaskOptions {
  /** What the method gets as its first argument: any JSON. */
  payload?: Payload | undefined;
  /** No runs before this time. */
  startAt?: Date | string | undefined;
  /** No runs after this time. */
  endAt?: Date | string | undefined;
  /** The most runs. */
  maxRuns?: number | undefined;
  /** The days and the times of day without runs, on the clock of `timezone`, or of UTC. */
  exclude?: NewCronTask["exclude"];
  /** What happens to missed runs. Default: all of them fire late, at most the last 100. */
  misfire?: Misfire | undefined;
  /** What happens to a run that comes due before the previous one has ended. Default: `allow`. */
  overlap?: NewCronTask["overlap"];
  /** Delays each run by up to this, seconds. */
  jitterSeconds?: number | undefined;
}

/** Options of `@cron`. */
export interface CronOptions<Payload = undefined> extends ScheduleOptions<Payload> {
  /** The IANA name of the time zone of the expression. Default: UTC. */
  timezone?: string | undefined;
}

/** When a declared schedule runs. */
export type Times = { cron: string | readonly string[] } | { everySeconds: number };

/** The declaration of one method by its decorators. */
export interface Declaration {
  options: CronOptions<unknown>;
  times?: Times;
}

/** A declared schedule of a class. */
export interface DeclaredSchedule extends Declaration {
  /** The name of the method. */
  method: string;
  times: Times;
}

/** The declarations by the function that a decorator was applied to. */
const byFunction = new WeakMap<object, Declaration>();
/** The declarations by the metadata of a class, or by its prototype, for methods that another decorator has replaced. */
const byClass = new WeakMap<object, Map<string, Declaration>>();

/** `Symbol.metadata`, or the symbol that compilers use where it is missing. */
const METADATA: symbol = (Symbol as { metadata?: symbol }).metadata ?? Symbol.for("Symbol.metadata");

/** Adds the declaration of one decorator to a method. Throws if it contradicts another decorator's. */
export function declare(method: object, name: string, owner: object | undefined, more: Declaration): void {
  const ofClass = owner === undefined ? undefined : (byClass.get(owner) ?? new Map<string, Declaration>());
  const before = byFunction.get(method) ?? ofClass?.get(name);
  if (before?.times !== undefined && more.times !== undefined) {
    throw new TypeError(`${name} has two schedules: give @cron a list of expressions, or use two methods`);
  }
  const times = more.times ?? before?.times;
  const given = Object.entries(more.options).filter(([, value]) => value !== undefined);
  const options: Declaration["options"] = { ...before?.options, ...Object.fromEntries(given) };
  if (options.retries !== undefined && options.retry !== undefined) throw new TypeError(`${name}: give retries or retry, not both`);
  const declaration: Declaration = { options, ...(times === undefined ? {} : { times }) };
  byFunction.set(method, declaration);
  if (owner !== undefined && ofClass !== undefined) byClass.set(owner, ofClass.set(name, declaration));
}

/** Names that the runtime calls, and that no task may call. */
const RESERVED = ["constructor", "fetch", "alarm", "connect", "queue", "scheduled", "email", "tail", "tailStream", "trace", "test", "dup", "then", "webSocketMessage", "webSocketClose", "webSocketError"] as const;

/** Names of methods that no task may call, whatever their class. */
export type ReservedName = (typeof RESERVED)[number] | `_${string}`;

/** Whether no task may call a method of this name, whatever its class. */
export function isReserved(name: string): boolean {
  return (RESERVED as readonly string[]).includes(name) || name.startsWith("_") || name in Object.prototype;
}

/** The method that a task without a callback calls. It is the only method of the base class that tasks may call. */
export const DEFAULT_METHOD = "onTask";

/** A class whose methods tasks may call. */
export type Class = abstract new (...args: never[]) => object;

/** Yields the prototypes of a class, its own first, without those of `base` and above. */
function* prototypes(type: Class, base: Class): Generator<object> {
  for (let found: object = type.prototype; found !== base.prototype && found !== Object.prototype; found = Object.getPrototypeOf(found)) yield found;
}

/**
 * Returns the method with this name that a task may call, with its declaration, or `undefined` if there is none.
 *
 * Tasks may call the methods that are defined below `base`. They may not call getters, names that begin with `_`, names of members of
 * `base`, and names that the runtime calls.
 */
export function findMethod(type: Class, base: Class, name: string): { method: (...args: unknown[]) => unknown; declaration: Declaration | undefined } | undefined {
  const isOfBase = name in base.prototype && name !== DEFAULT_METHOD;
  if (isReserved(name) || isOfBase) return undefined;
  const owners = [...prototypes(type, base), ...(name === DEFAULT_METHOD ? [base.prototype as object] : [])];
  const owner = owners.find((prototype) => Object.hasOwn(prototype, name));
  if (owner === undefined) return undefined;
  const method: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
  if (typeof method !== "function") return undefined;
  return { method: method as (...args: unknown[]) => unknown, declaration: declarationOf(method, owner, name) };
}

/**
 * Returns the declaration of a method of a prototype. A method that overrides a declared one has only the declaration of its own
 * decorators.
 */
function declarationOf(method: object, owner: object, name: string): Declaration | undefined {
  const metadata: unknown = Object.getOwnPropertyDescriptor(owner.constructor, METADATA)?.value;
  return byFunction.get(method) ?? byClass.get(owner)?.get(name) ?? (typeof metadata === "object" && metadata !== null ? byClass.get(metadata)?.get(name) : undefined);
}

/**
 * Returns the declared schedules of a class, by the names of their methods. Throws a `TypeError` for one whose method has the name of a
 * member of `base`, which no task may call.
 */
export function declaredSchedules(type: Class, base: Class): DeclaredSchedule[] {
  const owners = new Map<string, object>();
  for (const owner of prototypes(type, base)) for (const name of Object.getOwnPropertyNames(owner)) if (!owners.has(name)) owners.set(name, owner);
  return [...owners].sort().flatMap(([method, owner]) => {
    const declaration = findMethod(type, base, method)?.declaration;
    if (declaration === undefined && isScheduled(owner, method)) {
      throw new TypeError(`${type.name}.${method}() has a schedule and the name of a member of ${base.name}: rename it`);
    }
    return declaration?.times === undefined ? [] : [{ method, options: declaration.options, times: declaration.times }];
  });
}

function isScheduled(owner: object, name: string): boolean {
  const method: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
  return typeof method === "function" && declarationOf(method, owner, name)?.times !== undefined;
}

/** Returns the `retry` of a task from the options of its method. */
export function retryOf({ retries, retry }: TaskOptions): Retry | undefined {
  return retries === undefined ? retry : { maxAttempts: retries + 1 };
}
