// Shows whether the page updates by itself, and what that costs.

import { useEffect } from "preact/hooks";
import { readStats } from "../api/stats";
import { isLive, readers, watching } from "../state/live";
import { path, query } from "../state/router";
import { shardCount } from "../state/shards";
import { requestCost } from "../lib/cost";
import { dollars } from "../lib/numbers";
import { clockAt } from "../lib/time";

const HOUR_MS = 3_600_000;

/** Returns the cost of an hour on the current page, in dollars; NaN if it depends on the number of shards and that is not known yet. */
function costPerHour(): number {
  const all = shardCount.value ?? Number.NaN;
  return watching.value.reduce((sum, { everyMs, requests, shards }) => sum + (HOUR_MS / everyMs) * requestCost(requests, shards(all)), 0);
}

/** The lists that only their button reads again. */
const READ_BY_BUTTON: readonly string[] = ["/tasks", "/runs", "/dead-letters"];

/** Says what is the case on a page that reads nothing by itself at the moment. */
function unwatched(page: string): string {
  if (page === "/runs" && query.value.get("view") === "events") return "Not by reading: events arrive as they happen while you follow them.";
  if (READ_BY_BUTTON.includes(page)) return "Not for this list, so that its rows stay where they are: “Read again” reads it.";
  if (page === "/create" || page.endsWith("/edit")) return "Not for this form: nothing replaces what you type.";
  if (readers.value.length === 0) return "Not for this page: it shows nothing that changes.";
  const [first] = readers.value;
  if (first?.at === undefined) return first?.hasFailed ? "Not read yet: the page says why." : "Reading…";
  const { time } = clockAt(first.at);
  return first.ending === undefined ? `Not for this page: it shows what was there at ${time}.` : `${first.ending}: nothing more is to come. Last read at ${time}.`;
}

export function LiveNote() {
  const cost = costPerHour();
  const isUnknown = Number.isNaN(cost);
  useEffect(() => {
    // One request: the statistics contain the number of shards.
    if (isUnknown) void readStats().catch(() => {});
  }, [isUnknown]);
  const fastest = Math.min(...watching.value.map(({ everyMs }) => everyMs));
  return (
    <div class="live">
      <label class="check">
        <input type="checkbox" role="switch" checked={isLive.value} onChange={(event) => (isLive.value = event.currentTarget.checked)} />
        <span>Live updates</span>
      </label>
      <p class="muted small" title="An estimate: requests to the Worker and to the shards, while this page is visible. A hidden page reads nothing.">
        {!isLive.value
          ? "Off: no page is read again by itself."
          : watching.value.length === 0
            ? unwatched(path.value)
            : `Every ${fastest / 1_000} s${isUnknown ? "" : `, about ${dollars(cost)} an hour`}`}
      </p>
    </div>
  );
}
