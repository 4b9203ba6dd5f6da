// Passes on the lines of `wrangler dev`, for scripts/dev.sh. Prints the text in the variable WHEN_READY after the line that says that the
// runtime is ready, so that it is the last thing on the screen.

import { createInterface } from "node:readline";
import { env, stdin, stdout } from "node:process";

const READY = /Ready on http/;
/** What wrangler prints in place of the name of a Worker with a build command of its own. */
const NAMELESS = "[undefined]";

// Ctrl-C also ends wrangler, whose last lines are still to come.
process.on("SIGINT", () => {});

let isReady = false;
for await (const line of createInterface({ input: stdin, crlfDelay: Infinity })) {
  stdout.write(`${line.replace(NAMELESS, "[scheduler]")}\n`);
  if (isReady || !READY.test(line)) continue;
  isReady = true;
  stdout.write(`${env.WHEN_READY ?? ""}\n`);
}
