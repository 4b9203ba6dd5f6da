// `durable-scheduler deploy`: deploys the Worker, and makes the queues and secrets that it needs and that are missing.

import { randomBytes } from "node:crypto";
import { findConfig, readConfig, runWrangler, UsageError } from "./project.ts";
import { missing, mustAgree, queuesOf } from "./requirements.ts";

/** Secrets by their names, each with how to make one and whether to show it. */
const SECRETS = [
  { name: "API_KEYS", make: () => randomBytes(24).toString("hex"), isShown: true },
  // Receivers get keys that are derived from it, so nobody needs to see it.
  { name: "WEBHOOK_SIGNING_KEYS", make: () => `whsec_${randomBytes(32).toString("base64")}`, isShown: false },
] as const;

/**
 * Deploys the project in a folder. Further arguments go to `wrangler deploy`. With `--env` or `--name` among them, the queues and secrets
 * are those of that Worker, and with `--dry-run` nothing is made. Throws a `UsageError` if the configuration lacks something, or if
 * wrangler fails.
 */
export async function deploy(folder: string, { config, args }: { config?: string | undefined; args: readonly string[] }): Promise<void> {
  const path = findConfig(folder, config);
  if (path === undefined) throw new UsageError("there is no wrangler configuration here: run durable-scheduler init");
  const env = optionIn(args, ["--env", "-e"]) ?? process.env.CLOUDFLARE_ENV;
  const name = optionIn(args, ["--name"]);
  const settings = await readConfig(folder, path, env);
  const lacking = missing(settings).filter(({ path: [first] }) => first !== "vars");
  const where = env === undefined ? path : `env.${env} in ${path}`;
  if (lacking.length > 0) throw new UsageError(`${where} lacks ${lacking.map((addition) => addition.path.join(".")).join(", ")}: ${env === undefined ? "run durable-scheduler init" : "copy it from above"}`);
  mustAgree(path, settings);

  const chosen = ["--config", path];
  if (args.includes("--dry-run")) return must(folder, ["deploy", ...chosen, ...args]);
  for (const queue of queuesOf(settings)) {
    const { status } = await runWrangler(folder, ["queues", "info", queue, ...chosen], { capture: true, quiet: true });
    if (status !== 0) await must(folder, ["queues", "create", queue, ...chosen]);
  }
  await must(folder, ["deploy", ...chosen, ...args]);
  await makeSecrets(folder, [...chosen, ...(env === undefined ? [] : ["--env", env]), ...(name === undefined ? [] : ["--name", name])]);
}

/** Returns the value of an option among arguments, or undefined. */
function optionIn(args: readonly string[], names: readonly string[]): string | undefined {
  for (const [at, arg] of args.entries()) {
    if (names.includes(arg)) return args[at + 1];
    const name = names.find((name) => arg.startsWith(`${name}=`));
    if (name !== undefined) return arg.slice(name.length + 1);
  }
  return undefined;
}

async function makeSecrets(folder: string, chosen: readonly string[]): Promise<void> {
  const { status, output } = await runWrangler(folder, ["secret", "list", "--format", "json", ...chosen], { capture: true });
  if (status !== 0) throw new UsageError("wrangler secret list has failed: the Worker is deployed, and its secrets are not checked");
  const known = secretsIn(output);
  if (known === undefined) throw new UsageError(`wrangler secret list has printed no list: the Worker is deployed, and its secrets are not checked. It printed: ${output.trim()}`);
  for (const { name, make, isShown } of SECRETS.filter((secret) => !known.includes(secret.name))) {
    const value = make();
    await must(folder, ["secret", "put", name, ...chosen], value);
    console.log(isShown ? `\n  ${name} is new. Keep it, it is not shown again:\n  ${value}\n` : `\n  ${name} is new.\n`);
  }
}

/** Returns the names in a list of secrets, in front of which wrangler may have printed something else, or undefined. */
function secretsIn(output: string): string[] | undefined {
  for (const { index } of output.matchAll(/^\s*\[/gm)) {
    try {
      return (JSON.parse(output.slice(index)) as { name: string }[]).map(({ name }) => name);
    } catch {
      // It is something else, such as [WARNING].
    }
  }
  return undefined;
}

async function must(folder: string, args: readonly string[], input?: string): Promise<void> {
  const { status } = await runWrangler(folder, args, input === undefined ? {} : { input });
  if (status !== 0) throw new UsageError(`wrangler ${args.slice(0, 3).join(" ")} has failed`);
}
