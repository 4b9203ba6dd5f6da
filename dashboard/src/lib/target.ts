// The names of targets. The history and the filters of the API use the same ones.

import type { Callback } from "../api/types";

export interface TargetText {
  /** As in `webhook:example.com`, `handler:log`, `service:BILLING`. */
  name: string;
  /** What the name leaves out, as in `POST https://example.com/hook`; absent if there is nothing. */
  detail?: string;
}

/** Describes a callback. */
export function targetOf(callback: Callback | undefined): TargetText {
  if (!callback) return { name: "the default callback" };
  switch (callback.type) {
    case "webhook":
      return { name: `webhook:${hostOf(callback.url)}`, detail: `${callback.method ?? "POST"} ${callback.url}` };
    case "handler":
      return { name: `handler:${callback.name}` };
    case "queue":
      return { name: `queue:${callback.queue}` };
    case "service":
      return { name: `service:${callback.binding}`, detail: calledOf(callback) };
    case "durable-object":
      return { name: `durable-object:${callback.binding}`, detail: `${callback.name}, ${calledOf(callback)}` };
    default:
      return { name: (callback as { type: string }).type };
  }
}

const calledOf = (callback: { path?: string | undefined } | { function?: string | undefined }): string =>
  "path" in callback && callback.path ? callback.path : "function" in callback && callback.function ? `${callback.function}()` : "/";

function hostOf(url: string): string {
  try {
    return new URL(url).hostname;
  } catch {
    return url;
  }
}
