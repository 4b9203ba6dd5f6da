// Prints the key that signs the webhooks of a namespace, for its receivers: `scripts/run node
// scripts/signing-key.mjs shop`. It reads the deployment's keys from the variable
// WEBHOOK_SIGNING_KEYS or from the standard input, and prints one line for each. The command
// `durable-scheduler signing-key` of the TypeScript package does the same.

import { readFileSync } from "node:fs";
import { namespaceKeys } from "../clients/typescript/src/cli/signing-key.ts";

const namespace = process.argv[2];
if (namespace === undefined) {
  console.error("usage: scripts/run node scripts/signing-key.mjs NAMESPACE, with WEBHOOK_SIGNING_KEYS in the environment or the standard input");
  process.exit(2);
}
try {
  for (const key of namespaceKeys(process.env.WEBHOOK_SIGNING_KEYS ?? readFileSync(0, "utf8"), namespace)) console.log(key);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
