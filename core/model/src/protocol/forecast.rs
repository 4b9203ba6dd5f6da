//! The number of runs of a shard that come due.

use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// The number of runs of a shard that come due in each bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForecastReply {
    /// Waiting entries with a due time of their own, by bucket. This count is complete.
    pub one_shot: Vec<u64>,
    /// The runs of recurring tasks, by bucket.
    pub recurring: Vec<u64>,
    /// Every run of a recurring task that is due before this time is counted, and some later ones.
    /// It is the beginning of a bucket, or the end of the last one.
    pub counted_until: UnixMillis,
}
