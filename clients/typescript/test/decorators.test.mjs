// The decorators after each compiler that lowers them, and which methods tasks may call.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { build } from "esbuild";
import { build as buildWithVite } from "vite";
import { declaredSchedules, findMethod } from "../src/scheduler/declarations.ts";
import { cron, every, task } from "../src/scheduler/decorators.ts";

/** A class with every decorator, alone and together with one that replaces the method. */
const SOURCE = `
  export function make(Base, { task, cron, every }) {
    const replace = (method, second, descriptor) => {
      if (descriptor === undefined) return function (...args) { return method.apply(this, args); };
      const { value } = descriptor;
      descriptor.value = function (...args) { return value.apply(this, args); };
    };
    class Parent extends Base {
      @every(5) inherited() {}
      @every(6) overridden() {}
    }
    class Child extends Parent {
      @task({ retries: 2 }) plain(payload) { return payload; }
      @task({ retries: 3 }) @cron("0 9 * * MON", { timezone: "Europe/London", description: "report" }) report() {}
      @replace @every(60, { payload: { n: 1 } }) tick() {}
      @cron(["0 9 * * *", "@daily"]) list() {}
      overridden() {}
      undecorated() {}
    }
    return Child;
  }
`;

const EXPECTED = [
  { method: "inherited", options: {}, times: { everySeconds: 5 } },
  { method: "list", options: {}, times: { cron: ["0 9 * * *", "@daily"] } },
  { method: "report", options: { timezone: "Europe/London", description: "report", retries: 3 }, times: { cron: "0 9 * * MON" } },
  { method: "tick", options: { payload: { n: 1 } }, times: { everySeconds: 60 } },
];

class Base {
  onTask() {}
  ofBase() {}
}

const importScript = (script) => import(`data:text/javascript,${encodeURIComponent(script)}`);

async function checkLowered(script) {
  const { make } = await importScript(script);
  const Child = make(Base, { task, cron, every });
  assert.deepEqual(declaredSchedules(Child, Base), EXPECTED);
  assert.deepEqual(findMethod(Child, Base, "plain").declaration.options, { retries: 2 });
  assert.equal(findMethod(Child, Base, "undecorated").declaration, undefined);
}

const lower = async (experimentalDecorators, contents = SOURCE) => {
  const { outputFiles } = await build({ stdin: { contents, loader: "ts" }, target: "es2022", format: "esm", write: false, tsconfigRaw: { compilerOptions: { experimentalDecorators } } });
  return outputFiles[0].text;
};
const importSource = async (source, legacy = false) => importScript(await lower(legacy, source));

test("declarations survive esbuild, which is what wrangler bundles with", async () => {
  await checkLowered(await lower(false));
});

test("declarations survive esbuild with the older convention", async () => {
  await checkLowered(await lower(true));
});

test("declarations survive Vite with the older convention, the only one that it lowers", async () => {
  const folder = await mkdtemp(join(tmpdir(), "durable-scheduler-"));
  try {
    await writeFile(join(folder, "source.ts"), SOURCE);
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { experimentalDecorators: true } }));
    const settings = { root: folder, configFile: false, logLevel: "error", build: { write: false, ssr: "source.ts", target: "es2022", minify: false } };
    const { output } = await buildWithVite(settings);
    await checkLowered(output[0].code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("declarations survive TypeScript's own compiler", async () => {
  const folder = await mkdtemp(join(tmpdir(), "durable-scheduler-"));
  try {
    // It adds no metadata where there is no Symbol.metadata, so a decorator that replaces the method must come below.
    const source = SOURCE.replace("@replace @every(60, { payload: { n: 1 } })", "@every(60, { payload: { n: 1 } }) @replace");
    await writeFile(join(folder, "source.ts"), `// @ts-nocheck\n${source}`);
    for (const more of [[], ["--experimentalDecorators"]]) {
      execFileSync("tsc", ["--target", "es2022", "--module", "esnext", "--types", "", "--outDir", join(folder, "out"), ...more, join(folder, "source.ts")], { cwd: folder });
      await checkLowered(await readFile(join(folder, "out/source.js"), "utf8"));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("tasks may call the public methods below the base class, and no others", () => {
  class Middle extends Base {
    ofMiddle() {}
  }
  class Own extends Middle {
    own() {}
    fetch() {}
    alarm() {}
    webSocketMessage() {}
    _private() {}
    ofBase() {}
    get getter() {
      return () => {};
    }
    field = () => {};
    static statically() {}
  }
  const names = ["own", "ofMiddle", "onTask", "fetch", "alarm", "webSocketMessage", "_private", "ofBase", "getter", "field", "statically", "constructor", "toString", "__proto__", "hasOwnProperty", "then", ""];
  assert.deepEqual(names.filter((name) => findMethod(Own, Base, name) !== undefined), ["own", "ofMiddle", "onTask"]);
});

test("a schedule of a method that no task may call is an error, not silence", async () => {
  for (const name of ["_hidden", "alarm", "fetch", "constructor", "toString"]) {
    const context = { kind: "method", name, static: false, private: false, metadata: {} };
    assert.throws(() => every(5)(() => {}, context), new RegExp(`^TypeError: @every is for methods that tasks may call: .*${name}`));
    assert.throws(() => every(5)({}, name, { value: () => {} }), /tasks may call/);
  }
  for (const legacy of [false, true]) {
    const Child = (await importSource("export function make(B, { every }) { class Child extends B { @every(5) ofBase() {} } return Child; }", legacy)).make(Base, { every });
    assert.throws(() => declaredSchedules(Child, Base), /^TypeError: \w+\.ofBase\(\) has a schedule and the name of a member of Base: rename it$/);
  }
});

test("a method that overrides a declared one has no schedule unless it is declared itself", async () => {
  const source = `
    export function make(B, { every, task }) {
      class Parent extends B { @every(5) tick() {} @every(7) tock() {} }
      class Plain extends Parent { tick() {} }
      class Other extends Parent { tick() {} @task() other() {} }
      class Again extends Parent { @every(6) tick() {} }
      return [Plain, Other, Again];
    }
  `;
  for (const legacy of [false, true]) {
    const found = (await importSource(source, legacy)).make(Base, { every, task }).map((type) => declaredSchedules(type, Base).map(({ method, times }) => [method, times.everySeconds]));
    assert.deepEqual(found, [[["tock", 7]], [["tock", 7]], [["tick", 6], ["tock", 7]]]);
  }
});

test("two decorators of a method add up, and what one leaves open the other says", async () => {
  const source = (decorators) => `export const make = (B, { cron, task }) => class extends B { ${decorators} send() {} };`;
  const options = async (decorators) => declaredSchedules((await importSource(source(decorators))).make(Base, { cron, task }), Base)[0].options;
  assert.deepEqual(await options('@cron("@daily", { retries: undefined, priority: 3 }) @task({ retries: 3 })'), { retries: 3, priority: 3 });
  await assert.rejects(options('@task({ retries: 3 }) @cron("@daily", { retry: { maxAttempts: 9 } })'), /send: give retries or retry, not both/);
});

test("a decorator refuses what it cannot mean", () => {
  assert.throws(() => every(0.5), /at least 1 second/);
  assert.throws(() => every(Number.NaN), /at least 1 second/);
  assert.throws(() => cron("0 9 * *"), /give 5 fields/);
  assert.throws(() => cron("@fortnightly"), /give 5 fields/);
  assert.throws(() => task({ retries: 100 }), /retries is 100; give a whole number from 0 to 99/);
  assert.throws(() => task({ timeoutSeconds: 61 }), /timeoutSeconds is 61/);
  assert.throws(() => task({ retries: 1, retry: {} }), /retries or retry, not both/);
  assert.throws(() => cron([]), /at least one expression/);
  for (const wrong of [undefined, 5, [null]]) assert.throws(() => cron(wrong), /give a text/);
  const method = () => {};
  const context = { kind: "method", name: "tick", static: false, private: false, metadata: {} };
  every(5)(method, context);
  assert.throws(() => cron("@daily")(method, context), /tick has two schedules/);
  assert.throws(() => every(5)(() => {}, { ...context, static: true }), /for public methods/);
  assert.throws(() => every(5)(() => {}, { ...context, kind: "field" }), /for public methods/);
});
