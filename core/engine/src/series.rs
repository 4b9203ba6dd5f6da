//! The series of a shard: its counts in each minute and in each hour.
//!
//! The shard counts once, in its [`Counters`], its [`Meter`] and its histogram of lateness. The
//! open point of a series is the growth of these since the point began. When the next point begins,
//! the open one is closed: it is encoded after the others. So counting costs nothing, and the
//! points add up to the counters.
//!
//! The state stores all of this with each firing, so it is compact and bounded in bytes
//! ([`MAX_MINUTES_BYTES`], [`MAX_HOURS_BYTES`]). Closed points are text that is copied, and only
//! the two open ones are encoded each time.
//!
//! The clock of the shard determines the point of a count. If the clock goes back, the points that
//! are then in the future join the current one. So no count is lost, and none is in the future.
//!
//! [`Counters`]: scheduler_model::protocol::Counters
//! [`Meter`]: scheduler_model::meter::Meter

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_HOURS_BYTES, MAX_MINUTES_BYTES};
use scheduler_model::format::series::{Points, StoredSeries};
use scheduler_model::series::{Counts, Point, Resolution};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// The stored form of a series.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SeriesText {
    /// The closed points: a [`StoredSeries`] as text.
    closed: Box<RawValue>,
    /// The open points: a [`StoredSeries`] as text. They are the last points of their length.
    open: String,
}

impl PartialEq for SeriesText {
    fn eq(&self, other: &Self) -> bool {
        self.closed.get() == other.closed.get() && self.open == other.open
    }
}

impl Eq for SeriesText {}

/// The points of one length.
#[derive(Debug)]
struct Ring {
    by: Resolution,
    closed: Points,
    /// The number of the open point; `None` until the shard knows the time.
    open: Option<i64>,
    /// The counts of the shard when the open point began, or when this engine started.
    base: Counts,
    /// The counts of the open point from before this engine started, and from points that were in
    /// the future.
    carried: Counts,
}

impl Ring {
    fn new(by: Resolution, closed: Points, open: Option<Point>, totals: &Counts) -> Self {
        let (open, carried) = match open {
            Some(Point { number, counts }) => (Some(number), counts),
            None => (None, Counts::default()),
        };
        Self { by, closed, open, base: totals.clone(), carried }
    }

    /// Returns the open point; `None` if its counts are all 0.
    fn open_point(&self, totals: &Counts) -> Option<Point> {
        let mut counts = totals.since(&self.base);
        counts.add_time(&self.carried);
        let number = self.open.filter(|_| !counts.is_empty())?;
        Some(Point { number, counts })
    }

    fn is_open(&self, now: UnixMillis) -> bool {
        self.open == Some(self.by.number(now))
    }

    /// Opens the point that contains a time. Assumes that another point is open, or none.
    fn open(&mut self, now: UnixMillis, totals: &Counts) {
        let number = self.by.number(now);
        let mut points = self.closed.to_vec();
        if self.open.is_some_and(|open| open < number) {
            points.extend(self.open_point(totals));
            (self.base, self.carried) = (totals.clone(), Counts::default());
        }
        self.open = Some(number);
        while let Some(later) = points.pop_if(|last| last.number >= number) {
            self.carried.add_time(&later.counts);
        }
        let first = self.by.first(now);
        points.retain(|point| point.number >= first);
        self.closed = within(points, self.most_bytes());
    }

    /// Returns the most bytes of its closed points.
    fn most_bytes(&self) -> usize {
        match self.by {
            Resolution::Minute => MAX_MINUTES_BYTES,
            Resolution::Hour => MAX_HOURS_BYTES,
        }
    }
}

/// Encodes the newest of some points, as many as fit.
fn within(mut points: Vec<Point>, most_bytes: usize) -> Points {
    loop {
        let encoded = Points::of(&points);
        if encoded.bytes().len() <= most_bytes {
            return encoded;
        }
        points.remove(0);
    }
}

/// The series of a shard.
#[derive(Debug)]
pub(super) struct Series {
    /// See [`StoredSeries::since`].
    since: Option<i64>,
    /// Whether the shard has counted before it had series. Then the series begin with the first
    /// input.
    begins_late: bool,
    minutes: Ring,
    hours: Ring,
    /// The closed points, as the state stores them.
    closed: Box<RawValue>,
    /// The time of the last count of the backlog.
    looked_at: Option<UnixMillis>,
}

impl Default for Series {
    fn default() -> Self {
        Self::of(StoredSeries::default(), StoredSeries::default(), false, &Counts::default())
    }
}

impl Series {
    fn of(closed: StoredSeries, open: StoredSeries, begins_late: bool, totals: &Counts) -> Self {
        let ring = |by, closed, open: &Points| Ring::new(by, closed, open.to_vec().pop(), totals);
        let mut series = Self {
            since: closed.since,
            begins_late,
            minutes: ring(Resolution::Minute, closed.minutes, &open.minutes),
            hours: ring(Resolution::Hour, closed.hours, &open.hours),
            closed: RawValue::NULL.to_owned(),
            looked_at: None,
        };
        series.write_closed();
        series
    }

    /// Reads the series in a stored state. `totals` are the counts in the same state.
    ///
    /// The state of an earlier version has no series, and this version may not be able to read
    /// those of a later one. Then the series begin with the first input.
    pub(super) fn load(state: &[u8], totals: &Counts) -> Self {
        match read(state) {
            Some((closed, open)) => Self::of(closed, open, false, totals),
            None => {
                let begins_late = !totals.is_empty();
                Self::of(StoredSeries::default(), StoredSeries::default(), begins_late, totals)
            }
        }
    }

    /// Returns whether the points that contain a time are not open yet.
    pub(super) fn must_open(&self, now: UnixMillis) -> bool {
        !self.minutes.is_open(now)
    }

    /// Opens the points that contain a time. `totals` are the counts of the shard.
    pub(super) fn open(&mut self, now: UnixMillis, totals: &Counts) {
        self.minutes.open(now, totals);
        if !self.hours.is_open(now) {
            self.hours.open(now, totals);
        }
        let minute = Resolution::Minute.number(now);
        if std::mem::take(&mut self.begins_late) {
            self.since = Some(minute);
        }
        let oldest = Resolution::Minute.number(Resolution::Hour.start(Resolution::Hour.first(now)));
        // The clock was ahead before, so the recorded time is in the future.
        self.since = self.since.map(|since| since.min(minute)).filter(|since| *since > oldest);
        self.write_closed();
    }

    /// Returns whether the backlog is to be counted again, which happens once in `every`
    /// milliseconds.
    pub(super) fn looks_at_backlog(&mut self, now: UnixMillis, every: i64) -> bool {
        let is_due = self.looked_at.is_none_or(|last| now < last || now.since(last) >= every);
        if is_due {
            self.looked_at = Some(now);
        }
        is_due
    }

    /// Records the number of late runs.
    pub(super) fn note_backlog(&mut self, backlog: u64) {
        for ring in [&mut self.minutes, &mut self.hours] {
            ring.carried.backlog = ring.carried.backlog.max(backlog);
        }
    }

    /// Returns the stored form. `totals` are the counts in the same state. Returns `None` if
    /// nothing was ever counted.
    pub(super) fn text(&self, totals: &Counts) -> Option<SeriesText> {
        let points = |ring: &Ring| Points::of(&ring.open_point(totals));
        let (minutes, hours) = (points(&self.minutes), points(&self.hours));
        let is_empty = [&minutes, &hours, &self.minutes.closed, &self.hours.closed]
            .iter()
            .all(|points| points.bytes().is_empty());
        if is_empty && self.since.is_none() {
            return None;
        }
        let open = StoredSeries { since: None, minutes, hours };
        Some(SeriesText { closed: self.closed.clone(), open: open.to_text() })
    }

    /// Returns the points of one length, including the open one.
    pub(super) fn points(&self, by: Resolution, totals: &Counts) -> StoredSeries {
        let ring = match by {
            Resolution::Minute => &self.minutes,
            Resolution::Hour => &self.hours,
        };
        let mut points = ring.closed.clone();
        if let Some(open) = ring.open_point(totals) {
            points.push(&open);
        }
        let of = |other: Resolution| if other == by { points.clone() } else { Points::default() };
        let (minutes, hours) = (of(Resolution::Minute), of(Resolution::Hour));
        StoredSeries { since: self.since, minutes, hours }
    }

    /// Returns the allocated bytes, except those of the open points.
    pub(super) fn memory_bytes(&self) -> usize {
        self.minutes.closed.bytes().len()
            + self.hours.closed.bytes().len()
            + self.closed.get().len()
    }

    fn write_closed(&mut self) {
        let closed = StoredSeries {
            since: self.since,
            minutes: self.minutes.closed.clone(),
            hours: self.hours.closed.clone(),
        };
        // A text can always be written as JSON.
        self.closed = to_raw_value(&closed.to_text()).unwrap_or_else(|_| RawValue::NULL.to_owned());
    }
}

/// Reads the closed and the open points of a stored state. Returns `None` if there are none, or if
/// this version cannot read them.
fn read(state: &[u8]) -> Option<(StoredSeries, StoredSeries)> {
    #[derive(Deserialize)]
    struct Stored<'a> {
        #[serde(borrow)]
        series: Option<Texts<'a>>,
    }
    #[derive(Deserialize)]
    struct Texts<'a> {
        closed: &'a str,
        open: &'a str,
    }
    let texts = serde_json::from_slice::<Stored<'_>>(state).ok()?.series?;
    Some((StoredSeries::from_text(texts.closed).ok()?, StoredSeries::from_text(texts.open).ok()?))
}

#[cfg(test)]
#[path = "series_tests.rs"]
mod tests;
