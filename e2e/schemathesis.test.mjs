// Runs Schemathesis against the local scheduler. Requests that match the API's document are
// accepted, others are refused, and every answer matches its description. The expected differences,
// and their reasons, are in e2e/schemathesis/schemathesis.toml.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { Scheduler } from "./harness.mjs";

const FOLDER = join(ROOT, "e2e/schemathesis");
/** The time limit, and the seed, which is fixed in an ordinary run of the tests; `random` gives a new one each time. */
const { API_FUZZ_SECONDS = "60", API_FUZZ_SEED = "1432023920" } = process.env;
const SECONDS = Number(API_FUZZ_SECONDS);
const SEED = API_FUZZ_SEED === "random" ? randomBytes(4).readUInt32LE() : API_FUZZ_SEED;
/** Schemathesis is a Python package, and not every Python can install one: see scripts/setup.sh. */
const skip = existsSync(process.env.SCHEMATHESIS ?? "") ? false : "python3 has neither pip nor venv, so Schemathesis is not installed";

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "2" });
});
after(() => scheduler?.dispose());

test(`nothing is found in ${SECONDS} seconds`, { skip, timeout: (SECONDS + 120) * 1_000 }, async () => {
  const args = [
    ["-m", "schemathesis.cli", "--config-file", join(FOLDER, "schemathesis.toml")],
    ["run", join(ROOT, "coordinator/openapi.json"), "--url", scheduler.url, "--max-time", SECONDS, "--no-color"],
    ["--seed", SEED],
  ].flat();
  const env = {
    ...process.env,
    PYTHONPATH: `${process.env.SCHEMATHESIS}:${FOLDER}`,
    PYTHONDONTWRITEBYTECODE: "1",
    SCHEDULER_KEY: scheduler.key,
    SCHEMATHESIS_HOOKS: "hooks",
  };
  // Schemathesis may write its cache there.
  const child = spawn("python3", args.map(String), { cwd: join(ROOT, ".wrangler"), env, stdio: ["ignore", "pipe", "pipe"] });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output.push(text));
  const [status] = await once(child, "close");
  const text = output.join("");
  assert.equal(status, 0, text);
  // A run that tests nothing would find nothing. A busy machine tests some 20 operations in a minute.
  assert.ok(Number(/^ +Tested: (\d+)/m.exec(text)?.[1]) > 10, text);
  console.log(text.slice(text.indexOf("= SUMMARY =")).replaceAll(/^/gm, "# "));
});
