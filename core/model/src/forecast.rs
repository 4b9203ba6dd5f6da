//! The number of runs that come due in each part of a coming period: the query, the buckets, and
//! the sum over shards.

use crate::bounds::{
    DEFAULT_FORECAST_BUCKETS, DEFAULT_FORECAST_MILLIS, MAX_FORECAST_BUCKETS, MAX_FORECAST_MILLIS,
};
use crate::input::{FieldError, parse_time, quoted};
use crate::list_query::{Parameter, unknown_parameter};
use crate::protocol::ForecastReply;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The parameters that [`parse_forecast_query`] reads.
pub const FORECAST_QUERY: &[&str] = &["from", "to", "buckets"];

/// A period in buckets of equal length. The last bucket may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Buckets {
    from: UnixMillis,
    to: UnixMillis,
    bucket_millis: i64,
}

impl Buckets {
    /// Divides the period from `from` to `to`, which must be later, into at most `most` buckets.
    /// There are fewer if buckets would be shorter than a millisecond, or if the period is not a
    /// multiple of whole milliseconds per bucket.
    pub fn divide(from: UnixMillis, to: UnixMillis, most: usize) -> Self {
        let most = i64::try_from(most).unwrap_or(i64::MAX).max(1);
        let span = to.since(from).max(1);
        let bucket_millis = span / most + i64::from(span % most > 0);
        Self { from, to, bucket_millis }
    }

    /// Returns the number of buckets. It is 0 for values that [`Self::divide`] never returns.
    pub fn len(&self) -> usize {
        let span = self.to.since(self.from);
        if span <= 0 || self.bucket_millis <= 0 {
            return 0;
        }
        usize::try_from((span - 1) / self.bucket_millis + 1).unwrap_or(usize::MAX)
    }

    /// Returns whether there are no buckets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the beginning of the first bucket.
    pub fn from(&self) -> UnixMillis {
        self.from
    }

    /// Returns the end of the last bucket, which is not a part of it.
    pub fn to(&self) -> UnixMillis {
        self.to
    }

    /// Returns the bucket that contains a time.
    pub fn at(&self, time: UnixMillis) -> Option<usize> {
        if time < self.from || time >= self.to {
            return None;
        }
        usize::try_from(time.since(self.from) / self.bucket_millis.max(1)).ok()
    }

    /// Returns the beginning of a bucket.
    pub fn start(&self, bucket: usize) -> UnixMillis {
        let before = i64::try_from(bucket).unwrap_or(i64::MAX).saturating_mul(self.bucket_millis);
        self.from.plus(before).min(self.to)
    }

    /// Returns the end of a bucket, which is not a part of it.
    pub fn end(&self, bucket: usize) -> UnixMillis {
        self.start(bucket.saturating_add(1))
    }
}

/// Reads the parameters of a query for a forecast.
///
/// # Errors
/// Returns an error that names the invalid parameter and the limit.
pub fn parse_forecast_query(
    parameters: &mut dyn Iterator<Item = Parameter<'_>>,
    now: UnixMillis,
) -> Result<Buckets, FieldError> {
    let (mut from, mut to, mut buckets) = (None, None, DEFAULT_FORECAST_BUCKETS);
    for parameter in parameters {
        let (name, value) = parameter?;
        match name.as_ref() {
            "from" => from = Some(parse_time("from", &value)?),
            "to" => to = Some(parse_time("to", &value)?),
            "buckets" => buckets = parse_buckets(&value)?,
            other => return Err(unknown_parameter(other, FORECAST_QUERY)),
        }
    }
    let from = from.unwrap_or(now);
    let to = to.unwrap_or(from.plus(DEFAULT_FORECAST_MILLIS));
    if from >= to {
        let detail = format!("is {}, which is not after from, {}", to.shown(), from.shown());
        return Err(FieldError::new("to", detail));
    }
    if to.since(from) > MAX_FORECAST_MILLIS {
        let detail = format!(
            "is {}; must be at most {} days after from, {}",
            to.shown(),
            MAX_FORECAST_MILLIS / 86_400_000,
            from.shown()
        );
        return Err(FieldError::new("to", detail));
    }
    Ok(Buckets::divide(from, to, buckets))
}

fn parse_buckets(value: &str) -> Result<usize, FieldError> {
    let given = value.parse().ok().filter(|given| (1..=MAX_FORECAST_BUCKETS).contains(given));
    given.ok_or_else(|| {
        let detail = format!("is {}; must be 1 to {MAX_FORECAST_BUCKETS}", quoted(value, 64));
        FieldError::new("buckets", detail)
    })
}

/// The number of runs that come due in each part of a coming period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// The beginning of the first bucket, milliseconds since 1970.
    #[schemars(with = "i64")]
    pub from: UnixMillis,
    /// The end of the last bucket, milliseconds since 1970. Runs that are due at this time are not
    /// counted.
    #[schemars(with = "i64")]
    pub to: UnixMillis,
    /// The length of a bucket, in milliseconds. The last one may be shorter.
    pub bucket_millis: i64,
    /// Every run that is due before this time is counted, milliseconds since 1970. It is `to`, or
    /// the beginning of a bucket if the shards stopped at the bound of their work. Then the counts
    /// of this bucket and of later ones are too low.
    #[schemars(with = "i64")]
    pub counted_until: UnixMillis,
    /// How many shards could not answer, because they still run an earlier version. Their runs are
    /// missing in every bucket, and `countedUntil` is `from`. Absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_shards: Option<u32>,
    /// The buckets, in order and without a gap.
    pub buckets: Vec<ForecastBucket>,
}

/// The number of runs that come due in a part of the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastBucket {
    /// When it begins, milliseconds since 1970.
    #[schemars(with = "i64")]
    pub at: UnixMillis,
    /// One-shot tasks, further attempts, and runs that wait for a limit or a destination.
    pub one_shot: u64,
    /// Runs of recurring tasks.
    pub recurring: u64,
}

impl Forecast {
    /// Returns a forecast without the runs of any shard.
    pub fn new(buckets: Buckets) -> Self {
        let bucket = |at| ForecastBucket { at: buckets.start(at), one_shot: 0, recurring: 0 };
        Self {
            from: buckets.from,
            to: buckets.to,
            bucket_millis: buckets.bucket_millis,
            counted_until: buckets.to,
            missing_shards: None,
            buckets: (0..buckets.len()).map(bucket).collect(),
        }
    }

    /// Adds the runs of a shard. `None` is the answer of a shard that does not know the request.
    pub fn add(&mut self, reply: Option<&ForecastReply>) {
        let Some(reply) = reply else {
            self.counted_until = self.from;
            self.missing_shards = Some(self.missing_shards.unwrap_or(0).saturating_add(1));
            return;
        };
        self.counted_until = self.counted_until.min(reply.counted_until);
        for (bucket, count) in self.buckets.iter_mut().zip(&reply.one_shot) {
            bucket.one_shot = bucket.one_shot.saturating_add(*count);
        }
        for (bucket, count) in self.buckets.iter_mut().zip(&reply.recurring) {
            bucket.recurring = bucket.recurring.saturating_add(*count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list_query::each_once;

    const NOW: UnixMillis = UnixMillis::new(1_800_000_000_000);
    const DAY: i64 = 86_400_000;

    fn parsed(query: &[(&str, &str)]) -> Result<Buckets, FieldError> {
        let pairs = query.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        parse_forecast_query(&mut each_once(pairs), NOW)
    }

    #[test]
    fn a_query_says_from_when_to_when_in_how_many_buckets() {
        let usual = parsed(&[]).unwrap();
        assert_eq!((usual.from(), usual.to(), usual.len()), (NOW, NOW.plus(DAY), 24));
        let from = NOW.plus(DAY).to_string();
        let to = NOW.plus(2 * DAY).to_string();
        let given = parsed(&[("from", &from), ("to", &to), ("buckets", "48")]).unwrap();
        assert_eq!(given, Buckets::divide(NOW.plus(DAY), NOW.plus(2 * DAY), 48));
        assert_eq!(given.end(0).since(given.start(0)), DAY / 48);
        // One parameter at a time.
        assert_eq!(parsed(&[("from", &from)]).unwrap().to(), NOW.plus(2 * DAY));
        assert_eq!(parsed(&[("to", &to)]).unwrap().from(), NOW);
        let longest = NOW.plus(MAX_FORECAST_MILLIS).to_string();
        assert_eq!(parsed(&[("to", &longest), ("buckets", "1000")]).unwrap().len(), 1_000);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_limit() {
        let (now, past) = (NOW.to_string(), NOW.plus(-1).to_string());
        let too_long = NOW.plus(MAX_FORECAST_MILLIS + 1).to_string();
        for (query, field, text) in [
            (&[("to", now.as_str())][..], "to", "not after from"),
            (&[("to", past.as_str())], "to", "not after from"),
            (&[("to", too_long.as_str())], "to", "366 days"),
            (&[("from", "2027-01-01T00:00:00Z"), ("to", "9999-01-01T00:00:00Z")], "to", "366 days"),
            (&[("from", "tomorrow")], "from", "RFC 3339"),
            (&[("buckets", "0")], "buckets", "1 to 1000"),
            (&[("buckets", "1001")], "buckets", "1 to 1000"),
            (&[("buckets", "-1")], "buckets", "1 to 1000"),
            (&[("buckets", "1"), ("buckets", "1")], "buckets", "more than once"),
            (&[("bucket", "1")], "bucket", "buckets"),
        ] {
            let error = parsed(query).unwrap_err();
            assert_eq!(error.field, field, "{query:?}");
            assert!(error.detail.contains(text), "{query:?}: {}", error.detail);
        }
    }

    /// Every time is in one bucket, and no bucket is empty.
    #[test]
    fn buckets_meet_without_gap_or_overlap() {
        for (span, most) in [(1, 1), (1, 9), (7, 3), (10, 4), (10, 6), (1_000, 7), (61, 60)] {
            let buckets = Buckets::divide(NOW, NOW.plus(span), most);
            assert!((1..=most).contains(&buckets.len()), "{span} in {most}");
            let mut next = NOW;
            for bucket in 0..buckets.len() {
                assert_eq!(buckets.start(bucket), next);
                assert!(buckets.end(bucket) > next, "{span} in {most}");
                while next < buckets.end(bucket) {
                    assert_eq!(buckets.at(next), Some(bucket));
                    next = next.plus(1);
                }
            }
            assert_eq!(next, buckets.to());
            assert_eq!((buckets.at(next), buckets.at(NOW.plus(-1))), (None, None));
        }
    }

    #[test]
    fn a_division_that_nothing_makes_has_no_bucket() {
        let [backwards, none] = [(NOW.plus(-1), 1), (NOW.plus(1), 0)]
            .map(|(to, bucket_millis)| Buckets { from: NOW, to, bucket_millis });
        assert!(backwards.is_empty() && none.is_empty());
        assert_eq!((backwards.at(NOW), none.at(NOW)), (None, Some(0)));
    }

    #[test]
    fn shards_add_up_and_the_first_that_stopped_counts() {
        let buckets = Buckets::divide(NOW, NOW.plus(3), 3);
        let reply = |one_shot: [u64; 3], recurring: [u64; 3], until| ForecastReply {
            one_shot: one_shot.to_vec(),
            recurring: recurring.to_vec(),
            counted_until: NOW.plus(until),
        };
        let mut sum = Forecast::new(buckets);
        sum.add(Some(&reply([1, 0, 2], [0, 5, 0], 3)));
        sum.add(Some(&reply([0, 10, 0], [7, 0, 0], 1)));
        let counts: Vec<_> = sum
            .buckets
            .iter()
            .map(|bucket| (bucket.at, bucket.one_shot, bucket.recurring))
            .collect();
        assert_eq!(counts, [(NOW, 1, 7), (NOW.plus(1), 10, 5), (NOW.plus(2), 2, 0)]);
        assert_eq!((sum.counted_until, sum.missing_shards), (NOW.plus(1), None));
        sum.add(None);
        sum.add(None);
        assert_eq!((sum.counted_until, sum.missing_shards), (NOW, Some(2)));
    }
}
