// Reminders in the users' own zones: each reminder is one task of the scheduler.
//
// The scheduler keeps everything: there is no database here. The id of the task is the id of the reminder,
// a tag says whose it is, and `payload` holds what the receiver needs.

import { randomUUID } from "node:crypto";

export class Reminders {
  #url;
  #key;
  #receiver;

  /** `url`: of the scheduler. `key`: an API key. `receiver`: the URL that is called when a reminder is due. */
  constructor({ url, key, receiver }) {
    this.#url = url;
    this.#key = key;
    this.#receiver = receiver;
  }

  /** A reminder once, at a local time such as `2030-12-24T18:00` in the user's zone. */
  async once({ user, zone, time, text }) {
    return this.#create({ user, text, schedule: { time, timezone: zone } });
  }

  /** A reminder again and again, by a cron expression in the user's zone: `0 8 * * MON-FRI` is eight o'clock on weekdays. */
  async recurring({ user, zone, cron, text }) {
    return this.#create({ user, text, schedule: { cron, timezone: zone } });
  }

  async #create({ user, text, schedule }) {
    const id = `reminder:${randomUUID()}`;
    // PUT to an id of our own: sent again after a timeout, it does not make a second reminder.
    const task = await this.#call("PUT", `/v1/tasks/${encodeURIComponent(id)}`, {
      ...schedule,
      description: text,
      tags: ["reminder", `user:${user}`],
      callback: { type: "webhook", url: this.#receiver },
      payload: { user, text },
      // A reminder that is an hour late is of no use any more.
      expireAfterSeconds: 3600,
    });
    return shown(task);
  }

  /** The reminders of a user, the next one first. */
  async list(user) {
    const found = [];
    let cursor = "";
    do {
      const page = await this.#call("GET", `/v1/tasks?${new URLSearchParams({ tag: `user:${user}`, ...(cursor && { cursor }) })}`);
      found.push(...page.tasks.map(shown));
      // A page may be short, or empty, although more follow: only a null cursor is the end.
      cursor = page.cursor;
    } while (cursor !== null);
    return found;
  }

  /** One reminder, with the version that it has. */
  async get(id) {
    const { body, etag } = await this.#request("GET", `/v1/tasks/${encodeURIComponent(id)}`);
    return { ...shown(body), version: etag };
  }

  /**
   * Changes a reminder: `text`, `time` (once) or `cron` (recurring), `zone`. What is not given stays.
   * With `version`, the change is refused (412) if somebody has changed the reminder since it was read.
   */
  async change(id, { text, time, cron, zone, version }) {
    // A merge patch: members that are absent stay as they are. `undefined` is not sent.
    const patch = { description: text, time, cron, timezone: zone, payload: text && { text } };
    return shown(await this.#call("PATCH", `/v1/tasks/${encodeURIComponent(id)}`, patch, version && { "if-match": version }));
  }

  /** The user has moved: every reminder keeps its local time, in another zone. */
  async move(user, zone) {
    for (const { id } of await this.list(user)) await this.change(id, { zone });
  }

  /** Cancels a reminder. Returns whether there was one. */
  async cancel(id) {
    const { status } = await this.#request("DELETE", `/v1/tasks/${encodeURIComponent(id)}`, undefined, {}, [404]);
    return status !== 404;
  }

  /** Cancels every reminder of a user who leaves. Returns how many there were. */
  async cancelAll(user) {
    let cancelled = 0;
    for (;;) {
      const reply = await this.#call("POST", "/v1/tasks/cancel", { filter: { tag: `user:${user}` } });
      cancelled += reply.cancelled;
      // A request does a bounded amount of work, and says whether it was all.
      if (reply.done) return cancelled;
    }
  }

  async #call(method, path, body, headers) {
    return (await this.#request(method, path, body, headers)).body;
  }

  async #request(method, path, body, headers = {}, allowed = []) {
    const response = await fetch(this.#url + path, {
      method,
      headers: { authorization: `Bearer ${this.#key}`, "content-type": "application/json", ...headers },
      body: body && JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok && !allowed.includes(response.status)) {
      // Problems say what is wrong, and where: `timezone: is unknown: Europe/Berln`.
      throw Object.assign(new Error(answer.detail), { status: answer.status, type: answer.type, field: answer.field });
    }
    return { status: response.status, body: answer, etag: response.headers.get("etag") };
  }
}

/** What a user is shown of a task. */
function shown(task) {
  const zone = task.timezone;
  return {
    id: task.id,
    text: task.payload.text,
    zone,
    cron: task.cron,
    // `due` is milliseconds since 1970, as every time in an answer. Shown in the user's own zone.
    next: task.due === undefined ? undefined : new Date(task.due).toLocaleString("sv-SE", { timeZone: zone }).replace(" ", "T"),
    // Twice a year a local time does not exist, or exists twice: this says what was made of it.
    note: task.explanation,
  };
}
