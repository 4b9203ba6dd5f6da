// The namespaces that the key may use, if it may list them.

import { computed, effect, signal } from "@preact/signals";
import { listNamespaces } from "../api/access";
import type { Namespace } from "../api/types";
import { key, mayAdmin, reach } from "./session";

/** Undefined while they are not known, because a key without `admin` may not list them. */
export const namespaces = signal<readonly Namespace[] | undefined>(undefined);

export async function readNamespaces(): Promise<void> {
  try {
    namespaces.value = await listNamespaces();
  } catch {
    // Then there is no choice of namespaces. The page of namespaces shows the error.
    namespaces.value = undefined;
  }
}

effect(() => {
  if (key.value !== null && mayAdmin.value) void readNamespaces();
  else namespaces.value = undefined;
});

/** The names to choose from: those of the listed namespaces, or else those that the key names. */
export const namespaceNames = computed<readonly string[]>(() => namespaces.value?.map(({ name }) => name) ?? reach.value.filter((name) => name !== "*"));
