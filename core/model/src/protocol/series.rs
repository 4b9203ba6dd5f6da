//! The series of a shard.

use crate::series::Resolution;
use serde::{Deserialize, Serialize};

/// Which points are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesRequest {
    /// Their length.
    pub by: Resolution,
}

/// The points of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesReply {
    /// [`crate::format::series::StoredSeries`] as text, of which only the points asked for are
    /// there.
    pub series: String,
}
