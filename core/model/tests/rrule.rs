//! Compares rules of RFC 5545 with fixed vectors, and checks refusals and hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::{DateTime, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;
use scheduler_calendar::excerpt::Excerpt;
use scheduler_calendar::rrule::{MAX_INTERVAL, RRule, RRuleError};
use scheduler_calendar::time::UnixMillis;

#[path = "../../calendar/tests/rrule_strategies/mod.rs"]
mod strategies;

const VECTORS: &str = include_str!("../../calendar/tests/data/rrule_vectors.txt");
/// 2026-01-01T00:00:00Z, a Thursday.
const START: UnixMillis = UnixMillis::new(1_767_225_600_000);
const BEFORE: UnixMillis = UnixMillis::new(i64::MIN);

fn text(instant: UnixMillis) -> String {
    DateTime::from_timestamp_millis(instant.get()).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn rule(rule: &str) -> RRule {
    RRule::parse(rule, START, None).unwrap_or_else(|error| panic!("{rule}: {error}"))
}

fn error(rule: &str) -> RRuleError {
    RRule::parse(rule, START, None).expect_err(rule)
}

fn runs(rule: &RRule, after: UnixMillis) -> impl Iterator<Item = UnixMillis> {
    std::iter::successors(rule.next_after(after), |last| rule.next_after(*last))
}

#[test]
fn vectors_hold() {
    let mut count = 0;
    for line in VECTORS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [text_of_rule, zone, start, expected] = columns[..] else {
            panic!("not four columns: {line}")
        };
        let tz: Tz = zone.parse().unwrap();
        let start = NaiveDateTime::parse_from_str(start, "%Y%m%dT%H%M%S").unwrap();
        let start = tz.from_local_datetime(&start).earliest().unwrap();
        let rule =
            RRule::parse(text_of_rule, UnixMillis::new(start.timestamp_millis()), Some(zone))
                .unwrap();
        let expected: Vec<&str> = expected.split(' ').collect();
        let most = rule.count().map_or(12, |count| count.min(12)) as usize;
        let found: Vec<UnixMillis> = runs(&rule, BEFORE).take(most).collect();
        assert_eq!(
            found.iter().map(|run| text(*run)).collect::<Vec<_>>(),
            expected,
            "{text_of_rule}, {zone}"
        );
        // From any time between two runs, the later one is next.
        for pair in found.windows(2) {
            for after in [
                pair[0],
                pair[0].plus(999),
                pair[0].plus(pair[1].since(pair[0]) / 2),
                pair[1].plus(-1),
            ] {
                assert_eq!(rule.next_after(after), Some(pair[1]), "{text_of_rule}, after {after}");
            }
        }
        count += 1;
    }
    assert!(count >= 80, "only {count} vectors were read");
}

#[test]
fn spellings_of_the_same_rule_are_equal() {
    for (one, other) in [
        ("FREQ=DAILY", "RRULE:freq=daily;interval=1"),
        ("FREQ=DAILY", " FREQ=DAILY;BYHOUR=0;BYMINUTE=0;BYSECOND=0;WKST=MO"),
        ("FREQ=WEEKLY;BYDAY=MO,FR", "BYDAY=fr,MO;FREQ=WEEKLY"),
        ("FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=TH"),
        ("FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1"),
        ("FREQ=MONTHLY;BYDAY=+1MO", "FREQ=MONTHLY;BYDAY=1MO"),
        ("FREQ=MONTHLY;BYDAY=01MO", "FREQ=MONTHLY;BYDAY=1MO"),
    ] {
        assert_eq!(rule(one), rule(other), "{one} and {other}");
    }
}

#[test]
fn what_is_not_supported_is_refused_with_its_place() {
    for (rule, part, value) in [
        ("FREQ=FORTNIGHTLY", "FREQ", "FORTNIGHTLY"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL", "0"),
        ("FREQ=DAILY;INTERVAL=1000001", "INTERVAL", "1000001"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL", "-1"),
        ("FREQ=DAILY;COUNT=0", "COUNT", "0"),
        ("FREQ=DAILY;COUNT=100001", "COUNT", "100001"),
        ("FREQ=DAILY;UNTIL=20270101", "UNTIL", "20270101"),
        ("FREQ=DAILY;UNTIL=20270101T000000", "UNTIL", "20270101T000000"),
        ("FREQ=DAILY;UNTIL=20270230T000000Z", "UNTIL", "20270230T000000Z"),
        ("FREQ=DAILY;UNTIL=2027 101T000000Z", "UNTIL", "2027 101T000000Z"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH", "13"),
        ("FREQ=DAILY;BYMONTH=1,,2", "BYMONTH", ""),
        ("FREQ=DAILY;BYMONTHDAY=0", "BYMONTHDAY", "0"),
        ("FREQ=DAILY;BYMONTHDAY=-32", "BYMONTHDAY", "-32"),
        ("FREQ=DAILY;BYDAY=MON", "BYDAY", "MON"),
        ("FREQ=DAILY;BYDAY=M", "BYDAY", "M"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY", "0MO"),
        ("FREQ=MONTHLY;BYDAY=54MO", "BYDAY", "54MO"),
        ("FREQ=MONTHLY;BYDAY=1.5MO", "BYDAY", "1.5MO"),
        ("FREQ=MONTHLY;BYDAY=äMO", "BYDAY", "äMO"),
        ("FREQ=MONTHLY;BYDAY=ä", "BYDAY", "ä"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR", "24"),
        ("FREQ=DAILY;BYMINUTE=60", "BYMINUTE", "60"),
        ("FREQ=DAILY;BYSECOND=60", "BYSECOND", "60"),
        ("FREQ=DAILY;BYHOUR=99999999999999999999", "BYHOUR", "99999999999999999999"),
        ("FREQ=DAILY;BYHOUR=9;BYSETPOS=0", "BYSETPOS", "0"),
        ("FREQ=DAILY;BYHOUR=9;BYSETPOS=367", "BYSETPOS", "367"),
        ("FREQ=DAILY;WKST=1MO", "WKST", "1MO"),
    ] {
        assert_eq!(error(rule), RRuleError::Value { part, value: Excerpt::of(value) }, "{rule}");
    }
    for (rule, expected) in [
        ("", RRuleError::NotAPart(Excerpt::of(""))),
        ("FREQ", RRuleError::NotAPart(Excerpt::of("FREQ"))),
        ("FREQ=DAILY;", RRuleError::NotAPart(Excerpt::of(""))),
        ("FREQ=DAILY;COUNT=", RRuleError::NotAPart(Excerpt::of("COUNT="))),
        ("COUNT=1", RRuleError::NoFrequency),
        ("FREQ=DAILY;FREQ=DAILY", RRuleError::Twice("FREQ")),
        ("FREQ=DAILY;COUNT=1;UNTIL=20270101T000000Z", RRuleError::TwoEnds),
        ("FREQ=WEEKLY;BYDAY=1MO", RRuleError::Ordinal),
        ("FREQ=HOURLY;BYDAY=1MO", RRuleError::Ordinal),
        ("FREQ=WEEKLY;BYMONTHDAY=1", RRuleError::MonthDayOfWeek),
        ("FREQ=DAILY;BYSETPOS=1", RRuleError::PositionOfNothing),
        ("FREQ=YEARLY;BYYEARDAY=1", RRuleError::Unsupported("BYYEARDAY")),
        ("FREQ=YEARLY;BYWEEKNO=1", RRuleError::Unsupported("BYWEEKNO")),
        ("FREQ=YEARLY;BYEASTER=0", RRuleError::Unknown(Excerpt::of("BYEASTER"))),
        ("FREQ=YEARLY;RSCALE=HEBREW", RRuleError::Unknown(Excerpt::of("RSCALE"))),
        (
            "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY",
            RRuleError::NotTheRule(Excerpt::of("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY")),
        ),
    ] {
        assert_eq!(error(rule), expected, "{rule:?}");
    }
    let long = format!("FREQ=DAILY;BYHOUR={}0", "0,".repeat(600));
    assert_eq!(error(&long), RRuleError::TooLong(long.len()));
    let start = RRule::parse("FREQ=DAILY", START.plus(1), None).unwrap_err();
    assert_eq!((start.field(), &start), ("startAt", &RRuleError::StartFraction));
    assert_eq!(
        RRule::parse("FREQ=DAILY", START, Some("Mars/Base")).unwrap_err().field(),
        "timezone"
    );
}

#[test]
fn errors_say_what_is_accepted() {
    assert_eq!(
        error("FREQ=DAILY;BYHOUR=25").to_string(),
        "has \"25\" in BYHOUR, which takes hours from 0 to 23, separated by commas"
    );
    assert_eq!(error("FREQ=DAILY;BYHOUR=25").field(), "rrule");
}

/// The search is bounded by steps: this takes a few milliseconds in all. Other libraries search for
/// each of these rules without end, or to the year 10,000.
#[test]
fn rules_that_never_match_end_soon() {
    for never in [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=20",
        "FREQ=YEARLY;BYDAY=MO;BYSETPOS=-300",
        "FREQ=DAILY;BYHOUR=9;BYSETPOS=2",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=5",
        "FREQ=MINUTELY;INTERVAL=60;BYMINUTE=30",
        "FREQ=MINUTELY;INTERVAL=1440;BYHOUR=5,6,7,8,9,10,11,12",
        "FREQ=SECONDLY;INTERVAL=60;BYSECOND=30",
        "FREQ=SECONDLY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;INTERVAL=2;BYSECOND=1,3,5,7,9,11",
        "FREQ=YEARLY;INTERVAL=1000000;BYMONTH=3",
    ] {
        let rule = rule(never);
        let after = if never.contains("1000000") { START.plus(86_400_000 * 90) } else { BEFORE };
        assert_eq!(rule.next_after(after), None, "{never}");
    }
}

#[test]
fn the_ends_of_time_are_quiet() {
    for text in [
        "FREQ=SECONDLY",
        "FREQ=HOURLY;INTERVAL=1000000",
        "FREQ=DAILY;INTERVAL=1000000",
        "FREQ=YEARLY",
        "FREQ=WEEKLY",
    ] {
        for zone in ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/London"] {
            for start in [UnixMillis::ZERO, UnixMillis::new(253_402_300_799_000)] {
                let rule = RRule::parse(text, start, Some(zone)).unwrap();
                for after in [i64::MAX, i64::MAX - 1, UnixMillis::LAST.get()] {
                    assert_eq!(rule.next_after(UnixMillis::new(after)), None);
                }
                let first = rule.next_after(BEFORE).unwrap();
                assert!(first >= start);
                assert_eq!(first, rule.next_after(start.plus(-1)).unwrap(), "{text} {zone}");
            }
        }
    }
}

#[test]
fn a_rule_is_small() {
    // A shard may hold 20,000 of them.
    assert!(size_of::<RRule>() <= 160, "{}", size_of::<RRule>());
    assert_eq!(MAX_INTERVAL, 1_000_000);
}

proptest! {
    #[test]
    fn any_text_is_accepted_or_refused(text in any::<String>(), start in any::<i64>()) {
        let start = UnixMillis::new(start.rem_euclid(UnixMillis::LAST.get()));
        if let Ok(rule) = RRule::parse(&text, start, None) {
            rule.next_after(start);
        }
    }

    /// Runs only go forward, and a search from any time before a run finds it.
    #[test]
    fn runs_only_go_forward(
        text in strategies::rule(&strategies::ALL),
        zone in prop::sample::select(vec!["UTC", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia", "America/New_York"]),
        start in 1_300_000_000..1_900_000_000_i64,
        after in 1_000_000_000..4_000_000_000_i64,
    ) {
        let rule = RRule::parse(&text, UnixMillis::new(start * 1_000), Some(zone)).unwrap();
        let mut last = UnixMillis::new(after * 1_000);
        for _ in 0..5 {
            let Some(next) = rule.next_after(last) else { break };
            prop_assert!(next > last && next.get() >= start * 1_000 && next.get() % 1_000 == 0);
            let between = last.plus(next.since(last) / 2);
            prop_assert_eq!(rule.next_after(between), Some(next), "{}, from {}", text, between);
            prop_assert_eq!(rule.next_after(next.plus(-1)), Some(next), "{}", text);
            last = next;
        }
    }
}

/// A property next to a rule is named, wherever it is. It is not read as a part of the rule's last
/// value.
#[test]
fn a_property_next_to_a_rule_is_named() {
    for (text, name) in [
        ("FREQ=DAILY;COUNT=3\nEXDATE:20260102T000000Z", "EXDATE"),
        ("RRULE:FREQ=DAILY;UNTIL=20270101T000000Z\r\nRDATE:20260102T000000Z", "RDATE"),
        ("FREQ=DAILY;EXDATE=20260102T000000Z", "EXDATE"),
        ("FREQ=DAILY\nexrule:FREQ=WEEKLY", "EXRULE"),
    ] {
        assert_eq!(error(text), RRuleError::NotThereYet(name), "{text}");
        assert!(error(text).to_string().contains(name));
    }
    for text in [
        "FREQ=DAILY;COUNT=3\nX-A:1",
        "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY",
        "FREQ=DAILY;COUNT=3\rRRULE:FREQ=DAILY",
    ] {
        assert!(matches!(error(text), RRuleError::NotTheRule(_)), "{text}: {:?}", error(text));
    }
}

/// Of the two readings of RFC 5545, we use the one that loses no run: a run in a gap is moved, and
/// counts. Two runs at the same instant count once.
#[test]
fn count_counts_instants_across_a_gap() {
    for (rule, start, expected) in [
        // London's clock jumps from 01:00 to 02:00 on the 29th.
        (
            "FREQ=DAILY;COUNT=3",
            "2026-03-28T01:30:00Z",
            &["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"][..],
        ),
        (
            "FREQ=HOURLY;COUNT=3",
            "2026-03-29T00:30:00Z",
            &["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"],
        ),
        (
            "FREQ=DAILY;BYHOUR=1,2;COUNT=2",
            "2026-03-29T00:30:00Z",
            &["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"],
        ),
    ] {
        let start = DateTime::parse_from_rfc3339(start).unwrap().timestamp_millis();
        let request = format!(
            r#"{{"rrule":"{rule}","startAt":{start},"timezone":"Europe/London","from":{},"count":9}}"#,
            start - 1
        );
        let preview = scheduler_model::schedule::preview(&request, START).unwrap();
        let found: Vec<String> = preview.runs.iter().map(|run| text(run.time)).collect();
        assert_eq!(found, expected, "{rule}");
    }
}
