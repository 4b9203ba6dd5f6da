// What a run measures. Each measure is `{name, run(context)}`. `run` returns a value for the report, adds what is wrong to `context.faults`, and
// what is remarkable to `context.notes`.
//
// The context has `scheduler` and `receiver` (deployments), `sizes` and `times` (plan.mjs), `loadtest` (the program), `signal`, `everyMillis`,
// `deploy()`, which uploads the scheduler again, and `platform()`, which reads the platform's figures of the run.

import { setTimeout as sleep } from "node:timers/promises";
import { Arrivals } from "./arrivals.mjs";
import { faultsOf, percentile, runLoad } from "./load.mjs";

/** Tasks in a page of the large list, and the time to which the large batch is due, in milliseconds. */
const PAGE = 1_000;
const LATER_MILLIS = 86_400_000;
/** How long after the panic a run counts as one after it, in milliseconds: what was under way may still arrive. */
const UNDER_WAY_MILLIS = 1_500;
/** How long a shard that was asked may take to fire again, in milliseconds. */
const ASKED_MILLIS = 30_000;
/** How much our meter and the platform's figures may differ before the report says so. */
const DIFFERENCE = 0.2;

/** Where the shards live. */
const placement = {
  name: "placement",
  async run({ scheduler, notes }) {
    // The scheduler touches its shards first, so that they are placed as its settings say.
    await scheduler.call("/v1/stats");
    const place = await scheduler.call("/smoke/place");
    const shards = await scheduler.call("/smoke/shards");
    const away = shards.filter(({ colo }) => colo !== place.colo);
    if (away.length > 0) notes.push(`${away.length} of ${shards.length} shards live elsewhere than the Worker that answered (${place.colo ?? "unknown"})`);
    return { place, shards };
  },
};

/** A scenario of the load tester, in which nothing may be lost or sent twice. */
const load = (name, scenario) => ({
  name,
  async run({ loadtest, sizes, times, scheduler, receiver, signal, everyMillis, faults }) {
    const report = await runLoad({ program: loadtest, scenario, size: sizes[name], times, scheduler, receiver, signal, everyMillis });
    faults.push(...faultsOf(name, report));
    return figuresOf(report);
  },
});

/** Returns what the report shows of a load. */
function figuresOf({ schedule, fire, latenessMillis, webhookLateness, duplicates, defectCounts, outcomes }) {
  const { count, p50, p99, max } = latenessMillis.atShard;
  return {
    accepted: schedule.tasksAccepted,
    acceptedPerSecond: Math.round(schedule.tasksPerSecond),
    requestMillis: { p50: schedule.requestMillis.p50, p99: schedule.requestMillis.p99 },
    received: fire.received,
    seconds: fire.seconds,
    atShard: count > 0 ? { p50, p99, max } : undefined,
    atWebhook: webhookLateness.length > 0 ? { p50: percentile(webhookLateness, 50), p99: percentile(webhookLateness, 99), max: webhookLateness.at(-1) } : undefined,
    repeated: duplicates.total,
    defects: Object.values(defectCounts).reduce((sum, count) => sum + count, 0),
    outcomes,
  };
}

/** One batch of the largest size, its list in pages, and its cancellation by filter. */
const large = {
  name: "large batch and list",
  async run({ scheduler, sizes, faults }) {
    const { tasks } = sizes.large;
    const time = Date.now() + LATER_MILLIS;
    const items = Array.from({ length: tasks }, (_, n) => ({ id: `large-${n}`, time, tags: ["large"], callback: { type: "queue", queue: "FIRED_TASKS" } }));
    let begun = Date.now();
    const { accepted } = await scheduler.call("/v1/tasks/batch", items);
    const batchMillis = Date.now() - begun;
    if (accepted !== tasks) faults.push(`large batch: ${accepted} of ${tasks} tasks were accepted`);

    begun = Date.now();
    const ids = new Set();
    let pages = 0;
    let cursor = "";
    do {
      const page = await scheduler.call(`/v1/tasks?tag=large&limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      for (const { id } of page.tasks) ids.add(id);
      pages += 1;
      cursor = page.cursor ?? "";
    } while (cursor !== "");
    const listMillis = Date.now() - begun;
    if (ids.size !== tasks) faults.push(`large list: it has ${ids.size} of ${tasks} tasks`);

    begun = Date.now();
    let cancelled = 0;
    for (let isDone = false; !isDone; ) {
      const part = await scheduler.call("/v1/tasks/cancel", { filter: { tag: "large" } });
      cancelled += part.cancelled;
      isDone = part.done;
    }
    if (cancelled !== tasks) faults.push(`large list: ${cancelled} of ${tasks} tasks were cancelled`);
    return { tasks, batchMillis, listMillis, pages, cancelMillis: Date.now() - begun };
  },
};

/** A deploy in the middle of a steady load. Runs in flight may be repeated, and none may be lost. */
const redeploy = {
  name: "redeploy under load",
  async run({ loadtest, sizes, times, scheduler, receiver, signal, everyMillis, deploy, faults }) {
    const size = sizes.redeploy;
    const running = runLoad({ program: loadtest, scenario: "steady", size, times, scheduler, receiver, signal, everyMillis });
    const deployed = (async () => {
      await sleep((times.lead + size.seconds / 3) * 1_000, undefined, { signal });
      const begun = Date.now();
      const number = await deploy();
      const uploadMillis = Date.now() - begun;
      // Until an instance of the new upload answers.
      const isNew = async () => (await scheduler.call("/smoke/place").catch(() => (signal.throwIfAborted(), undefined)))?.deploy === String(number);
      const deadline = Date.now() + size.seconds * 1_000 + ASKED_MILLIS;
      while (!(await isNew())) {
        if (Date.now() > deadline) throw new Error(`upload ${number} of the scheduler did not answer`);
        await sleep(everyMillis, undefined, { signal });
      }
      return { uploadMillis, newAfterMillis: Date.now() - begun };
    })();
    // Both end before this does, because the load would go on against a Worker that is being removed.
    const [report, deploying] = await Promise.allSettled([running, deployed]);
    for (const { reason } of [report, deploying].filter(({ status }) => status === "rejected")) throw reason;
    faults.push(...faultsOf("redeploy under load", report.value, { mayRepeat: true }));
    return { ...figuresOf(report.value), ...deploying.value };
  },
};

/** A panic while tasks run every second: how long the shards are silent. */
const panic = {
  name: "panic",
  async run({ scheduler, receiver, sizes, signal, everyMillis, faults, notes }) {
    const { tasks, seconds } = sizes.panic;
    const arrivals = new Arrivals(receiver);
    await arrivals.skip();
    /** The times at which each task has run. */
    const runs = new Map(Array.from({ length: tasks }, (_, n) => [`panic-${n}`, []]));
    const look = async () => {
      for (const { at, body } of await arrivals.take()) runs.get(JSON.parse(body).id)?.push(at);
    };
    /** Waits until each task has run after that time, and returns whether it did within these milliseconds. */
    const allAfter = async (time, millis) => {
      const deadline = Date.now() + millis;
      for (;;) {
        // A receiver in the same isolate may miss a request.
        await look().catch(() => signal.throwIfAborted());
        if ([...runs.values()].every((times) => times.some((at) => at > time))) return true;
        if (Date.now() > deadline) return false;
        await sleep(everyMillis, undefined, { signal });
      }
    };
    const callback = { type: "webhook", url: `${receiver.url}/hook` };
    await scheduler.call("/v1/tasks/batch", [...runs.keys()].map((id) => ({ id, everySeconds: 1, tags: ["panic"], callback })));
    if (!(await allAfter(0, ASKED_MILLIS))) throw new Error(`not all of ${tasks} recurring tasks ran within ${ASKED_MILLIS / 1_000} s`);
    await scheduler.call("/v1/tasks", { id: "panics", delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: { type: "handler", name: "example-panic" } });
    const at = Date.now();
    await sleep(UNDER_WAY_MILLIS, undefined, { signal });
    const byItself = await allAfter(at + UNDER_WAY_MILLIS, seconds * 1_000);
    if (!byItself) {
      notes.push(`panic: after ${seconds} s, some shards were still silent, and were asked`);
      // A request to each shard, as the watchdog sends.
      await scheduler.call("/v1/stats");
      if (!(await allAfter(at + UNDER_WAY_MILLIS, ASKED_MILLIS))) faults.push("panic: some tasks did not run again, even after their shards were asked");
    }
    await scheduler.call("/v1/tasks/cancel", { filter: { tag: "panic" } });
    const { runs: reported } = await scheduler.call("/v1/tasks/panics/runs");
    if (!/panicked/.test(reported[0]?.error)) {
      faults.push("panic: the attempt that panicked was not reported");
      // Its shard would send it again without end. A cancelled run is not sent again.
      await scheduler.call("/v1/tasks/cancel", { ids: ["panics"] });
    }
    const silences = [...runs.values()].map((times) => Math.max(...gaps(times.sort((a, b) => a - b)))).sort((a, b) => a - b);
    return { tasks, silentMillis: { p50: percentile(silences, 50), max: silences.at(-1) }, byItself };
  },
};

const gaps = (times) => times.slice(1).map((time, n) => time - times[n]);

/** Our meter beside the platform's figures. These arrive some minutes late, so this waits until two readings are equal. */
const meter = {
  name: "meter",
  async run({ scheduler, platform, times, signal, notes }) {
    const { meter: ours } = await scheduler.call("/v1/stats");
    const deadline = Date.now() + times.analytics * 1_000;
    const everyMillis = Math.min(30_000, (times.analytics * 1_000) / 4);
    let theirs;
    let before;
    do {
      if (theirs) await sleep(everyMillis, undefined, { signal });
      before = theirs;
      theirs = await platform();
    } while (Date.now() < deadline && !(theirs.rowsWritten > 0 && JSON.stringify(theirs) === JSON.stringify(before)));
    const compared = ["rowsWritten", "rowsRead", "objectRequests", "queueOperations"].map((name) => ({
      name,
      ours: name === "objectRequests" ? ours.shardRequests + ours.alarmsSet : ours[name],
      platform: theirs[name],
    }));
    for (const { name, ours, platform } of compared) {
      if (Math.abs(ours - platform) > DIFFERENCE * Math.max(ours, platform)) notes.push(`${name}: our meter says ${ours}, the platform ${platform}`);
    }
    return { compared, others: theirs };
  },
};

export const MEASURES = [placement, load("sparse", "spread"), load("steady", "steady"), load("herd", "herd"), large, redeploy, panic, meter];
