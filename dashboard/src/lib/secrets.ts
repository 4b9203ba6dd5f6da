// Definitions without what may be a secret, for the storage of the tab.

import type { Json, JsonObject } from "../api/types";
import { NOTHING_ASIDE, type Aside } from "./aside";
import { isObject } from "./definition";

/** The members of a definition that are targets. */
const TARGETS = ["callback", "onSuccess", "onFailure"];

/** Returns a target without its headers, and their names. */
function withoutHeaders(target: JsonObject): [JsonObject, string[]] {
  const { headers, ...rest } = target;
  return headers === undefined ? [target, []] : [rest, isObject(headers) ? Object.keys(headers) : []];
}

/**
 * Returns a definition, and what is laid aside of its form, without the headers of targets, which may have API keys in them. Also returns
 * the names of these headers.
 */
export function withoutSecrets(definition: JsonObject, aside: Aside = NOTHING_ASIDE): { definition: JsonObject; aside: Aside; headers: string[] } {
  const names: string[] = [];
  const stripped = (members: Readonly<Record<string, Json>>, isTarget: (name: string) => boolean) =>
    Object.fromEntries(
      Object.entries(members).map(([name, value]): [string, Json] => {
        if (!isTarget(name) || !isObject(value)) return [name, value];
        const [rest, headers] = withoutHeaders(value);
        names.push(...headers);
        return [name, rest];
      }),
    );
  return {
    definition: stripped(definition, (name) => TARGETS.includes(name)),
    aside: { ...aside, targets: stripped(aside.targets, () => true) as Record<string, JsonObject> },
    headers: [...new Set(names)],
  };
}
