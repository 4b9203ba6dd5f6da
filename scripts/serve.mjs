// Runs the scheduler under workerd alone, for tests and measurements: `make serve`, or node
// scripts/serve.mjs --help. When it listens, it prints one line of JSON on stdout:
// {"url","key","storage","pid"}.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { claimStorage } from "../clients/typescript/src/cli/storage.ts";
import { ROOT } from "./paths.mjs";
import { startRuntime } from "./runtime.mjs";

const HELP = `options (each also as an environment variable):
  --port N           PORT               default 0, a free port
  --persist FOLDER   PERSIST            default .wrangler/serve: the tasks stay there between runs, and one scheduler at a time may use it
  --key KEY          API_KEYS           default a new one each time
  --shards MAP       SHARD_MAP          default as in wrangler.toml
  --visibility S     VISIBILITY_TIMEOUT_SECONDS
  --sink URL         SINK_URL           where the example consumer forwards fired tasks; default: it logs them
  --bench            BENCH_PARSE_ONLY=1 bulk requests are only parsed and answered
  --no-files         NO_FILES=1         does not serve the dashboard, for which the local runtime calls its own Workers at each request
  --var NAME=VALUE   any other variable of the Worker; may be repeated
  --verbose          also prints the runtime's own notes
  --with-parent      ends when stdin ends, which is when the calling process has ended`;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: process.env.PORT ?? "0" },
    persist: { type: "string", default: process.env.PERSIST ?? join(ROOT, ".wrangler/serve") },
    key: { type: "string", default: process.env.API_KEYS ?? randomBytes(24).toString("hex") },
    shards: { type: "string", default: process.env.SHARD_MAP },
    visibility: { type: "string", default: process.env.VISIBILITY_TIMEOUT_SECONDS },
    sink: { type: "string", default: process.env.SINK_URL },
    bench: { type: "boolean", default: process.env.BENCH_PARSE_ONLY === "1" },
    "no-files": { type: "boolean", default: process.env.NO_FILES === "1" },
    var: { type: "string", multiple: true, default: [] },
    verbose: { type: "boolean", default: false },
    "with-parent": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

/** Ends with what is wrong with an option, and what it takes. */
function refuse(option, given, takes) {
  console.error(`--${option} ${given}: give ${takes}`);
  process.exit(2);
}

/** Whether a text is a whole number within bounds, without anything around it. */
const isWithin = (text, least, most) => /^[0-9]{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most;

/** Whether a text is a shard map: a number for each epoch, or - for one that is dropped, but not the last. Bounds as in core/model/src/bounds/access.rs. */
function isShardMap(text) {
  const epochs = text.split(",").map((epoch) => epoch.trim());
  const isEpoch = (epoch, at) => isWithin(epoch, 1, 512) || (epoch === "-" && at < epochs.length - 1);
  return epochs.length <= 8 && epochs.every(isEpoch);
}

if (!isWithin(values.port, 0, 65_535)) refuse("port", values.port, "a port, 0 to 65535");
if (values.shards !== undefined && !isShardMap(values.shards)) {
  refuse("shards", values.shards, "a number of shards for each epoch, like 16 or 16,32; - for one that is dropped");
}
if (values.visibility !== undefined && !isWithin(values.visibility, 1, 345_600)) {
  refuse("visibility", values.visibility, "seconds, 1 to 345600");
}
if (!values.key) refuse("key", values.key, "a key that is not empty");
if (values.sink !== undefined && !URL.canParse(values.sink)) refuse("sink", values.sink, "a URL");

const vars = { API_KEYS: values.key };
if (values.shards) vars.SHARD_MAP = values.shards;
if (values.visibility) vars.VISIBILITY_TIMEOUT_SECONDS = values.visibility;
if (values.bench) vars.BENCH_PARSE_ONLY = "1";
for (const pair of values.var) {
  const at = pair.indexOf("=");
  if (at < 1) refuse("var", pair, "NAME=VALUE");
  vars[pair.slice(0, at)] = pair.slice(at + 1);
}

const port = Number(values.port);
await claimStorage(values.persist, { pid: process.pid, port: port === 0 ? undefined : port }, "give another folder with --persist").catch((error) => {
  console.error(error.message);
  process.exit(2);
});
const runtime = await startRuntime({
  port,
  storage: values.persist,
  vars,
  sink: values.sink,
  files: !values["no-files"],
  verbose: values.verbose,
});

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  await runtime.stop();
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
if (values["with-parent"]) process.stdin.on("end", stop).on("error", stop).resume();

console.log(JSON.stringify({ url: runtime.url, key: values.key, storage: values.persist, pid: process.pid }));
