// Every method of the client, once each, against a running scheduler. It runs in Node, and bundled in a Worker.

import { type NewTask, SchedulerClient, SchedulerError, type Task } from "../../src/client/index.ts";

/** Where tasks of the scenario go: a webhook that answers 2xx, and one that does not. */
export interface Targets {
  good: string;
  bad: string;
}

/** Runs the scenario. `prefix` begins every id, so that several runs do not meet. Throws at the first surprise. */
export async function scenario(client: SchedulerClient, prefix: string, { good, bad }: Targets): Promise<void> {
  const id = (name: string) => `${prefix}/${name}`;
  const callback = { type: "webhook", url: good } as const;
  const far = Date.UTC(2099, 0, 1);
  const tag = `tag-${prefix}`;
  const once = (name: string, more: object = {}): NewTask => ({ id: id(name), time: new Date(far), tags: [tag], callback, ...more });

  // One task: create, read, change under a condition, pause, resume, move, fire, history.
  const created = await client.scheduleTask(once("one", { description: "one task" }), { ifNoneMatch: "*" });
  equal(created.due, far, "due");
  const read = await client.getTask(id("one"));
  equal(read?.etag, created.etag, "etag");
  const changed = await client.changeTask(id("one"), { description: null, payload: { n: 1 } }, { ifMatch: created });
  equal(changed.description, undefined, "description");
  await fails("/problems/other-version", client.changeTask(id("one"), { payload: 2 }, { ifMatch: created }));
  await fails("/problems/other-version", client.scheduleTask(once("one"), { ifNoneMatch: "*" }));
  equal((await client.pause(id("one"), { note: "until Monday" })).changed, true, "pause");
  const paused = await client.getTask(id("one"));
  equal(paused?.status, "paused", "status");
  equal(paused?.pauseNote, "until Monday", "note");
  equal((await client.explain(id("one"))).pauseNote, "until Monday", "explained note");
  equal((await client.resume(id("one"))).changed, true, "resume");
  const moved = await client.reschedule(id("one"), { time: new Date(far + 1000) });
  equal(moved.due, far + 1000, "due after a reschedule");
  equal((await client.explain(id("one"))).nextRun?.time, far + 1000, "next run");
  await client.run(id("one"), { payload: "now" });
  const run = await until("the run", () => client.runs(id("one")).first());
  equal(run.outcome, "succeeded", "outcome");
  equal(await client.getTask(id("one")), undefined, "a task that is gone");
  equal(await client.cancelTask(id("one")), undefined, "cancel of a task that is gone");

  // The same request twice is one task.
  const twice = { idempotencyKey: `${prefix}-twice` };
  const { id: made } = await client.scheduleTask({ delayInSeconds: 3600, tags: [tag], callback }, twice);
  equal((await client.scheduleTask({ delayInSeconds: 3600, tags: [tag], callback }, twice)).id, made, "id of the repeat");
  equal((await client.cancelTask(made))?.status, "cancelled", "cancel");

  // Many tasks.
  const tasks = Array.from({ length: 50 }, (_, n) => once(`many/${n}`, n === 7 ? { priority: 99 } : {}));
  const many = await client.scheduleTasks(tasks, { batchSize: 20, idempotencyKey: `${prefix}-many` });
  equal(many.accepted, 49, "accepted");
  equal(many.rejections[0]?.index, 7, "index of the invalid task");
  equal(many.rejections[0]?.field, "priority", "field of the invalid task");
  const again = await client.scheduleTasks(tasks, { batchSize: 20, idempotencyKey: `${prefix}-many` });
  equal(again.accepted, 49, "accepted again");
  equal((await client.query({ prefix: id("many/"), tag, limit: 7 }).toArray()).length, 49, "listed");
  equal((await client.query({ prefix: id("many/"), from: new Date(far), to: far + 1, kind: "once", status: "scheduled" }).toArray(3)).length, 3, "some");
  equal((await client.pause([id("many/0"), id("many/1"), id("nowhere")])).changed, 2, "paused by id");
  equal((await client.query({ status: "paused", tag: [tag] }).toArray()).length, 2, "paused");
  equal((await client.query({ tag, paused: false, lastOutcome: "none", callbackType: "webhook" }).toArray()).length, 47, "not paused");
  equal((await client.query({ text: id("MANY/4"), order: "desc" }).toArray()).length, 11, "by a part of the id");
  for await (const page of client.query({ tag }).pages()) equal(page.searched !== undefined && page.searched.records >= page.items.length, true, "searched");
  const dry = await client.dryRun("resume", { tag });
  equal(dry.count, 2, "counted");
  equal(dry.tasks.length, 2, "shown");
  equal((await client.dryRun("cancel", { tag })).count, 49, "counted to cancel");
  equal((await client.dryRun("reschedule", { tag, paused: false }, { time: far + 5000 })).count, 47, "counted to move");
  equal((await client.resume({ tag, status: "paused" })).changed, 2, "resumed by filter");
  equal((await client.reschedule({ tag }, { time: far + 5000 })).changed, 49, "moved by filter");
  equal((await client.run([id("many/0")])).changed, 1, "fired by id");
  equal((await client.cancelTask({ prefix: id("many/") })).cancelled >= 48, true, "cancelled by filter");

  // What fails for good, and what is done about it.
  const stream = client.events({ tag, type: "dead-lettered" });
  const events = stream[Symbol.asyncIterator]();
  const died = events.next();
  // The first thing that the stream tells is where it begins.
  await until("the stream to begin", async () => stream.lastEventId);
  await client.scheduleTask({ id: id("bad"), delayInSeconds: 0, tags: [tag], retry: { maxAttempts: 1 }, callback: { type: "webhook", url: bad } });
  const event = (await died).value;
  equal(event?.id, id("bad"), "id of the event");
  await events.return();
  const [letter] = await until("the dead letter", async () => nonEmpty(await client.deadLetters.list({ tag }).toArray()));
  const letterId = letter?.deadLetterId ?? "";
  equal((await client.deadLetters.get(letterId)).id, id("bad"), "dead letter");
  equal((await client.runs({ tag, outcome: ["dead-lettered", "failed"] }).first())?.id, id("bad"), "run of all tasks");
  equal(await client.errorGroups({ tag, outcome: "dead-lettered" }).first().then((group) => group?.count), 1, "like errors");
  equal((await client.deadLetters.dryRun("replay", { tag })).count, 1, "dead letters counted");
  equal((await client.deadLetters.dryRun("discard", { tag: "nothing" })).count, 0, "none counted");
  await client.deadLetters.replay(letterId, { callback: { url: good } });
  await until("the replay", async () => (await client.getTask(id("bad"))) === undefined);
  await fails("/problems/no-dead-letter", client.deadLetters.discard(letterId));
  equal((await client.deadLetters.replay([letterId])).notFound?.[0], letterId, "replay of many");
  equal((await client.deadLetters.discard({ tag })).discarded, 0, "discard of many");

  // What creates nothing.
  const preview = await client.preview({ cron: "0 9 * * *", timezone: "Europe/Berlin", from: new Date(far), count: 2 });
  equal(preview.runs.length, 2, "previewed runs");
  await fails("/problems/invalid", client.preview({ cron: "0 9 *" }));
  const worked = await client.preview({ cron: "0 9 1 * *", exclude: { weekdays: ["SAT", "SUN"], instead: "next" }, from: new Date(Date.UTC(2099, 6, 15)), count: 1 });
  equal(worked.runs[0]?.time, Date.UTC(2099, 7, 3, 9), "the next working day");
  equal(worked.runs[0]?.movedFrom, Date.UTC(2099, 7, 1, 9), "where a run comes from");
  equal(worked.excluded?.length, 1, "runs that are left out");
  const holidays = { cron: "0 9 * * *", exclude: { dates: ["12-24/12-26"] } };
  equal((await client.scheduleTask({ id: id("holidays"), callback, ...holidays })).exclude?.dates?.[0], "12-24/12-26", "exclude");
  await client.cancelTask(id("holidays"));
  const forecast = await client.forecast({ from: new Date(far), to: far + 3_600_000, buckets: 6 });
  equal(forecast.buckets.length, 6, "buckets of the forecast");
  equal(forecast.countedUntil, far + 3_600_000, "until when the forecast is complete");
  const said = await client.parse({ text: "remind me to call Ann every monday at 10:00", timezone: "Europe/Berlin" });
  equal(said.reading?.description, "call Ann", "description of a sentence");
  equal(said.reading?.sentence, "every Monday at 10:00 in Europe/Berlin", "sentence of a sentence");
  equal((await client.parse({ text: "tomorrow at 5", timezone: "Europe/Berlin" })).choices?.length, 2, "choices");
  equal((await client.preview({ schedule: "every day at 9am", timezone: "Europe/Berlin" })).sentence, "every day at 09:00 in Europe/Berlin", "preview of a sentence");
  const inWords = await client.scheduleTask({ id: id("words"), schedule: "every monday at 10:00", timezone: "Europe/Berlin", callback: { type: "webhook", url: good } });
  equal(inWords.words, "every monday at 10:00", "words");
  equal(inWords.cron, "0 10 * * MON", "cron of a sentence");
  equal((await client.explain(id("words"))).sentence, "every Monday at 10:00 in Europe/Berlin", "explained sentence");
  equal((await client.changeTask(id("words"), { cron: "0 9 * * *" })).words, undefined, "words of another schedule");
  await client.cancelTask(id("words"));
  equal((await client.stats()).created >= 50, true, "stats");
  const { buckets } = await client.statsSeries();
  equal(buckets.length, 120, "minutes");
  equal(buckets.reduce((sum, { created }) => sum + created, 0) >= 50, true, "created within two hours");
  equal((await client.statsSeries({ by: "hour" })).buckets.length, 168, "hours");

  // What has an id of its own.
  const name = prefix.toLowerCase();
  await client.limits.set(name, { concurrency: 2 });
  equal((await client.limits.get(name)).concurrency, 2, "limit");
  equal((await client.limits.list()).some(({ key }) => key === name), true, "limits");
  equal((await client.limits.delete(name)).deleted, true, "limit deleted");
  const calendar = await client.calendars.set(name, { description: "Days off", dates: ["12-24/12-26"] });
  equal(calendar.pending, false, "a new calendar has no tasks");
  equal((await client.calendars.get(name)).dates?.[0], "12-24/12-26", "calendar");
  equal((await client.calendars.list()).some((listed) => listed.name === name), true, "calendars");
  await fails("/problems/other-version", client.calendars.set(name, { dates: ["12-31"] }, { ifNoneMatch: "*" }));
  const closed = await client.preview({ cron: "0 9 * * *", exclude: { calendars: [name] }, from: new Date(Date.UTC(2099, 11, 23, 12)), count: 1 });
  equal(closed.excluded?.[0]?.calendars?.[0], name, "which calendar leaves out a run");
  const shut = await client.scheduleTask({ id: id("shut"), cron: "0 9 * * *", exclude: { calendars: [name] }, callback });
  equal(shut.exclude?.calendars?.[0], name, "a calendar of a task");
  await fails("/problems/calendar-in-use", client.calendars.delete(name));
  await client.cancelTask(id("shut"));
  equal((await client.calendars.set(name, { dates: ["12-31"] }, { ifMatch: calendar })).dates?.[0], "12-31", "calendar changed");
  equal((await client.calendars.delete(name)).deleted, true, "calendar deleted");
  equal((await client.keys.own()).scopes.includes("admin"), true, "scopes of the own key");
  const key = await client.keys.create({ name, scopes: ["read"], namespaces: ["default"], expiresAt: new Date(far) });
  equal((await client.keys.get(key.id)).expiresAt, far, "key");
  equal((await client.keys.list()).some((shown) => shown.id === key.id), true, "keys");
  equal((await client.keys.revoke(key.id)).deleted, true, "key revoked");
  equal((await client.namespaces.set(name, { quota: { pendingTasks: 1000 } })).quota.pendingTasks, 1000, "namespace");
  equal((await client.namespaces.get(name)).name, name, "namespace read");
  equal((await client.namespaces.list()).length >= 2, true, "namespaces");
  await client.scheduleTask(once("elsewhere"), { namespace: name });
  equal(await client.getTask(id("elsewhere")), undefined, "a task of another namespace");
  equal((await client.cancelTask(id("elsewhere"), { namespace: name }))?.id, id("elsewhere"), "cancel there");
  await client.namespaces.delete(name);
}

function nonEmpty(tasks: Task[]): Task[] | undefined {
  return tasks.length > 0 ? tasks : undefined;
}

function equal(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}

async function fails(type: string, promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(() => undefined, (thrown: unknown) => thrown);
  if (!(error instanceof SchedulerError)) throw error ?? new Error(`did not fail with ${type}`);
  equal(error.type, type, error.message);
}

/** Calls `probe` until it returns something but undefined and false. */
async function until<Result>(what: string, probe: () => Promise<Result | undefined>): Promise<Result> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`gave up waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
