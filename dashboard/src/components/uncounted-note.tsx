import { ErrorNote } from "./basics";
import type { Counting } from "./use-dry-run";

/** Says why a change of many is not offered: what it would change could not be counted. */
export function UncountedNote({ counting: { error, again }, noun }: { counting: Counting; noun: string }) {
  if (!error) return null;
  return (
    <>
      <p class="bad">The {noun}s could not be counted, so this dialog changes none of them. The answer to the count:</p>
      <ErrorNote error={error} onRetry={again} />
    </>
  );
}
