// The pages, as the navigation and the command palette list them.

import type { ReadonlySignal } from "@preact/signals";
import type { IconName } from "../components/icons";
import { mayAdmin, mayRead, mayWrite } from "../state/session";

export interface PageEntry {
  path: string;
  title: string;
  icon: IconName;
  /** The key that opens it after `g`. */
  shortcut: string;
  /** Whether the API key may use it. */
  isOffered: ReadonlySignal<boolean>;
}

export const PAGES: readonly PageEntry[] = [
  { path: "/", title: "Overview", icon: "overview", shortcut: "o", isOffered: mayRead },
  { path: "/tasks", title: "Tasks", icon: "tasks", shortcut: "t", isOffered: mayRead },
  { path: "/agenda", title: "Agenda", icon: "agenda", shortcut: "a", isOffered: mayRead },
  { path: "/runs", title: "Runs", icon: "runs", shortcut: "r", isOffered: mayRead },
  { path: "/dead-letters", title: "Dead letters", icon: "dead", shortcut: "d", isOffered: mayRead },
  { path: "/limits", title: "Limits", icon: "limits", shortcut: "l", isOffered: mayRead },
  { path: "/calendars", title: "Calendars", icon: "calendars", shortcut: "h", isOffered: mayRead },
  { path: "/namespaces", title: "Namespaces", icon: "namespaces", shortcut: "n", isOffered: mayAdmin },
  { path: "/keys", title: "API keys", icon: "keys", shortcut: "k", isOffered: mayAdmin },
  { path: "/create", title: "Create a task", icon: "create", shortcut: "c", isOffered: mayWrite },
];
