#!/usr/bin/env node
// The command `durable-scheduler`. Run it with npx in the folder of a project.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { deploy } from "./deploy.ts";
import { dev } from "./dev.ts";
import { CannotEdit } from "./edit.ts";
import { apply, describe, planInit } from "./init.ts";
import { UsageError } from "./project.ts";
import { signingKeysOf } from "./secrets.ts";
import { namespaceKeys } from "./signing-key.ts";

const HELP = `durable-scheduler dev       runs your Worker with the scheduler on this machine, or a scheduler alone if your Worker has none
  --port N                  default 8787
  --persist-to FOLDER       where tasks are kept; default .wrangler/state
durable-scheduler init      adds what the scheduler needs to your wrangler configuration; shows the difference first
  --object BINDING=CLASS    a Durable Object of yours; may be repeated
  --queue BINDING=NAME      a queue of yours that tasks may go to, and that your Worker consumes; may be repeated
  --tasks CLASS             a class that extends Tasks
  --dashboard               serve the dashboard at /
  --yes                     write without asking
durable-scheduler deploy    deploys your Worker, and makes the queues and secrets that are missing
  --dry-run                 only build the Worker, and make nothing
  -- ARGS                   arguments for wrangler deploy
durable-scheduler signing-key [NAMESPACE]
                            prints the key by which receivers verify the webhooks of a namespace, default: of default.
                            Reads WEBHOOK_SIGNING_KEYS from the environment, the standard input or .dev.vars

  --config FILE             default: wrangler.json, wrangler.jsonc or wrangler.toml in this folder
  --version                 prints the version of this package`;

const options = {
  config: { type: "string" },
  port: { type: "string", default: "8787" },
  "persist-to": { type: "string" },
  object: { type: "string", multiple: true },
  queue: { type: "string", multiple: true },
  tasks: { type: "string" },
  dashboard: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  version: { type: "boolean", default: false },
} as const;

async function main(): Promise<number> {
  const all = process.argv.slice(2);
  const end = all.includes("--") ? all.indexOf("--") : all.length;
  const { values, positionals } = parseArgs({ args: all.slice(0, end), options, allowPositionals: true });
  const folder = process.cwd();
  const { config } = values;
  const [command, ...others] = positionals;
  if (values.version) {
    console.log(versionOfPackage());
    return 0;
  }
  if (values.help || command === undefined || others.length > (command === "signing-key" ? 1 : 0)) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  switch (command) {
    case "dev":
      return dev(folder, { config, port: portOf(values.port), persistTo: values["persist-to"] });
    case "init":
      return init(folder, values);
    case "deploy":
      await deploy(folder, { config, args: [...(values["dry-run"] ? ["--dry-run"] : []), ...all.slice(end + 1)] });
      return 0;
    case "signing-key":
      for (const key of namespaceKeys(givenSigningKeys(folder), others[0] ?? "default")) console.log(key);
      return 0;
    default:
      throw new UsageError(`there is no command ${command}\n\n${HELP}`);
  }
}

function versionOfPackage(): string {
  return (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }).version;
}

/** Returns `WEBHOOK_SIGNING_KEYS` from the environment, from what is piped into the command, or from the variables for this machine. */
function givenSigningKeys(folder: string): string {
  const { WEBHOOK_SIGNING_KEYS: variable } = process.env;
  if (variable !== undefined && variable.trim() !== "") return variable;
  const piped = process.stdin.isTTY === true ? "" : readFileSync(0, "utf8");
  const found = piped.trim() === "" ? signingKeysOf(folder) : piped;
  if (found === undefined) throw new UsageError("there is no key: set WEBHOOK_SIGNING_KEYS to what the secret of this name has, or run durable-scheduler dev here, which makes one for this machine");
  return found;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new UsageError(`--port ${text}: give a port, 1 to 65535`);
  return port;
}

async function init(folder: string, { config, object, queue, tasks, dashboard, yes }: { config?: string; object?: string[]; queue?: string[]; tasks?: string; dashboard: boolean; yes: boolean }): Promise<number> {
  for (const text of object ?? []) {
    if (!/^\w+=\w+$/.test(text)) throw new UsageError(`--object ${text}: give a binding and a class, such as ROOMS=Room`);
  }
  for (const text of queue ?? []) {
    if (!/^\w+=[a-z0-9]([a-z0-9-]{0,57}[a-z0-9])?$/.test(text)) throw new UsageError(`--queue ${text}: give a binding and the name of a queue, such as FIRED_TASKS=fired-tasks: at most 59 lower-case letters, digits and hyphens`);
  }
  if (tasks !== undefined && !/^\w+$/.test(tasks)) throw new UsageError(`--tasks ${tasks}: give the name of a class`);
  const plan = await planInit(folder, { config, objects: object, queues: queue, tasks, withDashboard: dashboard });
  console.log(plan.changes.length === 0 ? "The configuration has everything that the scheduler needs.\n" : describe(folder, plan));
  const isWanted = plan.changes.length > 0 && (yes || (await confirm()));
  if (isWanted) apply(plan);
  for (const note of plan.notes) console.log(`${note}\n`);
  if (plan.changes.length > 0) console.log(isWanted ? "Written. Next: npx durable-scheduler dev" : "Nothing was written. To write it, add --yes.");
  return 0;
}

async function confirm(): Promise<boolean> {
  if (process.stdin.isTTY !== true) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question("Write this? [y/N] ");
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

try {
  process.exitCode = await main();
} catch (error) {
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  // An error about a file needs no stack trace either.
  const isExpected = error instanceof UsageError || error instanceof CannotEdit || code.startsWith("ERR_PARSE_ARGS") || syscall !== undefined;
  console.error(isExpected ? (error as Error).message : error);
  process.exitCode = isExpected ? 2 : 1;
}
