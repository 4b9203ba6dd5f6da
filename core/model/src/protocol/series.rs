//! The series of a shard.

use crate::series::Resolution;
use serde::{Deserialize, Serialize};

/// A request for points of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesRequest {
    /// The length of the points.
    pub by: Resolution,
}

/// The points of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesReply {
    /// A [`crate::format::series::StoredSeries`] as text, with the requested points only.
    pub series: String,
}
