// Generates random requests from the API's own description: every route, and every field within its
// bounds, at them and beyond them. Everything follows from a seed. Callbacks name only handlers,
// queues and hosts of this machine.

/** The share of generated values that no schema allows. */
const ODD = 0.06;
/** The share of texts and numbers at one of their bounds, or beyond it. */
const AT_BOUND = 0.15;
/** The depth to which objects and lists are generated. */
const MAX_DEPTH = 6;

/** Returns a generator of numbers from 0 to 1 that follow from a seed (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const IDS = ["a", "b", "order-7", "with space", "per%cent", "slash/slash", "ü-é-漢", "..a", "__proto__", "constructor", "A".repeat(256)];
const TEXTS = ["", " ", "a", "\u0000", "\u001f", "\u2028", "😀", "\ud800", "null", "0", "../..", "%00", "'\"\\", "toString", "x".repeat(3_000)];
const ODD_VALUES = [null, true, false, 0, -1, 1.5, 1e308, -1e308, 2 ** 53, 4_070_908_800_000, "", [], {}, [[[[[[[[]]]]]]]], { a: { a: { a: 1 } } }, ...TEXTS];

/** Meaningful values for fields with these names. Most are valid. */
const MEANT = {
  id: IDS,
  ids: [["a", "b"], ["order-7", "order-7"], IDS],
  timezone: ["Europe/London", "America/New_York", "UTC", "Asia/Kolkata", "Mars/Phobos", "europe/london"],
  cron: ["* * * * *", "@daily", "*/7 8-17 * * 1-5", "0 0 29 2 *", "0 0 L * *", "60 * * * *", ["0 9 * * *", "0 18 * * *"], "* * * * * * *"],
  rrule: ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=5", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=HOURLY;INTERVAL=5", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY", "FREQ="],
  tags: [["x"], ["x", "y"], [], ["x", "x"]],
  tag: ["x", "y", "none"],
  prefix: ["o", "order-", ""],
  delayInSeconds: [0, 0.5, 1, 60, 86_400],
  everySeconds: [1, 60, 3_600],
  limitKey: ["stripe", "mail", "never"],
  calendar: ["de-holidays", "office", "..", "a b"],
  calendars: [["de-holidays"], ["office", "de-holidays"], ["none"], []],
  dates: [["12-24/12-26"], ["2099-01-01", "02-29"], ["13-01"], []],
  weekdays: [["SAT", "SUN"], ["MON"], ["x"]],
  times: [["12:00-13:00"], ["22:00-06:00"], ["00:00-24:00"]],
  rules: [["FREQ=MONTHLY;BYMONTHDAY=-1"], ["FREQ=DAILY;INTERVAL=2"]],
  payload: [{ n: 1 }, "text", null, [1, 2, 3], "x".repeat(65_534), 0],
  namespaces: [["fuzz-a"], ["*"], ["fuzz-a", "fuzz-b"]],
  function: ["report", "toString"],
};

/** URLs of webhooks: on this machine, or refused. */
const URLS = ["http://127.0.0.1:9/", "http://localhost:9/x?y#z", "http://[::1]:9/", "http://10.0.0.1/", "ftp://127.0.0.1/", "http://user:pw@127.0.0.1/", "http://127.0.0.1../", "http://169.254.169.254/", "//", "x".repeat(2_100)];

const CALLBACKS = [
  { type: "handler", name: "noop" },
  { type: "handler", name: "fail" },
  { type: "queue", queue: "FIRED_TASKS" },
  { type: "service", binding: "EXAMPLE", path: "/fired" },
  { type: "durable-object", binding: "COUNTERS", name: "a", path: "/fired" },
];

/** The kind of the `id` in a path, if it is not a task's. */
const IDS_OF_PATHS = { "/v1/limits/{id}": "limitKey", "/v1/calendars/{id}": "calendar", "/v1/namespaces/{id}": "namespace", "/v1/keys/{id}": "key", "/problems/{id}": "problem" };

export class Grammar {
  #document;
  #random;

  constructor(document, random) {
    this.#document = document;
    this.#random = random;
  }

  chance(share) {
    return this.#random() < share;
  }

  pick(list) {
    return list[Math.floor(this.#random() * list.length)];
  }

  /** Returns all operations that `of` allows, as `{ method, path, described }`. */
  operations(of = () => true) {
    const methods = Object.entries(this.#document.paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => method !== "parameters")
        .map(([method, described]) => ({ method: method.toUpperCase(), path, described, shared: item.parameters ?? [] })),
    );
    return methods.filter(of);
  }

  /** Returns a request of an operation: `{ method, path, headers, body }`, with the body as a text. */
  request(operation) {
    const headers = {};
    const query = new URLSearchParams();
    let path = operation.path;
    for (const parameter of [...operation.shared, ...(operation.described.parameters ?? [])]) {
      const name = parameter.in === "path" ? (IDS_OF_PATHS[path] ?? parameter.name) : parameter.name;
      const value = () => this.#asText(this.#value(parameter.schema ?? {}, name, 0));
      if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(wellFormed(value())));
      else if (parameter.in === "query" && this.chance(0.3)) query.append(parameter.name, wellFormed(value()));
      else if (parameter.in === "header" && parameter.name !== "Scheduler-Namespace" && this.chance(0.15)) {
        headers[parameter.name] = this.pick(["*", '"1"', 'W/"1"', '"a", "b"', "key-1", "key-2", `key-${Math.floor(this.#random() * 1e9)}`, " ", "x".repeat(300)]);
      }
    }
    if (this.chance(0.03)) query.append(this.pick(["limit", "limits", "__proto__", ""]), this.pick(["0", "-1", "1e9", "x"]));
    const method = this.chance(0.02) ? this.pick(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) : operation.method;
    const body = this.#body(operation, headers);
    const search = query.size > 0 ? `?${query}` : "";
    return { method, path: path + search, headers, body: method === "GET" ? undefined : body };
  }

  #body(operation, headers) {
    // A change of one task accepts only one of the fields.
    if (operation.path === "/v1/tasks/{id}/reschedule" && this.chance(0.7)) {
      headers["content-type"] = "application/json";
      return JSON.stringify({ time: this.#time() });
    }
    const content = operation.described.requestBody?.content;
    if (operation.path === "/v1/preview" && this.chance(0.7)) {
      headers["content-type"] = "application/json";
      return JSON.stringify(this.#task());
    }
    if (!content || (!operation.described.requestBody.required && this.chance(0.6))) return undefined;
    const type = this.pick(Object.keys(content));
    headers["content-type"] = this.chance(0.02) ? this.pick(["text/plain", "application/json; charset=utf-16", ""]) : type;
    if (type === "application/x-ndjson") {
      const lines = Array.from({ length: Math.floor(this.#random() * 5) }, () => JSON.stringify(this.#task()));
      return this.#damaged(lines.join(this.pick(["\n", "\r\n", "\n\n"])));
    }
    const { schema } = content[type];
    const of = operation.path === "/v1/tasks/{id}" && operation.method === "PATCH" ? this.#patch() : this.#value(schema, "", 0);
    return this.#damaged(JSON.stringify(of) ?? "");
  }

  /** Returns the text, which is sometimes cut or has an extra byte. */
  #damaged(text) {
    if (!this.chance(0.04)) return text;
    const at = Math.floor(this.#random() * text.length);
    return this.pick([text.slice(0, at), `${text.slice(0, at)}${this.pick(["}", ",", "\u0000", '"', "1e999"])}${text.slice(at)}`, `${text} ${text}`, ""]);
  }

  #patch() {
    const task = this.#task();
    const names = Object.keys(task).filter(() => this.chance(0.4));
    return Object.fromEntries(names.map((name) => [name, this.chance(0.2) ? null : task[name]]));
  }

  /** Returns a task, mostly with one schedule. */
  #task() {
    // These are the members of all forms of a task, for every schedule.
    const forms = this.#document.components.schemas.NewTask.anyOf.map((form) => this.#resolve(form));
    const properties = Object.assign({}, ...forms.map((form) => form.properties));
    const task = this.#object({ properties }, 1, 0.12);
    const kinds = ["time", "delayInSeconds", "cron", "everySeconds", "rrule", "type"];
    if (this.chance(0.9)) {
      for (const name of [...kinds, "startAt", "endAt", "anchor", "timezone", "maxRuns"]) delete task[name];
      const kind = this.pick(kinds);
      task[kind] = kind === "type" ? "no-schedule" : this.#value(properties[kind], kind, 1);
      if (kind === "rrule") task.startAt = "2026-12-01T09:00:00Z";
    }
    task.callback = this.#callback();
    return task;
  }

  #callback() {
    if (this.chance(0.7)) return this.pick(CALLBACKS);
    if (this.chance(0.5)) return { type: "webhook", url: this.pick(URLS), ...(this.chance(0.3) && { headers: { "x-a": this.pick(TEXTS) } }) };
    return this.#object(this.#resolve(this.pick(this.#document.components.schemas.Callback.anyOf)), 3, 0.5);
  }

  #resolve(schema) {
    return schema.$ref ? schema.$ref.slice(2).split("/").reduce((at, name) => at[name], this.#document) : schema;
  }

  #value(given, name, depth) {
    if (this.chance(ODD)) return this.pick(ODD_VALUES);
    if (name === "url") return this.pick(URLS);
    if (Object.hasOwn(MEANT, name) && this.chance(0.85)) return this.pick(MEANT[name]);
    if (["time", "startAt", "endAt", "anchor", "from", "to", "expiresAt"].includes(name) && this.chance(0.85)) return this.#time();
    if (["callback", "onSuccess", "onFailure"].includes(name)) return this.#callback();
    const schema = this.#resolve(given);
    if (schema === this.#document.components.schemas.NewTask) return this.#task();
    const choices = schema.oneOf ?? schema.anyOf;
    if (choices && !schema.properties) return this.#value(this.pick(choices), name, depth);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return this.pick(schema.enum);
    if (depth > MAX_DEPTH) return null;
    switch (schema.type) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#list(schema, name, depth);
      case "integer":
      case "number":
        return this.#number(schema);
      case "boolean":
        return this.chance(0.5);
      default:
        return this.#text(schema);
    }
  }

  #object(schema, depth, share = 0.3) {
    const object = {};
    for (const [name, of] of Object.entries(schema.properties ?? {})) {
      if (this.chance(schema.required?.includes(name) ? 0.95 : share)) object[name] = this.#value(of, name, depth + 1);
    }
    if (this.chance(0.02)) object[this.pick(["unknown", "__proto__x", "x".repeat(500), ""])] = this.pick(ODD_VALUES);
    return object;
  }

  #list(schema, name, depth) {
    const most = schema.maxItems ?? 4;
    const length = this.chance(0.05) && most <= 64 ? most + Math.floor(this.#random() * 2) : Math.floor(this.#random() * Math.min(most, 5));
    return Array.from({ length }, () => this.#value(schema.items ?? {}, name === "ids" ? "id" : name.replace(/s$/, ""), depth + 1));
  }

  #number({ minimum = 0, maximum = 1_000_000, type }) {
    if (this.chance(AT_BOUND)) return this.pick([minimum, maximum, minimum - 1, maximum + 1, minimum - 0.001]);
    const value = minimum + this.#random() * Math.min(maximum - minimum, 100);
    return type === "integer" ? Math.round(value) : value;
  }

  #text({ minLength = 0, maxLength = 64 }) {
    if (!this.chance(AT_BOUND)) return this.pick(["a", "b", "stripe", "x-1"]);
    return this.pick([...TEXTS, "x".repeat(Math.max(0, minLength - 1)), "x".repeat(maxLength), "x".repeat(maxLength + 1), "é".repeat(maxLength)]);
  }

  #time() {
    const far = new Date(Date.UTC(2030, 0, 1) + Math.floor(this.#random() * 1e10));
    return this.pick([far.toISOString(), far.getTime(), far.toISOString().slice(0, 16), "2026-03-29T01:30", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 1_795_704_299, "tomorrow", "2026-02-30T00:00:00Z"]);
  }

  #asText(value) {
    return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  }
}

/** Returns a text that a URL can contain: without lone surrogates, and not empty, `.` or `..`, which a URL parser changes. */
function wellFormed(text) {
  const whole = text.toWellFormed();
  return ["", ".", ".."].includes(whole) ? "a" : whole;
}
