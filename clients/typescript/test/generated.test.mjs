import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { generate, TARGET } from "../scripts/generate.mjs";

test("the committed types are those of the API's document", async () => {
  const committed = await readFile(TARGET, "utf8");
  assert.ok(committed === (await generate()), "run: scripts/run node clients/typescript/scripts/generate.mjs");
});
