// Adds values to the text of a wrangler configuration, so that comments and layout stay.

import { applyEdits, type FormattingOptions, findNodeAtLocation, modify, parse, parseTree } from "jsonc-parser";
import type { Addition } from "./requirements.ts";

/** A configuration whose layout cannot be extended here. The message says what to add by hand. */
export class CannotEdit extends Error {}

/** Returns a configuration with additions. The ending of `path` gives the language: `.toml`, or JSON with comments. */
export function addTo(text: string, path: string, additions: readonly Addition[]): string {
  const add = path.endsWith(".toml") ? addToToml : addToJson;
  return additions.reduce(add, text);
}

function addToJson(text: string, { path, isItem, value }: Addition): string {
  const options = { formattingOptions: layoutOf(text) };
  if (!isItem) return applyEdits(text, modify(text, [...path], value, options));
  const list: unknown = path.reduce<unknown>((found, name) => (found as Record<string, unknown> | undefined)?.[name], parse(text));
  if (!Array.isArray(list)) return applyEdits(text, modify(text, [...path], [value], options));
  const added = applyEdits(text, modify(text, [...path, list.length], value, { ...options, isArrayInsertion: true }));
  return addedOnLineOfItsOwn(added, path, list.length, options.formattingOptions);
}

/** Puts a new item on a line of its own if the list has its items on lines of their own. */
function addedOnLineOfItsOwn(text: string, path: readonly string[], index: number, { eol = "\n" }: FormattingOptions): string {
  const tree = parseTree(text);
  const before = tree && index > 0 ? findNodeAtLocation(tree, [...path, index - 1]) : undefined;
  const added = tree && findNodeAtLocation(tree, [...path, index]);
  if (before === undefined || added === undefined) return text;
  const start = text.lastIndexOf("\n", before.offset) + 1;
  const indent = text.slice(start, before.offset);
  const between = text.slice(before.offset + before.length, added.offset);
  if (indent.trim() !== "" || between.includes("\n")) return text;
  return text.slice(0, before.offset + before.length) + `,${eol}${indent}` + text.slice(added.offset);
}

function layoutOf(text: string): FormattingOptions {
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
  return { insertSpaces: !indent.startsWith("\t"), tabSize: indent.startsWith("\t") ? 1 : indent.length, eol: text.includes("\r\n") ? "\r\n" : "\n" };
}

function addToToml(text: string, addition: Addition): string {
  // The text is split into lines, so all lines get the same ending.
  if (text.includes("\r\n")) return addToToml(text.replaceAll("\r\n", "\n"), addition).replaceAll("\n", "\r\n");
  const { path, isItem, value } = addition;
  const [table = "", key = ""] = path;
  refuseInline(text, table, addition);
  if (path.length === 1 && !isItem) return insertTopLevel(text, `${table} = ${toToml(value)}`);
  if (!isItem) return setInTable(text, table, key, toToml(value));
  const name = path.join(".");
  const list = path.length === 2 ? findKey(text, table, key) : undefined;
  if (list !== undefined) return appendToList(text, list, toToml(value), addition);
  if (typeof value !== "object") return setInTable(text, table, key, `[${toToml(value)}]`);
  const lines = Object.entries(value as object).map(([member, part]) => `${member} = ${toToml(part)}`);
  return appendBlock(text, [`[[${name}]]`, ...lines]);
}

/** Refuses inline tables and dotted keys, which cannot be extended with lines of their own. Those below a header, such as that of an environment, are other tables. */
function refuseInline(text: string, table: string, addition: Addition): void {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => HEADER.test(line));
  const isInline = new RegExp(`^\\s*${table}\\s*(=\\s*[\\[{]|\\.)`);
  if (lines.slice(0, end === -1 ? lines.length : end).some((line) => isInline.test(line))) throw new CannotEdit(`${table} is written in one line: write it as a table, or add this by hand: ${JSON.stringify(addition)}`);
}

function toToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toToml).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([name, part]) => `${name} = ${toToml(part)}`).join(", ")} }`;
}

const HEADER = /^\s*\[/;

/** Inserts a line after the last key that is not in a table. */
function insertTopLevel(text: string, line: string): string {
  const lines = text.split("\n");
  const end = lines.findIndex((found) => HEADER.test(found));
  const last = lastUsed(lines, 0, end === -1 ? lines.length : end);
  lines.splice(last + 1, 0, line);
  return lines.join("\n");
}

/** Returns the first and the last line of a table, as numbers, or undefined if there is none. */
function findTable(lines: readonly string[], table: string): { first: number; end: number } | undefined {
  const first = lines.findIndex((line) => line.replace(/#.*/, "").replaceAll(/\s/g, "") === `[${table}]`);
  if (first === -1) return undefined;
  const next = lines.findIndex((line, at) => at > first && HEADER.test(line));
  return { first, end: next === -1 ? lines.length : next };
}

function setInTable(text: string, table: string, key: string, value: string): string {
  const lines = text.split("\n");
  const found = findTable(lines, table);
  if (found === undefined) return appendBlock(text, [`[${table}]`, `${key} = ${value}`]);
  const at = lines.findIndex((line, number) => number > found.first && number < found.end && isKey(line, key));
  if (at === -1) lines.splice(lastUsed(lines, found.first, found.end) + 1, 0, `${key} = ${value}`);
  else lines[at] = `${key} = ${value}`;
  return lines.join("\n");
}

const isKey = (line: string, key: string) => new RegExp(`^\\s*"?${key}"?\\s*=`).test(line);

/** Returns the index at which the value of a key in a table begins, or undefined. */
function findKey(text: string, table: string, key: string): number | undefined {
  const lines = text.split("\n");
  const found = findTable(lines, table);
  if (found === undefined) return undefined;
  const at = lines.findIndex((line, number) => number > found.first && number < found.end && isKey(line, key));
  if (at === -1) return undefined;
  const start = lines.slice(0, at).reduce((length, line) => length + line.length + 1, 0);
  return text.indexOf("=", start) + 1;
}

/** Adds an item to the list that begins at or after a place in the text. */
function appendToList(text: string, from: number, item: string, addition: Addition): string {
  const open = text.indexOf("[", from);
  const { close, last } = scanList(text, open);
  if (open === -1 || text.slice(from, open).trim() !== "" || close === -1) throw new CannotEdit(`add this by hand: ${JSON.stringify(addition)}`);
  const comma = last === open || text.charAt(last) === "," ? "" : ",";
  const rest = text.slice(last + 1, close);
  // A list on several lines gets another line, because a comment may follow the last item.
  const end = rest.includes("\n") ? `${rest.trimEnd()}\n${indentOf(text, last)}${item},\n` : `${last === open ? "" : " "}${item}`;
  return text.slice(0, last + 1) + comma + end + text.slice(close);
}

/** Returns the white space at the beginning of a line, but at least two spaces. */
function indentOf(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf("\n", at) + 1);
  return /^[ \t]+/.exec(line)?.[0] ?? "  ";
}

/**
 * Returns the index at which the list that begins at a place ends, or -1, and the index of its last character that is not white space or a
 * comment.
 */
function scanList(text: string, open: number): { close: number; last: number } {
  let depth = 0;
  let quote = "";
  let last = open;
  for (let at = open; at >= 0 && at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote !== "") {
      if (character === "\\" && quote === '"') at += 1;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "#") {
      const end = text.indexOf("\n", at);
      at = end === -1 ? text.length : end;
      continue;
    } else if (character === "[") depth += 1;
    else if (character === "]" && --depth === 0) return { close: at, last };
    if (character.trim() !== "") last = at;
  }
  return { close: -1, last };
}

/** Returns the number of the last line in a range that is neither empty nor a comment, or of the line before the range. */
function lastUsed(lines: readonly string[], first: number, end: number): number {
  for (let at = end - 1; at >= first; at -= 1) {
    if (!/^\s*(#.*)?$/.test(lines[at] ?? "")) return at;
  }
  return first - 1;
}

function appendBlock(text: string, lines: readonly string[]): string {
  const start = text.trimEnd();
  return `${start}${start === "" ? "" : "\n\n"}${lines.join("\n")}\n`;
}
