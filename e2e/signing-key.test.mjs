// Tests the tool that prints the signing keys of a namespace. It accepts and refuses the same keys
// as the Worker.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";

const run = (keys) =>
  spawnSync(process.execPath, [join(ROOT, "scripts/signing-key.mjs"), "shop"], { env: { WEBHOOK_SIGNING_KEYS: keys }, encoding: "utf8" });
const key = (bytes) => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;

test("a key that the Worker refuses is refused in one line, by its place and without its text", () => {
  const short = "c2hvcnQ=";
  for (const [bad, problem] of [
    [key(32).replace("whsec_", ""), "does not begin with whsec_"],
    [key(32).replace("whsec_", "whsec-"), "does not begin with whsec_"],
    [`whsec_${"not base64!".repeat(4)}`, "is not base64 after whsec_"],
    [`${key(33)}=`, "is not base64 after whsec_"],
    // Base64 for URLs, and an extra digit.
    [key(32).replace("Bw", "-_"), "is not base64 after whsec_"],
    [`${key(33)}A`, "is not base64 after whsec_"],
    // The last digit has unused bits.
    [`whsec_${"A".repeat(42)}B`, "is not base64 after whsec_"],
    [`whsec_${short}`, "has 5 bytes, not 24 to 64"],
    [key(23), "has 23 bytes, not 24 to 64"],
    [key(65), "has 65 bytes, not 24 to 64"],
  ]) {
    for (const [keys, place] of [[bad, 1], [`${key(32)}, ${bad}`, 2]]) {
      const { status, stdout, stderr } = run(keys);
      assert.deepEqual([status, stdout, stderr], [1, "", `WEBHOOK_SIGNING_KEYS: key ${place} ${problem}\n`], keys);
    }
  }
  assert.deepEqual(run(" ,").stderr, "WEBHOOK_SIGNING_KEYS: there is no key\n");
});

test("a key of 24 to 64 bytes gives a line, with and without padding", () => {
  for (const bytes of [24, 25, 32, 64]) {
    const { status, stdout } = run(`${key(bytes)},${key(bytes).replace(/=+$/, "")}`);
    const [padded, bare, end] = stdout.split("\n");
    assert.equal(status, 0);
    assert.match(padded, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.deepEqual([bare, end], [padded, ""]);
  }
});
