//! The runs that come due, counted by the engine and from storage.

use crate::invariants::violated;
use crate::storage::{Storage, Waiting};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Engine;
use scheduler_model::forecast::Buckets;

/// `forecast-is-what-waits`: in each part of a coming period, the engine counts as many runs as
/// storage has. The reference counts all of them one by one.
pub(crate) fn forecast_agrees(
    engine: &Engine,
    storage: &Storage,
    waiting: &[Waiting],
    now: UnixMillis,
) {
    // Some seconds, some minutes, or the beginning of the backlog, chosen by the current time.
    let (back, span, most) = match now.get() % 3 {
        0 => (0, 10_000, 7),
        1 => (2_000, 60_000, 60),
        _ => (3_600_000, 3_900_000, 13),
    };
    let buckets = Buckets::divide(now.plus(-back), now.plus(span - back), most);
    let (mut one_shot, mut recurring) = (vec![0; buckets.len()], vec![0; buckets.len()]);
    for waiting in waiting.iter().filter(|waiting| waiting.entry.is_some()) {
        if let Some(bucket) = buckets.at(waiting.position.due) {
            one_shot[bucket] += 1;
        }
    }
    for due in storage.runs_before(buckets.to()) {
        if let Some(bucket) = buckets.at(due) {
            recurring[bucket] += 1;
        }
    }
    let reply = engine.forecast(&buckets).expect("the buckets are within their bounds");
    let is_complete = reply.counted_until == buckets.to();
    if !is_complete || reply.one_shot != one_shot || reply.recurring != recurring {
        violated(
            "forecast-is-what-waits",
            format!("{reply:?}; storage has {one_shot:?} and {recurring:?} in {buckets:?}"),
        );
    }
}
