// Groups of dead letters with similar errors.

import type { Task } from "../api/types";

export interface LetterGroup {
  /** The error of all of them. `<n>` stands for a number, `<id>` for an id. */
  error: string;
  letters: Task[];
  firstAt: number;
  lastAt: number;
}

const LONG_ID = /\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})\b/gi;

/** Returns an error with its numbers and ids replaced. The HTTP status stays. */
export function likeness(error: string): string {
  return error
    .replace(LONG_ID, "<id>")
    .replace(/(HTTP )?\b\d+(?:\.\d+)*/g, (text, http: string | undefined) => (http ? text : "<n>"));
}

/** Returns the text of a group: the error of its first dead letter, which is the newest. */
export const titleOf = ({ letters: [letter] }: LetterGroup): string => letter?.error ?? "No error is known.";

/** Groups dead letters, the largest group first. */
export function grouped(letters: readonly Task[]): LetterGroup[] {
  const groups = new Map<string, LetterGroup>();
  for (const letter of letters) {
    const error = likeness(letter.error ?? "(no error)");
    const at = letter.failedAt ?? 0;
    const group = groups.get(error) ?? { error, letters: [], firstAt: at, lastAt: at };
    group.letters.push(letter);
    group.firstAt = Math.min(group.firstAt, at);
    group.lastAt = Math.max(group.lastAt, at);
    groups.set(error, group);
  }
  return [...groups.values()].sort((one, other) => other.letters.length - one.letters.length);
}

/** Returns the longest text that all errors of a group contain unchanged. */
export function textOfAll(error: string): string {
  return error
    .split(/<n>|<id>/)
    .map((part) => part.trim())
    .reduce((longest, part) => (part.length > longest.length ? part : longest), "");
}
