// The blocks of code in README.md: which there are, and which test runs each of them.

import { readFile } from "node:fs/promises";

/**
 * Which test runs the blocks of a section, by their language: the path of its file in this folder. exports.test.mjs also compiles
 * those of TypeScript, and fails if a block is missing here.
 */
const RUN_BY = {
  "durable-scheduler": { ts: "e2e/readme.test.mjs" },
  Connect: { ts: "e2e/readme.test.mjs" },
  Schedule: { ts: "e2e/readme.test.mjs" },
  "Find and change": { ts: "e2e/readme.test.mjs" },
  "What failed": { ts: "e2e/readme.test.mjs" },
  Events: { ts: "e2e/readme.test.mjs" },
  "Errors, repeats and time": { ts: "e2e/readme.test.mjs" },
  "A queue of your own": { ts: "e2e/readme.test.mjs" },
  Webhooks: { ts: "e2e/readme.test.mjs" },
  "The scheduler in your Worker": { json: "tarball.test.mjs", sh: "tarball.test.mjs", ts: "tarball.test.mjs" },
  "A queue and a cron trigger beside the scheduler": { sh: "readme-worker.test.mjs", ts: "readme-worker.test.mjs" },
  "Methods as tasks": { ts: "readme-worker.test.mjs" },
  "The scheduler for other Workers": { jsonc: "readme-worker.test.mjs", ts: "readme-worker.test.mjs" },
  Agents: { ts: "agents/agents.test.mjs" },
  "Tests of your own": { js: "tarball.test.mjs" },
};

/**
 * Returns the blocks: their `code`, `language` and `section`, the `line` of the file at which they begin, and the test that they
 * are `runBy`. `isWorker` says whether a block is a module for a Worker, which has an export.
 */
export async function readBlocks() {
  return blocksOf(await readFile(new URL("../README.md", import.meta.url), "utf8"));
}

/** What Markdown shows as code: fences, also indented or of another kind, indented lines, and the HTML for it. */
const CODE = /^ *(`{3,}|~{3,})|^( {4}|\t)|^ *<(pre|code)\b/i;

/** Returns the blocks of a text. Throws if the text has code that is in none of them, and so would not be run. */
export function blocksOf(text) {
  const blocks = [];
  let section = "";
  // A line in a block may look like a heading.
  const rest = text.replaceAll(/^##? (.*)$|^```(\S*)\n([^]*?)^```$/gm, (match, heading, language, code, index) => {
    section = heading ?? section;
    if (code === undefined) return match;
    const line = text.slice(0, index).split("\n").length + 1;
    blocks.push({ code, language, section, line, runBy: RUN_BY[section]?.[language], isWorker: /^export /m.test(code) });
    // The lines stay, so that the others keep their numbers.
    return match.replaceAll(/[^\n]/g, "");
  });
  rest.split("\n").forEach((line, at) => {
    if (CODE.test(line)) throw new Error(`line ${at + 1} is code that no test runs: begin it with \`\`\` and its language at the start of a line, and end it with \`\`\``);
  });
  return blocks;
}

/** The blocks that one test runs. */
export class Blocks {
  #left;

  /** `test`: the path of the test in this folder. */
  static async of(test) {
    const blocks = new Blocks();
    blocks.#left = (await readBlocks()).filter(({ runBy }) => runBy === test);
    return blocks;
  }

  /** Takes the next block of a section, in a language. Throws if there is none. */
  take(section, language = "ts") {
    const at = this.#left.findIndex((block) => block.section === section && block.language === language);
    if (at === -1) throw new Error(`README.md has no further block of ${language} in the section ${section}`);
    return this.#left.splice(at, 1)[0];
  }

  /** Takes the blocks that a function accepts. */
  takeAll(isWanted) {
    const taken = this.#left.filter(isWanted);
    this.#left = this.#left.filter((block) => !isWanted(block));
    return taken;
  }

  /** The lines of the blocks that nothing has taken. */
  get left() {
    return this.#left.map(({ line }) => line);
  }
}
