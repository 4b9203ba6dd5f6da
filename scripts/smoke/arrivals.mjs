// Takes from the receiver what has arrived there.

/** How many objects of the receiver keep arrivals: see receiver.mjs. */
const LEDGERS = 4;

/**
 * The time limit of a question to the receiver, in milliseconds. A deploy may leave a question without any answer, and what arrives meanwhile
 * must not look lost.
 */
const TAKE_MILLIS = 5_000;

/** Reads the arrivals of a receiver, each once. */
export class Arrivals {
  #receiver;
  #takeMillis;
  #after = Array.from({ length: LEDGERS }, () => 0);
  /** The messages of the queue that were taken. The queue may deliver one again, which is not the scheduler's doing. */
  #messages = new Set();
  redelivered = 0;

  /** `receiver` is its `Deployment`. */
  constructor(receiver, takeMillis = TAKE_MILLIS) {
    this.#receiver = receiver;
    this.#takeMillis = takeMillis;
  }

  /**
   * Returns what has arrived since the last call: `{at, key, message, body}`, where a webhook has a key and an envelope a message. Throws if
   * nothing was taken and an object did not answer. The next call asks it again.
   */
  async take() {
    const parts = await Promise.allSettled(this.#after.map((_, ledger) => this.#takeFrom(ledger)));
    const taken = parts.flatMap(({ value = [] }) => value);
    const failed = parts.find(({ status }) => status === "rejected");
    if (taken.length === 0 && failed) throw failed.reason;
    return taken.filter(({ message }) => this.#isNew(message));
  }

  /** Passes over what has arrived. */
  async skip() {
    while ((await this.take()).length > 0);
  }

  #isNew(message) {
    if (message === null) return true;
    if (this.#messages.has(message)) {
      this.redelivered += 1;
      return false;
    }
    this.#messages.add(message);
    return true;
  }

  async #takeFrom(ledger) {
    const taken = await this.#receiver.call(`/take/${ledger}?after=${this.#after[ledger]}`, undefined, { tryMillis: this.#takeMillis });
    this.#after[ledger] = taken.at(-1)?.seq ?? this.#after[ledger];
    return taken;
  }
}
