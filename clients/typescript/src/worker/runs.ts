// How runs reach the objects and entry points that have scheduled them.

import { RUN_METHOD, RUNS_BINDING } from "../scheduler/home.ts";
import { isNamespace } from "../scheduler/object-home.ts";

/** The name under which a Worker exports the scheduler's entry point. */
const ENTRYPOINT = "SchedulerEntrypoint";

/**
 * Returns the bindings of the scheduler's Worker with one more, through which the scheduler sends runs: to its own entry point, without any
 * scope. Tasks may name it, so it is in the list of services. It leads only to `forwardRun`.
 */
export function withRuns<Env>(env: Env, ctx: { readonly exports?: unknown }): Env {
  const entrypoint = (ctx.exports as Record<string, unknown> | undefined)?.[ENTRYPOINT];
  if (typeof entrypoint !== "function") return env;
  const { SERVICE_BINDINGS = "" } = env as { SERVICE_BINDINGS?: string };
  const services = [SERVICE_BINDINGS, RUNS_BINDING].filter((list) => list !== "").join(",");
  const stub = (entrypoint as (options: { props: object }) => unknown)({ props: { scopes: [], runs: true } });
  return { ...env, [RUNS_BINDING]: stub, SERVICE_BINDINGS: services };
}

/** The bindings of the scheduler's own objects, which do not answer runs. */
const OWN_BINDINGS = new Set(["SHARDS", "REGISTRY", "LIMITERS"]);

/** The object or entry point that answers a run. The platform gives it a method for every name. */
type Callee = Record<typeof RUN_METHOD, (request: Request) => Promise<Response>>;

/**
 * Sends a run to the object or entry point that its query names. Only classes of this package have the method that answers it, and they
 * answer only runs with their token. So whatever a task names here, no other method is called. An object of another class does start,
 * though, and ends again.
 */
export async function forwardRun(request: Request, env: Record<string, unknown>): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const [binding, name] = [query.get("binding") ?? "", query.get("name")];
  const found = Object.hasOwn(env, binding) && !OWN_BINDINGS.has(binding) ? env[binding] : undefined;
  // A service would treat getByName as a method of its own, and call it. If the binding does not exist, the next deployment may add it, and
  // the scheduler tries again after a 404.
  if (typeof found !== "object" || found === null || isNamespace(found) !== (name !== null)) return refusal(`there is no binding ${binding} for runs`, 404);
  try {
    const callee = (name !== null && isNamespace(found) ? found.getByName(name) : found) as unknown as Callee;
    return await callee[RUN_METHOD](withoutCache(request));
  } catch (error) {
    const { message } = error as Error;
    return refusal(message, /does not implement the method|is not a function/.test(message) ? 410 : 500);
  }
}

/**
 * Returns a request without the platform's properties. The properties of a request from the scheduler forbid caching twice: as `cacheTtl`
 * and as `cacheControl`. With a compatibility date before 2026-11-17, the platform does not pass on such a request by RPC.
 */
function withoutCache(request: Request): Request {
  return new Request(request, { cf: {} });
}

function refusal(message: string, status: number): Response {
  return new Response(message, { status, headers: { "content-type": "text/plain;charset=utf-8" } });
}
