// What the start of a shard costs, and what its former self leaves in memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";

const callback = { type: "handler", name: "noop" };

/** Adds this many remembered keys to the period of those that a shard has, and counts the rows of keys that the shard reads. */
const remembering = (more) => `
  let rows = 0;
  function state(of) {
    const { sql } = of.storage;
    const hasKeys = [...sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'remembered'")].length > 0;
    if (hasKeys && ${more} > 0) sql.exec(
      "INSERT INTO remembered (period, key, value) WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${more}) " +
        "SELECT (SELECT max(period) FROM remembered), randomblob(16), x'' FROM numbers",
    );
    const counting = around(sql, {
      exec: (query, ...given) => {
        const cursor = sql.exec(query, ...given);
        if (!query.includes("remembered") || query.includes("CREATE")) return cursor;
        return around(cursor, {
          get rowsRead() {
            rows += cursor.rowsRead;
            return cursor.rowsRead;
          },
        });
      },
    });
    return { storage: around(of.storage, { sql: counting }) };
  }
  const control = () => rows;
`;

test("a shard with many remembered keys reads few of them when it starts, and knows each", async (t) => {
  const storage = await folder(t);
  const create = async ({ url }) => {
    const headers = { authorization: "Bearer key", "content-type": "application/json", "idempotency-key": "one" };
    const response = await fetch(`${url}/v1/tasks`, { method: "POST", headers, body: JSON.stringify({ delayInSeconds: 3_600, callback }) });
    return { status: response.status, id: (await response.json()).id, replayed: response.headers.get("idempotent-replayed") };
  };
  const first = await start(t, storage, { parts: remembering(0) });
  const { id, status } = await create(first);
  assert.equal(status, 201);
  await first.stop();
  const second = await start(t, storage, { parts: remembering(100_000) });
  assert.equal((await second.call(`/v1/tasks/${id}`)).status, 200);
  const rows = await second.control("");
  t.diagnostic(`${rows} rows of keys were read`);
  assert.ok(rows > 0 && rows <= 3 * 4_096 + 10, `${rows} rows of keys were read`);
  assert.deepEqual(await create(second), { status: 201, id, replayed: "true" });
});

/** Ends a shard after its next answer when `control("evict")` says so. Its former selves stay in memory, as until a collection. */
const evicting = `
  const former = [];
  let evicts = false;
  function answered(path, shard, state) {
    if (!evicts) return;
    evicts = false;
    former.push(shard);
    state.abort("evicted");
  }
  function control(what) {
    if (what === "evict") evicts = true;
    return former.length;
  }
`;

test("a shard that starts again in its isolate counts once, although its former selves are still in memory", async (t) => {
  const { call, control } = await start(t, await folder(t), { parts: evicting, vars: { ISOLATE_MEMORY_MB: "1" } });
  for (let batch = 0; batch < 2; batch += 1) {
    const tasks = Array.from({ length: 4_000 }, (_, n) => ({ id: `${batch}-${n}`, delayInSeconds: 3_600, callback }));
    assert.equal((await call("/v1/tasks/batch", tasks)).body.accepted, 4_000);
  }
  const one = async () => (await call("/v1/tasks", { delayInSeconds: 3_600, callback })).status;
  assert.equal(await one(), 201);
  for (let lives = 1; lives <= 6; lives += 1) {
    await control("evict");
    // The answer is lost with the shard, and the coordinator asks its next life.
    assert.equal((await call("/v1/tasks/0-7")).status, 200);
    assert.equal(await control(""), lives);
    assert.equal(await one(), 201, `after ${lives} evictions`);
  }
});
