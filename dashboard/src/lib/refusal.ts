// A refusal of a form: which field is wrong, and for which value.

import { isEqual, isObject } from "./definition";
import type { Json, JsonObject } from "../api/types";

export interface Refusal {
  /** The path of the field, such as `callback.url` or `tags[3]`. */
  field: string;
  /** What is wrong, for the note below the field. */
  text: string;
  /** The definition that was refused. */
  of: JsonObject;
}

/** What to do about a field that is empty. The API says which texts it would take instead. */
const OF_EMPTY: Readonly<Record<string, string>> = {
  delayInSeconds: "Enter a number of seconds.",
  everySeconds: "Enter a number of seconds.",
  time: "Enter a date and a time.",
  cron: "Enter a cron expression, such as 0 9 * * MON-FRI.",
  rrule: "Enter a rule, such as FREQ=WEEKLY;BYDAY=MO,FR.",
};

/** Returns the refusal of a definition by the API. Its text begins with the name of the field, which the form shows as a label. */
export function refusalOf({ field, detail }: { field?: string | undefined; detail: string }, of: JsonObject): Refusal | undefined {
  if (field === undefined) return undefined;
  if (valueAt(of, field) === "" && field in OF_EMPTY) return { field, text: OF_EMPTY[field] ?? "", of };
  const text = detail.startsWith(`${field} `) ? `This ${detail.slice(field.length + 1)}` : detail;
  return { field, text: /[.?!/]$/.test(text) ? text : `${text}.`, of };
}

/** The fields of the form that stand for an object, with everything in it. */
const WHOLE: ReadonlySet<string> = new Set(["callback.headers", "payload", "misfire"]);

/** Returns whether a refusal is about a field of the form, or about a part of it. */
export const isAbout = ({ field }: Refusal, of: string): boolean => field === of || field.startsWith(`${of}[`) || (WHOLE.has(of) && field.startsWith(`${of}.`));

/** Returns the value at a path of a definition, as far as the path leads through objects. */
function valueAt(definition: JsonObject, field: string): Json | undefined {
  let value: Json | undefined = definition;
  for (const part of field.replace(/\[.*$/, "").split(".")) {
    if (!isObject(value)) return undefined;
    value = value[part];
  }
  return value;
}

/** Returns whether a definition still has the value that was refused. */
export const isStillRefused = ({ field, of }: Refusal, definition: JsonObject): boolean => isEqual(valueAt(of, field), valueAt(definition, field));

/** Returns what a definition lacks so obviously that there is no need to ask the API. */
export function missingIn(definition: JsonObject): Refusal | undefined {
  const { callback } = definition;
  if (isObject(callback) && callback["type"] === "webhook" && /^(?:https?:\/*)?$/.test(String(callback["url"] ?? "").trim())) {
    return { field: "callback.url", text: "Enter the URL that the task calls, such as https://example.com/hook.", of: definition };
  }
  return undefined;
}
