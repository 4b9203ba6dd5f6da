use super::*;
use proptest::prelude::*;

fn read(json: &str) -> Result<GivenTime, FieldError> {
    let input: TimeInput<'_> = serde_json::from_str(json).unwrap();
    input.read("time", true)
}

fn instant(json: &str) -> Option<i64> {
    match read(json) {
        Ok(GivenTime::Instant(instant)) => Some(instant.get()),
        _ => None,
    }
}

#[test]
fn times_with_a_clear_meaning_are_accepted() {
    for (json, millis) in [
        ("100000000000", 100_000_000_000),
        ("1795704299000", 1_795_704_299_000),
        ("253402300799999", 253_402_300_799_999),
        (r#""1795704299000""#, 1_795_704_299_000),
        (r#""1970-01-01T00:00:05Z""#, 5_000),
        (r#""2026-12-24T18:00:00.5+01:00""#, 1_798_131_600_500),
        // Some languages write each number as a float.
        ("1795704299000.0", 1_795_704_299_000),
        ("1.795704299e12", 1_795_704_299_000),
        // These are almost RFC 3339, and mean only one instant.
        (r#""2026-12-24 18:00:00+01:00""#, 1_798_131_600_000),
        (r#""2026-12-24T18:00+01:00""#, 1_798_131_600_000),
        (r#""2026-12-24 17:00Z""#, 1_798_131_600_000),
        (r#""2026-12-24 18:00:00.250 +01""#, 1_798_131_600_250),
        (r#""2026-12-24T12:00:00-0500""#, 1_798_131_600_000),
        // A leap second is only possible at the end of a month, in UTC.
        (r#""2016-12-31T23:59:60Z""#, 1_483_228_800_000),
        (r#""2017-01-01T00:59:60.5+01:00""#, 1_483_228_800_000),
        (r#""2027-02-28T23:59:60Z""#, 1_803_859_200_000),
    ] {
        assert_eq!(instant(json), Some(millis), "{json}");
    }
    for (json, local) in [
        (r#""2026-12-01T09:00""#, "2026-12-01T09:00:00"),
        (r#""2026-12-01 09:00""#, "2026-12-01T09:00:00"),
        (r#""2026-12-01 09:00:30.125""#, "2026-12-01T09:00:30.125"),
        (r#""2026-12-01T09:00:00.123456""#, "2026-12-01T09:00:00.123"),
    ] {
        assert_eq!(read(json), Ok(GivenTime::Local(local.parse().unwrap())), "{json}");
    }
}

#[test]
fn implausible_times_are_refused_with_a_likely_correction() {
    for (json, hint) in [
        ("1795704299", "looks like seconds; in milliseconds that is 1795704299000, 2026-11-26T"),
        (
            r#""1795704299""#,
            "looks like seconds; in milliseconds that is 1795704299000, 2026-11-26T",
        ),
        ("1795704299.5", "looks like seconds; in milliseconds that is 1795704299500, 2026-11-26T"),
        ("1795704299000000", "looks like microseconds; in milliseconds that is 1795704299000,"),
        (
            r#""1795704299000000000""#,
            "looks like nanoseconds; in milliseconds that is 1795704299000,",
        ),
        (r#""20991224""#, "looks like a date; write 2099-12-24T00:00:00Z"),
        (
            "20991224",
            "looks like a date; write 2099-12-24T00:00:00Z, or 2099-12-24T00:00:00 with timezone beside it",
        ),
        ("209912240930", "looks like a date"),
        ("20991224093000", "looks like a date"),
        ("20991224093000.0", "looks like a date"),
        (r#""2026""#, "looks like a date; write 2026-01-01T00:00:00Z"),
        (r#""20261201090030""#, "looks like a date; write 2026-12-01T09:00:30Z"),
        (r#""202612010900""#, "looks like a date; write 2026-12-01T09:00:00Z"),
        (r#""99999999""#, "give milliseconds since 1970, which have 13 digits"),
        (r#""0000000000005""#, "give milliseconds since 1970"),
        ("0", "give milliseconds since 1970"),
        ("-5", "before 1970"),
        (r#""-5""#, "not RFC 3339"),
        (r#""+1795704299000""#, "not RFC 3339"),
        ("99999999999", "in milliseconds that is 99999999999000"),
        ("18446744073709551615", "looks like nanoseconds"),
        ("1e300", "too large"),
        (r#""""#, "not RFC 3339"),
        (r#""1969-12-31T23:59:59Z""#, "out of range"),
        (r#""1970-01-01T00:30+01""#, "out of range"),
        (
            r#""2026-12-24""#,
            "a date without a time of day; write 2026-12-24T00:00:00Z, or 2026-12-24T00:00 with timezone",
        ),
        (r#""2026-12-24T18:00:60Z""#, "at 23:59:60Z on the last day of a month"),
        (r#""2026-12-30T23:59:60Z""#, "at 23:59:60Z on the last day of a month"),
        (r#""2026-12-31T23:59:60+01:00""#, "at 23:59:60Z on the last day of a month"),
        (r#""2026-12-31T23:59:60""#, "at 23:59:60Z on the last day of a month"),
        (r#""2016-12-30T23:59:60.5Z""#, "at 23:59:60Z on the last day of a month"),
        (r#""2026-12-24T18:00+24""#, "offset cannot be read"),
        (r#""2026-12-24T18:00+1""#, "offset cannot be read"),
        (r#""2026-12-24T18:00:00+24:00""#, "offset cannot be read"),
        (r#""2026-12-24T24:00""#, "midnight at the end of a day is 00:00 of the next"),
        (r#""2026-12-24T24:00:00Z""#, "midnight at the end of a day is 00:00 of the next"),
        (r#""2026-12-24T02:60""#, "whose minute is not 00 to 59"),
        (r#""2026-12-24T02:60:00+01:00""#, "whose minute is not 00 to 59"),
        (r#""2026-12-24T02:00:61Z""#, "whose second is not 00 to 59"),
        (r#""2026-02-30T02:00""#, "a date that does not exist"),
        (r#""2026-13-01T02:00:00Z""#, "a date that does not exist"),
        (r#""0001-01-01T00:00""#, "out of range: must be 1970"),
        (r#""0001-01-01T00:00:00Z""#, "out of range: must be 1970"),
        (r#""1969-12-31T20:00""#, "out of range: must be 1970"),
        (r#""2026-12-24T18:00:00 UTC""#, "not RFC 3339"),
        (r#""24.12.2026 18:00""#, "not RFC 3339"),
        ("1795704299000.5", "has a fraction"),
        ("1795704299.0", "looks like seconds; in milliseconds that is 1795704299000"),
    ] {
        let problem = read(json).expect_err(json);
        assert_eq!(problem.field, "time");
        assert!(problem.detail.contains(hint), "{json}: {}", problem.detail);
    }
    let problem = parse_time("from", "2026-12-01T09:00").unwrap_err();
    assert!(problem.detail.contains("local time"), "{problem}");
}

#[test]
fn an_error_mentions_a_time_zone_only_if_the_field_can_have_one() {
    for text in [
        "2026-12-24",
        "x",
        "24.12.2026",
        "2026-12-24T18:00",
        "2026-12-24T24:00",
        "2026-02-30T00:00",
        "1969-01-01",
        "20991224",
        "5",
    ] {
        let problem = parse_time("to", text).unwrap_err();
        assert!(!problem.detail.contains("timezone"), "{problem}");
    }
    assert!(read(r#""x""#).unwrap_err().detail.contains("timezone"));
}

#[test]
fn a_plus_in_a_query_is_read_as_a_space() {
    for (text, millis) in [
        ("2026-12-24T18:00:00 01:00", 1_798_131_600_000),
        ("2026-12-24 18:00 0100", 1_798_131_600_000),
        ("2026-12-24T18:00:00.0 01", 1_798_131_600_000),
        ("2026-12-24T18:00:00+01:00", 1_798_131_600_000),
        ("2026-12-24T17:00:00.0Z", 1_798_131_600_000),
        ("2026-12-24T12:00:00-05:00", 1_798_131_600_000),
    ] {
        assert_eq!(parse_time("from", text), Ok(UnixMillis::new(millis)), "{text}");
    }
    // A local time may contain a space, too.
    for text in [
        "2026-12-24 18:00",
        "2026-12-24 18:00:00.5",
        "2026-12-24T18:00 x",
        "2026-12-24T18:00:00 99:00",
    ] {
        assert!(parse_time("from", text).is_err(), "{text}");
    }
}

proptest! {
    /// No number and no text of digits becomes a time before 1973, because nobody means that.
    #[test]
    fn digits_never_become_an_early_time(number in prop_oneof![any::<i64>(), -10_i64..200_000_000_000], width in 0_usize..20) {
        for json in [number.to_string(), format!("\"{number}\""), format!("\"{:0width$}\"", number.unsigned_abs())] {
            match read(&json) {
                Ok(GivenTime::Instant(instant)) => prop_assert!(instant.get() >= MIN_TIME_MILLIS, "{json}"),
                Ok(GivenTime::Local(_)) => prop_assert!(false, "{json}"),
                Err(problem) => prop_assert!(problem.detail.len() < 300),
            }
        }
    }

    /// The fast parser returns the same as the general parser of RFC 3339.
    #[test]
    fn a_time_in_utc_is_what_rfc_3339_says(
        millis in 0..=UnixMillis::LAST.get(), digits in 0_usize..12, separator in prop_oneof![Just('T'), Just('t'), Just(' ')],
    ) {
        let time = chrono::DateTime::from_timestamp_millis(millis).unwrap();
        let fraction = format!("{:03}004999999", time.timestamp_subsec_millis());
        let fraction = if digits == 0 { String::new() } else { format!(".{}", &fraction[..digits]) };
        let text = format!("{}{separator}{}{fraction}Z", time.format("%Y-%m-%d"), time.format("%H:%M:%S"));
        let expected = chrono::DateTime::parse_from_rfc3339(&text).unwrap().timestamp_millis();
        prop_assert_eq!(instant(&format!("\"{text}\"")), Some(expected), "{}", text);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        if let Err(problem) = parse_time("from", &text) {
            prop_assert!(problem.detail.len() < 1_000);
        }
    }
}
