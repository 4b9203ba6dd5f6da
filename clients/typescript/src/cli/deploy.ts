// `durable-scheduler deploy`: deploys the Worker, and creates the queues and secrets that it lacks.

import { environmentOf, findConfig, optionIn, readConfig, runWrangler, UsageError } from "./project.ts";
import { mustExportObjects } from "./init.ts";
import { missing, mustAgree, queuesOf } from "./requirements.ts";
import { newKey, newSigningKey } from "./secrets.ts";
import { namespaceKeys } from "./signing-key.ts";

/** The secrets by name, each with a function that creates one, and a text to print with it. */
const SECRETS = [
  { name: "API_KEYS", make: newKey, note: () => "" },
  {
    name: "WEBHOOK_SIGNING_KEYS",
    make: newSigningKey,
    note: (value: string) => `  Receivers of webhooks verify with the key of their namespace, which durable-scheduler signing-key makes of it. The one of default:\n  ${namespaceKeys(value, "default")[0]}\n`,
  },
] as const;

/**
 * Deploys the project in a folder. Further arguments go to `wrangler deploy`. With `--env` or `--name` among them, the queues and secrets
 * are those of that Worker. With `--dry-run`, nothing is created. Throws a `UsageError` if the configuration lacks something, if the Worker
 * does not build, if nobody is logged in, or if wrangler fails.
 */
export async function deploy(folder: string, { config, args }: { config?: string | undefined; args: readonly string[] }): Promise<void> {
  const path = findConfig(folder, config);
  if (path === undefined) throw new UsageError("there is no wrangler configuration here: run durable-scheduler init");
  const env = environmentOf(args);
  const name = optionIn(args, ["--name"]);
  const settings = await readConfig(folder, path, env);
  const lacking = missing(settings).filter(({ path: [first] }) => first !== "vars");
  const where = env === undefined ? path : `env.${env} in ${path}`;
  if (lacking.length > 0) throw new UsageError(`${where} lacks ${lacking.map((addition) => addition.path.join(".")).join(", ")}: ${env === undefined ? "run durable-scheduler init" : "copy it from above"}`);
  mustAgree(path, settings);
  mustExportObjects(folder, settings);

  const chosen = ["--config", path];
  if (args.some((arg) => /^--dry-?run(=true)?$/i.test(arg))) return must(folder, ["deploy", ...chosen, ...args]);
  // Nothing is created for a Worker that does not build, or without an account.
  await mustBuild(folder, [...chosen, ...args]);
  const queues = queuesOf(settings);
  await mustBeLoggedIn(folder, `the Worker ${name ?? settings.name ?? ""}, those of the queues ${queues.join(" and ")} that are missing, and then those of the secrets ${SECRETS.map((secret) => secret.name).join(" and ")}`);
  for (const queue of queues) {
    const { status } = await runWrangler(folder, ["queues", "info", queue, ...chosen], { capture: true, quiet: true });
    if (status !== 0) await must(folder, ["queues", "create", queue, ...chosen]);
  }
  await must(folder, ["deploy", ...chosen, ...args]);
  await makeSecrets(folder, [...chosen, ...(env === undefined ? [] : ["--env", env]), ...(name === undefined ? [] : ["--name", name])]);
}

/** Throws a `UsageError` with wrangler's message if the Worker does not build. */
async function mustBuild(folder: string, args: readonly string[]): Promise<void> {
  const { status, output, errors } = await runWrangler(folder, ["deploy", "--dry-run", ...args], { capture: true, quiet: true });
  if (status !== 0) throw new UsageError(`${output}${errors}\nwrangler deploy --dry-run failed: nothing was created`);
}

/** Throws a `UsageError` that says what a deploy would create if wrangler says that nobody is logged in. */
async function mustBeLoggedIn(folder: string, what: string): Promise<void> {
  const { status, output } = await runWrangler(folder, ["whoami", "--json"], { capture: true, quiet: true });
  if (status !== 0 && /"loggedIn":\s*false/.test(output)) throw new UsageError(`you are not logged in: run npx wrangler login, or set CLOUDFLARE_API_TOKEN. Nothing was created. Deploy would create ${what}`);
}

async function makeSecrets(folder: string, chosen: readonly string[]): Promise<void> {
  const { status, output } = await runWrangler(folder, ["secret", "list", "--format", "json", ...chosen], { capture: true });
  if (status !== 0) throw new UsageError("wrangler secret list failed: the Worker is deployed, but its secrets were not checked");
  const known = secretsIn(output);
  if (known === undefined) throw new UsageError(`wrangler secret list printed no list: the Worker is deployed, but its secrets were not checked. It printed: ${output.trim()}`);
  for (const { name, make, note } of SECRETS.filter((secret) => !known.includes(secret.name))) {
    const value = make();
    await must(folder, ["secret", "put", name, ...chosen], value);
    console.log(`\n  ${name} is new. Keep it, it is not shown again:\n  ${value}\n${note(value)}`);
  }
}

/** Returns the names in a list of secrets, or undefined. Wrangler may have printed something before the list. */
function secretsIn(output: string): string[] | undefined {
  for (const { index } of output.matchAll(/^\s*\[/gm)) {
    try {
      return (JSON.parse(output.slice(index)) as { name: string }[]).map(({ name }) => name);
    } catch {
      // This bracket begins something else, such as [WARNING].
    }
  }
  return undefined;
}

async function must(folder: string, args: readonly string[], input?: string): Promise<void> {
  const { status } = await runWrangler(folder, args, input === undefined ? {} : { input });
  if (status !== 0) throw new UsageError(`wrangler ${args.slice(0, 3).join(" ")} failed`);
}
