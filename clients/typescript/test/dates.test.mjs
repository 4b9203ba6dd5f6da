// The compatibility dates that the scheduler works with: methods are called under the oldest one, and nothing starts under an older one.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { OLDEST_COMPATIBILITY_DATE, refuseDate } from "../src/compatibility.ts";
import { startScheduler } from "../src/testing/index.ts";
import { startWorker, until } from "./runtime.mjs";

const CONFIG = fileURLToPath(new URL("fixtures/objects.jsonc", import.meta.url));
// Below the checkout, so that a project finds the checkout's wrangler.
const PARENT = fileURLToPath(new URL("../../../.wrangler/date-tests", import.meta.url));
const KEY = "a-key-for-the-tests-of-dates";
/** The day before the oldest date. */
const TOO_OLD = new Date(Date.parse(OLDEST_COMPATIBILITY_DATE) - 86_400_000).toISOString().slice(0, 10);

before(() => mkdir(PARENT, { recursive: true }));
after(() => rm(PARENT, { recursive: true, force: true }));

// 2026-11-16 is the last date with which the platform refuses to pass on a request by RPC that says twice that it is not cached.
for (const date of [OLDEST_COMPATIBILITY_DATE, "2026-11-16"]) {
  test(`methods of objects and entry points run with the compatibility date ${date}`, async () => {
    const worker = await startWorker(CONFIG, { date, vars: { API_KEYS: KEY } });
    const send = async (path, body) => {
      const response = await fetch(worker.url + path, { method: body === undefined ? "GET" : "POST", headers: { authorization: `Bearer ${KEY}` }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      assert.ok(response.ok, `${path}: ${response.status}`);
      return response.json();
    };
    try {
      await send("/object/ann/addReminder", ["Tea", 0]);
      await send("/object/plain/scheduleTask", [{ id: "plain", delayInSeconds: 0, payload: "x" }]);
      await send("/once/entry");
      for (const method of ["ann.remind", "ann.tick", "clean", "onTask", "once"]) {
        await until(`a run of ${method}`, async () => (await send("/log")).some((entry) => entry.method === method));
      }
    } finally {
      await worker.stop();
    }
  });
}

test("startScheduler refuses a compatibility date that is too old, and one that is missing", async () => {
  const folder = await mkdtemp(join(PARENT, "project-"));
  const config = join(folder, "wrangler.json");
  await writeFile(join(folder, "index.js"), "");
  for (const [date, says] of [[TOO_OLD, refuseDate(TOO_OLD)], [undefined, "has no compatibility_date"]]) {
    await writeFile(config, JSON.stringify({ name: "mine", main: "index.js", ...(date === undefined ? {} : { compatibility_date: date }) }));
    await assert.rejects(startScheduler({ config }), ({ message }) => message.startsWith(config) && message.endsWith(says));
  }
  assert.equal(refuseDate(OLDEST_COMPATIBILITY_DATE), undefined);
});

test("README.md states the oldest date", async () => {
  assert.ok((await readFile(new URL("../README.md", import.meta.url), "utf8")).includes(`\`compatibility_date\` of ${OLDEST_COMPATIBILITY_DATE} or later`));
});
