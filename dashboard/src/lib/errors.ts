// The errors of attempts, with what they mean. The texts of some come from the platform, and do not say it.

const REFUSED = "the connection was refused, or was cut before an answer";
/** What the platform says in such a case, which earlier versions have stored as it is. */
const LOST = /(?:Error: )?Network connection lost\.?/;

/** Returns the error of an attempt, with the platform's vague text explained. */
export const explained = (error: string): string => error.replace(LOST, REFUSED);

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`${LOST.source}|${REFUSED}`), "Nothing was received. Check that the target runs, and that the host and the port of the URL are right."],
  [/^timed out after /, "The target took too long. Make it answer earlier, or give it more time: “Timeout in seconds” of the task."],
  [/^no answer from /, "Nothing was received. Check the host of the URL, and that it is reachable from the internet."],
  [/^HTTP 40[13] /, "The target refuses the credentials. Check the headers of the task."],
  [/^HTTP 404 /, "The target does not know the address. Check the path of the URL."],
  [/^HTTP 405 /, "The target does not take this method. Change the method of the task."],
  [/^HTTP 429 /, "The target wants fewer requests. Give its tasks a limit key, and set a limit for it on the page Limits."],
  [
    /^HTTP 508 .*\/problems\/loop|^HTTP 508 .*Scheduler-Attempt/s,
    "The task calls a scheduler, which takes no requests from tasks, because a task that creates tasks could go on without end. Another attempt fails in the same way. Let the task call a Worker or a service of yours. Use a schedule for what repeats, and “onSuccess” or “onFailure” for what follows.",
  ],
  [/^HTTP 508 /, "The target says that the request leads back to itself. Check to which URL it passes the request on."],
];

/** Returns what to check after an error of an attempt; undefined if the error says enough. */
export const adviceOn = (error: string): string | undefined => ADVICE.find(([pattern]) => pattern.test(error))?.[1];
