//! Series: what happened in each minute and in each hour, by the counts of the shards.
//!
//! A shard keeps points of the last two hours, a minute each, and of the last seven days, an hour
//! each, in the state that it stores anyway ([`crate::format::series`]). A point without any count
//! is not kept. The coordinator adds up the points of all shards.

mod answer;
mod coarse;
mod counts;
mod resolution;

pub use answer::{
    LatenessShown, SERIES_QUERY, Series, SeriesBucket, SeriesSum, parse_series_query,
};
pub use coarse::CoarseHistogram;
pub use counts::{Counts, Point};
pub use resolution::Resolution;
