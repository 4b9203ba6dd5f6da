// What the platform bills, by its list prices of the paid plan, in dollars.

import type { Meter } from "../api/types";

const MILLION = 1_000_000;
const WORKER_REQUEST = 0.3 / MILLION;
const SHARD_REQUEST = 0.15 / MILLION;
const ROW_WRITTEN = 1 / MILLION;
const ROW_READ = 0.001 / MILLION;
const QUEUE_OPERATION = 0.4 / MILLION;
/** A GB-second of a Durable Object that is awake; one is billed at 128 MB. */
const GIGABYTE_SECOND = 12.5 / MILLION;
const SHARD_GIGABYTES = 0.128;

/** The price of requests to the Worker, and of those of the Worker to shards. */
export const requestCost = (requests: number, shards: number): number => requests * WORKER_REQUEST + shards * SHARD_REQUEST;

/** The price of keeping so many shards awake for an hour, as an open event stream does. */
export const awakeCostPerHour = (shards: number): number => shards * 3_600 * SHARD_GIGABYTES * GIGABYTE_SECOND;

export interface CostPart {
  name: string;
  count: number;
  dollars: number;
}

/** What a meter has counted, in dollars, the most expensive first. */
export function costOf(meter: Meter): CostPart[] {
  const parts: CostPart[] = [
    { name: "Rows written", count: meter.rowsWritten, dollars: meter.rowsWritten * ROW_WRITTEN },
    { name: "Queue operations", count: meter.queueOperations, dollars: meter.queueOperations * QUEUE_OPERATION },
    { name: "Requests to shards", count: meter.shardRequests, dollars: meter.shardRequests * SHARD_REQUEST },
    { name: "Rows read", count: meter.rowsRead, dollars: meter.rowsRead * ROW_READ },
  ];
  return parts.sort((one, other) => other.dollars - one.dollars);
}
