// What was typed in the tabs of a form that are not open: the other kinds of schedule, and the other types of target.

import type { Json, JsonObject } from "../api/types";
import { isEqual, isObject, kindOf, OF_WHEN, withKind, type Kind } from "./definition";

export interface Aside {
  /** The members that say when, by the kind of schedule. */
  schedules: Readonly<Partial<Record<Kind, JsonObject>>>;
  /** The targets by their types. */
  targets: Readonly<Record<string, JsonObject>>;
  /** What the open kind of schedule began with when it was opened for the first time; absent if something was typed in it before. */
  began?: JsonObject;
}

export const NOTHING_ASIDE: Aside = { schedules: {}, targets: {} };

export const isNothingAside = ({ schedules, targets }: Aside): boolean => Object.keys(schedules).length + Object.keys(targets).length === 0;

const pick = (definition: JsonObject, isPicked: (name: string) => boolean): JsonObject => Object.fromEntries(Object.entries(definition).filter(([name]) => isPicked(name)));

const isOfWhen = (name: string): boolean => OF_WHEN.includes(name);

/**
 * Opens another kind of schedule. It has what was typed in it before, or else what a new one begins with. What the present one has is laid
 * aside, unless it is as it was when it was opened.
 */
export function openKind(definition: JsonObject, aside: Aside, to: Kind, zone: string): [JsonObject, Aside] {
  const from = kindOf(definition);
  if (from === to) return [definition, aside];
  const left = pick(definition, isOfWhen);
  const { [to]: kept, [from]: _, ...others } = aside.schedules;
  const schedules = aside.began && isEqual(left, aside.began) ? others : { ...others, [from]: left };
  const { targets } = aside;
  if (kept) return [{ ...pick(definition, (name) => !isOfWhen(name)), ...kept }, { schedules, targets }];
  const next = withKind(definition, to, zone);
  return [next, { schedules, targets, began: pick(next, isOfWhen) }];
}

/** Opens another type of target. It has what was typed in it before, or else what `fresh` has. An absent one is the default target. */
export function openTarget(definition: JsonObject, aside: Aside, to: string, fresh: Readonly<Record<string, JsonObject | undefined>>): [JsonObject, Aside] {
  const { callback, ...rest } = definition;
  const from = isObject(callback) ? String(callback["type"]) : undefined;
  if (from === to) return [definition, aside];
  const { [to]: kept, ...others } = aside.targets;
  const isLaidAside = from !== undefined && isObject(callback) && !isEqual(callback, fresh[from]);
  const target: Json | undefined = kept ?? fresh[to];
  return [{ ...rest, ...(target === undefined ? {} : { callback: target }) }, { ...aside, targets: isLaidAside ? { ...others, [from]: callback } : others }];
}
