use super::*;
use proptest::prelude::*;

fn read(json: &str) -> Result<GivenTime, FieldError> {
    let input: TimeInput<'_> = serde_json::from_str(json).unwrap();
    input.read("time")
}

fn instant(json: &str) -> Option<i64> {
    match read(json) {
        Ok(GivenTime::Instant(instant)) => Some(instant.get()),
        _ => None,
    }
}

#[test]
fn what_is_meant_is_taken() {
    for (json, millis) in [
        ("100000000000", 100_000_000_000),
        ("1795704299000", 1_795_704_299_000),
        ("253402300799999", 253_402_300_799_999),
        (r#""1795704299000""#, 1_795_704_299_000),
        (r#""1970-01-01T00:00:05Z""#, 5_000),
        (r#""2026-12-24T18:00:00.5+01:00""#, 1_798_131_600_500),
    ] {
        assert_eq!(instant(json), Some(millis), "{json}");
    }
    assert_eq!(read(r#""2026-12-01T09:00""#), Ok(GivenTime::Local("2026-12-01T09:00:00".parse().unwrap())));
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_likely_correction() {
    for (json, hint) in [
        ("1795704299", "looks like seconds; in milliseconds that is 1795704299000, 2026-11-26T"),
        (r#""1795704299""#, "looks like seconds; in milliseconds that is 1795704299000, 2026-11-26T"),
        ("1795704299.5", "looks like seconds; in milliseconds that is 1795704299500, 2026-11-26T"),
        ("1795704299000000", "looks like microseconds; in milliseconds that is 1795704299000,"),
        (r#""1795704299000000000""#, "looks like nanoseconds; in milliseconds that is 1795704299000,"),
        (r#""20991224""#, "looks like a date; write 2099-12-24T00:00:00Z"),
        ("20991224", "looks like a date; write 2099-12-24T00:00:00Z"),
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
    ] {
        let problem = read(json).expect_err(json);
        assert_eq!(problem.field, "time");
        assert!(problem.detail.contains(hint), "{json}: {}", problem.detail);
    }
    let problem = parse_time("from", "2026-12-01T09:00").unwrap_err();
    assert!(problem.detail.contains("local time"), "{problem}");
}

proptest! {
    /// No number and no text of digits becomes a time before 1973: that is never what was meant.
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

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Err(problem) = parse_time("from", &text) {
            prop_assert!(problem.detail.len() < 1_000);
        }
    }
}
