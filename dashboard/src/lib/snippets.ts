// A definition as a command and as code.

import type { JsonObject } from "../api/types";

/** Quotes a text for a shell. */
const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Returns the curl command that creates a task. It reads the key from the variable `KEY`. */
export function curlOf(definition: JsonObject, origin: string, namespace: string): string {
  const headers = [`-H "Authorization: Bearer $KEY"`, ...(namespace === "" ? [] : [`-H ${shellQuoted(`Scheduler-Namespace: ${namespace}`)}`])];
  return [`curl ${origin}/v1/tasks ${headers.join(" ")}`, `  -d ${shellQuoted(JSON.stringify(definition))}`].join(" \\\n");
}

/** Returns the call of the TypeScript client that creates a task. */
export function typescriptOf(definition: JsonObject, origin: string, namespace: string): string {
  const space = namespace === "" ? "" : `, namespace: ${JSON.stringify(namespace)}`;
  const options = `{ url: ${JSON.stringify(origin)}, apiKey: process.env.SCHEDULER_KEY${space} }`;
  return [
    `import { SchedulerClient } from "durable-scheduler";`,
    "",
    `const scheduler = new SchedulerClient(${options});`,
    `await scheduler.scheduleTask(${literal(definition, "")});`,
  ].join("\n");
}

const NAME = /^[A-Za-z_$][\w$]*$/;

/** Formats a value as JavaScript. An object has one member on each line. */
function literal(value: unknown, indent: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, indent)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value);
  if (members.length === 0) return "{}";
  const inner = `${indent}  `;
  return `{\n${members.map(([name, member]) => `${inner}${NAME.test(name) ? name : JSON.stringify(name)}: ${literal(member, inner)},`).join("\n")}\n${indent}}`;
}
