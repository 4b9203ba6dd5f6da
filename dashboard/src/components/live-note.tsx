// Shows whether the page updates by itself, and what that costs.

import { useEffect } from "preact/hooks";
import { readStats } from "../api/stats";
import { isLive, watching } from "../state/live";
import { shardCount } from "../state/shards";
import { requestCost } from "../lib/cost";
import { dollars } from "../lib/numbers";

const HOUR_MS = 3_600_000;

/** Returns what an hour of the present page costs, in dollars; NaN while it depends on the number of shards and that is not known. */
function costPerHour(): number {
  const all = shardCount.value ?? Number.NaN;
  return watching.value.reduce((sum, { everyMs, requests, shards }) => sum + (HOUR_MS / everyMs) * requestCost(requests, shards(all)), 0);
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
            ? "Not needed here: this page is read once, when you open it."
            : `Every ${fastest / 1_000} s${isUnknown ? "" : `, about ${dollars(cost)} an hour`}`}
      </p>
    </div>
  );
}
