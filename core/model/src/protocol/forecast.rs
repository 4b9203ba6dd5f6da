//! The runs of a shard that come due, in numbers.

use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// How many runs of a shard come due in each bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForecastReply {
    /// What waits with a due time of its own, by bucket. Complete.
    pub one_shot: Vec<u64>,
    /// The runs of recurring tasks, by bucket.
    pub recurring: Vec<u64>,
    /// Every run of a recurring task that is due before this time is counted, and some of those
    /// that are due later. The beginning of a bucket, or the end of the last one.
    pub counted_until: UnixMillis,
}
