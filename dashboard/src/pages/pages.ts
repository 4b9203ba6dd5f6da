// The pages, as the navigation and the command palette list them.

import type { ReadonlySignal } from "@preact/signals";
import type { IconName } from "../components/icons";
import { mayRead, mayWrite } from "../state/session";

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
  { path: "/tasks", title: "Tasks", icon: "tasks", shortcut: "t", isOffered: mayRead },
  { path: "/create", title: "Create a task", icon: "create", shortcut: "c", isOffered: mayWrite },
];
