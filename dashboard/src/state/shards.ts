import { signal } from "@preact/signals";

/** The number of shards of the namespace in the last statistics; undefined before the first. */
export const shardCount = signal<number | undefined>(undefined);
