// The home of the tasks of a Durable Object.

import type { Class } from "./declarations.ts";
import { type Address, Home, newToken } from "./home.ts";

/** Keys of the object's storage. */
const TOKEN = "durable-scheduler:token";
const NAME = "durable-scheduler:name";

/** A class of Durable Objects whose methods tasks may call. For `binding`, see `Scheduler.binding`. */
export type ObjectClass = Class & { readonly name: string; binding?: string | undefined };

/**
 * Returns the home of an object. Tasks may call the methods that its class defines below `base`. `nameOf` returns the name of the object if
 * the class has stored it itself.
 */
export function homeOfObject(ctx: DurableObjectState, env: unknown, type: ObjectClass, base: Class, nameOf: () => string | undefined = () => undefined): Home {
  let token: Promise<string> | undefined;
  return new Home({
    type,
    base,
    address: () => addressOf(ctx, env, type, nameOf),
    token: () => (token ??= storedToken(ctx)),
    knownToken: () => token ?? ctx.storage.get<string>(TOKEN),
  });
}

/** Returns the address to which the runs of an object are sent. Throws a `TypeError` if the object has no name or no binding. */
function addressOf(ctx: DurableObjectState, env: unknown, type: ObjectClass, nameOf: () => string | undefined): Address {
  // The runtime may not know the name of an object that an alarm has started.
  const name = ctx.id.name ?? storedName(ctx.storage) ?? nameOf();
  if (name === undefined) throw new TypeError(`this ${type.name} has no name: get it by idFromName() or getByName()`);
  const binding = type.binding ?? Object.keys(env as object).find((key) => leadsTo((env as Record<string, unknown>)[key], ctx.id, name));
  if (binding === undefined) throw new TypeError(`no binding leads to ${type.name}: add one to durable_objects.bindings, or set ${type.name}.binding`);
  return { type: "durable-object", binding, name };
}

/** Whether a value is the namespace in which an id has a name. A service binding has every name as a function. */
function leadsTo(value: unknown, id: DurableObjectId, name: string): boolean {
  return isNamespace(value) && value.idFromName(name).equals(id);
}

/** Whether a binding is a namespace of Durable Objects. */
export function isNamespace(value: unknown): value is DurableObjectNamespace {
  return (value as object | null | undefined)?.constructor?.name === "DurableObjectNamespace";
}

/** Returns the token of an object. Creates it if there is none, and stores the name of the object with it. */
async function storedToken({ id, storage }: DurableObjectState): Promise<string> {
  const stored = await storage.get<string>([TOKEN, NAME]);
  const token = stored.get(TOKEN) ?? newToken();
  const wanted = { [TOKEN]: token, ...(id.name === undefined ? {} : { [NAME]: id.name }) };
  if (Object.entries(wanted).some(([key, value]) => stored.get(key) !== value)) await storage.put(wanted);
  return token;
}

/** Returns the name that is stored with the token. */
function storedName(storage: DurableObjectStorage): string | undefined {
  try {
    return storage.kv.get<string>(NAME);
  } catch {
    // The storage of a class without SQLite cannot be read synchronously.
    return undefined;
  }
}
