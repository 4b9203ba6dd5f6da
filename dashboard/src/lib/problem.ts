// The texts of the API's refusals, for users who have buttons. The API's texts name requests and headers instead, for callers of the API.

/** The parts of texts that tell a caller which request to send. */
const REQUESTS: readonly (readonly [RegExp, string])[] = [
  [/; GET \/v1\/\S+ [^.;]*/g, ""],
  [/; (?:create it|set one) with PUT/g, ""],
  [/: create it again with PUT/g, ": create it again"],
  [/change its schedule with PATCH/g, "edit its schedule"],
];

/** Texts in place of those about the headers of a condition. */
const OF_CONDITIONS = "it is not as it was when this page read it: somebody has changed it since, or it is gone";

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

interface Refused {
  type: string;
  detail: string;
  field?: string | null | undefined;
}

/** Returns the text of a refusal without the requests that it names. It begins with a capital letter, or with the name of its field. */
export function problemText({ type, detail, field }: Refused): string {
  const text = type === "/problems/other-version" ? OF_CONDITIONS : REQUESTS.reduce((rest, [pattern, by]) => rest.replace(pattern, by), detail);
  return field && text.startsWith(field) ? text : capital(text);
}

/** What the API says of a member that it does not know, with the names of those that it knows. Those of a preview are not those of a task. */
const UNKNOWN = / is not a member of this object(; did you mean `[^`]*`\?)?.*$/s;

/** Returns the text of a refused preview, as one about the task that the form describes. */
export const previewText = (refused: Refused): string => problemText(refused).replace(UNKNOWN, (_, near: string | undefined) => ` is not a member of a task${near ?? ""}`);
