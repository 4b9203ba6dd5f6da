// Makes the uploads of the two Workers. The scheduler has the settings of wrangler.toml, so that what is measured is what is deployed.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../paths.mjs";

/** The folder of the built Worker. */
export const BUILD = join(ROOT, "coordinator/build");
const HERE = join(ROOT, "scripts/smoke");
const SCRIPT = "application/javascript+module";

/** Settings that only the copy has: a handler that panics, and redeliveries within the time of a run. */
const VARS = { EXAMPLE_HANDLERS: "panics", VISIBILITY_TIMEOUT_SECONDS: "60", OWN_HOSTS: "" };

/** Returns the settings of wrangler.toml, as wrangler reads them. */
export async function readSettings() {
  // Wrangler takes a second to load, which a command that does nothing does not need.
  const { unstable_readConfig } = await import("wrangler");
  return unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
}

function form(metadata, modules) {
  const parts = new FormData();
  parts.set("metadata", JSON.stringify(metadata));
  for (const { name, type, contents } of modules) parts.set(name, new File([contents], name, { type }));
  return parts;
}

/**
 * Returns the upload of the scheduler that was built in the folder `build`. `secrets` are its texts by name, and `deploy` is the number of the
 * upload: only the first makes the classes of objects.
 */
export async function schedulerForm({ settings, names, build, secrets, deploy }) {
  const files = [["main.js", join(HERE, "worker.mjs")], ["index.js", join(build, "index.js")]];
  const modules = await Promise.all(files.map(async ([name, path]) => ({ name, type: SCRIPT, contents: await readFile(path) })));
  modules.push({ name: "index_bg.wasm", type: "application/wasm", contents: await readFile(join(build, "index_bg.wasm")) });
  const vars = { ...settings.vars, ...VARS, DEPLOY: String(deploy) };
  const queues = { DISPATCH_QUEUE: names.dispatch, FIRED_TASKS: names.fired };
  const { code_update_strategy: strategy, bindings: objects } = settings.durable_objects;
  const bindings = [
    ...Object.entries(vars).map(([name, text]) => ({ type: "plain_text", name, text })),
    ...Object.entries(secrets).map(([name, text]) => ({ type: "secret_text", name, text })),
    ...objects.map(({ name, class_name }) => ({ type: "durable_object_namespace", name, class_name })),
    ...settings.queues.producers.map(({ binding }) => ({ type: "queue", name: binding, queue_name: queues[binding] })),
  ];
  const steps = settings.migrations.map(({ tag: _, ...step }) => step);
  return form({
    main_module: "main.js",
    compatibility_date: settings.compatibility_date,
    compatibility_flags: settings.compatibility_flags,
    bindings,
    ...(strategy && { code_update_strategy: strategy }),
    ...(settings.observability && { observability: settings.observability }),
    ...(deploy === 1 && { migrations: { new_tag: settings.migrations.at(-1).tag, steps } }),
  }, modules);
}

/** Returns the upload of the receiver. */
export async function receiverForm(settings, key) {
  const contents = await readFile(join(HERE, "receiver.mjs"));
  return form({
    main_module: "receiver.js",
    compatibility_date: settings.compatibility_date,
    compatibility_flags: settings.compatibility_flags,
    bindings: [
      { type: "secret_text", name: "KEY", text: key },
      { type: "durable_object_namespace", name: "LEDGERS", class_name: "Ledger" },
    ],
    migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Ledger"] }] },
  }, [{ name: "receiver.js", type: SCRIPT, contents }]);
}

/** Returns the consumer of the dispatchers' queue, with the settings of wrangler.toml. */
export function dispatchConsumer(settings, names) {
  const [consumer] = settings.queues.consumers;
  return {
    type: "worker",
    script_name: names.scheduler,
    dead_letter_queue: names.dead,
    settings: {
      batch_size: consumer.max_batch_size,
      max_wait_time_ms: 1_000 * consumer.max_batch_timeout,
      max_retries: consumer.max_retries,
      retry_delay: consumer.retry_delay,
    },
  };
}

/** Returns the consumer of the queue for fired tasks. */
export const firedConsumer = (names) => ({
  type: "worker",
  script_name: names.receiver,
  settings: { batch_size: 10, max_wait_time_ms: 0, max_retries: 10, retry_delay: 1 },
});
