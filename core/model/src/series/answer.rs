//! The series that the API answers: the sum of the counts of the shards.

use super::counts::Counts;
use super::resolution::Resolution;
use crate::format::series::StoredSeries;
use crate::input::FieldError;
use crate::list_query::{Parameter, one_of, unknown_parameter};
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::Serialize;

/// The parameters that [`parse_series_query`] reads.
pub const SERIES_QUERY: &[&str] = &["by"];

/// Reads the parameters of a query for series.
///
/// # Errors
/// Returns an error that names the invalid parameter.
pub fn parse_series_query(
    parameters: &mut dyn Iterator<Item = Parameter<'_>>,
) -> Result<Resolution, FieldError> {
    let mut by = Resolution::default();
    for parameter in parameters {
        let (name, value) = parameter?;
        match name.as_ref() {
            "by" => by = one_of::<Resolution>("by", &value)?,
            other => return Err(unknown_parameter(other, SERIES_QUERY)),
        }
    }
    Ok(by)
}

/// The counts of each minute of the last two hours, or of each hour of the last seven days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// When the first bucket begins, milliseconds since 1970.
    #[schemars(with = "i64")]
    pub from: UnixMillis,
    /// The time of the answer, milliseconds since 1970. The last bucket is not complete.
    #[schemars(with = "i64")]
    pub to: UnixMillis,
    /// The length of a bucket, milliseconds.
    pub bucket_millis: i64,
    /// Present if a shard has no series before this time, milliseconds since 1970. Then the counts
    /// of earlier buckets are too low.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub since: Option<UnixMillis>,
    /// How many shards could not answer, because they still run an earlier version. Their counts
    /// are missing in every bucket. Absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_shards: Option<u32>,
    /// The buckets, in order and without a gap.
    pub buckets: Vec<SeriesBucket>,
}

/// The counts of a minute or of an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeriesBucket {
    /// When it begins, milliseconds since 1970.
    #[schemars(with = "i64")]
    pub at: UnixMillis,
    /// Tasks that were created.
    pub created: u64,
    /// Attempts that were dispatched, at runs and at follow-ups. Sending an envelope again does not
    /// count.
    pub fired: u64,
    /// Runs that succeeded. Follow-ups, and runs that went to your own queue, are counted
    /// separately.
    pub succeeded: u64,
    /// Runs that your own queue has accepted. What its consumer did with them is not known.
    pub handed_over: u64,
    /// Attempts at runs that failed.
    pub failed: u64,
    /// How long after their due times runs fired. Absent if nothing fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lateness_millis: Option<LatenessShown>,
    /// The most runs that were overdue by more than a second at one time, on each shard, including
    /// runs that waited for their limits.
    pub backlog: u64,
    /// Rows written, including one for each alarm.
    pub rows_written: u64,
    /// Queue operations.
    pub queue_operations: u64,
}

/// Percentiles in milliseconds. They are estimated from buckets that end at most half above their
/// beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Lateness")]
pub struct LatenessShown {
    /// Half of the runs were not later than this.
    pub p50: u64,
    /// 99 of 100 runs were not later than this.
    pub p99: u64,
}

/// The sum of the counts of the shards.
#[derive(Debug)]
pub struct SeriesSum {
    by: Resolution,
    now: UnixMillis,
    since: Option<i64>,
    missing_shards: u32,
    counts: Vec<Counts>,
}

impl SeriesSum {
    /// Returns a sum without the counts of any shard.
    pub fn new(by: Resolution, now: UnixMillis) -> Self {
        let counts = vec![Counts::default(); by.kept()];
        Self { by, now, since: None, missing_shards: 0, counts }
    }

    /// Adds the counts of a shard. `None` is the answer of a shard that does not know the request.
    pub fn add(&mut self, series: Option<&StoredSeries>) {
        let Some(series) = series else {
            self.missing_shards = self.missing_shards.saturating_add(1);
            return;
        };
        self.since = self.since.max(series.since);
        let first = self.by.first(self.now);
        for point in series.points(self.by).to_vec() {
            // The clock of a shard may be a little ahead of this one.
            let at = point.number.saturating_sub(first).min(self.by.kept() as i64 - 1);
            let of = usize::try_from(at).ok().and_then(|at| self.counts.get_mut(at));
            if let Some(counts) = of {
                counts.add_shard(&point.counts);
            }
        }
    }

    /// Returns the answer.
    pub fn shown(self) -> Series {
        let first = self.by.first(self.now);
        let from = self.by.start(first);
        let since = self.since.map(|minute| Resolution::Minute.start(minute));
        Series {
            from,
            to: self.now,
            bucket_millis: self.by.millis(),
            since: since.filter(|since| *since > from),
            missing_shards: Some(self.missing_shards).filter(|missing| *missing > 0),
            buckets: (first..)
                .zip(&self.counts)
                .map(|(number, counts)| shown(self.by.start(number), counts))
                .collect(),
        }
    }
}

fn shown(at: UnixMillis, counts: &Counts) -> SeriesBucket {
    let of = |share| counts.lateness.percentile(share);
    SeriesBucket {
        at,
        created: counts.created,
        fired: counts.fired,
        succeeded: counts.succeeded,
        handed_over: counts.handed_over,
        failed: counts.failed,
        lateness_millis: of(0.5).zip(of(0.99)).map(|(p50, p99)| LatenessShown { p50, p99 }),
        backlog: counts.backlog,
        rows_written: counts.rows_written,
        queue_operations: counts.queue_operations,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::series::Points;
    use crate::list_query::each_once;
    use crate::series::{CoarseHistogram, Point};

    const NOW: UnixMillis = UnixMillis::new(1_800_000_030_000);

    fn parsed(query: &[(&str, &str)]) -> Result<Resolution, FieldError> {
        let pairs = query.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        parse_series_query(&mut each_once(pairs))
    }

    #[test]
    fn a_query_names_the_length_of_the_points() {
        assert_eq!(parsed(&[]), Ok(Resolution::Minute));
        assert_eq!(parsed(&[("by", "hour")]), Ok(Resolution::Hour));
        for (query, field) in
            [(("by", "day"), "by"), (("by", "Minute"), "by"), (("from", "1795704299000"), "from")]
        {
            let error = parsed(&[query]).unwrap_err();
            assert_eq!(error.field, field);
        }
        assert!(parsed(&[("by", "day")]).unwrap_err().detail.contains("minute"));
    }

    fn minutes(since: Option<i64>, points: &[(i64, Counts)]) -> StoredSeries {
        let now = Resolution::Minute.number(NOW);
        let points = points
            .iter()
            .map(|(ago, counts)| Point { number: now - ago, counts: counts.clone() })
            .collect::<Vec<_>>();
        StoredSeries { since, minutes: Points::of(&points), ..StoredSeries::default() }
    }

    #[test]
    fn shards_add_up_and_a_bucket_without_points_is_empty() {
        let fired = |fired, bucket| {
            let mut lateness = CoarseHistogram::default();
            lateness.count_in(bucket, fired);
            Counts { fired, backlog: 5, lateness, ..Counts::default() }
        };
        let mut sum = SeriesSum::new(Resolution::Minute, NOW);
        sum.add(Some(&minutes(None, &[(120, fired(9, 0)), (119, fired(1, 0)), (0, fired(2, 3))])));
        // The clock of this shard is a minute ahead.
        sum.add(Some(&minutes(None, &[(1, fired(98, 0)), (0, fired(2, 5)), (-1, fired(4, 3))])));
        let series = sum.shown();
        assert_eq!((series.to, series.bucket_millis), (NOW, 60_000));
        assert_eq!(series.from, UnixMillis::new(1_800_000_000_000 - 119 * 60_000));
        assert_eq!((series.since, series.missing_shards, series.buckets.len()), (None, None, 120));
        let fired: Vec<_> = series
            .buckets
            .iter()
            .filter(|bucket| bucket.fired > 0)
            .map(|of| (of.at, of.fired))
            .collect();
        let at = |ago: i64| UnixMillis::new(1_800_000_000_000 - ago * 60_000);
        assert_eq!(fired, [(at(119), 1), (at(1), 98), (at(0), 8)]);
        let last = series.buckets.last().unwrap();
        assert_eq!((last.backlog, last.created), (15, 0));
        let p99 = |bucket: &SeriesBucket| bucket.lateness_millis.map(|lateness| lateness.p99);
        assert!(p99(last) > p99(&series.buckets[118]));
        assert_eq!(p99(&series.buckets[7]), None);
    }

    #[test]
    fn what_is_missing_is_said() {
        let minute = Resolution::Minute.number(NOW);
        let mut sum = SeriesSum::new(Resolution::Minute, NOW);
        for since in [None, Some(minute - 5), Some(minute - 9), Some(minute - 500)] {
            sum.add(Some(&minutes(since, &[])));
        }
        sum.add(None);
        let series = sum.shown();
        assert_eq!(series.since, Some(UnixMillis::new(1_800_000_000_000 - 5 * 60_000)));
        assert_eq!(series.missing_shards, Some(1));
        // Points before the first bucket are ignored.
        let mut sum = SeriesSum::new(Resolution::Minute, NOW);
        sum.add(Some(&minutes(Some(minute - 500), &[])));
        assert_eq!(sum.shown().since, None);
    }
}
