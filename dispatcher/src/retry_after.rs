//! Parses the header `Retry-After` of RFC 9110, section 10.2.3, which holds seconds or a date.

use chrono::NaiveDateTime;
use scheduler_calendar::time::UnixMillis;
use std::time::Duration;

/// The three forms of a date that a recipient must accept (section 5.6.7).
const DATES: [&str; 3] =
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The value of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    /// Retry after this time at the earliest.
    Wait(Duration),
    /// Retry at this time at the earliest. It is a time of the target's, so our clock does not
    /// affect it.
    Until(UnixMillis),
}

/// Parses the header. Returns `None` if it is neither seconds nor a date.
pub(crate) fn parse(text: &str) -> Option<RetryAfter> {
    let text = text.trim_ascii();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large for the type becomes the largest one.
        return Some(RetryAfter::Wait(Duration::from_secs(text.parse().unwrap_or(u64::MAX))));
    }
    let date = DATES.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    Some(RetryAfter::Until(UnixMillis::new(date.and_utc().timestamp_millis())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let wait = |seconds| Some(RetryAfter::Wait(Duration::from_secs(seconds)));
        // 1994-11-06T08:49:37Z is the standard's own example.
        let until = |seconds: i64| {
            Some(RetryAfter::Until(UnixMillis::new(784_111_777_000 + seconds * 1_000)))
        };
        for (text, expected) in [
            ("0", wait(0)),
            ("120", wait(120)),
            (" 1 ", wait(1)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", until(0)),
            ("Sun, 06 Nov 1994 09:49:37 GMT", until(3_600)),
            ("Sunday, 06-Nov-94 08:49:38 GMT", until(1)),
            ("Sun Nov  6 08:49:38 1994", until(1)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(RetryAfter::Until(UnixMillis::ZERO))),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Mon, 06 Nov 1994 08:49:38 GMT", None),
            ("Sun, 06 Nov 1994 08:49:38 +0100", None),
            ("Sun, 31 Feb 1994 08:49:38 GMT", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("99999999999999999999999"), wait(u64::MAX));
    }
}
