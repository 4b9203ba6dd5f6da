// Plays the platform's REST API, as far as `make smoke` uses it, and runs what is deployed to it on the local runtime.

import { createServer } from "node:http";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { ROOT } from "../scripts/paths.mjs";

export const TOKEN = "token-that-nobody-may-print";
export const ACCOUNT = "0123456789abcdef0123456789abcdef";

/**
 * Settings for the local runtime: webhooks may go to this machine, and all shards are in one isolate. Its queue loses its messages when a deploy
 * restarts it, so they are soon sent again from then on.
 */
const localVars = (isRestarted) => ({ WEBHOOK_ALLOWED_HOSTS: "127.0.0.1", ISOLATE_MEMORY_MB: "2000", VISIBILITY_TIMEOUT_SECONDS: isRestarted ? "3" : "30" });

class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

const readAll = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/**
 * The platform. `storage` is the folder of the objects. Without it, a deployed Worker answers to /healthz, and to nothing else.
 *
 * `before(call)` and `after(call)` are called around each request to the API, with `{method, route}`, where names and ids in the route are
 * replaced by `*`. `before` may return a status, with which the request is refused. `hook(body)` is called for each webhook that arrives at the
 * receiver, and returns how often it is passed on.
 */
export class Platform {
  scripts = new Map();
  queues = new Map();
  calls = [];
  before = () => {};
  after = () => {};
  hook = () => 1;
  /** Whether deployed Workers answer. */
  isUp = true;
  /** The analytics arrive late: this many first answers are empty. */
  emptyAnswers = 1;
  #storage;
  #server;
  #runtime;
  #ids = 0;

  static async start({ storage } = {}) {
    const platform = new Platform();
    platform.#storage = storage;
    platform.#server = createServer((request, response) => platform.#serve(request, response));
    await new Promise((resolve) => platform.#server.listen(0, "127.0.0.1", resolve));
    platform.origin = `http://127.0.0.1:${platform.#server.address().port}`;
    return platform;
  }

  /** The environment of a smoke test against this platform. */
  get env() {
    return {
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      CLOUDFLARE_API_BASE_URL: `${this.origin}/client/v4`,
      SMOKE_ADDRESS: this.address,
    };
  }

  get address() {
    return `${this.origin}/at/{name}/{subdomain}`;
  }

  /** The names of everything that is deployed, sorted. */
  get left() {
    return [...this.scripts.keys(), ...[...this.queues.values()].map(({ queue_name: name }) => name)].sort();
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#runtime?.then((runtime) => runtime.dispose());
  }

  async #serve(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    const body = await readAll(request);
    try {
      if (pathname === "/cdn-cgi/trace") return response.end("fl=1\ncolo=TST\nloc=XX\n");
      if (pathname.startsWith("/at/")) return await this.#forward(request, pathname, body, response);
      const answer = await this.#api(request, pathname.replace(/^\/client\/v4/, ""), searchParams, body);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    } catch (error) {
      const status = error.status ?? 500;
      if (!(error instanceof Refusal)) console.error(error);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ success: false, result: null, errors: [{ code: error.code ?? 1, message: error.message }] }));
    }
  }

  async #api(request, path, query, body) {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) throw new Refusal(401, 10000, "Authentication error");
    const prefix = `/accounts/${ACCOUNT}`;
    if (path !== "/graphql" && !path.startsWith(`${prefix}/`)) throw new Refusal(403, 9109, "Unauthorized to access requested resource");
    const parts = path.replace(prefix, "").split("/").slice(1);
    const known = ["workers", "scripts", "queues", "consumers", "subdomain", "schedules", "durable_objects", "namespaces", "graphql"];
    const call = { method: request.method, route: parts.map((part) => (known.includes(part) ? part : "*")).join("/") };
    this.calls.push(call);
    const refused = await this.before(call);
    if (refused) throw new Refusal(refused, 7003, "the test refuses this request");
    const key = `${call.method} ${call.route}`;
    const act = this.#routes[key];
    if (!act) throw new Refusal(404, 7000, `No route for ${key}`);
    const json = () => JSON.parse(body.toString("utf8"));
    const result = await act({ parts, query, json, body, type: request.headers["content-type"] });
    await this.after(call);
    return key === "POST graphql" ? result : { success: true, errors: [], messages: [], result, result_info: { page: 1, total_pages: 1 } };
  }

  #script(name) {
    return this.scripts.get(name) ?? this.#missing(10007, "This Worker does not exist on your account.");
  }

  #queue(id) {
    return this.queues.get(id) ?? this.#missing(11000, "Queue not found");
  }

  #missing(code, message) {
    throw new Refusal(404, code, message);
  }

  #routes = {
    "GET workers/subdomain": () => ({ subdomain: "somebody" }),
    "GET workers/scripts": () => [...this.scripts.keys()].map((id) => ({ id })),
    "PUT workers/scripts/*": ({ parts, body, type }) => this.#upload(parts[2], body, type),
    "DELETE workers/scripts/*": ({ parts, query }) => {
      this.#script(parts[2]);
      if (query.get("force") !== "true") throw new Refusal(400, 10064, "Cannot delete this Worker: it has Durable Objects");
      for (const queue of this.queues.values()) {
        if (queue.consumers.some(({ script_name: name }) => name === parts[2])) throw new Refusal(400, 10064, `Cannot delete this Worker: it consumes ${queue.queue_name}`);
      }
      this.scripts.delete(parts[2]);
      return null;
    },
    "POST workers/scripts/*/subdomain": ({ parts, json }) => Object.assign(this.#script(parts[2]), { isOn: json().enabled }) && {},
    "PUT workers/scripts/*/schedules": ({ parts, json }) => Object.assign(this.#script(parts[2]), { schedules: json() }) && {},
    "GET workers/durable_objects/namespaces": () => [...this.scripts.entries()].flatMap(([script, { classes }]) => classes.map((name) => ({ id: `${script}/${name}`, name: `${script}_${name}`, script, class: name }))),
    "GET queues": () => [...this.queues.values()],
    "POST queues": ({ json }) => {
      const { queue_name: name } = json();
      if ([...this.queues.values()].some((queue) => queue.queue_name === name)) throw new Refusal(409, 11009, `Queue name '${name}' is already taken`);
      const queue = { queue_id: `queue${++this.#ids}`, queue_name: name, consumers: [] };
      this.queues.set(queue.queue_id, queue);
      return queue;
    },
    "DELETE queues/*": ({ parts }) => {
      if (this.#queue(parts[1]).consumers.length > 0) throw new Refusal(400, 11005, "Queue has consumers");
      this.queues.delete(parts[1]);
      return null;
    },
    "GET queues/*/consumers": ({ parts }) => this.#queue(parts[1]).consumers,
    "POST queues/*/consumers": ({ parts, json }) => {
      const consumer = { consumer_id: `consumer${++this.#ids}`, ...json() };
      this.#script(consumer.script_name);
      this.#queue(parts[1]).consumers.push(consumer);
      return consumer;
    },
    "DELETE queues/*/consumers/*": ({ parts }) => {
      const queue = this.#queue(parts[1]);
      queue.consumers = queue.consumers.filter(({ consumer_id: id }) => id !== parts[3]);
      return null;
    },
    "POST graphql": ({ json }) => this.#analytics(json().variables),
  };

  async #upload(name, body, type) {
    const parts = await new Response(body, { headers: { "content-type": type } }).formData();
    const metadata = JSON.parse(parts.get("metadata"));
    const modules = await Promise.all([...parts].filter(([part]) => part !== "metadata").map(async ([part, file]) => ({ name: part, type: file.type, contents: Buffer.from(await file.arrayBuffer()) })));
    if (!modules.some((module) => module.name === metadata.main_module)) throw new Refusal(400, 10021, `No such module: ${metadata.main_module}`);
    for (const { type, queue_name: queue } of metadata.bindings) {
      if (type === "queue" && ![...this.queues.values()].some(({ queue_name: known }) => known === queue)) throw new Refusal(400, 100100, `Queue '${queue}' does not exist`);
    }
    const former = this.scripts.get(name);
    const made = (metadata.migrations?.steps ?? []).flatMap(({ new_sqlite_classes: classes }) => classes);
    if (former && made.some((made) => former.classes.includes(made))) throw new Refusal(412, 10079, "Migration tag precondition failed");
    const classes = [...(former?.classes ?? []), ...made];
    for (const { type, class_name: wanted } of metadata.bindings) {
      if (type === "durable_object_namespace" && !classes.includes(wanted)) throw new Refusal(400, 10061, `Cannot create binding for class ${wanted} that has no migration`);
    }
    this.scripts.set(name, { isOn: false, ...former, metadata, modules, classes });
    // A deploy replaces what runs, at once.
    if (this.#runtime) {
      const runtime = await this.#runtime;
      this.#runtime = runtime.setOptions(this.#options()).then(() => runtime);
      await this.#runtime;
      // An awake shard has set an alarm for at most 25 seconds later. On the real platform, reports wake it earlier. Here the queue has lost what
      // would be reported, so the shards are asked, and the test does not wait for the alarm.
      await this.#stats(name);
    }
    return { id: name };
  }

  /** Miniflare's options for everything that is deployed. */
  #options() {
    const workers = [...this.scripts].map(([name, { metadata, modules }]) => {
      const of = (type) => metadata.bindings.filter((binding) => binding.type === type);
      const folder = join(ROOT, "coordinator/build");
      const main = modules.find((module) => module.name === metadata.main_module);
      const ordered = [main, ...modules.filter((module) => module !== main)];
      const consumed = [...this.queues.values()].flatMap(({ queue_name: queue, consumers }) => consumers.filter(({ script_name: consumer }) => consumer === name).map((consumer) => [queue, consumer]));
      return {
        name,
        modules: ordered.map(({ name, type, contents }) => (type === "application/wasm" ? { type: "CompiledWasm", path: join(folder, name), contents } : { type: "ESModule", path: join(folder, name), contents: contents.toString() })),
        modulesRoot: folder,
        rootPath: folder,
        compatibilityDate: metadata.compatibility_date,
        compatibilityFlags: metadata.compatibility_flags,
        bindings: { ...Object.fromEntries([...of("plain_text"), ...of("secret_text")].map(({ name, text }) => [name, text])), ...localVars(this.#runtime !== undefined), TRACE_URL: `${this.origin}/cdn-cgi/trace` },
        durableObjects: Object.fromEntries(of("durable_object_namespace").map(({ name, class_name: className }) => [name, { className, useSQLite: true }])),
        queueProducers: Object.fromEntries(of("queue").map(({ name, queue_name: queueName }) => [name, { queueName }])),
        queueConsumers: Object.fromEntries(consumed.map(([queue, { settings, dead_letter_queue: deadLetterQueue }]) => [queue, {
          // Locally, one batch is delivered at a time.
          maxBatchSize: Math.max(10, settings.batch_size),
          maxBatchTimeout: settings.max_wait_time_ms / 1_000,
          maxRetries: settings.max_retries,
          retryDelay: settings.retry_delay,
          ...(deadLetterQueue && { deadLetterQueue }),
        }])),
      };
    });
    return convertV4MiniflareOptions({ host: "127.0.0.1", port: 0, resourcePersistencePath: this.#storage, logRequests: false, cf: false, log: new Log(LogLevel.NONE), handleStructuredLogs: () => {}, workers });
  }

  /** Answers a request to a deployed Worker: `/at/<name>/<subdomain>/<path>`. */
  async #forward(request, pathname, body, response) {
    const [, , name, , ...rest] = pathname.split("/");
    const script = this.scripts.get(name);
    if (!script?.isOn || !this.isUp) return response.writeHead(404).end("error code: 1042");
    if (!this.#storage) return response.writeHead(rest.join("/") === "healthz" ? 200 : 404).end();
    const options = this.#runtime ?? this.#options();
    this.#runtime ??= (async () => {
      const runtime = new Miniflare(options);
      await runtime.ready;
      return runtime;
    })();
    const worker = await (await this.#runtime).getWorker(name);
    const { search } = new URL(request.url, this.origin);
    const { host: _host, connection: _connection, "content-length": _length, "transfer-encoding": _encoding, ...headers } = request.headers;
    const send = () => worker.fetch(`http://${name}.example/${rest.join("/")}${search}`, { method: request.method, headers, ...(body.length > 0 && { body }) });
    const times = rest[0] === "hook" ? this.hook(JSON.parse(body.toString("utf8"))) : 1;
    let answer;
    for (let n = 0; n < times; n++) answer = await send();
    if (!answer) return response.end("ok");
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  }

  /** Returns the statistics of a deployed scheduler. Each of its shards is asked. A receiver has none. */
  async #stats(name) {
    const key = this.#script(name).metadata.bindings.find((binding) => binding.name === "API_KEYS")?.text;
    if (key === undefined) return undefined;
    const worker = await (await this.#runtime).getWorker(name);
    return (await worker.fetch(`http://${name}.example/v1/stats`, { headers: { authorization: `Bearer ${key}` } })).json();
  }

  /** The figures of the scheduler: those of its own meter, as if the platform had counted the same. */
  async #analytics({ account, from, to, scripts, namespaces, queues }) {
    if (account !== ACCOUNT || !(Date.parse(from) < Date.parse(to))) throw new Refusal(400, 1, "wrong variables");
    const [name] = scripts;
    if (namespaces.join() !== `${name}/Shard` || !queues.every((queue) => this.queues.has(queue)) || queues.length !== 2) throw new Refusal(400, 1, `no such namespaces or queues: ${namespaces}; ${queues}`);
    if (this.emptyAnswers-- > 0) return { data: { viewer: { accounts: [{ workers: [], objects: [], periodic: [], queues: [] }] } }, errors: null };
    const { meter } = await this.#stats(name);
    const account0 = {
      workers: [{ sum: { requests: 70, errors: 1, subrequests: 2, cpuTimeUs: 345_000 }, dimensions: { scriptName: name } }],
      objects: [{ sum: { requests: meter.shardRequests + meter.alarmsSet, errors: 0 } }],
      // In two rows, as groups may come.
      periodic: [{ sum: { duration: 5, rowsRead: meter.rowsRead, rowsWritten: meter.rowsWritten - 1 } }, { sum: { duration: 1, rowsRead: 0, rowsWritten: 1 } }],
      queues: [{ sum: { billableOperations: meter.queueOperations } }],
    };
    return { data: { viewer: { accounts: [account0] } }, errors: null };
  }
}
