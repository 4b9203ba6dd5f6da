//! Series: the counts of the shards in each minute and in each hour.
//!
//! A shard keeps points of a minute for the last two hours, and of an hour for the last seven days.
//! They are a part of the state that it stores anyway ([`crate::format::series`]). A point without
//! counts is not stored. The coordinator adds up the points of all shards.

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
