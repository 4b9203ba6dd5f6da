import type { Callback } from "../api/types";

/** Describes in a few words what a callback calls. */
export function targetOf(callback: Callback | undefined): string {
  if (!callback) return "the default callback";
  switch (callback.type) {
    case "webhook":
      return `${callback.method ?? "POST"} ${shortUrl(callback.url)}`;
    case "handler":
      return `handler ${callback.name}`;
    case "queue":
      return `queue ${callback.queue}`;
    case "service":
      return `service ${callback.binding} ${"path" in callback && callback.path ? callback.path : `.${callback.function}`}`;
    case "durable-object":
      return `object ${callback.binding}/${callback.name}`;
    default:
      return (callback as { type: string }).type;
  }
}

function shortUrl(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return pathname === "/" ? host : `${host}${pathname}`;
  } catch {
    return url;
  }
}
