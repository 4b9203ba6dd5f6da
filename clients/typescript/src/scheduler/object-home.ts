// Where the tasks of a Durable Object live.

import type { Class } from "./declarations.ts";
import { type Address, Home, newToken } from "./home.ts";

/** A key of the object's storage. */
const TOKEN = "durable-scheduler:token";

/** A class of Durable Objects whose methods tasks may call. `binding`: see `Scheduler.binding`. */
export type ObjectClass = Class & { readonly name: string; binding?: string | undefined };

/** Returns the home of an object. Tasks may call the methods that its class declares below `base`. */
export function homeOfObject(ctx: DurableObjectState, env: unknown, type: ObjectClass, base: Class): Home {
  let token: Promise<string> | undefined;
  return new Home({
    type,
    base,
    address: () => addressOf(ctx, env, type),
    token: () => (token ??= storedToken(ctx.storage)),
  });
}

/** Returns where runs of an object are sent. Throws a `TypeError` if it has no name or no binding. */
function addressOf(ctx: DurableObjectState, env: unknown, type: ObjectClass): Address {
  const { name } = ctx.id;
  if (name === undefined) throw new TypeError(`this ${type.name} has no name: get it by idFromName() or getByName()`);
  const binding = type.binding ?? Object.keys(env as object).find((key) => leadsTo((env as Record<string, unknown>)[key], ctx.id, name));
  if (binding === undefined) throw new TypeError(`no binding leads to ${type.name}: add one to durable_objects.bindings, or set ${type.name}.binding`);
  return { type: "durable-object", binding, name };
}

/** Whether something is the namespace in which an id has a name. A service binding has every name as a function. */
function leadsTo(value: unknown, id: DurableObjectId, name: string): boolean {
  const isNamespace = (value as object | null | undefined)?.constructor?.name === "DurableObjectNamespace";
  return isNamespace && (value as DurableObjectNamespace).idFromName(name).equals(id);
}

async function storedToken(storage: DurableObjectStorage): Promise<string> {
  const stored = await storage.get<string>(TOKEN);
  if (stored !== undefined) return stored;
  const token = newToken();
  await storage.put(TOKEN, token);
  return token;
}
