export interface Env {
  /** If set, what arrives is forwarded there instead of handled: for the load tester and the tests. */
  SINK_URL?: string;
}
