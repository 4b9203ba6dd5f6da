// The address of a page. It follows the # of the URL, so ids and filters are not sent to a server or written to its logs, and the pages use
// no path of the API.

import { computed, signal } from "@preact/signals";
import { checkQuery } from "../lib/parameters";

/** The path and the query of the page, as in `/tasks?tag=mail`. */
export const address = signal(readAddress());

export const path = computed(() => address.value.split("?")[0] ?? "/");
const checked = computed(() => {
  const [, ...rest] = address.value.split("?");
  return checkQuery(path.value, new URLSearchParams(rest.join("?")));
});
/** The parameters of the address that the page uses. */
export const query = computed(() => checked.value.used);
/** The parameters of the address that the page does not have, or whose values it does not take. */
export const ignored = computed(() => checked.value.ignored);
/** The parts of the path, decoded. */
export const parts = computed(() => path.value.split("/").filter(Boolean).map(decoded));

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function readAddress(): string {
  const hash = location.hash.slice(1);
  return hash.startsWith("/") ? hash : "/";
}

window.addEventListener("hashchange", () => {
  // The address is a link that signs in and was opened in this tab. Only a reload reads its key.
  if (location.hash.startsWith("#key=")) return location.reload();
  address.value = readAddress();
});

/** Opens a page; with `replace`, without an entry in the history. */
export function go(to: string, { replace = false } = {}): void {
  if (to === address.value) return;
  if (replace) {
    // The entry keeps its name: see `entries.ts`.
    history.replaceState(history.state, "", `#${to}`);
    address.value = to;
  } else {
    location.hash = to;
  }
}

/** Changes parameters of the query. Empty and absent values remove parameters. Those that the page ignores go, too. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>, { replace = true } = {}): void {
  const parameters = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  go(text === "" ? path.value : `${path.value}?${text}`, { replace });
}

export const taskPath = (id: string): string => `/tasks/${encodeURIComponent(id)}`;

export const calendarPath = (name: string): string => `/calendars/${encodeURIComponent(name)}`;

/** Returns the address of a page with a query. */
export function pageWith(base: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const present = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "");
  const text = new URLSearchParams(present).toString();
  return text === "" ? base : `${base}?${text}`;
}
