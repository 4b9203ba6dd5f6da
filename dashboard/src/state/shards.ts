import { signal } from "@preact/signals";

/** How many shards the namespace has, as the last statistics said; undefined before the first. */
export const shardCount = signal<number | undefined>(undefined);
