// Tests HTTP on the real local runtime: conditions, HEAD, methods, and names in paths.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { Scheduler, until } from "./harness.mjs";

const FAR = Date.parse("2090-01-01T00:00:00Z");
const NOOP = { type: "handler", name: "noop" };

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "4" });
});
after(() => scheduler?.dispose());

const fetched = (path, method = "GET", headers = {}) => scheduler.fetch(path, { method, headers });

test("a read with If-None-Match is 304 while the task does not change", async () => {
  await scheduler.call("/v1/tasks", { body: { id: "c", time: FAR, callback: NOOP } });
  const etag = (await fetched("/v1/tasks/c")).headers.get("etag");
  for (const [seen, status] of [[etag, 304], [`W/${etag}`, 304], ["*", 304], [`"x", ${etag}`, 304], ['"0123456789abcdef"', 200]]) {
    const response = await fetched("/v1/tasks/c", "GET", { "if-none-match": seen });
    assert.deepEqual([response.status, response.headers.get("etag")], [status, etag], seen);
    assert.equal((await response.text()) === "", status === 304, seen);
  }
  await scheduler.call("/v1/tasks/c", { method: "PATCH", body: { description: "new" } });
  assert.equal((await fetched("/v1/tasks/c", "GET", { "if-none-match": etag })).status, 200);
  assert.equal((await fetched("/v1/tasks/c", "GET", { "if-none-match": "c" })).status, 422);
  assert.equal((await fetched("/v1/tasks/none", "GET", { "if-none-match": "*" })).status, 404);
});

test("a read is 200 after the status or the next run has changed, and If-Match compares only the task's content", async () => {
  const seen = async (id, etag) => {
    const statuses = [];
    for (const method of ["GET", "HEAD"]) statuses.push((await fetched(`/v1/tasks/${id}`, method, { "if-none-match": etag })).status);
    return statuses;
  };
  await scheduler.call("/v1/tasks", { body: { id: "next", everySeconds: 1, callback: NOOP } });
  const first = await fetched("/v1/tasks/next");
  const [etag, { due }] = [first.headers.get("etag"), await first.json()];
  await until("the next run", async () => (await scheduler.call("/v1/tasks/next")).body.due > due);
  assert.deepEqual(await seen("next", etag), [200, 200]);
  assert.equal((await scheduler.call("/v1/tasks/next", { method: "DELETE", headers: { "if-match": etag } })).status, 200, "its content is the same");

  await scheduler.call("/v1/tasks", { body: { id: "state", time: FAR, callback: NOOP } });
  const scheduled = (await fetched("/v1/tasks/state")).headers.get("etag");
  const version = scheduled.slice(1, 17);
  for (const [tag, verb] of [[scheduled, "pause"], [`"${version}"`, "resume"], [`"${version}.0123456789abcdef"`, "pause"]]) {
    assert.equal((await scheduler.call(`/v1/tasks/state/${verb}`, { method: "POST", headers: { "if-match": tag } })).status, 200, tag);
  }
  const paused = (await fetched("/v1/tasks/state")).headers.get("etag");
  assert.deepEqual([await seen("state", paused), await seen("state", scheduled), await seen("state", `"${version}"`)], [[304, 304], [200, 200], [200, 200]]);
  await scheduler.call("/v1/tasks/state/resume", { method: "POST" });
  assert.deepEqual([await seen("state", paused), await seen("state", scheduled)], [[200, 200], [304, 304]]);
});

test("a change with If-None-Match is 412 if it names the task's version", async () => {
  const task = { time: FAR, callback: NOOP };
  const put = (seen, headers = {}) =>
    scheduler.fetch("/v1/tasks/n", { method: "PUT", headers: { "if-none-match": seen, ...headers }, body: task });
  const other = '"0123456789abcdef"';
  // There is no task, so neither a list nor `*` names it.
  assert.equal((await put(`${other}, "x"`)).status, 201);
  const etag = (await fetched("/v1/tasks/n")).headers.get("etag");
  for (const [seen, status] of [["*", 412], [etag, 412], [`W/${etag}`, 412], [`${other}, ${etag}`, 412], [other, 200], ['""', 200], ["n", 422]]) {
    const response = await put(seen);
    assert.equal(response.status, status, seen);
    assert.equal((await response.json()).type, { 412: "/problems/other-version", 422: "/problems/invalid" }[status], seen);
  }
  // If both headers are given, both must hold.
  for (const [seen, match, status] of [[other, etag, 200], [etag, etag, 412], [other, other, 412], ["*", etag, 412], [other, "*", 200]]) {
    assert.equal((await put(seen, { "if-match": match })).status, status, `${seen} ${match}`);
  }
  // With an Idempotency-Key, the repeated answer is the same.
  for (const replayed of [null, "true"]) {
    const response = await put(other, { "idempotency-key": "n" });
    assert.deepEqual([response.status, response.headers.get("idempotent-replayed")], [200, replayed]);
  }
  const changes = [["PATCH", "", { description: "new" }], ["POST", "/pause"], ["POST", "/resume"], ["POST", "/reschedule", { time: FAR + 1 }], ["DELETE", ""]];
  for (const [method, path, body] of changes) {
    const now = (await fetched("/v1/tasks/n")).headers.get("etag");
    const change = (seen) => scheduler.fetch(`/v1/tasks/n${path}`, { method, headers: { "if-none-match": seen }, body });
    for (const seen of ["*", now, `${other}, W/${now}`]) assert.equal((await change(seen)).status, 412, `${method} ${path} ${seen}`);
    assert.equal((await change(other)).status, 200, `${method} ${path}`);
  }
  assert.equal((await scheduler.fetch("/v1/tasks/n", { method: "DELETE", headers: { "if-none-match": other } })).status, 404);
});

test("every write obeys or refuses a condition", async () => {
  const task = { id: "w", time: FAR, callback: NOOP };
  await scheduler.call("/v1/tasks", { body: task });
  const other = '"0123456789abcdef"';
  const one = [
    ["POST", "/v1/tasks", task], ["PUT", "/v1/tasks/w", task], ["PATCH", "/v1/tasks/w", { description: "d" }], ["POST", "/v1/tasks/w/pause"],
    ["POST", "/v1/tasks/w/resume"], ["POST", "/v1/tasks/w/run"], ["POST", "/v1/tasks/w/reschedule", { time: FAR }], ["DELETE", "/v1/tasks/w"],
  ];
  for (const [method, path, body] of one) {
    for (const headers of [{ "if-match": other }, { "if-none-match": "*" }]) {
      const { status } = await scheduler.call(path, { method, body, headers });
      assert.equal(status, 412, `${method} ${path} ${JSON.stringify(headers)}`);
    }
    for (const field of ["If-Match", "If-None-Match"]) {
      const { status, body: problem } = await scheduler.call(path, { method, body, headers: { [field]: "," } });
      assert.deepEqual([status, problem.field], [422, field], `${method} ${path} with an empty list in ${field}`);
    }
  }
  const many = [
    ["POST", "/v1/tasks/batch", [task]], ["POST", "/v1/tasks/stream", [task]], ["POST", "/v1/tasks/cancel", { ids: ["w"] }], ["POST", "/v1/tasks/pause", { ids: ["w"] }],
    ["POST", "/v1/tasks/resume", { ids: ["w"] }], ["POST", "/v1/tasks/run", { ids: ["w"] }], ["POST", "/v1/tasks/reschedule", { ids: ["w"], time: FAR }],
    ["PUT", "/v1/limits/w", { concurrency: 1 }], ["DELETE", "/v1/limits/w"], ["POST", "/v1/keys", { name: "w", scopes: ["read"], namespaces: ["*"] }],
    ["DELETE", "/v1/keys/w"], ["PUT", "/v1/namespaces/w", {}], ["DELETE", "/v1/namespaces/w"],
  ];
  for (const [method, path, body] of many) {
    for (const field of ["If-Match", "If-None-Match"]) {
      const { status, body: problem } = await scheduler.call(path, { method, body, headers: { [field]: other } });
      assert.deepEqual([status, problem.field, problem.type], [400, field, "/problems/condition-refused"], `${method} ${path}`);
    }
  }
  // The refused requests have changed nothing.
  const { body } = await scheduler.call("/v1/tasks/w");
  assert.deepEqual([body.status, body.description], ["scheduled", undefined]);
});

test("a POST of a task obeys conditions of the task that it names", async () => {
  const post = (body, headers) => scheduler.fetch("/v1/tasks", { method: "POST", body: { time: FAR, callback: NOOP, ...body }, headers });
  const create = { "if-none-match": "*" };
  const made = await post({ id: "posted" }, create);
  assert.equal(made.status, 201);
  assert.equal((await post({ id: "posted" }, create)).status, 412);
  const etag = made.headers.get("etag");
  assert.equal((await post({ id: "posted", description: "d" }, { "if-match": etag })).status, 200);
  assert.equal((await post({ id: "posted", description: "e" }, { "if-match": etag })).status, 412);
  // Without an id, no task can have a version yet.
  for (const [headers, field] of [[create, "If-None-Match"], [{ "if-match": "*" }, "If-Match"]]) {
    const refused = await post({}, headers);
    assert.deepEqual([refused.status, (await refused.json()).field], [400, field]);
  }
  // With an Idempotency-Key, the repeated answer is the same.
  for (const replayed of [null, "true"]) {
    const response = await post({ id: "keyed" }, { ...create, "idempotency-key": "posted" });
    assert.deepEqual([response.status, response.headers.get("idempotent-replayed")], [201, replayed]);
  }
});

test("If-Match without a task is 412, even for a read", async () => {
  await scheduler.call("/v1/tasks", { body: { id: "r", time: FAR, callback: NOOP } });
  const etag = (await fetched("/v1/tasks/r")).headers.get("etag");
  for (const [match, status] of [[etag, 200], ["*", 200], ['"0123456789abcdef"', 412], [`W/${etag}`, 412], ["r", 422]]) {
    assert.equal((await fetched("/v1/tasks/r", "GET", { "if-match": match })).status, status, match);
    assert.equal((await fetched("/v1/tasks/r", "HEAD", { "if-match": match })).status, status, match);
  }
  // If-Match is checked before If-None-Match.
  assert.equal((await fetched("/v1/tasks/r", "GET", { "if-match": '"x"', "if-none-match": "*" })).status, 412);
  const requests = [
    ["GET", ""], ["PUT", "", { time: FAR, callback: NOOP }], ["PATCH", "", { description: "d" }], ["POST", "/pause"], ["POST", "/resume"],
    ["POST", "/run"], ["POST", "/reschedule", { time: FAR }], ["DELETE", ""],
  ];
  for (const [method, path, body] of requests) {
    for (const match of ["*", etag, `${etag}, "x"`]) {
      const { status } = await scheduler.call(`/v1/tasks/nowhere${path}`, { method, body, headers: { "if-match": match } });
      assert.equal(status, 412, `${method} ${path} ${match}`);
    }
  }
});

test("null does not remove a schedule, and whole floats are integers", async () => {
  await scheduler.call("/v1/tasks", { body: { id: "f", time: FAR, callback: NOOP } });
  const unscheduled = await scheduler.call("/v1/tasks/f", { method: "PATCH", body: { time: null } });
  assert.deepEqual([unscheduled.status, unscheduled.body.field], [422, "time"]);
  const floats = `{"id":"f","time":${FAR}.0,"priority":9.0,"retry":{"maxAttempts":2.0,"permanentStatuses":[404.0]},"callback":{"type":"handler","name":"noop"}}`;
  const response = await fetch(`${scheduler.url}/v1/tasks`, { method: "POST", headers: { authorization: `Bearer ${scheduler.key}` }, body: floats });
  const { time, priority } = await response.json();
  assert.deepEqual([response.status, time, priority], [200, FAR, 9]);
});

test("a repeated query parameter is refused", async () => {
  for (const [path, name] of [["/v1/tasks?prefix=a&prefix=b", "prefix"], ["/v1/tasks/c/runs?limit=1&limit=2", "limit"], ["/v1/events?id=a&tag=b&id=a", "id"]]) {
    const response = await fetched(path);
    const { field, detail } = await response.json();
    assert.deepEqual([response.status, field, detail], [422, name, `${name} is given more than once; give it once`], path);
  }
  assert.equal((await (await fetched("/v1/tasks?x=1&x=2")).json()).field, "x", "an unknown one is refused as such");
});

test("HEAD is answered as GET, without the body", async () => {
  await scheduler.call("/v1/limits/stripe", { method: "PUT", body: { concurrency: 3 } });
  const paths = ["/healthz", "/openapi.json", "/v1/tasks", "/v1/tasks/c", "/v1/tasks/none", "/v1/tasks/c/runs", "/v1/limits", "/v1/limits/stripe", "/v1/keys", "/v1/namespaces", "/v1/nothing"];
  for (const path of paths) {
    const [get, head] = [await fetched(path), await fetched(path, "HEAD")];
    assert.equal(head.status, get.status, path);
    for (const name of ["content-type", "etag"]) assert.equal(head.headers.get(name), get.headers.get(name), `${path} ${name}`);
    assert.equal(await head.text(), "", path);
    assert.notEqual(await get.text(), "");
  }
  const events = await fetched("/v1/events", "HEAD");
  assert.deepEqual([events.status, events.headers.get("content-type")], [200, "text/event-stream"]);
  assert.equal(await events.text(), "");
  assert.equal((await fetch(`${scheduler.url}/v1/tasks`, { method: "HEAD" })).status, 401);
});

test("every answer has a request id: the caller's if it is valid, otherwise a new one", async () => {
  const id = async (path, headers, { key = true, method } = {}) => {
    const authorization = key ? {} : { authorization: "Bearer wrong" };
    const response = await scheduler.fetch(path, { method, headers: { ...authorization, ...headers }, signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
    return response.headers.get("x-request-id");
  };
  const given = { "x-request-id": "order-7_A" };
  for (const [path, options] of [
    ["/v1/tasks"], ["/v1/tasks/none"], ["/v1/events"], ["/healthz"], ["/nowhere"], ["/v1/tasks/%zz"], ["/v1/tasks", { key: false }],
    ["/v1/tasks", { method: "HEAD" }], ["/v1/tasks", { method: "PUT" }],
  ]) {
    assert.equal(await id(path, given, options), "order-7_A", path);
    const [one, two] = [await id(path, {}, options), await id(path, {}, options)];
    assert.match(one, /^[0-9a-f]{32}$/, path);
    assert.notEqual(one, two);
  }
  for (const bad of ["a b", "x".repeat(129), "a.b"]) assert.match(await id("/healthz", { "x-request-id": bad }), /^[0-9a-f]{32}$/, bad);
});

test("every type of problem has a page", async () => {
  const index = await (await fetch(`${scheduler.url}/problems`)).text();
  const types = [...index.matchAll(/\(\/problems\/([a-z-]+)\)/g)].map(([, name]) => name);
  assert.ok(types.length > 20 && types.includes("invalid"), index);
  for (const name of types) {
    const page = await fetch(`${scheduler.url}/problems/${name}`);
    assert.deepEqual([page.status, page.headers.get("content-type")], [200, "text/markdown; charset=utf-8"], name);
    assert.match(await page.text(), /## What to do\n./, name);
  }
  const { type } = (await scheduler.call("/v1/tasks", { body: {} })).body;
  assert.ok(types.includes(type.replace("/problems/", "")), type);
  assert.equal((await fetch(`${scheduler.url}/problems/none`)).status, 404);
});

test("a body that does not arrive in time is 408", async () => {
  const { hostname, port } = new URL(scheduler.url);
  const socket = connect(Number(port), hostname);
  socket.write(`POST /v1/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${scheduler.key}\r\ncontent-length: 100\r\n\r\n{`);
  let text = "";
  for await (const chunk of socket) {
    text += chunk;
    if (text.includes("}")) break;
  }
  assert.match(text, /^HTTP\/1\.1 408 /);
  assert.match(text, /"type":"\/problems\/slow-body"/);
});

test("a path that cannot be decoded is 400", async () => {
  for (const path of ["/v1/tasks/%zz", "/v1/tasks/%", "/v1/tasks/%FF", "/v1/tasks/a%C3/runs", "/v1/limits/%2", "/v1/keys/%ff"]) {
    const response = await fetched(path);
    assert.deepEqual([response.status, (await response.json()).type], [400, "/problems/malformed-path"], path);
    // A caller without a key does not learn this.
    assert.equal((await fetch(`${scheduler.url}${path}`)).status, 401, path);
  }
  assert.equal((await fetched("/v1/tasks/%25")).status, 404);
});

test("an unsupported method is 405, with the supported ones", async () => {
  for (const [method, path, allow] of [
    ["POST", "/healthz", "GET, HEAD"],
    ["PATCH", "/v1/tasks", "GET, HEAD, POST"],
    ["POST", "/v1/tasks/c", "GET, HEAD, PUT, PATCH, DELETE"],
    ["PUT", "/v1/keys/c", "GET, HEAD, DELETE"],
    ["POST", "/problems/invalid", "GET, HEAD"],
    ["DELETE", "/v1/preview", "POST"],
    ["OPTIONS", "/v1/stats", "GET, HEAD"],
    // A path that accepts only POST says so, even with an id that has a slash.
    ["GET", "/v1/tasks/c/pause", "POST"],
    ["PUT", "/v1/tasks/a/b/run", "POST"],
    ["DELETE", "/v1/tasks/c/runs", "GET, HEAD"],
  ]) {
    const response = await fetched(path, method);
    assert.deepEqual([response.status, response.headers.get("allow")], [405, allow], `${method} ${path}`);
    assert.equal((await response.json()).type, "/problems/no-method");
  }
  assert.match((await (await fetched("/v1/tasks/c/cancel", "POST")).json()).detail, /DELETE \/v1\/tasks\/\{id\} cancels a task/);
  assert.match((await (await fetched("/v1/tasks/none")).json()).detail, /The namespace of the request is "default"$/);
  assert.equal((await fetched("/v1/taks", "POST")).status, 404);
  // A path for many tasks is also the path of a task with that id, which may not exist.
  for (const path of ["/v1/tasks/batch", "/v1/tasks/cancel", "/v1/tasks/pause"]) {
    for (const method of ["GET", "HEAD", "DELETE", "PATCH"]) {
      const response = await scheduler.fetch(path, { method, body: method === "PATCH" ? { description: "d" } : undefined });
      assert.deepEqual([response.status, response.headers.get("allow")], [404, null], `${method} ${path}`);
    }
    assert.equal((await fetched(path, "OPTIONS")).headers.get("allow"), "GET, HEAD, POST, PUT, PATCH, DELETE");
  }
  // No name is empty.
  for (const path of ["/v1/tasks//", "/v1/tasks//pause", "/v1/tasks//runs", "/v1/limits//"]) {
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      const response = await fetched(path, method);
      assert.deepEqual([response.status, (await response.json()).type], [404, "/problems/no-route"], `${method} ${path}`);
    }
  }
  // A caller without a key does not learn this.
  assert.equal((await fetch(`${scheduler.url}/v1/tasks`, { method: "PATCH" })).status, 401);
});

test("names that a path cannot contain are refused, and similar names are found", async () => {
  for (const id of [".", ".."]) {
    const task = await scheduler.call("/v1/tasks", { body: { id, time: FAR, callback: NOOP } });
    assert.deepEqual([task.status, task.body.field], [422, "id"], id);
    const limited = await scheduler.call("/v1/tasks", { body: { id: "l", limitKey: id, time: FAR, callback: NOOP } });
    assert.deepEqual([limited.status, limited.body.field], [422, "limitKey"], id);
  }
  for (const id of ["...", "%2e", "%2E%2e", "a/..", "../a", "./", " ", "a/runs", "a/pause", "\\", "\u3002"]) {
    assert.equal((await scheduler.call("/v1/tasks", { body: { id, time: FAR, callback: NOOP } })).status, 201, id);
    const { status, body } = await scheduler.call(`/v1/tasks/${encodeURIComponent(id)}`);
    assert.deepEqual([status, body.id], [200, id]);
  }
});

test("a value that cannot be a time is refused in every time field", async () => {
  const bases = { time: {}, startAt: { cron: "@daily" }, endAt: { cron: "@daily" }, anchor: { everySeconds: 60 } };
  for (const [field, base] of Object.entries(bases)) {
    for (const wrong of [1795704299, "1795704299", "20991224", "2026", 0, 1795704299.5]) {
      const { status, body } = await scheduler.call("/v1/tasks", { body: { ...base, [field]: wrong, callback: NOOP } });
      assert.deepEqual([status, body.field], [422, field], `${field} ${wrong}`);
    }
  }
  const hint = await scheduler.call("/v1/tasks", { body: { time: 1795704299, callback: NOOP } });
  assert.match(hint.body.detail, /looks like seconds; in milliseconds that is 1795704299000, 2026-11-26T/);
  const wrong = 1795704299;
  for (const [path, body, field] of [
    ["/v1/preview", { cron: "@daily", from: wrong }, "from"],
    ["/v1/tasks/c/reschedule", { time: wrong }, "time"],
    ["/v1/tasks/reschedule", { ids: ["c"], time: "20991224" }, "time"],
    ["/v1/tasks/cancel", { filter: { from: wrong } }, "filter.from"],
    ["/v1/tasks/pause", { filter: { to: 0 } }, "filter.to"],
    ["/v1/keys", { name: "a", scopes: ["read"], namespaces: ["*"], expiresAt: wrong }, "expiresAt"],
  ]) {
    const answer = await scheduler.call(path, { body });
    assert.deepEqual([answer.status, answer.body.field], [422, field], path);
  }
  for (const query of ["from=1795704299", "to=20991224", "from=0"]) {
    assert.equal((await scheduler.call(`/v1/tasks?${query}`)).status, 422, query);
  }
  // An unescaped plus is a space.
  for (const query of ["from=2026-12-01T09:00:00+01:00", "from=2026-12-01T09:00:00%2B01:00", "from=2026-12-01T09:00:00.0Z"]) {
    assert.equal((await scheduler.call(`/v1/tasks?${query}`)).status, 200, query);
  }
});

test("a task without a callback gets the first queue, and the time zone release is shown", async () => {
  const made = await scheduler.call("/v1/tasks", { body: { id: "d", time: FAR } });
  assert.equal(made.status, 201);
  assert.deepEqual((await scheduler.call("/v1/tasks/d")).body.callback, { type: "queue", queue: "FIRED_TASKS" });
  const health = await scheduler.call("/healthz");
  assert.match(health.body.timeZones, /^20\d\d[a-z]$/);
  assert.equal((await scheduler.call("/v1/stats")).body.timeZones, health.body.timeZones);
});

test("invalid options of the server are refused before anything starts", async () => {
  for (const [option, value] of [
    ["--shards", "1=16"], ["--shards", "0"], ["--shards", "16,"], ["--shards", "-"], ["--shards", "1e3"], ["--shards", "513"],
    ["--port", "http"], ["--port", "70000"], ["--visibility", "0"], ["--visibility", "30s"], ["--var", "=1"], ["--sink", "nowhere"],
  ]) {
    const ended = await new Promise((resolve) => {
      execFile(process.execPath, [join(ROOT, "scripts/serve.mjs"), `${option}=${value}`], (error, stdout, stderr) => resolve({ code: error?.code, stdout, stderr }));
    });
    assert.deepEqual([ended.code, ended.stdout], [2, ""], `${option} ${value}: ${ended.stderr}`);
    assert.match(ended.stderr, new RegExp(`^${option} .*: give `), `${option} ${value}`);
  }
});

test("a second server is refused on the storage of one that runs", async () => {
  const ended = await new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, "scripts/serve.mjs"), "--persist", scheduler.storage], (error, stdout, stderr) => resolve({ code: error?.code, stdout, stderr }));
  });
  assert.deepEqual([ended.code, ended.stdout], [2, ""], ended.stderr);
  assert.match(ended.stderr, /^the storage .* belongs to the scheduler that runs on port \d+ as process \d+: end that process, or give another folder with --persist\. /);
});
