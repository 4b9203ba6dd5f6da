// Every example with schedules in the documents of the agents package, as it is published there: as an agent of that package and as the
// same agent with `withScheduler`. Both must return the same, have the same schedules afterwards, and call the same callbacks.
//
// EXAMPLES is the table of them. An example that a new version of the package adds has no line there, and fails the first test.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { KINDS, readExamples, writeWorker } from "./published.mjs";
import { startWorker, until as untilWithin } from "../runtime.mjs";

const KEY = "a-key-of-the-operator-for-these-tests";
const DAY = 86_400;

/** Waits for something, as long as it may take on a busy machine: four examples run at once. */
const until = (what, probe) => untilWithin(what, probe, 120_000);

/** Calls the statements of an example. */
const statements = (scope = {}) => (agent) => agent.call("example", scope);
/** Starts the agent, whose `onStart` makes schedules. It does so again with the second call. */
const start = async (agent) => {
  await agent.call("notes");
  await agent.call("notes");
};
/** Waits until a callback has been called some times. */
const called = (agent, callback, times = 1) =>
  until(`${times} calls of ${callback}`, async () => {
    const calls = (await agent.call("notes")).filter((note) => note.callback === callback);
    return calls.length >= times && calls;
  });

/**
 * What each example does, by its name. `drive` uses the agent. `schedules` are those that are there afterwards, by type and callback.
 * `settle` is called before each look at the schedules. See `writeWorker` for the other members.
 */
const EXAMPLES = {
  "README.md: Scheduling": {
    // Its last time has passed, so that one runs at once.
    drive: async (agent) => {
      await agent.call("example", {});
      await called(agent, "yearEndTask");
    },
    schedules: ["cron dailyReport", "delayed sendReminder", "interval syncData"],
  },
  "agent-class.md: `this.schedule` and friends": {
    drive: async (agent) => {
      await agent.call("foo");
      assert.deepEqual((await called(agent, "sendGreeting"))[0].payload, { message: "Merry Christmas!" });
    },
    schedules: ["cron dailyTask", "delayed checkStatus"],
  },
  "human-in-the-loop.md: Escalation with Scheduling": {
    // It gives a time where the package takes a delay in seconds, 57,000 years. Both refuse that.
    drive: async (agent) => {
      await agent.call("begin", { pending: [] });
      await assert.rejects(agent.call("submitForApproval", {}), /dates after 2189|delayInSeconds is 1\d{12};/);
    },
    // The package keeps the row, for which it cannot set its alarm.
    differs: true,
    schedules: [],
  },
  "long-running-agents.md: Waking up: how agents get activated": {
    members: "initialState = { name: 'ship', status: 'active' };",
    drive: async (agent) => {
      await start(agent);
      assert.deepEqual(await (await agent.fetch("")).json(), { project: "ship", status: "active" });
    },
    schedules: ["cron checkDeadlines", "interval syncProgress"],
  },
  "long-running-agents.md: Pattern: polling with schedule": {
    members: "updateTask() {}",
    drive: async (agent) => {
      await agent.call("startVideoGeneration", { id: "t", title: "film" });
      await agent.call("pollExternalJob", { taskId: "t", jobId: "pending", attempt: 3 });
      await agent.call("pollExternalJob", { taskId: "t", jobId: "complete", attempt: 4 });
    },
    schedules: ["delayed pollExternalJob", "delayed pollExternalJob"],
  },
  "long-running-agents.md: Planning as a durability strategy": {
    members: "initialState = { plan: null };\n callLLM() { return [{ id: 'a' }, { id: 'b' }]; }\n executeStep({ id }: any) { return `did ${id}`; }",
    drive: async (agent) => {
      await agent.call("createPlan", "ship");
      const { plan } = await until("the plan to be done", async () => {
        const state = await agent.call("shownState");
        return state.status === "complete" && state;
      });
      assert.deepEqual(plan.steps.map(({ result }) => result), ["did a", "did b"]);
      assert.equal((await called(agent, "executeNextStep", 3)).length, 3);
    },
    schedules: [],
  },
  "long-running-agents.md: Housekeeping": {
    members: "initialState = { tasks: [{ id: 'old', status: 'complete' }, { id: 'new', status: 'active' }] };",
    drive: async (agent) => {
      await start(agent);
      await agent.call("query", "CREATE TABLE archived_tasks (id TEXT, data TEXT)");
      await agent.call("housekeeping");
      assert.deepEqual((await agent.call("shownState")).tasks.map(({ id }) => id), ["new"]);
    },
    schedules: ["cron housekeeping"],
  },
  "long-running-agents.md: End of life": {
    members: "async remind() {}",
    drive: async (agent) => {
      await agent.call("schedule", 3_600, "remind");
      await agent.call("scheduleEvery", 60, "remind");
      // The object ends before it can answer.
      await agent.call("completeProject").catch(() => {});
    },
    schedules: [],
  },
  "push-notifications.md: Create the Agent": {
    drive: async (agent) => {
      await agent.call("createReminder", "Tea", 0.2);
      await called(agent, "sendReminder");
      await until("the reminder to be sent", async () => (await agent.call("shownState")).reminders[0].sent);
    },
    schedules: [],
  },
  "push-notifications.md: Retry on Failure": {
    before: 'import webpush from "./stubs.ts";\nconst sub = { endpoint: "https://push.example.com/1" };\nconst payload = "Tea";',
    drive: statements(),
    schedules: ["delayed retrySendNotification"],
  },
  "retries.md: Retries in Schedules": {
    drive: async (agent) => {
      await agent.call("example", {});
      await called(agent, "sendReport");
    },
    schedules: ["cron dailyDigest", "delayed processTask", "interval poll"],
  },
  "retries.md: Validation": {
    before: "const data = {};",
    // Each of its calls is refused.
    each: true,
    drive: statements(),
    schedules: [],
  },
  "retries.md: Class-Level Defaults": { drive: statements(), schedules: ["delayed oneShot"] },
  "retries.md: Combining Retries with Scheduling": {
    members: "async fetchAndProcess() { throw new Error('down'); }\n retry(call: any) { return call(); }",
    drive: async (agent) => {
      await agent.call("syncData", { source: "api" });
      await agent.call("syncData", { source: "api", attempt: 5 });
    },
    schedules: ["delayed syncData"],
  },
  "scheduling.md: Quick Start": {
    drive: async (agent) => {
      assert.equal(await (await agent.fetch("?userId=kim")).text(), "Scheduled!");
      assert.deepEqual((await called(agent, "sendReminder"))[0].payload, { message: "Monthly report due" });
    },
    schedules: ["cron dailyDigest", "delayed sendReminder"],
  },
  "scheduling.md: Delayed Execution": { drive: statements(), schedules: ["delayed checkStatus", "delayed processTask", "delayed sendFollowUp"] },
  "scheduling.md: Scheduled Execution": {
    drive: async (agent) => {
      await agent.call("example", {});
      await called(agent, "triggerEvent");
    },
    schedules: ["scheduled checkIn", "scheduled sendReminder"],
  },
  "scheduling.md: Recurring (Cron)": { drive: statements(), schedules: ["cron dailyReport", "cron hourlyCheck", "cron monthlyCleanup", "cron pollForUpdates", "cron weeklySync"] },
  "scheduling.md: Interval": { drive: statements(), schedules: ["interval healthCheck", "interval poll", "interval syncData"] },
  "scheduling.md: Interval 2": { drive: start, schedules: ["interval tick"] },
  "scheduling.md: Interval 3": { drive: statements(), schedules: ["interval poll", "interval poll"] },
  "scheduling.md: Interval 4": { drive: statements(), schedules: ["interval healthCheck", "interval poll"] },
  "scheduling.md: Interval 5": { drive: statements(), schedules: ["interval poll"] },
  "scheduling.md: Get a Schedule": {
    scope: ["scheduleId"],
    members: "async remind() {}",
    drive: async (agent) => {
      const { id } = await agent.call("schedule", 60, "remind", { text: "Tea" });
      await agent.call("example", { scheduleId: id });
      await agent.call("example", { scheduleId: "nothing" });
    },
    schedules: ["delayed remind"],
  },
  "scheduling.md: List Schedules": {
    members: "async remind() {}",
    drive: async (agent) => {
      await agent.call("schedule", 60, "remind", "soon");
      await agent.call("schedule", 2 * DAY, "remind", "late");
      await agent.call("schedule", "*/5 * * * *", "remind", "often");
      await agent.call("schedule", "0 0 1 1 *", "remind", "yearly");
      await agent.call("example", {});
    },
    schedules: ["cron remind", "cron remind", "delayed remind", "delayed remind"],
  },
  "scheduling.md: Cancel a Schedule": {
    scope: ["scheduleId"],
    members: "async remind() {}",
    drive: async (agent) => {
      const { id } = await agent.call("schedule", 60, "remind");
      await agent.call("example", { scheduleId: id });
      await agent.call("example", { scheduleId: id });
    },
    schedules: [],
  },
  "scheduling.md: Cancel a Schedule 2": {
    drive: async (agent) => {
      await agent.call("query", "CREATE TABLE user_reminders (user_id TEXT, schedule_id TEXT, message TEXT)");
      const id = await agent.call("setReminder", "kim", "Tea", 600);
      await agent.call("setReminder", "sue", "Milk", 600);
      assert.deepEqual([await agent.call("cancelReminder", id), await agent.call("cancelReminder", id)], [true, false]);
      assert.deepEqual(await agent.call("query", "SELECT message FROM user_reminders"), [{ message: "Milk" }]);
      // The callback may run before setReminder goes on. Then it deletes only what is there already.
      await agent.call("query", "INSERT INTO user_reminders VALUES ('kim', 'early', 'Bread')");
      await agent.call("setReminder", "kim", "Bread", 0);
      await called(agent, "sendReminder");
      await until("its end", async () => (await agent.call("query", "SELECT * FROM user_reminders WHERE schedule_id = 'early'")).length === 0);
    },
    schedules: ["delayed sendReminder"],
  },
  "scheduling.md: The Schedule Object": {
    drive: async (agent) => {
      const began = Math.floor(seconds());
      await agent.call("example", {});
      const [{ result }] = await agent.call("notes");
      const { id, time, status, ...shown } = result;
      assert.ok(id.length > 0 && time >= began + 60 && time <= seconds() + 61, `${time}`);
      assert.deepEqual(shown, { callback: "myTask", payload: { foo: "bar" }, retry: { maxAttempts: 5 }, type: "delayed", delayInSeconds: 60 });
    },
    schedules: ["delayed myTask"],
  },
  "scheduling.md: Rescheduling from Callbacks": {
    members: "async processUpdates() {}",
    drive: async (agent) => {
      await agent.call("startPolling", 0.2);
      await called(agent, "poll", 3);
    },
    // A call of poll that is on its way goes on polling, so one stopPolling may not be enough.
    settle: (agent) => agent.call("stopPolling"),
    // How often it polls until then is a matter of time.
    differs: true,
    schedules: [],
  },
  "scheduling.md: Retry on Failure": { drive: statements(), schedules: ["delayed processTask"] },
  "scheduling.md: Retry on Failure 2": {
    members: "async doWork(id: string) { if (id === 'bad') throw new Error('down'); }\n retry(call: any) { return call(); }",
    drive: async (agent) => {
      await agent.call("attemptTask", { taskId: "good", attempt: 1, maxAttempts: 2 });
      await agent.call("attemptTask", { taskId: "bad", attempt: 1, maxAttempts: 2 });
      await agent.call("attemptTask", { taskId: "bad", attempt: 2, maxAttempts: 2 });
    },
    schedules: ["delayed attemptTask"],
  },
  "scheduling.md: Self-Destructing Agents": {
    drive: async (agent) => {
      await agent.call("notes");
      assert.deepEqual((await agent.call("schedules")).map(({ callback }) => callback), ["cleanup"]);
      await agent.call("query", "CREATE TABLE kept (x TEXT)");
      // The end may come before the answer.
      await agent.call("schedule", 0, "cleanup", {}).catch((error) => assert.match(error.message, /destroyed/));
      // The agent is new when it is used again, and its onStart schedules its end.
      await until("the end of the agent", async () => (await agent.call("query", "SELECT name FROM sqlite_master WHERE name = 'kept'")).length === 0);
    },
    differs: true,
    schedules: ["delayed cleanup"],
  },
  "scheduling.md: Timezone-Aware Scheduling": {
    members: "async remind() {}",
    drive: (agent) => agent.call("scheduleForTimezone", 9, 30, "Asia/Tokyo", "remind"),
    schedules: ["scheduled remind"],
  },
  "scheduling.md: getSchedulePrompt()": {
    drive: async (agent) => {
      for (const when of [{ type: "scheduled", date: "2099-01-30T15:00:00Z" }, { type: "delayed", delayInSeconds: 600 }, { type: "cron", cron: "0 9 * * *" }]) {
        await agent.call("handleUserRequest", JSON.stringify({ description: "call mom", when }));
      }
    },
    schedules: ["cron sendReminder", "delayed sendReminder", "scheduled sendReminder"],
  },
  "scheduling.md: schedule()": { drive: start, schedules: ["delayed hourlyCleanup"] },
  "server-driven-messages.md: Cron schedule": {
    members: "waitUntilStable() { return false; }",
    drive: async (agent) => {
      await start(agent);
      await agent.call("dailyDigest");
    },
    schedules: ["cron dailyDigest"],
  },
  "sub-agents.md: Scheduling": { drive: start, schedules: ["interval checkpoint"] },
};

const examples = await readExamples();
const written = await writeWorker(examples, EXAMPLES);

/** Answers what the examples send to the web. */
function outbound(request) {
  const { pathname } = new URL(request.url);
  return Response.json(pathname === "/generate" ? { jobId: "pending" } : { state: pathname.split("/").at(-1) });
}

let worker;
before(async () => {
  worker = await startWorker(written.path, { vars: { API_KEYS: KEY }, outbound });
});
after(async () => {
  await worker?.stop();
  await written.remove();
});

/** The agent of an example, of one kind. */
function agentOf(kind, name) {
  const path = `${worker.url}/${written.bindings[kind][name]}/${kind}`;
  return {
    fetch: (query) => fetch(`${path}${query}`),
    async call(method, ...args) {
      const response = await fetch(`${path}/${method}`, { method: "POST", body: JSON.stringify(args) });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    },
  };
}

/** Returns the current time, seconds since 1970. */
const seconds = () => Date.now() / 1_000;

/** The retries of the agents package. A schedule that is the scheduler's shows what differs from these, and another one what it was given. */
const DEFAULT_RETRY = { maxAttempts: 3, baseDelayMs: 100, maxDelayMs: 3_000 };

/** Returns a schedule as both show it: without what the scheduler adds, and without retries that say nothing. */
function plain({ status: _, retry = {}, ...schedule }) {
  const own = Object.entries(retry).filter(([name, value]) => DEFAULT_RETRY[name] !== value);
  return own.length === 0 ? schedule : { ...schedule, retry: Object.fromEntries(own) };
}

/**
 * Returns whether two times of schedules mean the same, although the agents made them one after the other. A time is the same for
 * both, or as far from the present of each, or has passed for the second agent, which then shows the next one.
 */
function sameTime(moved, own, spans) {
  // The package shows whole seconds.
  const least = spans.moved.from - spans.own.to - 1;
  const most = spans.moved.to - spans.own.from + 1;
  const apart = moved - own;
  return apart === 0 || (apart >= least && apart <= most) || (own <= spans.moved.to && moved > spans.moved.from);
}

/** Fails unless two values are the same, but for ids and times. `spans` says when each agent was used. */
function assertAlike(moved, own, spans, where) {
  if (typeof own !== "object" || own === null) return assert.deepEqual(moved, own, where);
  assert.deepEqual(Object.keys(moved ?? {}).sort(), Object.keys(own).sort(), where);
  for (const [name, value] of Object.entries(own)) {
    if (name === "id") assert.equal(typeof moved.id, "string", where);
    else if (name === "time") assert.ok(sameTime(moved.time, value, spans), `${where}.time: ${moved.time}, not ${value}, of agents that were used at ${JSON.stringify(spans)}`);
    else assertAlike(moved[name], value, spans, `${where}.${name}`);
  }
}

const ids = new Set(["getScheduleById", "cancelSchedule"]);
/** Returns notes of calls of the schedule methods in a form in which those of two agents can be compared. */
const comparable = (notes) =>
  notes
    .filter(({ method }) => method !== undefined)
    .map(({ method, args, result, error }) => ({
      method,
      args: ids.has(method) ? [] : JSON.parse(JSON.stringify(args), (_, value) => (/^\d{4}-.*Z$/.test(value) ? "a date" : value)),
      ...(result === undefined ? {} : { result: Array.isArray(result) ? listed(result) : typeof result === "object" && result !== null ? plain(result) : result }),
      ...(error === undefined ? {} : { error: true }),
    }))
    // Some examples do not wait for their calls.
    .sort((one, two) => (callOf(one) < callOf(two) ? -1 : Number(callOf(one) > callOf(two))));
const callOf = ({ method, args }) => JSON.stringify([method, args]);
const contentOf = ({ type, callback, payload, intervalSeconds, cron }) => JSON.stringify([type, callback, payload, intervalSeconds, cron]);
const listed = (schedules) => schedules.map(plain).sort((one, two) => (contentOf(one) < contentOf(two) ? -1 : 1));

test("every example of the agents package has a line here", async () => {
  assert.deepEqual(examples.map(({ name }) => name), Object.keys(EXAMPLES));
  const { version } = JSON.parse(await readFile(new URL("node_modules/agents/package.json", import.meta.url), "utf8"));
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  assert.ok(readme.includes(`agents ${version.replace(/\.\d+$/, "")} is a test`), `README.md says that the examples of another version than ${version} are tests`);
});

// Each has agents of its own, so several can run at once.
describe("the published example runs as before", { concurrency: 4 }, () => {
  for (const [name, { drive, schedules, settle, differs = false }] of Object.entries(EXAMPLES)) {
    test(name, async () => {
      const outcomes = {};
      const spans = {};
      for (const kind of KINDS) {
        const agent = agentOf(kind, name);
        const from = seconds();
        await drive(agent);
        const found = await until(`the schedules ${schedules.join(", ")}`, async () => {
          await settle?.(agent);
          const all = await agent.call("schedules");
          const shown = all.map(({ type, callback }) => `${type} ${callback}`).sort();
          if ((kind !== "own" || !differs) && JSON.stringify(shown) !== JSON.stringify(schedules)) throw new Error(`there are ${shown.join(", ") || "none"}`);
          return all;
        });
        outcomes[kind] = { notes: comparable(await agent.call("notes")), schedules: listed(found) };
        spans[kind] = { from, to: seconds() };
      }
      if (differs) return;
      assertAlike(outcomes.moved.schedules, outcomes.own.schedules, spans, "schedules");
      assertAlike(outcomes.moved.notes, outcomes.own.notes, spans, "notes");
    });
  }
});
