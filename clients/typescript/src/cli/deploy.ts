// `durable-scheduler deploy`: deploys the Worker, and makes the queues and secrets that it needs and that are missing.

import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { findConfig, readConfig, runWrangler, UsageError } from "./project.ts";
import { missing, queuesOf } from "./requirements.ts";

/** Secrets by their names, each with how to make one and whether to show it. */
const SECRETS = [
  { name: "API_KEYS", make: () => randomBytes(24).toString("hex"), isShown: true },
  // Receivers get keys that are derived from it, so nobody needs to see it.
  { name: "WEBHOOK_SIGNING_KEYS", make: () => `whsec_${randomBytes(32).toString("base64")}`, isShown: false },
] as const;

/**
 * Deploys the project in a folder. Further arguments go to `wrangler deploy`. Throws a `UsageError` if the configuration
 * lacks something, or if wrangler fails.
 */
export async function deploy(folder: string, { config, args }: { config?: string | undefined; args: readonly string[] }): Promise<void> {
  const path = config === undefined ? findConfig(folder) : resolve(folder, config);
  if (path === undefined) throw new UsageError("there is no wrangler configuration here: run durable-scheduler init");
  const settings = await readConfig(folder, path);
  const lacking = missing(settings).filter(({ path: [first] }) => first !== "vars");
  if (lacking.length > 0) throw new UsageError(`${path} lacks ${lacking.map((addition) => addition.path.join(".")).join(", ")}: run durable-scheduler init`);

  const chosen = ["--config", path];
  for (const queue of queuesOf(settings)) {
    const { status } = await runWrangler(folder, ["queues", "info", queue, ...chosen], { capture: true });
    if (status !== 0) await must(folder, ["queues", "create", queue, ...chosen]);
  }
  await must(folder, ["deploy", ...chosen, ...args]);
  await makeSecrets(folder, chosen);
}

async function makeSecrets(folder: string, chosen: readonly string[]): Promise<void> {
  const { status, output } = await runWrangler(folder, ["secret", "list", "--format", "json", ...chosen], { capture: true });
  if (status !== 0) throw new UsageError("wrangler secret list has failed: the Worker is deployed, and its secrets are not checked");
  const known = (JSON.parse(output.slice(output.indexOf("["))) as { name: string }[]).map(({ name }) => name);
  for (const { name, make, isShown } of SECRETS.filter((secret) => !known.includes(secret.name))) {
    const value = make();
    await must(folder, ["secret", "put", name, ...chosen], value);
    console.log(isShown ? `\n  ${name} is new. Keep it, it is not shown again:\n  ${value}\n` : `\n  ${name} is new.\n`);
  }
}

async function must(folder: string, args: readonly string[], input?: string): Promise<void> {
  const { status } = await runWrangler(folder, args, input === undefined ? {} : { input });
  if (status !== 0) throw new UsageError(`wrangler ${args.slice(0, 3).join(" ")} has failed`);
}
