// `durable-scheduler init`: adds what a project needs to its wrangler configuration.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { diff } from "./diff.ts";
import { addTo, CannotEdit } from "./edit.ts";
import { hasDefault, lacksScheduler } from "./source.ts";
import { DASHBOARD, findConfig, readConfig, readText, UsageError } from "./project.ts";
import { type Addition, COMPATIBILITY_DATE, type Config, CRON, DISPATCH_BINDING, EXPORTS, missing, mustAgree, type Wishes } from "./requirements.ts";

/** A change of a file: its text before and after. */
export interface FileChange {
  path: string;
  /** Empty for a new file. */
  before: string;
  after: string;
}

/** The changes that `init` would make. */
export interface Plan {
  changes: FileChange[];
  /** The steps that the user must do by hand. */
  notes: string[];
}

/** Plans the additions that the project in a folder needs. Writes nothing. */
export async function planInit(folder: string, { withDashboard = false, config: given, ...wished }: Omit<Wishes, "dashboard"> & { config?: string | undefined; withDashboard?: boolean }): Promise<Plan> {
  const path = findConfig(folder, given);
  const wishes = withDashboard ? { ...wished, dashboard: relative(path === undefined ? folder : dirname(path), DASHBOARD) } : wished;
  if (path === undefined) return newProject(folder, wishes);
  const config = await readConfig(folder, path);
  mustAgree(path, config, wishes);
  const additions = missing(config, wishes);
  const before = readFileSync(path, "utf8");
  const after = addTo(before, path, additions);
  const read = await readText(folder, path, after).catch((error: unknown) => {
    throw error instanceof UsageError ? new CannotEdit(`${basename(path)} cannot be extended. ${error.message.replaceAll(/\.[0-9a-f-]{36}\./g, "")}`) : error;
  });
  if (!isDeepStrictEqual(plain(read), plain(withAdditions(config, additions)))) {
    throw new CannotEdit(`${basename(path)} cannot be extended safely: add this by hand: ${JSON.stringify(additions)}`);
  }
  const changes = [...(after === before ? [] : [{ path, before, after }]), ...ignored(folder)];
  return { changes, notes: notesOn(folder, config) };
}

/** Returns the change of `.gitignore` that keeps keys and the local storage out of git. */
function ignored(folder: string): FileChange[] {
  const path = join(folder, ".gitignore");
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  const known = new Set(before.split("\n").map((line) => line.trim().replace(/^\/|\/$/g, "")));
  // The key for this machine is in the first of these files, or in the second if there is a .env: see dev.ts.
  const secret = existsSync(join(folder, ".env")) && !existsSync(join(folder, ".dev.vars")) ? ".env.local" : ".dev.vars";
  const missingLines = [".wrangler", secret].filter((line) => !known.has(line));
  return missingLines.length === 0 ? [] : [{ path, before, after: `${before === "" ? "" : `${before.trimEnd()}\n`}${missingLines.join("\n")}\n` }];
}

/** Returns the relevant parts of a configuration, without prototypes and absent members. */
function plain({ name, main, compatibility_date, vars, durable_objects, migrations, services, queues, triggers, assets }: Config): unknown {
  return JSON.parse(JSON.stringify({ name, main, compatibility_date, vars, durable_objects, migrations, services, queues, triggers, assets }));
}

/** Returns a configuration with additions, to compare the edited text with. */
function withAdditions(config: Config, additions: readonly Addition[]): Config {
  const result = structuredClone(config) as Record<string, unknown>;
  for (const { path, isItem, value } of additions) {
    let target = result;
    for (const name of path.slice(0, -1)) target = (target[name] ??= {}) as Record<string, unknown>;
    const last = path.at(-1) ?? "";
    target[last] = isItem ? [...((target[last] as unknown[] | undefined) ?? []), value] : value;
  }
  return result as Config;
}

function notesOn(folder: string, config: Config): string[] {
  const { main, definedEnvironments = [] } = config;
  const notes: string[] = [];
  if (definedEnvironments.length > 0) {
    notes.push(`Bindings and variables are not inherited: repeat durable_objects, queues and vars in each environment that holds the scheduler (${definedEnvironments.map((name) => `env.${name}`).join(", ")}), with queues of its own.`);
  }
  const where = main === undefined ? "your main module" : relative(folder, main);
  const source = main !== undefined && existsSync(main) ? readFileSync(main, "utf8") : "";
  const lacksExports = !source.includes("durable-scheduler/worker");
  if (lacksExports && !hasDefault(source)) notes.push(`Add this to ${where}:\n\n${EXPORTS}`);
  else if (lacksExports || lacksScheduler(source)) {
    notes.push(`The default export of ${where} has to be a class that extends SchedulerWorker, because no task would run otherwise. Move your handlers into it, such as:\n\n${defaultClass(config, lacksExports)}`);
  }
  return notes;
}

/** Returns the source of a default export with the scheduler and with places for the project's own handlers. */
function defaultClass({ queues, triggers }: Config, withExports: boolean): string {
  const dispatch = queues?.producers?.find(({ binding }) => binding === DISPATCH_BINDING)?.queue;
  const queue = queues?.consumers?.find((consumer) => consumer.queue !== dispatch)?.queue;
  const cron = triggers?.crons?.find((found) => found !== CRON);
  return [
    'import { SchedulerWorker } from "durable-scheduler/worker";',
    ...(withExports ? [EXPORTS_WITHOUT_DEFAULT] : []),
    "",
    "export default class extends SchedulerWorker {",
    "  async fetch(request) {",
    "    // Your own routes; then:",
    "    return super.fetch(request);",
    "  }",
    ...(queue === undefined ? [] : ["  async queue(batch) {", `    if (batch.queue !== ${JSON.stringify(queue)}) return super.queue(batch);`, "    // Your own queue.", "  }"]),
    ...(cron === undefined ? [] : ["  async scheduled(controller) {", `    if (controller.cron !== ${JSON.stringify(cron)}) return super.scheduled(controller);`, "    // Your own cron trigger.", "  }"]),
    "}",
  ].join("\n");
}

/** Plans a project of three files: the configuration, the Worker and .gitignore. Existing files stay. */
function newProject(folder: string, wishes: Wishes): Plan {
  const name = basename(resolve(folder)).toLowerCase().replace(/[^a-z0-9-]+/g, "-").slice(0, MAX_WORKER_NAME).replace(/^-+|-+$/g, "") || "scheduler";
  const start: Config = { name, main: "src/index.ts", compatibility_date: COMPATIBILITY_DATE };
  const additions = missing(start, wishes);
  const text = addTo(`${JSON.stringify(start, undefined, 2)}\n`, "wrangler.jsonc", additions);
  const files: [string, string][] = [
    ["wrangler.jsonc", text],
    ["src/index.ts", newWorker(wishes)],
    [".gitignore", "node_modules\n.wrangler\n.dev.vars\n"],
  ];
  const changes = files.map(([file, after]) => ({ path: join(folder, file), before: "", after })).filter(({ path }) => !existsSync(path));
  const main = join(folder, "src/index.ts");
  const isNew = changes.some(({ path }) => basename(path) === ".gitignore");
  return { changes: [...changes, ...(isNew ? [] : ignored(folder))], notes: existsSync(main) ? notesOn(folder, { main }) : [] };
}

/** What the main module exports if it has a default export of its own. */
const EXPORTS_WITHOUT_DEFAULT = EXPORTS.replace(", default", "");

/** The most characters of a Worker's name. */
const MAX_WORKER_NAME = 63;

/** Returns the source of a Worker with the scheduler, and with the requested classes and consumer, for the user to fill in. */
function newWorker({ objects = [], tasks, queues = [] }: Wishes): string {
  // Two bindings may lead to one class, or to one queue.
  const classes = new Map([...objects.map((object) => [object.split("=", 2)[1] ?? "", "Scheduler"] as const), ...(tasks === undefined ? [] : [[tasks, "Tasks"] as const])]);
  const names = [...new Set(queues.map((queue) => queue.split("=", 2)[1] ?? ""))];
  const imports = [
    ...(classes.size === 0 ? [] : [`import { ${[...new Set(classes.values())].sort().join(", ")} } from "durable-scheduler";`]),
    ...(names.length === 0 ? [] : ['import { consume } from "durable-scheduler/consumer";', 'import { SchedulerWorker } from "durable-scheduler/worker";']),
  ];
  const parts = [
    ...(imports.length === 0 ? [] : [imports.join("\n")]),
    names.length === 0 ? EXPORTS : EXPORTS_WITHOUT_DEFAULT,
    ...[...classes].map(([name, base]) => `export class ${name} extends ${base} {}`),
    ...(names.length === 0 ? [] : [consumerOf(names)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Returns a default export that holds the scheduler and consumes queues of the project. */
function consumerOf(queues: readonly string[]): string {
  const isOther = queues.length === 1 ? `batch.queue !== ${JSON.stringify(queues[0])}` : `![${queues.map((queue) => JSON.stringify(queue)).join(", ")}].includes(batch.queue)`;
  return [
    "export default class extends SchedulerWorker {",
    "  override async queue(batch: MessageBatch): Promise<void> {",
    `    if (${isOther}) return super.queue(batch);`,
    '    await consume(batch, (task) => console.log("fired", task.id, task.payload));',
    "  }",
    "}",
  ].join("\n");
}

/** Returns a plan as text: the differences in each file. */
export function describe(folder: string, { changes }: Plan): string {
  return changes.map(({ path, before, after }) => `${relative(folder, path)}${before === "" ? " (new)" : ""}\n${before === "" ? indent(after) : diff(before, after)}\n`).join("\n");
}

const indent = (text: string) => text.trimEnd().replace(/^/gm, "+ ");

/** Writes the files of a plan. Throws a `UsageError` if one has changed since it was planned. */
export function apply({ changes }: Plan): void {
  for (const { path, before } of changes) {
    if ((existsSync(path) ? readFileSync(path, "utf8") : "") !== before) throw new UsageError(`${path} has changed in the meantime: start again`);
  }
  for (const { path, after } of changes) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, after);
  }
}
