// Deploys and takes back a version while tasks are created and fire. Objects of one version meet the Worker of another in both
// directions. See versions.mjs for what plays the older version.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder } from "./around.mjs";
import { until } from "./harness.mjs";
import { startSink } from "./sink.mjs";
import { Load } from "./upgrade-load.mjs";
import { startVersions } from "./versions.mjs";

/** How long each mixture of versions runs at least, in milliseconds, and how many messages of it are exchanged. */
const PHASE_MS = 1_000;
const PHASE_MESSAGES = 30;
const VARS = { SHARD_MAP: "4", VISIBILITY_TIMEOUT_SECONDS: "4" };
const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const all = (version) => ({ callers: version, halves: [version, version] });

/** Waits until every acknowledged task has run, and checks the ledger. Returns how many runs were repeats. */
async function settle(t, load) {
  await load.stop();
  const none = () => load.missing().length === 0 || Promise.reject(new Error(load.missing().join()));
  await until("every acknowledged task to have run", none, { timeoutMs: 60_000, everyMs: 200 });
  const repeats = load.check();
  const cancelled = [...load.tasks.values()].filter(({ cancelledAt }) => cancelledAt).length;
  t.diagnostic(`${load.tasks.size} tasks acknowledged, ${cancelled} cancelled; repeated runs: ${repeats}; requests: ${JSON.stringify(load.outcomes)}`);
  assert.ok(load.tasks.size > 100 && cancelled > 5, `${load.tasks.size} tasks, ${cancelled} cancelled`);
  return repeats;
}

/** Replaces the version `from` by `to` under load: half of the objects first, then the Worker, then the other objects. */
async function replace(t, from, to) {
  const sink = await startSink(Load.answer);
  t.after(() => sink.close());
  const scheduler = await startVersions(t, { storage: await folder(t), sink: sink.url, vars: VARS, first: all(from) });
  const load = new Load({ url: scheduler.url, sink, queue: true });
  const messages = async (way) => (await scheduler.counts()).messages[way] ?? 0;
  /** Lets the load go on, until that many more messages were exchanged between these versions. */
  const phase = async (way) => {
    const before = await messages(way);
    await pause(PHASE_MS);
    await until(`messages of ${way}`, async () => (await messages(way)) >= before + PHASE_MESSAGES);
  };
  await load.start();
  await phase(`${from} to ${from}`);
  assert.ok((await scheduler.half(0, to)).includes("1-0"));
  await phase(`${from} to ${to}`);
  await scheduler.callers(to);
  await phase(`${to} to ${from}`);
  assert.ok((await scheduler.half(1, to)).includes("1-1"));
  await phase(`${to} to ${to}`);
  const repeats = await settle(t, load);
  assert.ok(repeats < load.tasks.size / 10, `${repeats} runs were repeated`);
  const { messages: exchanged, leftOut, refused } = await scheduler.counts();
  t.diagnostic(`messages: ${JSON.stringify(exchanged)}; members left out: ${leftOut}; requests refused: ${refused}`);
  if (!process.env.UPGRADE_FROM) assert.ok(leftOut > 50 && refused > 5, `${leftOut} left out, ${refused} refused`);
  assert.deepEqual(load.gaps(), [], "recurring tasks ran every second");
}

test("a new version replaces an older one under load: nothing acknowledged is lost, and nothing fires early", (t) => replace(t, "old", "new"));

test("an older version comes back under load: nothing acknowledged is lost, and nothing fires early", (t) => replace(t, "new", "old"));

test("the runtime ends abruptly under load, and each time the other version starts on its storage", async (t) => {
  const sink = await startSink(Load.answer);
  t.after(() => sink.close());
  const storage = await folder(t);
  let scheduler = await startVersions(t, { storage, sink: sink.url, vars: VARS, first: all("old") });
  const { url } = scheduler;
  // The local queue is in memory and loses what a consumer of one's own has not got.
  const load = new Load({ url, sink, queue: false });
  await load.start();
  for (const version of ["new", "old"]) {
    await pause(PHASE_MS);
    await scheduler.stop();
    scheduler = await startVersions(t, { storage, sink: sink.url, port: Number(new URL(url).port), vars: VARS, first: all(version) });
  }
  await pause(PHASE_MS);
  assert.ok(load.outcomes["POST no answer"] > 0, "no create met the end of the runtime");
  await settle(t, load);
});
