// What the types of payloads and methods let through, and what not.

import { cron, every, Scheduler, task, type TaskRun, Tasks } from "durable-scheduler";

interface Note {
  text: string;
  priority: "high" | "low";
  tags?: string[];
}
type Shape = { kind: "circle"; radius: number } | { kind: "square"; side: number };

export class Notes extends Scheduler {
  async note(_note: Note, _run: TaskRun) {}
  async turn(_direction: "up" | "down") {}
  async place(_point: [number, number]) {}
  async draw(_shape: Shape) {}
  async list(_names: string[]) {}
  async any(_payload: unknown) {}
  async nothing() {}
  async dated(_payload: { at: Date }) {}
  _hidden(_payload: { text: string }) {}

  /** The return type depends on the call, also if the task calls the method itself. */
  async again() {
    return await this.scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "again" } });
  }
  async add(text: string) {
    return await this.scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "add" }, payload: text });
  }
  async id(text: string) {
    const { id } = await this.scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "id" }, payload: text });
    return { id };
  }

  async right(direction: "up" | "down", note: Note, anything: any, unknown: unknown, names: readonly string[], shape: Shape) {
    const { scheduler } = this;
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "note" }, payload: { text: "Tea", priority: "high" } });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "note" }, payload: { text: "Tea", priority: "low", tags: ["a"] } });
    await scheduler.scheduleTask({ cron: "0 9 * * *", callback: { type: "self", function: "note" }, payload: note });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "turn" }, payload: "up" });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "turn" }, payload: direction });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "place" }, payload: [1, 2] });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "draw" }, payload: { kind: "circle", radius: 1 } });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "draw" }, payload: shape });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "list" }, payload: ["a", "b"] });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "list" }, payload: [...names] });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "note" }, payload: anything });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "any" }, payload: unknown });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "any" }, payload: { deep: [{ n: null }] } });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "any" } });
    await scheduler.scheduleTask({ delayInSeconds: 1, payload: note });
    return await scheduler.scheduleTask({ type: "no-schedule", callback: { type: "self", function: "turn" }, payload: "up" } as const);
  }

  async wrong(name: string, names: readonly string[]) {
    const { scheduler } = this;
    // @ts-expect-error No such direction.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "turn" }, payload: "left" });
    // @ts-expect-error Any text is too much.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "turn" }, payload: name });
    // @ts-expect-error No such priority.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "note" }, payload: { text: "Tea", priority: "highest" } });
    // @ts-expect-error A tuple of two.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "place" }, payload: [1, 2, 3] });
    // @ts-expect-error A circle has no side.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "draw" }, payload: { kind: "circle", side: 1 } });
    // @ts-expect-error Nothing is text.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "turn" } });
    // @ts-expect-error JSON has no Date.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "dated" }, payload: { at: new Date() } });
    // @ts-expect-error JSON has no Date.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "any" }, payload: [{ at: new Date() }] });
    // @ts-expect-error JSON has no Date, for a webhook either.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "webhook", url: "https://example.com" }, payload: new Date() });
    // @ts-expect-error JSON has no Map.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "any" }, payload: new Map([["a", 1]]) });
    // @ts-expect-error JSON has no functions.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "any" }, payload: { call: () => 1 } });
    // @ts-expect-error The name begins with _.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "_hidden" }, payload: { text: "Tea" } });
    // @ts-expect-error The name is not known.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: name }, payload: names });
    // @ts-expect-error There is no such callback.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "slef", function: "any" } });
  }
}

export class Typed extends Tasks {
  /** The payload of a task without a callback has a type, too. */
  override onTask(payload: { n: number }) {
    return payload.n;
  }

  @task({ retries: 1 })
  async start() {
    await this.scheduler.scheduleTask({ delayInSeconds: 1, payload: { n: 1 } });
    // @ts-expect-error The payload is no number.
    await this.scheduler.scheduleTask({ delayInSeconds: 1, payload: { n: "1" } });
    // @ts-expect-error The payload is missing.
    await this.scheduler.scheduleTask({ delayInSeconds: 1 });
  }

  @cron("0 9 * * *", { payload: { n: 1, to: "up" } })
  async daily(_payload: { n: number; to: "up" | "down" }) {}

  @cron(["0 9 * * *", "0 10 * * *"], { payload: "up" })
  async twice(_direction: "up" | "down") {}

  @every(60, { payload: ["up", 1] })
  async often(_steps: ["up" | "down", number]) {}

  // @ts-expect-error JSON has no Date.
  @every(60, { payload: { at: new Date() } })
  async dated(_payload: { at: Date }) {}
}

/** Calls over RPC keep their types. */
export async function call(notes: DurableObjectStub<Notes>) {
  const { id } = await notes.id("Tea");
  return id;
}
