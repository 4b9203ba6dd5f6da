// The reasons of an explanation, for users who have buttons. The API's texts name requests instead, for callers of the API.

import type { Explanation } from "../api/types";
import { explained } from "./errors";

type ApiReason = Explanation["reasons"][number];

export interface Reason {
  code: ApiReason["code"];
  text: string;
  /** The dead letter that the reason is about. */
  deadLetterId?: string;
}

const REPLAY = /\.? Replay it with POST \/v1\/dead-letters\/(\S+)\/replay, or discard it with DELETE \S+$/;
const REQUEST = / \((?:POST|PUT|PATCH|DELETE) \/v1\/\S+\)/g;

/** Returns a reason without the requests that its text names. */
export function reasonOf({ code, detail }: ApiReason): Reason {
  const letter = REPLAY.exec(detail);
  const text = letter ? `${explained(detail.slice(0, letter.index)).replace(/\.$/, "")}.` : explained(detail.replace(REQUEST, ""));
  return { code, text, ...(letter?.[1] ? { deadLetterId: decodeURIComponent(letter[1]) } : {}) };
}
