// How a schedule in words names calendars.

export type Language = "en" | "de";

/** A part of a sentence that names a calendar. */
const NAMED = /(?:calendar|kalender)\s+"([^"]*)"/gi;
/** A word that begins an exception. */
const EXCEPTION = /(?<!\p{L})(?:except|excluding|without|unless|but not|außer|ausser|ohne)(?!\p{L})/iu;

const NOUN: Readonly<Record<Language, string>> = { en: "calendar", de: "Kalender" };

/** Returns the names of the calendars in a sentence. */
export const calendarsIn = (sentence: string): string[] => [...sentence.matchAll(NAMED)].map(([, name = ""]) => name);

/** Returns how a sentence leaves out a calendar. */
export const exceptionOf = (name: string, language: Language): string => `${language === "de" ? "außer" : "except"} ${NOUN[language]} "${name}"`;

/** Returns a sentence that leaves out another calendar, too. It joins the exceptions that are there. */
export function leavingOut(sentence: string, name: string, language: Language): string {
  const text = sentence.trim();
  const last = [...text.matchAll(NAMED)].at(-1);
  const joined = ` ${language === "de" ? "und" : "and"} ${NOUN[language]} "${name}"`;
  if (!last) return EXCEPTION.test(text) ? text + joined : `${text} ${exceptionOf(name, language)}`;
  const end = last.index + last[0].length;
  return text.slice(0, end) + joined + text.slice(end);
}

const escaped = (text: string): string => text.replace(/[.\-]/g, "\\$&");

/** Returns a sentence with the name of a calendar as sentences have it, if an exception has it in another way; undefined otherwise. */
function quoting(sentence: string, name: string, language: Language): string | undefined {
  const begins = EXCEPTION.exec(sentence);
  if (!begins) return undefined;
  const [before, after] = [sentence.slice(0, begins.index), sentence.slice(begins.index)];
  const place = new RegExp(`(?<![\\w.-])(?:the )?(?:calendars? |kalender )?"?(?<![\\w.-])${escaped(name)}(?![\\w.-])"?`, "i");
  const quoted = before + after.replace(place, `${NOUN[language]} "${name}"`);
  return quoted === sentence ? undefined : quoted;
}

/**
 * Returns what to offer in place of a refused sentence: the sentence with the names of calendars as sentences have them, or else what the
 * scheduler offers (`near`). A name that is not among `names` becomes each of them.
 */
export function offersWith(near: readonly string[], sentence: string, names: readonly string[], language: Language): string[] {
  const quoted = names.flatMap((name) => quoting(sentence, name, language) ?? []);
  const isUnknown = (name: string): boolean => !names.includes(name);
  if (quoted.length > 0 && !calendarsIn(sentence).some(isUnknown)) return quoted;
  const from = near.length === 0 && calendarsIn(sentence).some(isUnknown) ? [sentence] : near;
  return from.flatMap((offer) => {
    const unknown = calendarsIn(offer).find(isUnknown);
    return unknown === undefined ? [offer] : names.map((name) => offer.replaceAll(`"${unknown}"`, `"${name}"`));
  });
}

/** Returns the message of a refusal with a calendar that exists as its example, or without an example. */
export function messageWith(message: string, names: readonly string[]): string {
  const text = message.replace(/^exclude\.calendars\[\d+\] is ("[^"]*"), which is not/, "$1 is not");
  const [name] = names;
  return name === undefined ? text.replace(/,? as in [^".]*calendar "[^"]*"/, "") : text.replace(/(as in [^".]*calendar) "[^"]*"/, `$1 "${name}"`);
}
