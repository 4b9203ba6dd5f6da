// The types of openapi-typescript by the names of the document's schemas, and requests with openapi-fetch.

import createClient from "openapi-fetch";
import type { components, paths } from "./generated/openapi-typescript.d.ts";

type Schemas = components["schemas"];
export type NewTask = Schemas["NewTask"];
export type Task = Schemas["Task"];
export type TaskPatch = Schemas["TaskPatch"];
export type Callback = Schemas["Callback"];
export type PreviewRequest = Schemas["PreviewRequest"];
export type Reschedule = Schemas["Reschedule"];
export type Selection = Schemas["Selection"];
export type DeliveredTask = Schemas["DeliveredTask"];
export type Envelope = Schemas["Envelope"];
export type Event = Schemas["Event"];
export type Problem = Schemas["Problem"];

const client = createClient<paths>({ baseUrl: "http://localhost:8787", headers: { authorization: "Bearer key" } });

/** Creates a task, pauses it unless it has changed meanwhile, and lists the tasks of its tag. */
export async function use(): Promise<string[]> {
  const body = { time: "2030-12-24T18:00:00Z", tags: ["a"], callback: { type: "handler", name: "log" } } as const;
  const { data, error, response } = await client.POST("/v1/tasks", { body: { ...body, tags: ["a"] }, params: { header: { "Idempotency-Key": "a" } } });
  if (error !== undefined) throw new Error(`${error.type}: ${error.detail}`);
  const version = response.headers.get("etag") ?? "*";
  await client.POST("/v1/tasks/{id}/pause", { params: { path: { id: data.id }, header: { "If-Match": version } } });
  await client.PATCH("/v1/tasks/{id}", { params: { path: { id: data.id } }, body: { description: "changed", tags: null } });
  await client.POST("/v1/tasks/{id}/reschedule", { params: { path: { id: data.id } }, body: { delayInSeconds: 60 } });
  const page = await client.GET("/v1/tasks", { params: { query: { tag: "a", limit: 10 } } });
  return page.data?.tasks.map((task) => task.id) ?? [];
}

export async function misuse(): Promise<void> {
  // @ts-expect-error: there is no such path.
  await client.GET("/v1/task");
  // @ts-expect-error: a task without a schedule.
  await client.POST("/v1/tasks", { body: { callback: { type: "handler", name: "log" } } });
  // @ts-expect-error: there is no such parameter.
  await client.GET("/v1/tasks", { params: { query: { tags: "a" } } });
  // @ts-expect-error: a new time needs a body.
  await client.POST("/v1/tasks/{id}/reschedule", { params: { path: { id: "a" } } });
}
