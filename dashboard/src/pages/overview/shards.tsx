import { useState } from "preact/hooks";
import type { ShardStats } from "../../api/types";
import { Segments } from "../../components/basics";
import { bytes, short } from "../../lib/numbers";
import { duration } from "../../lib/time";

const METRICS = {
  pending: { name: "Waiting", of: (shard: ShardStats) => shard.pending, show: short },
  overdue: { name: "Overdue", of: (shard: ShardStats) => shard.overdue, show: short },
  late: { name: "Lateness, p99", of: (shard: ShardStats) => shard.latenessMillis.p99, show: duration },
  failed: { name: "Failed", of: (shard: ShardStats) => shard.failed, show: short },
  memory: { name: "Memory", of: (shard: ShardStats) => shard.memoryBytes, show: bytes },
} as const;
type Metric = keyof typeof METRICS;

/** The shards as a heat map: the higher the chosen count of a shard, the stronger its color. */
export function Shards({ shards }: { shards: readonly ShardStats[] }) {
  const [metric, setMetric] = useState<Metric>("pending");
  const { of, show } = METRICS[metric];
  const most = Math.max(1, ...shards.map(of));
  return (
    <section class="panel" aria-labelledby="shards">
      <div class="panel-head">
        <h2 id="shards">Shards</h2>
        <Segments label="Count to show" value={metric} options={(Object.keys(METRICS) as Metric[]).map((name) => [name, METRICS[name].name] as const)} onChange={setMetric} />
      </div>
      <ul class="heat" tabIndex={0} aria-label="Shards">
        {shards.map((shard) => (
          <li key={shard.shard} style={{ "--heat": `${Math.round((of(shard) / most) * 45)}%` }}>
            <span class="muted small">{shard.shard}</span>
            <span>{show(of(shard))}</span>
          </li>
        ))}
      </ul>
      <p class="muted small">Each cell is a shard, named by its epoch and its index. The higher its count, the stronger its color: even colors mean that the tasks are spread evenly.</p>
    </section>
  );
}
