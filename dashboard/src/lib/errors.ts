// The errors of attempts, with what they mean. The texts of some come from the platform, and do not say it.

/** What the platform says if a connection is refused, and if it is cut. It does not say which of the two. */
const LOST = /(?:Error: )?Network connection lost\.?/;

/** Returns the error of an attempt, with the platform's vague texts explained. */
export const explained = (error: string): string => error.replace(LOST, "the connection was refused, or was cut before an answer");

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [LOST, "Nothing was received. Check that the target runs, and that the host and the port of the URL are right."],
  [/^timed out after /, "The target took too long. Make it answer earlier, or give it more time: “Timeout in seconds” of the task."],
  [/^no answer from /, "Nothing was received. Check the host of the URL, and that it is reachable from the internet."],
  [/^HTTP 40[13] /, "The target refuses the credentials. Check the headers of the task."],
  [/^HTTP 404 /, "The target does not know the address. Check the path of the URL."],
  [/^HTTP 405 /, "The target does not take this method. Change the method of the task."],
];

/** Returns what to check after an error of an attempt; undefined if the error says enough. */
export const adviceOn = (error: string): string | undefined => ADVICE.find(([pattern]) => pattern.test(error))?.[1];
