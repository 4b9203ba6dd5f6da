import { count, whole } from "../lib/numbers";
import type { CursorList } from "../lib/cursor-list";
import { fullTime } from "../lib/time";
import { Button, ErrorNote } from "./basics";

/**
 * Shows how much of a list has been read, and a button that reads more. `total` is the number of all items, if it is known. A descending
 * list begins with the last item.
 */
export function ListFoot({ list, noun, total, isDescending = false }: { list: CursorList<unknown>; noun: string; total?: number | undefined; isDescending?: boolean }) {
  if (list.error) return <ErrorNote error={list.error} onRetry={() => void list.more()} />;
  const shown = count(list.length, noun);
  const until = list.until === undefined ? "" : `, ${isDescending ? "back to" : "up to"} ${fullTime(list.until)}`;
  const looked = list.looked === 0 ? count(list.pagesRead, "page") : count(list.looked, "record");
  return (
    <p class="list-foot muted" role="status">
      {list.isLoading && list.length === 0
        ? list.pagesRead === 0
          ? "Reading…"
          : `Searching: ${looked} searched${until}, nothing found yet…`
        : list.isComplete
          ? `${shown}: all of them`
          : total === undefined
            ? `${shown} so far${list.isWaiting ? `: ${looked} searched${until}` : ": scroll for more"}`
            : `${whole(list.length)} of ${count(total, noun)} read: scroll for more`}
      {list.isWaiting && (
        <Button kind="quiet" onClick={() => void list.more()}>
          Search further
        </Button>
      )}
    </p>
  );
}
