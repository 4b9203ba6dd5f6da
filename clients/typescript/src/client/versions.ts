// The versions of what changes: in conditions, and in results.

import type { ChangeOptions, Version } from "./options.ts";
import type { ApiAnswer } from "./requests.ts";

/** Returns the headers of the conditions of a change. */
export function conditions({ ifMatch, ifNoneMatch }: ChangeOptions): Record<string, string | undefined> {
  return { "if-match": textOf("ifMatch", ifMatch), "if-none-match": textOf("ifNoneMatch", ifNoneMatch) };
}

/** Returns whether there is a condition. */
export function isConditional(headers: Record<string, string | undefined>): boolean {
  return headers["if-match"] !== undefined || headers["if-none-match"] !== undefined;
}

/**
 * Returns the text of a version. An empty text is refused, because the platform drops an empty header, so it would be no condition. A copy
 * of a task is refused, too, because it has no `etag`.
 */
function textOf(name: string, version: Version | undefined): string | undefined {
  const text: unknown = typeof version === "object" ? version?.etag : version;
  if (text === undefined && version === undefined) return undefined;
  if (typeof text !== "string" || text === "") throw new TypeError(`${name} has no version: give an etag, "*", or a task as the client has returned it`);
  return text;
}

/** Returns the body of an answer with its version. */
export function versioned<Body extends object>({ body, headers }: ApiAnswer<Body>): Body & { readonly etag: string } {
  return Object.defineProperty(body, "etag", { value: headers.get("etag") ?? "" }) as Body & { readonly etag: string };
}
