// What a Worker needs in its wrangler configuration to hold the scheduler. A test holds this against wrangler.toml.

/** A migration that makes Durable Object classes. */
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

/** The binding of the queue by which the scheduler dispatches runs to itself. */
export const DISPATCH_BINDING = "DISPATCH_QUEUE";

/** How the Worker consumes that queue. Every value is written out, because the local runtime's defaults differ from production's. */
export const CONSUMER = { max_batch_size: 10, max_batch_timeout: 0, max_retries: 100, retry_delay: 5 } as const;

/** When the watchdog runs. */
export const CRON = "* * * * *";

/** The oldest compatibility date that the scheduler works with. */
export const COMPATIBILITY_DATE = "2026-11-17";

/** Variables with their values in a new project. The lists say what any task may call, apart from methods of `Scheduler` and `Tasks`. */
export const VARS = { SHARD_MAP: "16", DURABLE_OBJECT_BINDINGS: "", SERVICE_BINDINGS: "", QUEUE_BINDINGS: "", WEBHOOK_ALLOWED_HOSTS: "" } as const;

/** How the dashboard is served: as files, at / and /assets. What the scheduler's routes answer goes to the Worker first. */
export const ASSETS = {
  html_handling: "auto-trailing-slash",
  not_found_handling: "none",
  run_worker_first: ["/v1", "/v1/*", "/healthz", "/healthz/", "/openapi.json", "/openapi.json/", "/problems", "/problems/*", "/mcp", "/mcp/"],
} as const;

/** What the main module of the Worker exports for the scheduler. */
export const EXPORTS = 'export { Limiter, Registry, SchedulerEntrypoint, Shard, default } from "durable-scheduler/worker";';

/** The parts of a wrangler configuration that the scheduler needs, as wrangler reads them. */
export interface Config {
  name?: string | undefined;
  main?: string | undefined;
  compatibility_date?: string | undefined;
  vars?: Record<string, unknown> | undefined;
  durable_objects?: { bindings?: { name: string; class_name?: string }[] } | undefined;
  migrations?: { tag: string; new_sqlite_classes?: string[]; new_classes?: string[] }[] | undefined;
  services?: { binding: string; service: string; entrypoint?: string }[] | undefined;
  queues?: { producers?: { binding: string; queue: string }[]; consumers?: { queue: string; dead_letter_queue?: string }[] } | undefined;
  triggers?: { crons?: string[] | undefined } | undefined;
  assets?: { directory?: string } | undefined;
}

/** What a project wants besides the scheduler itself. */
export interface Wishes {
  /** Durable Objects of the project, each as `BINDING=Class`. */
  objects?: readonly string[] | undefined;
  /** A class that extends `Tasks`, to which the Worker binds itself as `TASKS`. */
  tasks?: string | undefined;
  /** The folder of the dashboard, which the Worker then serves at `/`. A Worker with assets of its own keeps them. */
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
 * Returns what is missing in a configuration. It is empty if the configuration has everything. Nothing that is there is
 * changed, and a migration is only ever added at the end.
 */
export function missing(config: Config, { objects = [], tasks, dashboard }: Wishes = {}): Addition[] {
  const name = config.name ?? "scheduler";
  const wished = objects.map((object) => object.split("=", 2) as [binding: string, className: string]);
  return [
    ...(config.compatibility_date === undefined ? [set(["compatibility_date"], COMPATIBILITY_DATE)] : []),
    ...Object.entries(VARS).flatMap(([variable, value]) => (config.vars?.[variable] === undefined ? [set(["vars", variable], value)] : [])),
    ...missingObjects(config, wished),
    ...missingQueue(config, name),
    ...(tasks === undefined || config.services?.some(({ binding }) => binding === "TASKS") ? [] : [item(["services"], { binding: "TASKS", service: name, entrypoint: tasks })]),
    ...(dashboard === undefined || config.assets !== undefined ? [] : [set(["assets"], { directory: dashboard, ...ASSETS })]),
    ...(config.triggers?.crons?.includes(CRON) ? [] : [item(["triggers", "crons"], CRON)]),
  ];
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

/** Returns a tag that no migration has: the number after that of the last `v<number>`, if the project counts so. */
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
  const queue = producers.find(({ binding }) => binding === DISPATCH_BINDING)?.queue ?? `${name}-dispatch`;
  return [
    ...(producers.some(({ binding }) => binding === DISPATCH_BINDING) ? [] : [item(["queues", "producers"], { binding: DISPATCH_BINDING, queue })]),
    ...(consumers.some((consumer) => consumer.queue === queue) ? [] : [item(["queues", "consumers"], { queue, ...CONSUMER, dead_letter_queue: `${queue}-dlq` })]),
  ];
}

/** Returns the names of all queues of a configuration, each once. */
export function queuesOf({ queues = {} }: Config): string[] {
  const { producers = [], consumers = [] } = queues;
  return [...new Set([...producers.map(({ queue }) => queue), ...consumers.flatMap(({ queue, dead_letter_queue }) => (dead_letter_queue === undefined ? [queue] : [queue, dead_letter_queue]))])];
}
