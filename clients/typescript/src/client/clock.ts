import type { Clock } from "./options.ts";

/** The longest possible timer, some 25 days. A longer one ends at once. */
export const MAX_TIMER_MILLIS = 2 ** 31 - 1;

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async wait(milliseconds, signal) {
    for (let rest = milliseconds; ; rest -= MAX_TIMER_MILLIS) {
      await sleep(Math.min(rest, MAX_TIMER_MILLIS), signal);
      if (rest <= MAX_TIMER_MILLIS) return;
    }
  },
};

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
