// What the platform bills, in dollars, by the list prices of the paid plan.

import type { Meter } from "../api/types";

const MILLION = 1_000_000;
const WORKER_REQUEST = 0.3 / MILLION;
const SHARD_REQUEST = 0.15 / MILLION;
const ROW_WRITTEN = 1 / MILLION;
const ROW_READ = 0.001 / MILLION;
const QUEUE_OPERATION = 0.4 / MILLION;
/** The price of a GB-second of a Durable Object that is awake. Each object is billed at 128 MB. */
const GIGABYTE_SECOND = 12.5 / MILLION;
const SHARD_GIGABYTES = 0.128;

/** Returns the price of requests to the Worker, and of its requests to shards. */
export const requestCost = (requests: number, shards: number): number => requests * WORKER_REQUEST + shards * SHARD_REQUEST;

/** Returns the price of keeping `shards` awake for an hour, as an open event stream does. */
export const awakeCostPerHour = (shards: number): number => shards * 3_600 * SHARD_GIGABYTES * GIGABYTE_SECOND;

/** The rows that a shard writes when it is used for the first time. */
const FIRST_ROWS = 3;
/** The requests to each shard of an hour in which somebody looks at the overview, which asks it twice every five seconds. */
const WATCHED_REQUESTS = 1_440;
/** The price of a shard that no attempt causes: its first rows, and an hour of looking at it. */
const SHARD_BY_ITSELF = FIRST_ROWS * ROW_WRITTEN + WATCHED_REQUESTS * SHARD_REQUEST;
/** The most dollars that this may add to the price of a million attempts: a tenth of the 10 dollars that a million runs cost one by one, by 7 rows and 3 queue operations each. */
const MAX_ADDED = 1;

/**
 * Returns the fewest attempts after which the price of a million means something: what the shards cost by themselves, spread over the
 * attempts, adds no more than `MAX_ADDED`. These are 219 attempts for each shard.
 */
export const fewestPricedAttempts = (shards: number): number => Math.ceil(Number(((shards * SHARD_BY_ITSELF * MILLION) / MAX_ADDED).toFixed(3)));

/** Returns the price of a million attempts; undefined while there are too few of them to tell. */
export const pricePerMillion = (dollars: number, attempts: number, shards: number): number | undefined =>
  attempts < fewestPricedAttempts(shards) ? undefined : (dollars / attempts) * MILLION;

export interface CostPart {
  name: string;
  count: number;
  dollars: number;
}

/** Returns the price of what a meter has counted, the most expensive part first. */
export function costOf(meter: Meter): CostPart[] {
  const parts: CostPart[] = [
    { name: "Rows written", count: meter.rowsWritten, dollars: meter.rowsWritten * ROW_WRITTEN },
    { name: "Queue operations", count: meter.queueOperations, dollars: meter.queueOperations * QUEUE_OPERATION },
    { name: "Requests to shards", count: meter.shardRequests, dollars: meter.shardRequests * SHARD_REQUEST },
    { name: "Rows read", count: meter.rowsRead, dollars: meter.rowsRead * ROW_READ },
  ];
  return parts.sort((one, other) => other.dollars - one.dollars);
}
