// The examples of README.md, for the tests that compile and run them.

import { readFile } from "node:fs/promises";

/**
 * Returns the blocks of TypeScript: their text, the line of the file at which they begin, and whether they are modules for a
 * Worker, which have an export. The others run in Node, in their order.
 */
export async function readBlocks() {
  const text = await readFile(new URL("../README.md", import.meta.url), "utf8");
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(({ 1: code, index }) => ({
    code,
    line: text.slice(0, index).split("\n").length + 1,
    isWorker: /^export /m.test(code),
  }));
}
