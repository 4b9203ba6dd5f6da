// Removes what a run has deployed. It goes by the names in the account, not by what this process remembers: a request that was cut off may
// have been carried out.

import { setTimeout as sleep } from "node:timers/promises";
import { PREFIX, runOf } from "./names.mjs";

/** How often the removal looks again whether something is left. */
const ROUNDS = 4;

/** Returns the Workers and queues in the account that belong to runs: `{scripts, queues}`, each with its run. */
async function found(api, isWanted) {
  const [scripts, queues] = [await api.call("GET", "/workers/scripts"), await api.list("/queues")];
  const wanted = (name) => runOf(name) !== undefined && isWanted(runOf(name));
  return {
    scripts: scripts.map(({ id }) => id).filter(wanted),
    queues: queues.map(({ queue_id: id, queue_name: name }) => ({ id, name })).filter(({ name }) => wanted(name)),
  };
}

/** Returns the runs that have something in the account, as `{run, startedAt}`, the oldest first. */
export async function runsIn(api) {
  const { scripts, queues } = await found(api, () => true);
  const runs = new Map([...scripts, ...queues.map(({ name }) => name)].map((name) => [runOf(name).run, runOf(name)]));
  return [...runs.values()].sort((a, b) => a.startedAt - b.startedAt);
}

/**
 * Removes everything of a run: the consumers of its queues, its Workers with all their objects, and the queues. Returns the names that are
 * left, with the problem, as texts. It goes on after a problem, and never throws.
 *
 * If the list is empty, it looks again after `lookAgainMillis`, because a request that was cut off may still be carried out.
 */
export async function remove(api, run, log, lookAgainMillis = 0) {
  let problems = [];
  let isSecondLook = lookAgainMillis === 0;
  for (let round = 1; round <= ROUNDS; round++) {
    problems = [];
    const attempt = async (name, request) => {
      try {
        await request();
        return true;
      } catch (error) {
        // Somebody else has removed it.
        if (error.status === 404) return true;
        problems.push(`${name}: ${error.message}`);
        return false;
      }
    };
    let left;
    const hasList = await attempt(`the list of what is left of ${run}`, async () => {
      left = await found(api, (other) => other.run === run);
    });
    if (!hasList) continue;
    if (left.scripts.length + left.queues.length === 0) {
      if (isSecondLook) return [];
      isSecondLook = true;
      await sleep(lookAgainMillis);
      continue;
    }
    // A Worker that consumes a queue, or a queue that is consumed, cannot be removed.
    for (const { id, name } of left.queues) {
      await attempt(`the consumers of ${name}`, async () => {
        for (const { consumer_id: consumer } of await api.call("GET", `/queues/${id}/consumers`)) {
          await api.call("DELETE", `/queues/${id}/consumers/${consumer}`);
        }
      });
    }
    // The objects of a Worker, and what they store, go with it. The scheduler is first, because it sends to the other one.
    for (const name of left.scripts.sort()) {
      if (await attempt(`the Worker ${name}`, () => api.call("DELETE", `/workers/scripts/${name}?force=true`))) log(`removed the Worker ${name}`);
    }
    for (const { id, name } of left.queues) {
      if (await attempt(`the queue ${name}`, () => api.call("DELETE", `/queues/${id}`))) log(`removed the queue ${name}`);
    }
  }
  if (problems.length > 0) return problems;
  // Everything was answered with success. A list may lag behind.
  try {
    const { scripts, queues } = await found(api, (other) => other.run === run);
    return [...scripts, ...queues.map(({ name }) => name)].map((name) => `${name}: is still there`);
  } catch (error) {
    return [`the list of what is left of ${run}: ${error.message}`];
  }
}

/** Says how to remove what is left. */
export const HOW_TO_REMOVE = `remove it with: make smoke ARGS=--remove, or on the dashboard: Workers and queues whose names begin with ${PREFIX}`;
