// The names of what a run deploys. Everything of a run begins with the run's name, and the name says when the run began, so that what an
// interrupted run has left behind is found without any other record.

import { randomBytes } from "node:crypto";

/** The beginning of every name. */
export const PREFIX = "scheduler-smoke-";

/** No run lasts this long (see `MAX_RUN_MILLIS`), so what is older is a leftover. Milliseconds. */
export const LEFTOVER_MILLIS = 2 * 3_600_000;

const NAME = /^(scheduler-smoke-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-[0-9a-f]{6})(-[a-z]+)?$/;

/** Returns the name of a run that begins now: `scheduler-smoke-20261127-101500-a1b2c3`. Times are UTC. */
export function newRun(now = Date.now(), random = randomBytes(3).toString("hex")) {
  const digits = new Date(now).toISOString().replace(/\D/g, "");
  return `${PREFIX}${digits.slice(0, 8)}-${digits.slice(8, 14)}-${random}`;
}

/** Returns the run that a Worker or a queue belongs to, as `{run, startedAt}`, or undefined if it is not of a run. */
export function runOf(name) {
  const parts = NAME.exec(name);
  if (!parts) return undefined;
  const [, run, year, month, day, hour, minute, second] = parts;
  const startedAt = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return { run, startedAt };
}

/** Returns the names of the Workers and queues of a run. */
export const namesOf = (run) => ({
  scheduler: run,
  receiver: `${run}-receiver`,
  dispatch: `${run}-dispatch`,
  fired: `${run}-fired`,
  dead: `${run}-dead`,
});
