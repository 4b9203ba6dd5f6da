// The types and the functions of @hey-api/openapi-ts.

import { createTask, listTasks, patchTask, pauseTask, rescheduleTask } from "./generated/hey-api/index.ts";
import type { NewTask } from "./generated/hey-api/index.ts";
export type {
  Callback,
  DeliveredTask,
  Envelope,
  Event,
  NewTask,
  PreviewRequest,
  Problem,
  Reschedule,
  Selection,
  Task,
  TaskPatch,
} from "./generated/hey-api/index.ts";

/** Creates a task, pauses it unless it has changed meanwhile, and lists the tasks of its tag. */
export async function use(task: NewTask): Promise<string[]> {
  const { data, error, response } = await createTask({ body: task, headers: { "Idempotency-Key": "a" } });
  if (data === undefined) throw new Error(`${error?.type}: ${error?.detail}`);
  const version = response?.headers.get("etag") ?? "*";
  await pauseTask({ path: { id: data.id }, headers: { "If-Match": version } });
  await patchTask({ path: { id: data.id }, body: { description: "changed", tags: null } });
  await rescheduleTask({ path: { id: data.id }, body: { delayInSeconds: 60 } });
  const page = await listTasks({ query: { tag: "a", limit: 10 } });
  return page.data?.tasks.map((task) => task.id) ?? [];
}

export async function misuse(): Promise<void> {
  // @ts-expect-error: a task without a schedule.
  await createTask({ body: { callback: { type: "handler", name: "log" } } });
  // @ts-expect-error: there is no such parameter.
  await listTasks({ query: { tags: "a" } });
  // @ts-expect-error: a new time needs a body.
  await rescheduleTask({ path: { id: "a" } });
}
