// The namespaces that the key may use, as far as it may list them.

import { computed, effect, signal } from "@preact/signals";
import { listNamespaces } from "../api/access";
import type { Namespace } from "../api/types";
import { key, mayAdmin, reach } from "./session";

/** Undefined as long as they are not known: a key without `admin` may not list them. */
export const namespaces = signal<readonly Namespace[] | undefined>(undefined);

export async function readNamespaces(): Promise<void> {
  try {
    namespaces.value = await listNamespaces();
  } catch {
    // The choice is then not offered. The page of the namespaces shows the error.
    namespaces.value = undefined;
  }
}

effect(() => {
  if (key.value !== null && mayAdmin.value) void readNamespaces();
  else namespaces.value = undefined;
});

/** The names to choose from: those that there are, or else those that the key names. */
export const namespaceNames = computed<readonly string[]>(() => namespaces.value?.map(({ name }) => name) ?? reach.value.filter((name) => name !== "*"));
