// Errors that a task's method throws to say how its failure is handled. Any other error is retried.

/** Fails a run for good: it is not retried, and becomes a dead letter. */
export class PermanentError extends Error {
  override name = "PermanentError";
}

/** Delays the next attempt of a run by at least `afterSeconds`. */
export class RetryLaterError extends Error {
  override name = "RetryLaterError";
  /** Seconds until the next attempt may start. */
  readonly afterSeconds: number;

  /**
   * @param message Why the attempt failed.
   * @param afterSeconds Seconds, at least 0, rounded up to whole ones.
   */
  constructor(message: string, afterSeconds: number) {
    super(message);
    this.afterSeconds = afterSeconds;
  }
}
