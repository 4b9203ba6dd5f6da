// What the Workers of published.mjs are made of: agents that note their calls of the schedule methods, and the calls of their callbacks.

import type { Agent } from "agents";

/** A call of one of the schedule methods, with what came of it, or a call of a callback. */
export type Note = { method: string; args: unknown[]; result?: unknown; error?: string } | { callback: string; payload: unknown };

const METHODS = ["schedule", "scheduleEvery", "getScheduleById", "listSchedules", "cancelSchedule"];

type AnyAgent = new (...args: any[]) => Agent<any, any>;
type Methods = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** Returns a class like an example's, whose objects note their calls. `callbacks`: the names of the methods that schedules call. */
export function noting(base: unknown, callbacks: readonly string[]): AnyAgent {
  class Noting extends (base as AnyAgent) {
    /** The calls of the schedule methods that have not ended. */
    readonly pending = new Set<Promise<unknown>>();

    note(note: Note): void {
      this.sql`CREATE TABLE IF NOT EXISTS notes (note TEXT)`;
      this.sql`INSERT INTO notes VALUES (${JSON.stringify(note)})`;
    }

    /** Returns the notes, also of the calls that have begun. Some examples do not wait for their calls, and a run may end before a call that it has made. */
    async notes(): Promise<Note[]> {
      await Promise.allSettled(this.pending);
      this.sql`CREATE TABLE IF NOT EXISTS notes (note TEXT)`;
      return this.sql<{ note: string }>`SELECT note FROM notes ORDER BY rowid`.map(({ note }) => JSON.parse(note) as Note);
    }

    /** Lists the schedules, without a note. */
    schedules(): unknown {
      return methodOf("listSchedules").call(this);
    }

    shownState(): unknown {
      return this.state;
    }

    /** Sets the state, which examples leave to another one. */
    begin(state: unknown): void {
      this.setState(state);
    }

    /** Runs a statement of SQL. */
    query(statement: string): unknown {
      return this.ctx.storage.sql.exec(statement).toArray();
    }

    /** Calls something that may throw. */
    async attempt(call: () => Promise<unknown>): Promise<void> {
      await call().catch(() => undefined);
    }
  }
  const methodOf = (name: string) => (base as AnyAgent).prototype[name as keyof Agent] as unknown as (this: object, ...args: unknown[]) => Promise<unknown>;
  const own = Noting.prototype as unknown as Methods;
  for (const method of METHODS) {
    const call = async (agent: Noting, args: unknown[]) => {
      try {
        const result = await methodOf(method).apply(agent, args);
        agent.note({ method, args, result });
        return result;
      } catch (error) {
        agent.note({ method, args, error: (error as Error).message });
        throw error;
      }
    };
    own[method] = function (this: Noting, ...args: unknown[]) {
      const called = call(this, args);
      this.pending.add(called);
      const end = () => this.pending.delete(called);
      called.then(end, end);
      return called;
    };
  }
  for (const callback of callbacks) {
    const inherited = ((base as AnyAgent).prototype as unknown as Methods)[callback];
    own[callback] = function (this: Noting, ...args: unknown[]) {
      this.note({ callback, payload: args[0] });
      return inherited?.apply(this, args);
    };
  }
  return Noting;
}

/** Calls a method of an agent: `POST /<binding>/<name>/<method>` with its arguments. Without a method, the agent gets the request. */
export async function route(request: Request, env: Record<string, unknown>): Promise<Response> {
  const [, binding = "", name = "", method = ""] = new URL(request.url).pathname.split("/");
  const stub = (env[binding] as DurableObjectNamespace).getByName(name);
  if (method === "") return stub.fetch(request);
  try {
    const result = await (stub as unknown as Methods)[method]?.(...(await request.json<unknown[]>()));
    return Response.json(result ?? null);
  } catch (error) {
    return new Response((error as Error).message, { status: 500 });
  }
}
