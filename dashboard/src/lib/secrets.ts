// Definitions without what may be a secret, for the storage of the tab.

import type { Json, JsonObject } from "../api/types";
import { isObject } from "./definition";

/** The members of a definition that are targets. */
const TARGETS = ["callback", "onSuccess", "onFailure"];

/** Returns a definition without the headers of its targets, which may have API keys in them, and the names of these headers. */
export function withoutSecrets(definition: JsonObject): { definition: JsonObject; headers: string[] } {
  const headers: string[] = [];
  const members = Object.entries(definition).map(([name, value]): [string, Json] => {
    if (!TARGETS.includes(name) || !isObject(value) || value["headers"] === undefined) return [name, value];
    const { headers: dropped, ...rest } = value;
    if (isObject(dropped)) headers.push(...Object.keys(dropped));
    return [name, rest];
  });
  return { definition: Object.fromEntries(members), headers: [...new Set(headers)] };
}
