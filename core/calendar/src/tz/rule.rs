//! Yearly rules, as in a POSIX TZ string. A zone's clock follows its rule after the last listed
//! change.

use super::span::Span;
use chrono::{DateTime, Datelike, NaiveDate};

const DAY: i64 = 86_400;

/// The number of spans that [`Rule::spans_around`] returns: two of each of three years, and the one
/// before.
pub(super) const AROUND: usize = 7;

/// Two changes per year, forever. All values are in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The offset from `end` to `begin`.
    pub(super) standard: i64,
    /// The offset from `begin` to `end`.
    pub(super) other: i64,
    pub(super) begin: Date,
    pub(super) end: Date,
}

/// A day of the year, and a time on the clock as it is before the change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Date {
    pub(super) month: u8,
    /// The number of the day among the month's days with that weekday; 5 means the last.
    pub(super) week: u8,
    /// The weekday, from 0 for Sunday.
    pub(super) weekday: u8,
    /// Seconds since the midnight of the day. The time may be before that midnight or days after
    /// it.
    pub(super) time: i64,
}

impl Date {
    /// Returns the local time in a year, in seconds since 1970-01-01T00:00:00.
    fn of(self, year: i32) -> i64 {
        let Some(first) = NaiveDate::from_ymd_opt(year, u32::from(self.month), 1) else { return 0 };
        let ahead = (7 + u32::from(self.weekday) - first.weekday().num_days_from_sunday()) % 7;
        let day = ahead + 7 * u32::from(self.week.max(1) - 1);
        // The fifth day may be in the next month. Then the fourth is the last.
        let day = if day < u32::from(first.num_days_in_month()) { day } else { day - 7 };
        (i64::from(first.to_epoch_days()) + i64::from(day)) * DAY + self.time
    }
}

impl Rule {
    /// Returns the spans that begin in a year, in order.
    fn of_year(&self, year: i32) -> [Span; 2] {
        let begin = Span { begin: self.begin.of(year) - self.standard, offset: self.other };
        let end = Span { begin: self.end.of(year) - self.other, offset: self.standard };
        if begin.begin < end.begin { [begin, end] } else { [end, begin] }
    }

    /// Adds the changes after `holds_from` up to the end of the year after `until`.
    pub(super) fn extend(&self, spans: &mut Vec<Span>, holds_from: i64, until: i64) {
        for year in year_of(holds_from) - 1..=year_of(until) + 1 {
            for span in self.of_year(year) {
                if span.begin > holds_from
                    && spans
                        .last()
                        .is_some_and(|last| last.begin < span.begin && last.offset != span.offset)
                {
                    spans.push(span);
                }
            }
        }
    }

    /// Returns the spans of the year of `at`, of the year before and of the year after. `at` is an
    /// instant or a local time.
    pub(super) fn spans_around(&self, at: i64) -> [Span; AROUND] {
        let year = year_of(at);
        let [[_, before], [a, b], [c, d], [e, f]] =
            [year - 2, year - 1, year, year + 1].map(|year| self.of_year(year));
        [Span { begin: i64::MIN, ..before }, a, b, c, d, e, f]
    }
}

/// Returns the year of a time. For a time beyond the calendar, returns the last year that has a
/// next one.
fn year_of(second: i64) -> i32 {
    const LAST: i32 = 200_000;
    DateTime::from_timestamp(second, 0).map_or(LAST, |time| time.year().min(LAST))
}
