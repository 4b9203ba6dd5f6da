use super::*;
use scheduler_model::bounds::{MAX_SERIES_TEXT_BYTES, SERIES_HOURS, SERIES_MINUTES};
use scheduler_model::series::CoarseHistogram;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// The beginning of an hour.
const START: UnixMillis = UnixMillis::new(490_000 * HOUR);

/// A shard that counts, and its stored state.
#[derive(Default)]
struct Shard {
    series: Series,
    totals: Counts,
    stored: (Vec<u8>, Counts),
}

impl Shard {
    /// Fires tasks at a time, all of them with a lateness in the same bucket.
    fn fire(&mut self, now: UnixMillis, tasks: u64, bucket: usize) {
        self.observe(now);
        self.totals.fired += tasks;
        self.totals.lateness.count_in(bucket, tasks);
    }

    fn observe(&mut self, now: UnixMillis) {
        if self.series.must_open(now) {
            self.series.open(now, &self.totals);
        }
    }

    fn store(&mut self) {
        #[derive(Serialize)]
        struct State {
            fired: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            series: Option<SeriesText>,
        }
        let state = State { fired: self.totals.fired, series: self.series.text(&self.totals) };
        self.stored = (serde_json::to_vec(&state).unwrap(), self.totals.clone());
    }

    fn crash(&mut self) {
        self.totals = self.stored.1.clone();
        self.series = Series::load(&self.stored.0, &self.totals);
    }

    /// Returns the number of each point, relative to the start, with the count of what has fired.
    fn points(&self, by: Resolution) -> Vec<(i64, u64)> {
        let points = self.series.points(by, &self.totals).points(by).to_vec();
        let first = by.number(START);
        for point in &points {
            assert_eq!(point.counts.lateness.total(), point.counts.fired);
        }
        points.into_iter().map(|point| (point.number - first, point.counts.fired)).collect()
    }
}

#[test]
fn what_is_counted_is_in_the_point_of_its_time() {
    let mut shard = Shard::default();
    for (at, tasks) in
        [(0, 1), (59_999, 2), (MINUTE, 4), (5 * MINUTE, 8), (HOUR, 16), (HOUR + 1, 32)]
    {
        shard.fire(START.plus(at), tasks, 0);
    }
    assert_eq!(shard.points(Resolution::Minute), [(0, 3), (1, 4), (5, 8), (60, 48)]);
    assert_eq!(shard.points(Resolution::Hour), [(0, 15), (1, 48)]);
    // Without an input, nothing changes.
    shard.observe(START.plus(HOUR + 10 * MINUTE));
    assert_eq!(shard.points(Resolution::Minute), [(0, 3), (1, 4), (5, 8), (60, 48)]);
}

#[test]
fn what_is_stored_goes_on_after_a_start_and_the_rest_is_lost() {
    let mut shard = Shard::default();
    shard.fire(START, 1, 0);
    shard.fire(START.plus(MINUTE), 2, 0);
    shard.store();
    shard.fire(START.plus(MINUTE + 1), 4, 0);
    shard.fire(START.plus(2 * MINUTE), 8, 0);
    shard.crash();
    assert_eq!(shard.points(Resolution::Minute), [(0, 1), (1, 2)]);
    // The engine starts again in the same minute, and in another.
    for later in [MINUTE + 5, 3 * MINUTE] {
        shard.crash();
        shard.fire(START.plus(later), 16, 3);
        shard.store();
        shard.crash();
        let expected: &[(i64, u64)] =
            if later < 2 * MINUTE { &[(0, 1), (1, 18)] } else { &[(0, 1), (1, 18), (3, 16)] };
        assert_eq!(shard.points(Resolution::Minute), expected);
        assert_eq!(shard.points(Resolution::Hour), [(0, expected.iter().map(|of| of.1).sum())]);
    }
}

#[test]
fn a_state_without_series_begins_them_and_says_since_when() {
    let former = Counts { fired: 1_000_000, created: 5, ..Counts::default() };
    let late = START.plus(3 * MINUTE + 7);
    // The state of an earlier version, of a later one, and a damaged one.
    for state in [
        &br#"{"counters":{"fired":1000000}}"#[..],
        br#"{"series":{"closed":"Ag==","open":"Ag=="}}"#,
        br#"{"series":7}"#,
        b"",
    ] {
        let mut shard = Shard {
            series: Series::load(state, &former),
            totals: former.clone(),
            ..Shard::default()
        };
        assert!(shard.points(Resolution::Hour).is_empty());
        shard.fire(late, 2, 0);
        assert_eq!(shard.points(Resolution::Minute), [(3, 2)], "only what is new");
        let since = |shard: &Shard| shard.series.points(Resolution::Hour, &shard.totals).since;
        let minute = Resolution::Minute.number(late);
        assert_eq!(since(&shard), Some(minute));
        shard.store();
        shard.crash();
        assert_eq!(since(&shard), Some(minute), "it is stored");
        // After a week, the missing counts are older than the series.
        shard.observe(late.plus(8 * 24 * HOUR));
        assert_eq!(since(&shard), None);
    }
    // A shard that has counted nothing lacks no counts.
    let mut new = Shard::default();
    new.fire(START, 1, 0);
    assert_eq!(new.series.points(Resolution::Minute, &new.totals).since, None);
    assert!(Shard::default().series.text(&Counts::default()).is_none());
}

/// If the clock was ahead, the counts of the future points count in the present, once.
#[test]
fn points_of_the_future_join_the_present_one() {
    for restarts in [false, true] {
        let mut shard = Shard::default();
        let go = |shard: &mut Shard, at: i64, tasks: u64| {
            shard.fire(START.plus(at), tasks, 0);
            if restarts {
                shard.store();
                shard.crash();
            }
        };
        go(&mut shard, 0, 1);
        go(&mut shard, 90 * MINUTE, 2);
        go(&mut shard, 91 * MINUTE, 4);
        // The clock goes back an hour and a half, into the first minute, and then forward.
        go(&mut shard, 30_000, 8);
        assert_eq!(shard.points(Resolution::Minute), [(0, 15)], "{restarts}");
        assert_eq!(shard.points(Resolution::Hour), [(0, 15)], "{restarts}");
        go(&mut shard, MINUTE, 16);
        assert_eq!(shard.points(Resolution::Minute), [(0, 15), (1, 16)], "{restarts}");
        // The clock goes back by a second, across the end of a minute.
        go(&mut shard, MINUTE - 500, 32);
        assert_eq!(shard.points(Resolution::Minute), [(0, 63)], "{restarts}");
        // The clock was so far ahead that all stored points are too old.
        go(&mut shard, 30 * 24 * HOUR, 64);
        assert_eq!(shard.points(Resolution::Hour), [(30 * 24, 64)], "{restarts}");
        go(&mut shard, 2 * MINUTE, 128);
        assert_eq!(shard.points(Resolution::Minute), [(2, 192)], "{restarts}");
    }
}

#[test]
fn a_clock_that_was_ahead_does_not_delay_the_beginning() {
    let former = Counts { fired: 1, ..Counts::default() };
    let series = Series::load(b"{}", &former);
    let mut shard = Shard { series, totals: former, ..Shard::default() };
    shard.observe(START.plus(HOUR));
    shard.observe(START);
    let since = shard.series.points(Resolution::Minute, &shard.totals).since;
    assert_eq!(since, Some(Resolution::Minute.number(START)));
}

#[test]
fn two_hours_and_seven_days_are_kept() {
    let mut shard = Shard::default();
    for minute in 0..(9 * 24 * 60) {
        shard.fire(START.plus(minute * MINUTE + 1), 1, 0);
    }
    let minutes = shard.points(Resolution::Minute);
    assert_eq!(minutes.len(), SERIES_MINUTES);
    assert_eq!(minutes.first(), Some(&(9 * 24 * 60 - 120, 1)));
    let hours = shard.points(Resolution::Hour);
    assert_eq!((hours.len(), hours.first()), (SERIES_HOURS, Some(&(2 * 24, 60))));
    assert!(hours.iter().all(|(_, fired)| *fired == 60));
}

/// Checks the bound of the text with the largest counts, and with larger ones than any shard has.
/// The oldest points are dropped.
#[test]
fn the_text_is_bounded() {
    let busiest = Counts {
        created: 2_000_000,
        fired: 2_000_000,
        succeeded: 2_000_000,
        handed_over: 2_000_000,
        failed: 2_000_000,
        rows_written: 2_000_000,
        queue_operations: 2_000_000,
        ..Counts::default()
    };
    for (factor, buckets, all_are_kept) in [(1, 11, true), (1_000_000, 121, false)] {
        let mut shard = Shard::default();
        let mut longest = 0;
        for minute in 0..(8 * 24 * 60) {
            shard.observe(START.plus(minute * MINUTE));
            let mut lateness = CoarseHistogram::default();
            (0..buckets).for_each(|bucket| {
                lateness.count_in(bucket, busiest.fired * factor / buckets as u64);
            });
            shard.totals.add_time(&Counts {
                created: busiest.created * factor,
                fired: lateness.total(),
                succeeded: busiest.succeeded * factor,
                handed_over: busiest.handed_over * factor,
                failed: busiest.failed * factor,
                rows_written: busiest.rows_written * factor,
                queue_operations: busiest.queue_operations * factor,
                backlog: 0,
                lateness,
            });
            shard.series.note_backlog(1_000_000);
            if minute % 600 == 599 {
                shard.store();
                longest = longest.max(shard.stored.0.len());
            }
        }
        assert!(longest <= MAX_SERIES_TEXT_BYTES, "{longest} bytes");
        let kept = (shard.points(Resolution::Minute).len(), shard.points(Resolution::Hour).len());
        assert_eq!(kept == (SERIES_MINUTES, SERIES_HOURS), all_are_kept, "{kept:?}");
        assert!(kept.0 > 10 && kept.1 > 10, "{kept:?}");
        assert!(shard.series.memory_bytes() <= 3 * MAX_SERIES_TEXT_BYTES);
    }
}

#[test]
fn the_backlog_is_the_most_of_its_time() {
    let mut shard = Shard::default();
    shard.observe(START);
    assert!(shard.series.looks_at_backlog(START, 5_000));
    assert!(!shard.series.looks_at_backlog(START.plus(4_999), 5_000));
    assert!(shard.series.looks_at_backlog(START.plus(5_000), 5_000));
    assert!(shard.series.looks_at_backlog(START.plus(-1), 5_000), "the clock has gone back");
    for backlog in [3, 9, 2] {
        shard.series.note_backlog(backlog);
    }
    shard.observe(START.plus(MINUTE));
    shard.series.note_backlog(4);
    shard.store();
    shard.crash();
    let backlogs = |by| {
        let points = shard.series.points(by, &shard.totals).points(by).to_vec();
        points.into_iter().map(|point| point.counts.backlog).collect::<Vec<_>>()
    };
    assert_eq!((backlogs(Resolution::Minute), backlogs(Resolution::Hour)), (vec![9, 4], vec![9]));
}
