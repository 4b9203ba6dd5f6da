// What a Worker with the scheduler needs in its wrangler configuration. A test compares this with wrangler.toml.

import { basename } from "node:path";
import { refuseDate } from "../compatibility.ts";
import { UsageError } from "./project.ts";

/** A migration that creates Durable Object classes. */
export interface Migration {
  tag: string;
  new_sqlite_classes: string[];
}

/** The Durable Objects of the scheduler: binding and class, in the order in which releases have added them. */
export const OBJECTS: readonly (readonly [binding: string, className: string])[] = [
  ["SHARDS", "Shard"],
  ["REGISTRY", "Registry"],
  ["LIMITERS", "Limiter"],
];

/** The binding of the queue through which the scheduler dispatches runs to itself. */
export const DISPATCH_BINDING = "DISPATCH_QUEUE";

/** The consumer of that queue. Every value is given, because the local runtime's defaults differ from production's. */
export const CONSUMER = { max_batch_size: 1, max_batch_timeout: 0, max_retries: 100, retry_delay: 5 } as const;

/** When the watchdog runs. Earlier versions ran it every minute, which also does. */
export const CRON = "*/5 * * * *";
const EARLIER_CRON = "* * * * *";

/** The compatibility date of a new project. The scheduler is tested with it, and with the oldest one. */
export const COMPATIBILITY_DATE = "2026-11-17";

/** The variables of a new project. The lists say what any task may call, in addition to methods of `Scheduler` and `Tasks`. */
export const VARS = { SHARD_MAP: "8", DURABLE_OBJECT_BINDINGS: "", SERVICE_BINDINGS: "", QUEUE_BINDINGS: "", WEBHOOK_ALLOWED_HOSTS: "" } as const;

/** The files of the dashboard, at / and /assets. The Worker gets requests for the scheduler's routes first. */
export const ASSETS = {
  html_handling: "auto-trailing-slash",
  not_found_handling: "none",
  run_worker_first: ["/v1", "/v1/*", "/healthz", "/healthz/", "/openapi.json", "/openapi.json/", "/problems", "/problems/*", "/mcp", "/mcp/"],
} as const;

/** The exports of the Worker's main module for the scheduler. */
export const EXPORTS = 'export { Limiter, Registry, SchedulerEntrypoint, Shard, default } from "durable-scheduler/worker";';

/** The parts of a wrangler configuration that the scheduler needs, as wrangler reads them. */
export interface Config {
  name?: string | undefined;
  main?: string | undefined;
  compatibility_date?: string | undefined;
  vars?: Record<string, unknown> | undefined;
  durable_objects?: { bindings?: { name: string; class_name?: string; script_name?: string }[] } | undefined;
  migrations?: { tag: string; new_sqlite_classes?: string[]; new_classes?: string[] }[] | undefined;
  services?: { binding: string; service: string; entrypoint?: string }[] | undefined;
  queues?: { producers?: { binding: string; queue: string }[]; consumers?: { queue: string; dead_letter_queue?: string }[] } | undefined;
  triggers?: { crons?: string[] | undefined } | undefined;
  assets?: { directory?: string } | undefined;
  /** The names of its environments. */
  definedEnvironments?: string[] | undefined;
}

/** What a project wants in addition to the scheduler. */
export interface Wishes {
  /** Durable Objects of the project, each as `BINDING=Class`. */
  objects?: readonly string[] | undefined;
  /** Queues of the project that tasks may name, each as `BINDING=queue`. The Worker also consumes them. */
  queues?: readonly string[] | undefined;
  /** A class that extends `Tasks`, to which the Worker binds itself as `TASKS`. */
  tasks?: string | undefined;
  /** The folder of the dashboard, which the Worker then serves at `/`. A Worker that has assets keeps its own. */
  dashboard?: string | undefined;
}

/** One addition to a configuration: a value at a path, or at the end of the list at a path. */
export interface Addition {
  path: readonly string[];
  /** Whether the value goes to the end of a list. */
  isItem: boolean;
  value: unknown;
}

/**
 * Returns what a configuration lacks; empty if it lacks nothing. Existing values do not change, except the list `QUEUE_BINDINGS`, which
 * grows. Migrations are added at the end only.
 */
export function missing(config: Config, { objects = [], queues = [], tasks, dashboard }: Wishes = {}): Addition[] {
  const name = config.name ?? "scheduler";
  const wished = pairs([...new Set(objects)]);
  const own = pairs([...new Set(queues)]);
  // Existing names stay, in their order.
  const known = String(config.vars?.QUEUE_BINDINGS ?? "");
  const names = new Set(known.split(",").map((binding) => binding.trim()));
  const listed = [...(known === "" ? [] : [known]), ...own.map(([binding]) => binding).filter((binding) => !names.has(binding))].join(",");
  return [
    ...(config.compatibility_date === undefined ? [set(["compatibility_date"], COMPATIBILITY_DATE)] : []),
    ...Object.entries({ ...VARS, QUEUE_BINDINGS: listed }).flatMap(([variable, value]) => (config.vars?.[variable] === undefined || (variable === "QUEUE_BINDINGS" && value !== config.vars[variable]) ? [set(["vars", variable], value)] : [])),
    ...missingObjects(config, wished),
    ...missingQueue(config, name),
    ...own.flatMap(([binding, queue]) => missingOwnQueue(config, binding, queue)),
    ...(tasks === undefined || config.services?.some(({ binding }) => binding === "TASKS") ? [] : [item(["services"], { binding: "TASKS", service: name, entrypoint: tasks })]),
    ...(dashboard === undefined || config.assets !== undefined ? [] : [set(["assets"], { directory: dashboard, ...ASSETS })]),
    ...(config.triggers?.crons?.some((cron) => cron === CRON || cron === EARLIER_CRON) ? [] : [item(["triggers", "crons"], CRON)]),
  ];
}

/** Returns the values that differ from what the scheduler or a wish needs, each as a sentence: bindings, and the compatibility date. */
export function conflicts(config: Config, { objects = [], queues = [], tasks }: Wishes = {}): string[] {
  const bound = new Map(config.durable_objects?.bindings?.map((binding) => [binding.name, binding]));
  const ofObjects = [...OBJECTS, ...pairs(objects)].flatMap(([binding, className]) => {
    const { class_name, script_name } = bound.get(binding) ?? { class_name: className };
    return class_name === className && script_name === undefined ? [] : [`the binding ${binding} has to lead to the class ${className} of this Worker, and leads to ${class_name}${script_name === undefined ? "" : ` of ${script_name}`}`];
  });
  const leading = [...(config.durable_objects?.bindings ?? []), ...pairs(objects).map(([name, class_name]) => ({ name, class_name, script_name: undefined }))];
  const ofClasses = OBJECTS.flatMap(([binding, className]) => {
    // A Worker exports one class of a name.
    const other = leading.find(({ name, class_name, script_name }) => name !== binding && class_name === className && script_name === undefined);
    return other === undefined ? [] : [`the binding ${other.name} leads to a class ${className}, which is the name of a class of the scheduler: rename yours, or keep the scheduler in a Worker of its own`];
  });
  const service = tasks === undefined ? undefined : config.services?.find(({ binding }) => binding === "TASKS");
  const isOther = service !== undefined && (service.service !== config.name || service.entrypoint !== tasks);
  const ofQueues = pairs(queues).flatMap(([binding, queue]) => {
    const found = config.queues?.producers?.find((producer) => producer.binding === binding)?.queue ?? queue;
    return found === queue ? [] : [`the binding ${binding} has to lead to the queue ${queue}, and leads to ${found}`];
  });
  const ofDate = config.compatibility_date === undefined ? undefined : refuseDate(config.compatibility_date);
  return [...(ofDate === undefined ? [] : [ofDate]), ...ofObjects, ...ofClasses, ...ofQueues, ...(isOther ? [`the binding TASKS leads to ${service.entrypoint ?? "the default export"} of ${service.service}: bind ${tasks} by another name, and give it "static override binding" with that name`] : [])];
}

/** Throws a `UsageError` with the conflicts of the configuration at a path. */
export function mustAgree(path: string, config: Config, wishes: Wishes = {}): void {
  const problems = conflicts(config, wishes);
  if (problems.length > 0) throw new UsageError(`${basename(path)}: ${problems.join("; ")}`);
}

function pairs(objects: readonly string[]): [binding: string, className: string][] {
  return objects.map((object) => object.split("=", 2) as [binding: string, className: string]);
}

const set = (path: string[], value: unknown): Addition => ({ path, isItem: false, value });
const item = (path: string[], value: unknown): Addition => ({ path, isItem: true, value });

function missingObjects({ durable_objects, migrations = [] }: Config, more: readonly (readonly [binding: string, className: string])[]): Addition[] {
  const objects = [...OBJECTS, ...more];
  const bound = new Set(durable_objects?.bindings?.map(({ name }) => name));
  const made = new Set(migrations.flatMap(({ new_sqlite_classes = [], new_classes = [] }) => [...new_sqlite_classes, ...new_classes]));
  const classes = objects.map(([, className]) => className).filter((className) => !made.has(className));
  return [
    ...objects.filter(([binding]) => !bound.has(binding)).map(([binding, className]) => item(["durable_objects", "bindings"], { name: binding, class_name: className })),
    ...(classes.length === 0 ? [] : [item(["migrations"], { tag: nextTag(migrations), new_sqlite_classes: classes })]),
  ];
}

/** Returns a new tag for a migration: the number after the last `v<number>`, if the project uses such tags. */
function nextTag(migrations: readonly { tag: string }[]): string {
  const last = migrations.at(-1)?.tag;
  const number = last === undefined ? 0 : Number(/^v(\d+)$/.exec(last)?.[1]);
  const tags = new Set(migrations.map(({ tag }) => tag));
  for (let next = Number.isNaN(number) ? 1 : number + 1; ; next += 1) {
    const tag = Number.isNaN(number) ? `durable-scheduler-${next}` : `v${next}`;
    if (!tags.has(tag)) return tag;
  }
}

function missingQueue({ queues = {} }: Config, name: string): Addition[] {
  const { producers = [], consumers = [] } = queues;
  const queue = producers.find(({ binding }) => binding === DISPATCH_BINDING)?.queue ?? queueOf(name);
  return [
    ...(producers.some(({ binding }) => binding === DISPATCH_BINDING) ? [] : [item(["queues", "producers"], { binding: DISPATCH_BINDING, queue })]),
    ...(consumers.some((consumer) => consumer.queue === queue) ? [] : [item(["queues", "consumers"], { queue, ...CONSUMER, dead_letter_queue: `${queue}-dlq` })]),
  ];
}

function missingOwnQueue({ queues = {} }: Config, binding: string, queue: string): Addition[] {
  const { producers = [], consumers = [] } = queues;
  return [
    ...(producers.some((producer) => producer.binding === binding) ? [] : [item(["queues", "producers"], { binding, queue })]),
    ...(consumers.some((consumer) => consumer.queue === queue) ? [] : [item(["queues", "consumers"], { queue, dead_letter_queue: `${queue}-dlq` })]),
  ];
}

/** The most characters of a queue's name: 63 lower-case letters, digits and hyphens, less what the name of the dead-letter queue adds. */
const MAX_QUEUE_NAME = 63 - "-dispatch-dlq".length;

/** Returns the name of the queue of a Worker. */
function queueOf(name: string): string {
  const start = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, MAX_QUEUE_NAME).replace(/^-+|-+$/g, "");
  return `${start || "scheduler"}-dispatch`;
}

/** Returns the names of all queues of a configuration, each once. */
export function queuesOf({ queues = {} }: Config): string[] {
  const { producers = [], consumers = [] } = queues;
  return [...new Set([...producers.map(({ queue }) => queue), ...consumers.flatMap(({ queue, dead_letter_queue }) => (dead_letter_queue === undefined ? [queue] : [queue, dead_letter_queue]))])];
}
