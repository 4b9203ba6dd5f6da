// Runs two versions of the Worker in one runtime, on one storage, as happens while a new version is rolled out or taken back.
//
// The older version is a build in the folder UPGRADE_FROM: see `make upgrade`. Without one, the present build plays it: each message
// to or from it loses the members that the recorded messages (core/model/tests/protocol_vectors.rs) mark as later ones, and its shards
// refuse the paths in LATER_PATHS.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../scripts/paths.mjs";
import { startRuntime } from "../scripts/runtime.mjs";
import { freePort, until } from "./harness.mjs";

/** The paths that a shard of the version before does not know. */
const LATER_PATHS = ["/outbox", "/series", "/forecast", "/list-from-the-end", "/errors", "/explain", "/go-on"];

/** The members that the vectors mark because an empty one may be absent. Every version writes and reads them. */
const IN_EVERY_VERSION = ["id", "ifMatch", "filter", "change", "failed", "notStarted"];

/** Returns what the older version leaves out: for each message (`to /get`, `from /stats`), the members that the vectors mark. */
export async function laterMembers() {
  const [vectors, protocol] = await Promise.all(
    ["core/model/tests/protocol_vectors.rs", "core/model/src/protocol/mod.rs"].map((path) => readFile(join(ROOT, path), "utf8")),
  );
  const paths = new Map([...protocol.matchAll(/pub const (\w+): &str = "(\/[\w-]+)";/g)].map(([, name, path]) => [name, path]));
  const later = {};
  const vector = /vector::<[^(]*>\(\s*(to|from)\(paths::(\w+)\),\s*(?:r#".*?"#|"[^"]*"),\s*&\[([^\]]*)\]/gs;
  for (const [, way, path, members] of vectors.matchAll(vector)) {
    const message = `${way} ${paths.get(path)}`;
    const found = [...members.matchAll(/"(\w+)"/g)].map(([, member]) => member);
    later[message] = [...new Set([...(later[message] ?? []), ...found])].filter((member) => !IN_EVERY_VERSION.includes(member));
  }
  return later;
}

/** The Worker. `older` says whether there is a build of the older version, `later` is from `laterMembers`, and `first` is what runs at first. */
const worker = (older, later, first) => `
  import { WorkerEntrypoint } from "cloudflare:workers";
  import * as present from "./index.js";
  import * as before from "${older ? "./older/index.js" : "./index.js"}";
  const builds = { new: present, old: before };
  const LATER = ${JSON.stringify(later)};
  const LATER_PATHS = ${JSON.stringify(LATER_PATHS)};
  /** The versions of the Worker and of each half of the objects. */
  const running = ${JSON.stringify(first)};
  /** What has happened: messages by the versions of sender and receiver, members left out, requests refused. */
  const counts = { messages: {}, leftOut: 0, refused: 0 };
  const objects = { SHARDS: new Set(), LIMITERS: new Set(), REGISTRY: new Set() };
  const halfOf = (name) => [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 2;

  /** The message as the older version writes or reads it. */
  function asBefore(message, text) {
    const members = LATER[message];
    if (members === undefined || !text.startsWith("{")) return text;
    // Some numbers have 64 bits.
    const value = JSON.parse(text, (_, value, { source }) => (typeof value === "number" ? JSON.rawJSON(source) : value));
    for (const member of members) {
      if (!Object.hasOwn(value, member)) continue;
      delete value[member];
      counts.leftOut += 1;
    }
    return JSON.stringify(value);
  }

  /** Answers a request of the Worker to a shard, each of a version. */
  async function between(sender, receiver, request, answer) {
    const { pathname } = new URL(request.url);
    const versions = sender + " to " + receiver;
    counts.messages[versions] = (counts.messages[versions] ?? 0) + 1;
    if (${older} || (sender === "new" && receiver === "new")) return answer(request);
    if (receiver === "old" && LATER_PATHS.includes(pathname)) {
      counts.refused += 1;
      return Response.json({ kind: "request", detail: "a shard has no " + pathname }, { status: 400 });
    }
    // Only JSON has vectors. An append is binary, and passes.
    const asked = LATER["to " + pathname] === undefined ? request : new Request(request.url, { method: "POST", body: asBefore("to " + pathname, await request.text()) });
    const answered = await answer(asked);
    if (answered.status !== 200 || LATER["from " + pathname] === undefined) return answered;
    return new Response(asBefore("from " + pathname, await answered.text()));
  }

  /** A class of objects. Each object keeps the version that ran when it was started. */
  function versioned(kind, binding) {
    return class {
      #object;
      #version;
      #state;
      constructor(state, env) {
        this.#state = state;
        const { name } = state.id;
        objects[binding].add(name);
        this.#version = running.halves[halfOf(name)];
        this.#object = new builds[this.#version][kind](state, env);
      }
      async fetch(request) {
        // A deploy ends an object as it is.
        if (request.headers.has("a-deploy")) this.#state.abort("the code was updated");
        if (kind !== "Shard") return this.#object.fetch(request);
        return between(running.callers, this.#version, request, (request) => this.#object.fetch(request));
      }
      alarm() {
        return this.#object.alarm();
      }
    };
  }
  export const Shard = versioned("Shard", "SHARDS");
  export const Limiter = versioned("Limiter", "LIMITERS");
  export const Registry = versioned("Registry", "REGISTRY");

  /** Starts all objects of a half again, in the other version. */
  async function deploy(env, half, version) {
    running.halves[half] = version;
    const names = Object.entries(objects).flatMap(([binding, names]) => [...names].map((name) => [binding, name])).filter(([, name]) => halfOf(name) === half);
    // The request never has an answer.
    await Promise.allSettled(names.map(([binding, name]) => env[binding].getByName(name).fetch("http://object/", { headers: { "a-deploy": "1" } })));
    return names.map(([, name]) => name);
  }

  export default class extends WorkerEntrypoint {
    get #worker() {
      return new builds[running.callers].default(this.ctx, this.env);
    }
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const [, control, what, version] = pathname.split("/");
      if (control !== "control") return this.#worker.fetch(request);
      if (what === "counts") return Response.json(counts);
      if (what === "callers") return Response.json((running.callers = version));
      return Response.json(await deploy(this.env, Number(what), version));
    }
    queue(batch) {
      return this.#worker.queue(batch);
    }
    scheduled(event) {
      return this.#worker.scheduled(event);
    }
  }`;

/**
 * Starts the two versions. `first` is what runs: `{callers, halves}`, each "old" or "new"; `port` is that of an earlier start.
 *
 * Returns `url`, `counts()`, `callers(version)` and `half(0 or 1, version)`, which deploy the Worker and one half of the objects, and `stop()`.
 */
export async function startVersions(t, { storage, sink, port, vars, first }) {
  const folder = process.env.UPGRADE_FROM;
  const later = await laterMembers();
  const files = folder && (await Promise.all(["index.js", "index_bg.wasm"].map((name) => readFile(join(folder, name)))));
  const change = (options) => {
    if (!files) return options;
    const path = (name) => join(ROOT, "coordinator/build/older", name);
    const modules = [
      { type: "ESModule", path: path("index.js"), contents: files[0].toString() },
      { type: "CompiledWasm", path: path("index_bg.wasm"), contents: files[1] },
    ];
    return { ...options, modules: [...options.modules, ...modules] };
  };
  const runtime = await startRuntime({ storage, sink, port: port ?? (await freePort()), files: false, main: worker(Boolean(folder), later, first), change, vars: { API_KEYS: "key", ...vars } });
  let isUp = true;
  const stop = async () => {
    if (!isUp) return;
    isUp = false;
    await runtime.stop();
    await until("its port to be free", () => fetch(`${runtime.url}/healthz`).then(() => false, () => true));
  };
  t.after(stop);
  const control = async (path) => {
    const response = await fetch(`${runtime.url}/control/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    url: runtime.url,
    counts: () => control("counts"),
    callers: (version) => control(`callers/${version}`),
    half: (half, version) => control(`${half}/${version}`),
    stop,
  };
}
