// The parameters in the addresses of pages: which ones a page has, and which values they take.

import { CALLBACK_TYPES, KINDS, LAST_OUTCOMES, OUTCOMES, PAUSED, STATUSES } from "./filter";
import { readTags } from "./tags";
import { timeOf } from "./time";

interface Parameter {
  /** What it takes, as the end of a sentence. */
  takes: string;
  isValid: (value: string) => boolean;
}

const TEXT: Parameter = { takes: "any text", isValid: () => true };
const TAGS: Parameter = { takes: "a tag, or two tags with a comma between them; a tag that has a comma is in double quotes", isValid: (value) => readTags(value).filter(Boolean).length <= 2 };
const TIME: Parameter = { takes: "a time, such as 2026-11-30T08:00:00Z, or milliseconds since 1970", isValid: (value) => timeOf(value) !== undefined };
const oneOf = (...values: readonly string[]): Parameter => ({
  takes: values.length === 1 ? `only ${values[0]}` : `one of: ${values.join(", ")}`,
  isValid: (value) => values.includes(value),
});

const TASKS = {
  text: TEXT,
  prefix: TEXT,
  tag: TAGS,
  kind: oneOf(...KINDS),
  callbackType: oneOf(...CALLBACK_TYPES),
  callbackHost: TEXT,
  error: TEXT,
  from: TIME,
  to: TIME,
};

/** The parameters of each page by its path. A page that is not listed has none. */
const PAGES: Readonly<Record<string, Readonly<Record<string, Parameter>>>> = {
  "/tasks": { ...TASKS, status: oneOf(...STATUSES), lastOutcome: oneOf(...LAST_OUTCOMES), paused: oneOf(...PAUSED), order: oneOf("asc", "desc") },
  "/dead-letters": TASKS,
  "/runs": { group: oneOf("error"), view: oneOf("events"), outcome: oneOf(...OUTCOMES), target: TEXT, tag: TEXT, prefix: TEXT, error: TEXT, from: TIME, to: TIME },
  "/agenda": { span: oneOf("hour", "day", "week"), at: TIME },
  "/create": { from: TEXT, example: oneOf("hello"), calendar: TEXT },
};

/** A parameter of an address that the page does not use. */
export interface Ignored {
  name: string;
  value: string;
  /** Why not, and what would be used. */
  why: string;
}

/** Splits the query of a page into the parameters that the page uses and those that it must ignore. Drops parameters without a value. */
export function checkQuery(path: string, query: URLSearchParams): { used: URLSearchParams; ignored: Ignored[] } {
  const known = PAGES[path] ?? {};
  const names = Object.keys(known);
  const used = new URLSearchParams();
  const ignored: Ignored[] = [];
  for (const [name, value] of query) {
    if (value === "") continue;
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!parameter) ignored.push({ name, value, why: names.length === 0 ? "This page has no parameters." : `This page has no such parameter. It has: ${names.join(", ")}.` });
    else if (!parameter.isValid(value)) ignored.push({ name, value, why: `It takes ${parameter.takes}.` });
    else if (used.has(name)) ignored.push({ name, value, why: "It is there more than once. The first value counts." });
    else used.set(name, value);
  }
  return { used, ignored };
}
