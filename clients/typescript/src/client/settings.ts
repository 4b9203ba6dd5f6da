import type { Calendar, CalendarList, Deleted, Key, KeyList, Limit, LimitList, ListedCalendar, MadeKey, Namespace, NamespaceList, NewCalendar, NewKey, NewNamespace, OwnKey, ShownLimit } from "../generated/openapi.ts";
import type { CallOptions, ChangeOptions } from "./options.ts";
import { pathOf } from "./paths.ts";
import type { ApiRequest, Requests } from "./requests.ts";
import { conditions, isConditional, versioned } from "./versions.ts";

/** Reads and changes resources by their ids. */
class Collection {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  protected async send<Body>(method: ApiRequest["method"], path: string, options: CallOptions, body?: unknown): Promise<Body> {
    return (await this.#requests.send<Body>({ method, path, body, options })).body;
  }
}

/** Limits on the concurrency and rate of tasks. A task names its limit in `limitKey`. */
export class Limits extends Collection {
  /** Returns all limits. */
  async list(options: CallOptions = {}): Promise<ShownLimit[]> {
    return (await this.send<LimitList>("GET", "/v1/limits", options)).limits;
  }

  /** Returns a limit, with the number of runs in flight and of waiting tasks. Fails with `/problems/no-limit` if the key has no limit. */
  get(key: string, options: CallOptions = {}): Promise<ShownLimit> {
    return this.send("GET", pathOf("limits", key), options);
  }

  /** Sets the limit of a key, and replaces the former one. */
  set(key: string, limit: Limit, options: CallOptions = {}): Promise<ShownLimit> {
    return this.send("PUT", pathOf("limits", key), options, limit);
  }

  /** Deletes a limit: tasks that name its key run without one. */
  delete(key: string, options: CallOptions = {}): Promise<Deleted> {
    return this.send("DELETE", pathOf("limits", key), options);
  }
}

/** A calendar as the client returns it, with its version. `etag` is not enumerable, so you can send a copy of the calendar in a request. */
export type VersionedCalendar = Calendar & {
  /** The version of the calendar: give it as `ifMatch` of a change. */
  readonly etag: string;
};

/** Calendars of the namespace. A task names them in `exclude.calendars`, and leaves out their days and times of day. */
export class Calendars {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Returns all calendars, without their items. */
  async list(options: CallOptions = {}): Promise<ListedCalendar[]> {
    return (await this.#requests.send<CalendarList>({ method: "GET", path: "/v1/calendars", options })).body.calendars;
  }

  /**
   * Returns the names of the calendars whose stored form cannot be read, usually none. `list` leaves them out. Their
   * tasks keep the items that they have, and `set` writes such a calendar again.
   */
  async unreadable(options: CallOptions = {}): Promise<string[]> {
    return (await this.#requests.send<CalendarList>({ method: "GET", path: "/v1/calendars", options })).body.unreadable ?? [];
  }

  /** Returns a calendar, and how far the update of its tasks has come. Fails with `/problems/no-calendar` if there is none. */
  async get(name: string, options: CallOptions = {}): Promise<VersionedCalendar> {
    return versioned(await this.#requests.send<Calendar>({ method: "GET", path: pathOf("calendars", name), options }));
  }

  /** Creates a calendar, or replaces its items and its description. If the items change, the tasks that name it follow, until `pending` is false. */
  async set(name: string, calendar: NewCalendar, options: ChangeOptions = {}): Promise<VersionedCalendar> {
    return versioned(await this.#requests.send<Calendar>(this.#change("PUT", name, options, calendar)));
  }

  /** Deletes a calendar. Fails with `/problems/calendar-in-use` if tasks name it. */
  async delete(name: string, options: ChangeOptions = {}): Promise<Deleted> {
    return (await this.#requests.send<Deleted>(this.#change("DELETE", name, options))).body;
  }

  #change(method: ApiRequest["method"], name: string, options: ChangeOptions, body?: unknown): ApiRequest {
    const headers = conditions(options);
    const ifUncertain = isConditional(headers) ? "ask" : "repeat";
    return { method, path: pathOf("calendars", name), headers, ifUncertain, body, options };
  }
}

/** API keys. Each method but `own` needs a key with the scope `admin`. */
export class ApiKeys extends Collection {
  /** Returns what the key of this client may do. */
  own(options: CallOptions = {}): Promise<OwnKey> {
    return this.send("GET", "/v1/key", options);
  }

  /** Creates a key. Only this answer shows the key itself. The client does not repeat the request if the answer is lost. */
  create(key: NewKey, options: CallOptions = {}): Promise<MadeKey> {
    return this.send("POST", "/v1/keys", options, key);
  }

  /** Returns all keys, without their secrets. */
  async list(options: CallOptions = {}): Promise<Key[]> {
    return (await this.send<KeyList>("GET", "/v1/keys", options)).keys;
  }

  /** Returns a key, without its secret. Fails with `/problems/no-key` if there is none. */
  get(id: string, options: CallOptions = {}): Promise<Key> {
    return this.send("GET", pathOf("keys", id), options);
  }

  /** Revokes a key. Every instance of the scheduler refuses it within ten seconds. */
  revoke(id: string, options: CallOptions = {}): Promise<Deleted> {
    return this.send("DELETE", pathOf("keys", id), options);
  }
}

/** Namespaces and their quotas. Each method needs a key with the scope `admin`. */
export class Namespaces extends Collection {
  /** Returns all namespaces. */
  async list(options: CallOptions = {}): Promise<Namespace[]> {
    return (await this.send<NamespaceList>("GET", "/v1/namespaces", options)).namespaces;
  }

  /** Returns a namespace. Fails with `/problems/no-namespace` if there is none. */
  get(name: string, options: CallOptions = {}): Promise<Namespace> {
    return this.send("GET", pathOf("namespaces", name), options);
  }

  /** Creates a namespace, or replaces all settings of one. */
  set(name: string, settings: NewNamespace = {}, options: CallOptions = {}): Promise<Namespace> {
    return this.send("PUT", pathOf("namespaces", name), options, settings);
  }

  /** Deletes a namespace. Fails with `/problems/not-empty` if it holds tasks. */
  delete(name: string, options: CallOptions = {}): Promise<Deleted> {
    return this.send("DELETE", pathOf("namespaces", name), options);
  }
}
