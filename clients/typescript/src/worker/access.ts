// Which requests the `props` of an entry point allow.

/** What a caller may do: see docs/access.md. No scope includes another. */
export type Scope = "read" | "write" | "admin";

/** What a binding to `SchedulerEntrypoint` may do: the `props` of the service binding. */
export interface SchedulerProps {
  /** The namespace of every call. Default: `default`. */
  namespace?: string | undefined;
  /** What the caller may do. Default: `read` and `write`. With `admin`, it may do so in all namespaces. */
  scopes?: readonly Scope[] | undefined;
}

/** The path at which a caller asks what it may do. */
const OWN_KEY_PATH = "/v1/key";

/** Answers a caller that asks what it may do. Returns `undefined` for any other request. */
export function answerOwnKey(request: Request, { namespace = "default", scopes = ["read", "write"] }: SchedulerProps): Response | undefined {
  const isGet = request.method === "GET" || request.method === "HEAD";
  if (!isGet || routeOf(new URL(request.url).pathname) !== OWN_KEY_PATH) return undefined;
  return Response.json({ namespaces: scopes.includes("admin") ? ["*"] : [namespace], scopes });
}

/** Returns a path without a slash at its end, which the API ignores. */
function routeOf(pathname: string): string {
  return pathname.replace(/\/$/, "");
}

/** Returns the scope that a request needs, or `undefined` for one that anybody may send. */
export function neededScope(method: string, pathname: string): Scope | undefined {
  const route = routeOf(pathname);
  if (!pathname.startsWith("/v1/") || route === OWN_KEY_PATH) return undefined;
  if (/^\/v1\/(keys|namespaces)(\/|$)/.test(pathname)) return "admin";
  return method === "GET" || method === "HEAD" || route === "/v1/preview" || route === "/v1/parse" ? "read" : "write";
}

/** The path at which language models call tools. Each tool checks the scopes of the scheduler's own key, which has all of them. */
const TOOLS_PATH = /^\/mcp\/?$/;

/** Returns the API's refusal of a request, or `undefined` if the request is allowed. */
export function refuse(request: Request, { namespace = "default", scopes = ["read", "write"] }: SchedulerProps): Response | undefined {
  const { pathname } = new URL(request.url);
  const missing = TOOLS_PATH.test(pathname) && (["read", "write"] as const).find((scope) => !scopes.includes(scope));
  if (missing) return forbidden(`this binding lacks the scope ${missing}, and the tools at ${pathname} need both read and write: add it to the scopes in its props`);
  const needed = neededScope(request.method, pathname);
  if (needed !== undefined && !scopes.includes(needed)) return forbidden(`this binding lacks the scope ${needed}: add it to the scopes in its props`);
  const asked = request.headers.get("scheduler-namespace");
  if (asked !== null && asked !== namespace && !scopes.includes("admin")) return forbidden(`this binding is for the namespace ${namespace}, and not for ${asked}`);
  return undefined;
}

function forbidden(detail: string): Response {
  return problemOf("forbidden", "Forbidden", 403, detail);
}

function problemOf(type: string, title: string, status: number, detail: string): Response {
  const problem = { type: `/problems/${type}`, title, status, detail };
  return Response.json(problem, { status, headers: { "content-type": "application/problem+json" } });
}

/** Returns the answer to every request of a Worker in which no task would run. */
export function notTheScheduler(detail: string): Response {
  return problemOf("misconfigured", "Deployment misconfigured", 500, detail);
}

/** Returns an answer without the values of the headers of targets. A caller without the scope `write` may not see them. */
export async function hideHeaders(response: Response): Promise<Response> {
  if (!(response.headers.get("content-type") ?? "").startsWith("application/json")) return response;
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  return new Response(JSON.stringify(withoutHeaders(await response.json())), { status: response.status, headers });
}

/** Members of a task that hold any JSON of the user. Nothing in them is hidden. */
const OPAQUE = new Set(["payload", "body"]);

function withoutHeaders(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutHeaders);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]: [string, unknown]) => {
    if (OPAQUE.has(name)) return [name, member];
    return [name, name === "headers" && typeof member === "object" && member !== null ? hidden(member) : withoutHeaders(member)];
  });
  return Object.fromEntries(members) as unknown;
}

function hidden(headers: object): object {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, "<hidden>"]));
}
