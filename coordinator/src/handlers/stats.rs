//! The statistics of the scheduler.

use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_calendar::tz;
use scheduler_model::histogram::Histogram;
use scheduler_model::meter::Meter;
use scheduler_model::protocol::{CircuitStats, ShardStats, paths};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatsReply {
    #[serde(flatten)]
    total: Numbers,
    time_zones: &'static str,
    shards: Vec<OfShard>,
}

#[derive(Serialize)]
struct OfShard {
    shard: String,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    pending: u64,
    in_flight: u64,
    schedules: u64,
    unscheduled: u64,
    paused: u64,
    dead_letters: u64,
    overdue: u64,
    waiting_for_limits: u64,
    memory_bytes: u64,
    created: u64,
    replaced: u64,
    cancelled: u64,
    fired: u64,
    succeeded: u64,
    handed_over: u64,
    failed: u64,
    follow_ups_succeeded: u64,
    follow_ups_failed: u64,
    dead_lettered: u64,
    dead_letters_displaced: u64,
    skipped: u64,
    expired: u64,
    redelivered: u64,
    repairs: u64,
    lateness_millis: Percentiles,
    meter: Meter,
    circuits: Vec<CircuitStats>,
}

#[derive(Serialize)]
struct Percentiles {
    p50: u64,
    p90: u64,
    p99: u64,
    max: u64,
    count: u64,
}

impl From<&Histogram> for Percentiles {
    fn from(lateness: &Histogram) -> Self {
        Self {
            p50: lateness.percentile(0.5),
            p90: lateness.percentile(0.9),
            p99: lateness.percentile(0.99),
            max: lateness.max(),
            count: lateness.count(),
        }
    }
}

impl From<&ShardStats> for Numbers {
    fn from(stats: &ShardStats) -> Self {
        let counters = &stats.counters;
        Self {
            pending: stats.pending,
            in_flight: stats.in_flight,
            schedules: stats.schedules,
            unscheduled: stats.unscheduled,
            paused: stats.paused,
            dead_letters: stats.dead_letters,
            overdue: stats.overdue,
            waiting_for_limits: stats.waiting_for_limits,
            memory_bytes: stats.memory_bytes,
            created: counters.created,
            replaced: counters.replaced,
            cancelled: counters.cancelled,
            fired: counters.fired,
            succeeded: counters.succeeded,
            handed_over: counters.handed_over,
            failed: counters.failed,
            follow_ups_succeeded: counters.follow_ups_succeeded,
            follow_ups_failed: counters.follow_ups_failed,
            dead_lettered: counters.dead_lettered,
            dead_letters_displaced: counters.dead_letters_displaced,
            skipped: counters.skipped,
            expired: counters.expired,
            redelivered: counters.redelivered,
            repairs: counters.repairs,
            lateness_millis: Percentiles::from(&stats.lateness),
            meter: stats.meter,
            circuits: stats.circuits.clone(),
        }
    }
}

/// `GET /v1/stats` answers with the statistics of every shard, and their sum.
pub(crate) async fn stats(call: Call<'_>) -> Result<Answer, Problem> {
    let shards = &call.shards;
    let replies = shards
        .each(shards.map.all(), |shard| async move {
            let stats: ShardStats = shards.ask(shard, paths::STATS, &()).await?;
            Ok::<_, Problem>((shard, stats.at(call.now)))
        })
        .await;
    let replies = replies.into_iter().collect::<Result<Vec<_>, _>>()?;
    let total = ShardStats::sum(replies.iter().map(|(_, stats)| stats));
    let of_shards = replies
        .iter()
        .map(|(shard, stats)| OfShard { shard: shard.to_string(), numbers: stats.into() })
        .collect();
    Ok(Answer::of(
        200,
        &StatsReply { total: Numbers::from(&total), time_zones: tz::release(), shards: of_shards },
    ))
}
