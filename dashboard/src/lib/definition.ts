// The definition of a task: what a user writes, without members that only answers show.

import { READ_ONLY } from "../../generated/read-only";
import type { Json, JsonObject, Task } from "../api/types";

/** The members that say when. A task has exactly one of them, or `type`. */
const KINDS = ["delayInSeconds", "time", "cron", "everySeconds", "rrule", "schedule"] as const;
export type Kind = (typeof KINDS)[number] | "no-schedule";

/** Members that only some kinds of schedule have. */
const OF_SCHEDULES = ["anchor", "startAt", "endAt", "maxRuns", "exclude", "overlap", "timezone"];

/** Members that a task without a schedule does not have. */
const OF_LATENESS = ["jitterSeconds", "windowSeconds", "expireAfterSeconds", "misfire"];

/** The members that decide when a task fires. */
const OF_TIMES: readonly string[] = [...KINDS, "type", "anchor", "startAt", "endAt", "maxRuns", "exclude", "timezone"];

/** All members that belong to a kind of schedule: a form with another kind does not have them, or has others. */
export const OF_WHEN: readonly string[] = [...new Set([...OF_TIMES, ...OF_SCHEDULES, ...OF_LATENESS, "words", "local"])];

const isLocal = (value: Json | undefined): boolean => typeof value === "string" && !/(?:Z|[+-]\d\d:?\d\d)$/i.test(value);

/** Returns whether nothing of an interval is read on the clock of its time zone. The API refuses such a zone. */
export const isZoneIdle = (definition: JsonObject): boolean => definition["everySeconds"] !== undefined && definition["exclude"] === undefined && !["startAt", "endAt", "anchor"].some((name) => isLocal(definition[name]));

/**
 * Returns a definition with other members; undefined removes one. A change of the schedule removes its words, which describe the former
 * one.
 */
export function withMembers(definition: JsonObject, changes: Readonly<Record<string, Json | undefined>>): JsonObject {
  const next: JsonObject = { ...definition };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete next[name];
    else next[name] = value;
  }
  if (OF_TIMES.some((name) => name in changes) && !("words" in changes)) delete next["words"];
  if (isZoneIdle(next)) delete next["timezone"];
  return next;
}

/** Returns the definition of a task as a user would write it. Times that were given as local times are local again. */
export function definitionOf(task: Task): JsonObject {
  const { local, ...members } = task as unknown as JsonObject;
  const kept = Object.entries(members).filter(([name, value]) => !READ_ONLY.has(name) && value !== null);
  const definition: JsonObject = Object.fromEntries(kept);
  if (isObject(local)) {
    for (const [name, value] of Object.entries(local)) if (value !== null) definition[name] = value;
  }
  if (task.kind === "no-schedule") definition["type"] = "no-schedule";
  return definition;
}

/** Returns the kind of the schedule of a definition. */
export function kindOf(definition: JsonObject): Kind {
  return KINDS.find((kind) => definition[kind] !== undefined) ?? "no-schedule";
}

/** Returns a definition with another kind of schedule, without the members of the former kind. */
export function withKind(definition: JsonObject, kind: Kind, zone: string): JsonObject {
  const gone = new Set<string>([...KINDS, "type", "anchor", "local", "words"]);
  // A sentence replaces everything that says when.
  if (kind === "schedule") for (const name of ["startAt", "endAt", "maxRuns", "exclude", "timezone"]) gone.add(name);
  if (kind === "delayInSeconds" || kind === "time" || kind === "no-schedule") for (const name of OF_SCHEDULES) gone.add(name);
  if (kind === "no-schedule") for (const name of OF_LATENESS) gone.add(name);
  const rest = Object.fromEntries(Object.entries(definition).filter(([name]) => !gone.has(name)));
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const added: Record<Kind, JsonObject> = {
    delayInSeconds: { delayInSeconds: 60 },
    time: { time: `${tomorrow}T09:00:00`, timezone: zone },
    cron: { cron: "0 9 * * MON-FRI", timezone: zone },
    everySeconds: { everySeconds: 3600 },
    rrule: { rrule: "FREQ=MONTHLY;BYDAY=-1FR", startAt: `${tomorrow}T09:00:00`, timezone: zone },
    schedule: { schedule: "", timezone: zone },
    "no-schedule": { type: "no-schedule" },
  };
  const next = { ...rest, ...added[kind] };
  return isZoneIdle(next) ? withMembers(next, { timezone: undefined }) : next;
}

export const isObject = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

export function isEqual(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((value, index) => isEqual(value, other[index]));
  if (!isObject(one) || !isObject(other)) return false;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => isEqual(one[name], other[name]));
}

/** Returns the merge patch (RFC 7396) that changes one object into another. */
function difference(from: JsonObject, to: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [before, after] = [from[name], to[name]];
    if (isEqual(before, after)) continue;
    if (after === undefined) patch[name] = null;
    else if (isObject(before) && isObject(after) && before["type"] === after["type"]) patch[name] = difference(before, after);
    else patch[name] = after;
  }
  return patch;
}

/** Returns the body of a PATCH that changes a task from one definition to another. */
export function patchOf(from: JsonObject, to: JsonObject): JsonObject {
  const patch = difference(from, to);
  delete patch["id"];
  if (kindOf(from) === kindOf(to)) {
    if (patch["type"] === null) delete patch["type"];
    return patch;
  }
  // The API removes the members of the former kind by itself. The patch names only the members that both kinds can have.
  for (const name of [...KINDS, "type"]) if (patch[name] === null) delete patch[name];
  return patch;
}

/** Parses a JSON object. Throws an error for users if that fails. */
export function parseObject(text: string): JsonObject {
  const value = JSON.parse(text) as Json;
  if (!isObject(value)) throw new Error("A task is a JSON object: { … }");
  return value;
}

/** Returns whether a text has a whole number that JavaScript would round. */
export const hasRoundedNumber = (text: string): boolean => [...text.replace(/"(?:[^"\\]|\\.)*"/g, "").matchAll(/-?\d{16,}/g)].some(([digits]) => !Number.isSafeInteger(Number(digits)));

/** What to do about a number that JavaScript would round. */
export const ROUNDED = "A number is too large for the browser, and would be rounded: write it as a text, or use the API.";
