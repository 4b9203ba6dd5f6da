// Where the tasks of an object or entry point live, and how the scheduler calls its methods.

import type { ServiceRequestCallback } from "../generated/openapi.ts";
import { type Class, findMethod } from "./declarations.ts";

/** The path of a run, before the name of its method. Its query has the `binding` and the `name` of the callee. */
const RUNS = "/durable-scheduler/runs/";
/**
 * The service binding through which the scheduler sends runs. The scheduler's Worker adds it by itself: see worker/runs.ts. So neither the
 * classes nor their methods are in the lists of what any task may call.
 */
export const RUNS_BINDING = "SCHEDULER_RUNS";
/** The RPC method of a callee that answers a run. */
export const RUN_METHOD = "answerScheduledRun";
/** The header that proves that a run comes from a task that its callee has scheduled. */
const TOKEN_HEADER = "durable-scheduler-token";

/** The address to which runs are sent. */
export type Address = { type: "durable-object"; binding: string; name: string } | { type: "service"; binding: string };

/** The arguments of a {@link Home}. */
export interface HomeOptions {
  /** The class whose methods tasks may call. */
  type: Class;
  /** The class of this package that it extends. */
  base: Class;
  /** Returns the address to which runs are sent. Throws a `TypeError` if it cannot be determined. */
  address: () => Address;
  /** Returns a text that only this home and the scheduler know. Creates one if there is none. */
  token: () => Promise<string>;
  /** Returns the token, or `undefined` if there is none. Default: `token`. */
  knownToken?: () => Promise<string | undefined>;
}

/** The place of an object or entry point in the scheduler. */
export class Home {
  readonly type: Class;
  readonly base: Class;
  readonly token: () => Promise<string>;
  readonly knownToken: () => Promise<string | undefined>;
  readonly #findAddress: () => Address;
  #address: Address | undefined;

  constructor({ type, base, address, token, knownToken = token }: HomeOptions) {
    this.type = type;
    this.base = base;
    this.token = token;
    this.knownToken = knownToken;
    this.#findAddress = address;
  }

  /** The address to which runs are sent. */
  get address(): Address {
    return (this.#address ??= this.#findAddress());
  }

  /**
   * The beginning of the ids of all tasks of this home in the API. The part in braces puts them on one shard. The names are
   * percent-encoded, so no name can imitate another.
   */
  get prefix(): string {
    const { address } = this;
    const name = address.type === "service" ? "" : `:${encodeURIComponent(address.name)}`;
    return `{${address.binding}${name}}:`;
  }

  /** Returns the method with this name that tasks may call, or `undefined`. */
  find(name: string) {
    return findMethod(this.type, this.base, name);
  }

  /** Returns the callback of tasks that call a method. Throws a `TypeError` if tasks may not call it. */
  async callback(method: string, timeoutSeconds: number | undefined): Promise<ServiceRequestCallback> {
    const found = this.find(method);
    if (found === undefined) {
      throw new TypeError(`${this.type.name} has no method "${method}" that tasks may call: declare it as a public method of the class`);
    }
    return {
      type: "service",
      binding: RUNS_BINDING,
      path: `${RUNS}${encodeURIComponent(method)}${this.#query}`,
      headers: { [TOKEN_HEADER]: await this.token() },
      timeoutSeconds: timeoutSeconds ?? found.declaration?.options.timeoutSeconds,
    };
  }

  /** Returns the name of the method that a callback of the API calls here, or `undefined` if it calls something else. */
  methodOf(callback: object): string | undefined {
    const { type, binding, path } = callback as Partial<Record<string, unknown>>;
    const isRun = type === "service" && binding === RUNS_BINDING && typeof path === "string" && path.endsWith(this.#query);
    return isRun ? methodOfPath(path.slice(0, -this.#query.length)) : undefined;
  }

  /** The query of the paths of runs, with its question mark. */
  get #query(): string {
    const { type: _, ...address } = this.address;
    return `?${new URLSearchParams(address).toString()}`;
  }
}

/** Returns the name of the method in the path of a run, or `undefined` if the path is another one. */
export function methodOfPath(path: string): string | undefined {
  if (!path.startsWith(RUNS)) return undefined;
  try {
    return decodeURIComponent(path.slice(RUNS.length));
  } catch {
    return undefined;
  }
}

/** Whether a request has the token of a home. Takes the same time wherever the two differ. Leaves no trace in a home that has no token. */
export async function hasToken(request: Request, home: Home): Promise<boolean> {
  const given = request.headers.get(TOKEN_HEADER);
  const own = given === null ? undefined : await home.knownToken();
  if (given === null || own === undefined) return false;
  const [a, b] = await Promise.all([given, own].map((text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
  return equal(new Uint8Array(a as ArrayBuffer), new Uint8Array(b as ArrayBuffer));
}

/** Compares digests. Both were hashed, so the place of the first difference says nothing about the texts. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Returns a new token: 256 random bits. */
export function newToken(): string {
  return [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
