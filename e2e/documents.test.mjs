// Checks that every command in docs/*.md does what its document says: with a scheduler of its own for
// each document, and with one for all of them.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { commandsOf, runDocument, shows } from "./documents.mjs";
import { Scheduler, until } from "./harness.mjs";

/** What a document needs in addition to the scheduler of `make dev`: `options`, and the functions `before` and `then`. */
const NEEDS = {
  "targets.md": {
    // Tasks that are due at once reach the example Worker, its object, its consumer and the
    // handler.
    then: async (scheduler) => {
      const done = async (id) => (await scheduler.call(`/v1/tasks/${id}`)).status === 404;
      for (const id of ["request", "rpc", "object", "object-rpc", "mine", "logged"]) await until(`${id} to be done`, () => done(id));
    },
  },
};

const folder = join(ROOT, "docs");
const names = (await readdir(folder)).filter((name) => name.endsWith(".md")).sort();
for (const name of names) {
  test(`the commands of docs/${name} do what it says`, async (t) => {
    const { options, before, then } = NEEDS[name] ?? {};
    const scheduler = await Scheduler.start({ shards: "4", ...options });
    t.after(() => scheduler.dispose());
    await before?.(scheduler);
    const { commands, shown } = await runDocument(scheduler, await readFile(join(folder, name), "utf8"));
    assert.ok(commands > 0 && shown > 0, "a document has at least one command whose answer it shows (see documents.mjs)");
    t.diagnostic(`${commands} commands, ${shown} answers shown`);
    await then?.(scheduler);
  });
}

for (const [order, inOrder] of [["in order", names], ["in the opposite order", names.toReversed()]]) {
  test(`the documents do not disturb each other, ${order}`, async (t) => {
    const scheduler = await Scheduler.start({ shards: "8" });
    t.after(() => scheduler.dispose());
    for (const name of inOrder) {
      await runDocument(scheduler, await readFile(join(folder, name), "utf8")).catch((error) => {
        throw new Error(`docs/${name}, after other documents: ${error.message}`);
      });
    }
  });
}

test("every entry of NEEDS has a document", async () => {
  assert.deepEqual(Object.keys(NEEDS).filter((name) => !names.includes(name)), []);
});

test("commands and their answers are read from a document", async () => {
  const document = "```sh\nKEY=1\nscripts/run wrangler secret put X\n# Words.\ncurl a \\\n  -d '{\"a\":\n 1}' # end\n# → {…}\n# → b\n\nfor n in 1 2; do\n  curl b\ndone\n```\n```text\ncurl c\n```\n";
  assert.deepEqual(await commandsOf(document), [
    { text: "curl a \\\n  -d '{\"a\":\n 1}' # end\n", shown: ["{…}", "b"] },
    { text: "for n in 1 2; do\n  curl b\ndone\n", shown: [] },
  ]);
});

test("an answer is compared with the shown one", () => {
  const answer = 'HTTP/1.1 200 OK\nETag: "00ff"\n\n{"id":"a","due":5,"tags":["x","y"],"of":{"n":[1,2]},"none":null}';
  for (const [shown, expected] of [
    ['{"id":"a",…}', true],
    ['{"id":"b",…}', false],
    ['{"id":"a"}', false],
    ['{"id":"a","due":…,"tags":["x","y"],"of":{"n":[1,2]},"none":null}', true],
    ['{"id":"…","tags":["x",…],…}', true],
    ['{"tags":["y",…],…}', false],
    ['{"tags":["x"],…}', false],
    ['{"of":{"n":[1,2],…},…}', true],
    ['{"of":{…},"due":5,…}', true],
    ['{"missing":…,…}', false],
    ['{"due":"5",…}', false],
    ["{…}", true],
    ["[…]", false],
    ['etag: "…"', true],
    ["ETag: 00", false],
    ["HTTP/1.1 200 …", true],
    ["HTTP/1.1 404 …", false],
  ]) {
    assert.equal(shows(shown, answer), expected, shown);
  }
});
