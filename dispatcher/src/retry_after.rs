//! The header `Retry-After`, RFC 9110, section 10.2.3: seconds, or a date.

use chrono::NaiveDateTime;
use scheduler_core::time::UnixMillis;
use std::time::Duration;

/// The three forms of a date that a recipient has to read (section 5.6.7).
const DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// How long to wait from `now` on; nothing where the header says neither.
pub(crate) fn parse(text: &str, now: UnixMillis) -> Option<Duration> {
    let text = text.trim_ascii();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has: as long as there is.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = DATES.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    let millis = UnixMillis::new(date.and_utc().timestamp_millis()).since(now);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        // 1994-11-06T08:49:37.500Z, from the standard's own example.
        let now = UnixMillis::new(784_111_777_500);
        for (text, expected) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 1 ", Some(1_000)),
            ("Sun, 06 Nov 1994 08:49:38 GMT", Some(500)),
            ("Sun, 06 Nov 1994 09:49:37 GMT", Some(3_599_500)),
            ("Sunday, 06-Nov-94 08:49:38 GMT", Some(500)),
            ("Sun Nov  6 08:49:38 1994", Some(500)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Mon, 06 Nov 1994 08:49:38 GMT", None),
            ("Sun, 06 Nov 1994 08:49:38 +0100", None),
            ("Sun, 31 Feb 1994 08:49:38 GMT", None),
        ] {
            assert_eq!(parse(text, now).map(|wait| wait.as_millis()), expected, "{text}");
        }
        assert_eq!(parse("99999999999999999999999", now), Some(Duration::from_secs(u64::MAX)));
    }
}
