// Prints the queues that a Worker's configuration names, one a line: its producers', its consumers', and their dead-letter
// queues. Usage: node scripts/queues.mjs wrangler.toml [environment]

import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";

/** Returns the queues of a configuration, each once, in order of their names. */
export function queuesOf(config, env) {
  const { queues } = unstable_readConfig({ config, env });
  const consumed = (queues.consumers ?? []).flatMap(({ queue, dead_letter_queue }) => [queue, dead_letter_queue]);
  const named = [...(queues.producers ?? []).map(({ queue }) => queue), ...consumed].filter((queue) => queue !== undefined);
  return [...new Set(named)].sort();
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(queuesOf(argv[2], argv[3] || undefined).join("\n"));
