//! Dates and local times as text. The patterns of chrono would do the same in 17 kB of wasm.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// The English names of the days, from Monday.
pub(crate) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The English names of the months.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes hour and minute: `09:30`.
pub(crate) fn minute(time: NaiveTime) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Writes hour, minute and second: `09:30:00`.
pub(crate) fn second(time: NaiveTime) -> String {
    format!("{}:{:02}", minute(time), time.second())
}

/// Writes a local time without its fraction of a second: `2026-11-25T09:30:00`.
pub(crate) fn local(time: NaiveDateTime) -> String {
    format!("{}T{}", time.date(), second(time.time()))
}

/// Reads a local time, with or without seconds: `2026-11-25T09:30`.
pub(crate) fn read_local(text: &str) -> Option<NaiveDateTime> {
    let seconds = if text.len() == "2026-11-25T09:30".len() { ":00" } else { "" };
    let utc = DateTime::parse_from_rfc3339(&format!("{text}{seconds}Z")).ok()?;
    Some(utc.naive_utc())
}

/// Writes day and month: `25 November`.
pub(crate) fn day_and_month(date: NaiveDate) -> String {
    let month = MONTHS.get(date.month0() as usize).copied().unwrap_or_default();
    format!("{} {month}", date.day())
}

/// Writes a date with its day of the week: `Wednesday, 25 November 2026`.
pub(crate) fn day_and_date(date: NaiveDate) -> String {
    let day = DAYS.get(date.weekday().num_days_from_monday() as usize).copied().unwrap_or_default();
    format!("{day}, {} {}", day_and_month(date), date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_patterns_write_them_and_read_back() {
        let date = NaiveDate::from_ymd_opt(2026, 2, 3).unwrap();
        for (hour, minutes, seconds) in [(0, 0, 0), (9, 5, 7), (23, 59, 59)] {
            let time = date.and_hms_opt(hour, minutes, seconds).unwrap();
            assert_eq!(minute(time.time()), time.format("%H:%M").to_string());
            assert_eq!(second(time.time()), time.format("%H:%M:%S").to_string());
            assert_eq!(local(time), time.format("%Y-%m-%dT%H:%M:%S").to_string());
            assert_eq!(read_local(&local(time)), Some(time));
            let until_minute = local(time).get(..16).unwrap().to_owned();
            assert_eq!(read_local(&until_minute), time.with_second(0));
        }
        assert_eq!(day_and_month(date), date.format("%-d %B").to_string());
        assert_eq!(day_and_date(date), date.format("%A, %-d %B %Y").to_string());
        for text in ["2026-02-30T09:00:00", "2026-02-03T24:00", "2026-02-03", "2026-02-03T09:00Z"] {
            assert_eq!(read_local(text), None, "{text}");
        }
    }
}
