import type { Stats } from "../../api/types";
import { costOf, fewestPricedAttempts, pricePerMillion } from "../../lib/cost";
import { count, dollars, short, whole } from "../../lib/numbers";

/** Shows the price of what the meter has counted, by the list prices of the platform. */
export function Cost({ stats }: { stats: Stats }) {
  const parts = costOf(stats.meter);
  const sum = parts.reduce((total, part) => total + part.dollars, 0);
  const shards = stats.shards.length;
  const price = pricePerMillion(sum, stats.fired, shards);
  return (
    <section class="panel" aria-labelledby="cost">
      <div class="panel-head">
        <h2 id="cost">Cost so far</h2>
        <span class="muted small">since the shards were created</span>
      </div>
      <dl class="tiles two">
        <div class="tile">
          <dt>In all</dt>
          <dd class="tile-value">{dollars(sum)}</dd>
        </div>
        <div class="tile">
          <dt>Per million attempts</dt>
          <dd class="tile-value">{price === undefined ? "–" : dollars(price)}</dd>
          {price === undefined && (
            <dd class="muted small">
              Too early: with {count(stats.fired, "attempt")}, most of this is the price of starting and watching the shards. It is shown from {whole(fewestPricedAttempts(shards))} attempts on.
            </dd>
          )}
        </div>
      </dl>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Billed</th>
            <th scope="col" class="number">
              Count
            </th>
            <th scope="col" class="number">
              Dollars
            </th>
          </tr>
        </thead>
        <tbody>
          {parts.map((part) => (
            <tr key={part.name}>
              <td>{part.name}</td>
              <td class="number">{short(part.count)}</td>
              <td class="number">{dollars(part.dollars)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted small">
        At the list prices of the paid plan, without the amounts that it includes. A shard writes three rows when it is used for the first time. Storage, requests to the Worker, and the time for which shards are awake are
        not counted here.{stats.meter.firingsSaved > 0 && ` Windows have saved ${count(stats.meter.firingsSaved, "firing")}.`}
      </p>
    </section>
  );
}
