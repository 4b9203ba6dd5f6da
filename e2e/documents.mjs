// Runs the commands of a document as they are written there, and compares their answers with the
// document.
//
// The commands are in blocks of `sh`: those with curl, and the variables that these use. A line `#
// → …` below a command shows its answer, or a line of it. `…` means anything: in a text, in place
// of a value, and at the end of an object or list for all its other parts. The answer must have
// nothing that is not shown, except the members of every task.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { until } from "./harness.mjs";

const run = promisify(execFile);
const SHOWN = /^# → (.*)$/;
/** The members of every task, which docs/tasks.md shows once. */
const OF_EVERY_TASK = ["createdAt", "updatedAt"];
/** Commands that a test must not run: those for secrets of a deployment, and the key, which the test sets. */
const LEFT_OUT = /^(scripts\/run|make|KEY=)/;
/** curl's exit status for a stream that has not ended. */
const TIMED_OUT = 28;

/** Returns the commands of a document as `{text, shown}`, where `shown` are the lines that show the answer. */
export async function commandsOf(document) {
  const commands = [];
  for (const [, block] of document.matchAll(/^```sh\n(.*?)^```/gms)) {
    let text = "";
    for (const line of block.split("\n")) {
      const shown = text === "" && SHOWN.exec(line)?.[1];
      if (shown) {
        assert.ok(commands.length > 0, `an answer without a command: ${line}`);
        commands.at(-1).shown.push(shown);
      } else if (text !== "" || !/^(#.*)?$/.test(line)) {
        text += `${line}\n`;
        if (await isWhole(text)) {
          if (!LEFT_OUT.test(text)) commands.push({ text, shown: [] });
          text = "";
        }
      }
    }
    assert.equal(text, "", "a command that does not end");
  }
  return commands;
}

/** Returns whether a command ends here. The shell checks whether quotes or a loop are open. */
async function isWhole(text) {
  if (text.endsWith("\\\n")) return false;
  return run("bash", ["-n", "-c", text]).then(() => true, () => false);
}

/** Runs all commands of a document against a scheduler. Returns the numbers of commands and of shown answers. */
export async function runDocument(scheduler, document) {
  const commands = await commandsOf(document);
  let env = { ...process.env, KEY: scheduler.key };
  let shownCount = 0;
  for (const { text, shown } of commands) {
    const ask = async () => {
      const result = await runCommand(scheduler, text, env);
      env = result.env;
      if (shown.length === 0) return checkNotRefused(text, result.output);
      for (const line of shown) assert.ok(shows(line, result.output), `${text}is to answer\n${line}\nand answers\n${result.output}`);
    };
    // A command that only reads may have to wait for what it reads.
    if (isRead(text)) await waited(ask);
    else await ask();
    shownCount += shown.length;
  }
  return { commands: commands.filter(({ text }) => text.includes("curl ")).length, shown: shownCount };
}

async function waited(ask) {
  let last;
  try {
    await until("the answer that is shown", () => ask().then(() => true, (error) => (last = error) && false), { timeoutMs: 20_000 });
  } catch {
    throw last;
  }
}

const isRead = (text) => /^curl /.test(text) && !/ (-d|-X|--data)\b/.test(text);

async function runCommand(scheduler, text, env) {
  const local = text.replaceAll("localhost:8787", new URL(scheduler.url).host);
  // The variables are available to the commands after it.
  const script = `set -a\n${local}\nstatus=$?; printf '\\0'; env -0; exit $status`;
  const { stdout } = await run("bash", ["-c", script], { env }).catch((error) => {
    if (error.code === TIMED_OUT) return error;
    throw error;
  });
  const [output, ...variables] = stdout.split("\0");
  return { output, env: Object.fromEntries(variables.filter((v) => v.includes("=")).map((v) => [v.slice(0, v.indexOf("=")), v.slice(v.indexOf("=") + 1)])) };
}

function checkNotRefused(text, output) {
  assert.ok(!/"type":"\/problems\/|^HTTP\/1.1 [45]/m.test(output), `${text}was refused, but the document does not show that\n${output}`);
}

/** Returns whether an answer, or a line of it, matches what a document shows. */
export function shows(shown, output) {
  const lines = [output, ...output.split("\n")];
  let pattern;
  try {
    pattern = JSON.parse(withMarks(shown));
  } catch {
    return lines.some((line) => textShows(shown, line.trim()));
  }
  return lines.some((line) => {
    try {
      return valueShows(pattern, JSON.parse(line));
    } catch {
      return false;
    }
  });
}

/** Replaces each `…` that is not in a text by JSON. */
const withMarks = (shown) =>
  shown.replace(/"(?:[^"\\]|\\.)*"|([,{[:]?)…/g, (found, before) => {
    if (before === undefined) return found;
    if (before === ":") return ':"…"';
    return /[,{]/.test(before) ? `${before}"…":"…"` : `${before}"…"`;
  }).replace(/"…":"…"\]/g, '"…"]');

function valueShows(pattern, value) {
  if (pattern === "…") return value !== undefined;
  if (typeof pattern === "string") return typeof value === "string" && textShows(pattern, value);
  if (Array.isArray(pattern)) {
    const more = pattern.at(-1) === "…";
    const listed = more ? pattern.slice(0, -1) : pattern;
    return Array.isArray(value) && (more ? value.length >= listed.length : value.length === listed.length) && listed.every((item, n) => valueShows(item, value[n]));
  }
  if (pattern === null || typeof pattern !== "object") return pattern === value;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const { "…": more, ...fields } = pattern;
  const isHidden = (name) => !(name in fields) && !OF_EVERY_TASK.includes(name);
  if (more === undefined && Object.keys(value).some(isHidden)) return false;
  return Object.entries(fields).every(([name, shown]) => valueShows(shown, value[name]));
}

function textShows(pattern, text) {
  const parts = pattern.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "is").test(text);
}
