//! Compares cron with fixed vectors, and checks refusals and hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::DateTime;
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;
use scheduler_calendar::cron::{CronError, CronSchedule, MAX_EXPRESSION_BYTES, Part, Problem};
use scheduler_calendar::excerpt::Excerpt;
use scheduler_calendar::time::UnixMillis;

#[path = "fuzz_checks/cron.rs"]
mod fuzz_checks;

const VECTORS: &str = include_str!("data/cron_vectors.txt");
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/cron");

fn schedule(expr: &str, zone: &str) -> CronSchedule {
    CronSchedule::parse(expr, Some(zone)).unwrap_or_else(|error| panic!("{expr}, {zone}: {error}"))
}

fn instant(text: &str) -> UnixMillis {
    UnixMillis::new(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

fn text(instant: UnixMillis) -> String {
    DateTime::from_timestamp_millis(instant.get()).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn occurrences(schedule: &CronSchedule, after: UnixMillis) -> impl Iterator<Item = UnixMillis> {
    std::iter::successors(schedule.next_after(after), |last| schedule.next_after(*last))
}

fn error(expr: &str) -> CronError {
    CronSchedule::parse(expr, None).expect_err(expr)
}

#[test]
fn vectors_hold() {
    let mut count = 0;
    for line in VECTORS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [expr, zone, after, expected] = columns[..] else {
            panic!("not four columns: {line}");
        };
        let expected: Vec<&str> = match expected {
            "never" => Vec::new(),
            times => times.split(' ').collect(),
        };
        // One more occurrence than the line lists, if the list ends with the end of time.
        let found: Vec<String> =
            occurrences(&schedule(expr, zone), instant(after)).take(5).map(text).collect();
        assert_eq!(found, expected, "{expr}, {zone}, after {after}");
        count += 1;
    }
    assert!(count >= 150, "only {count} vectors were read");
}

#[test]
fn the_local_year_10000_begins_before_the_end_of_time_east_of_utc() {
    let next = schedule("0 0 1 1 *", "Asia/Tokyo").next_after(instant("9999-06-01T00:00:00Z"));
    assert_eq!(next.map(text).as_deref(), Some("9999-12-31T15:00:00Z"));
}

#[test]
fn names_are_short_for_fields() {
    for (name, long) in [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 0 1 JAN ?"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * SUN"),
        ("@daily", "0 0 * * *"),
        ("@Midnight", "0 0 0 * * *"),
        (" @HOURLY\t", "0 * * * *"),
    ] {
        assert_eq!(CronSchedule::parse(name, None), CronSchedule::parse(long, None), "{name}");
    }
}

#[test]
fn spellings_of_the_same_schedule_are_equal() {
    for (one, other) in [
        ("0 0 * * 0", "0  0\t*   *  7 "),
        ("0 0 * * SUN-SAT", "0 0 * * 0-7"),
        ("0 0 * * SUN-SUN", "0 0 * * 0"),
        ("0 0 * * FRI-SUN", "0 0 * * 0,5,6"),
        ("0 0 * * FRIL", "0 0 ? * 5#l"),
        ("0 0 lw * *", "0 0 LW * ?"),
        ("*/15 0-23 * * *", "0,15,30,45 * * * *"),
        ("0 */24 * * *", "0 0 * * *"),
        ("*/60 * * * *", "0 * * * *"),
        ("0 0 1 1-12 *", "0 0 1 * *"),
        ("0 0-4/1 * * *", "0 0-4 * * *"),
        ("0 0-4 * * *", "0 4,3,2,1,0 * * *"),
        ("*/30 1 * * *", "0,30 1 * * *"),
        ("0 2-14/12 * * *", "0 2,14 * * *"),
        ("0 0 5-5/1 * * *", "0 5 * * *"),
    ] {
        assert_eq!(
            CronSchedule::parse(one, None),
            CronSchedule::parse(other, None),
            "{one} and {other}"
        );
    }
}

#[test]
fn what_is_not_supported_is_refused_with_its_place() {
    use Part::*;
    use Problem::*;
    for (expr, part, item, problem) in [
        ("60 * * * *", Minute, "60", OutOfRange),
        ("60 * * * * *", Second, "60", OutOfRange),
        ("99999999999999999999 * * * *", Minute, "99999999999999999999", OutOfRange),
        ("0 24 * * *", Hour, "24", OutOfRange),
        ("0 0 0 * *", DayOfMonth, "0", OutOfRange),
        ("0 0 32 * *", DayOfMonth, "32", OutOfRange),
        ("0 0 1 13 *", Month, "13", OutOfRange),
        ("0 0 * * 8", DayOfWeek, "8", OutOfRange),
        ("0 0 32W * *", DayOfMonth, "32W", OutOfRange),
        ("0 0 * * 8#1", DayOfWeek, "8#1", OutOfRange),
        ("1,,2 * * * *", Minute, "", Empty),
        (", * * * *", Minute, "", Empty),
        ("0 1, * * *", Hour, "", Empty),
        ("-1 * * * *", Minute, "-1", NotUnderstood),
        ("+1 * * * *", Minute, "+1", NotUnderstood),
        ("1- * * * *", Minute, "1-", NotUnderstood),
        ("1-2-3 * * * *", Minute, "1-2-3", NotUnderstood),
        ("1/ * * * *", Minute, "1/", StepWithoutRange),
        ("*/ * * * *", Minute, "*/", NotUnderstood),
        ("*/2/3 * * * *", Minute, "*/2/3", NotUnderstood),
        ("1.5 * * * *", Minute, "1.5", NotUnderstood),
        ("SUN 0 * * *", Minute, "SUN", NotUnderstood),
        ("1SUN * * * *", Minute, "1SUN", NotUnderstood),
        ("0 0 JAN * *", DayOfMonth, "JAN", NotUnderstood),
        ("0 0 * MON *", Month, "MON", NotUnderstood),
        ("0 0 * JANUARY *", Month, "JANUARY", NotUnderstood),
        ("0 0 * * MONTUE", DayOfWeek, "MONTUE", NotUnderstood),
        ("0 9 ? * MON-FRI *", Hour, "?", NotUnderstood),
        ("0 0 L-0 * *", DayOfMonth, "L-0", BeforeLast),
        ("0 0 L-31 * *", DayOfMonth, "L-31", BeforeLast),
        ("0 0 1,l-4294967297 * *", DayOfMonth, "l-4294967297", BeforeLast),
        ("0 0 L- * *", DayOfMonth, "L-", NotUnderstood),
        ("0 0 L-+3 * *", DayOfMonth, "L-+3", NotUnderstood),
        ("0 0 L-3/2 * *", DayOfMonth, "L-3/2", NotUnderstood),
        ("0 0 L-3-5 * *", DayOfMonth, "L-3-5", NotUnderstood),
        ("0 0 1,l-1w * *", DayOfMonth, "l-1w", NotUnderstood),
        ("0 0 * * L-3", DayOfWeek, "L-3", NotUnderstood),
        ("0 0 1-5W * *", DayOfMonth, "1-5W", NotUnderstood),
        ("0 0 W * *", DayOfMonth, "W", NotUnderstood),
        ("0 0 FRIL * *", DayOfMonth, "FRIL", NotUnderstood),
        ("0 0 * * 1-5L", DayOfWeek, "1-5L", NotUnderstood),
        ("0 0 * * 1-5#2", DayOfWeek, "1-5#2", NotUnderstood),
        ("0 0 * * +1", DayOfWeek, "+1", NotUnderstood),
        ("0 L * * *", Hour, "L", NotUnderstood),
        ("0 H * * *", Hour, "H", NotUnderstood),
        ("0 ٣ * * *", Hour, "٣", NotUnderstood),
        ("TZ=UTC 0 0 * * *", Second, "TZ=UTC", NotUnderstood),
        ("0 22-2 * * *", Hour, "22-2", Backwards),
        ("0 0 * * FRI-MON", DayOfWeek, "FRI-MON", Backwards),
        ("0 0 * * 7-1", DayOfWeek, "7-1", Backwards),
        ("0/5 * * * *", Minute, "0/5", StepWithoutRange),
        ("0 0 * * MON/2", DayOfWeek, "MON/2", StepWithoutRange),
        ("*/0 * * * *", Minute, "*/0", Step),
        ("*/61 * * * *", Minute, "*/61", Step),
        ("0 1-5/25 * * *", Hour, "1-5/25", Step),
        ("0 0 * * */8", DayOfWeek, "*/8", Step),
        ("*,5 * * * *", Minute, "*", NotAlone),
        ("0 0 1,? * *", DayOfMonth, "?", NotAlone),
        ("0 0 * * L", DayOfWeek, "L", LastOfWhat),
        ("0 0 * * MON#0", DayOfWeek, "MON#0", Ordinal),
        ("0 0 * * MON#6", DayOfWeek, "MON#6", Ordinal),
        ("0 0 * * MON#", DayOfWeek, "MON#", Ordinal),
        ("0 0 * * MON#-1", DayOfWeek, "MON#-1", Ordinal),
    ] {
        let CronError::Item { part: its_part, item: its_item, problem: its_problem, .. } =
            error(expr)
        else {
            panic!("{expr}: {}", error(expr));
        };
        assert_eq!((its_part, its_item, its_problem), (part, Excerpt::of(item), problem), "{expr}");
    }
}

/// Some crons have a year as the sixth field.
#[test]
fn an_error_in_six_fields_says_which_is_the_first() {
    for expr in ["0 12 ? * MON *", "0 12 * * ? 2027", "0 9 * * MON 2027"] {
        let problem = error(expr).to_string();
        let note = "; with six fields, the first is the second, and there is no field for the year";
        assert!(problem.ends_with(note), "{expr}: {problem}");
    }
    let problem = error("0 ? * * MON").to_string();
    assert!(!problem.contains("six"), "{problem}");
}

#[test]
fn an_expression_is_refused_as_a_whole_if_no_single_field_is_invalid() {
    for (expr, count) in [("", 0), (" \t\n", 0), ("* * * *", 4), ("0 0 12 1 1 ? 2027", 7)] {
        assert_eq!(error(expr), CronError::FieldCount { count }, "{expr:?}");
    }
    for expr in ["@reboot", "@daily @daily", "@", "@every 5m"] {
        assert!(matches!(error(expr), CronError::UnknownName { .. }), "{expr}");
    }
    for expr in ["0 0 */2 * 1", "0 0 */1 * 1", "0 0 1 * */2", "0 0 */2 * */2", "0 0 L * 1,*/3"] {
        assert_eq!(error(expr), CronError::AmbiguousDays, "{expr}");
    }
    let long = format!("{}0 * * * *", "0,".repeat(MAX_EXPRESSION_BYTES / 2));
    assert_eq!(error(&long), CronError::TooLong { length: long.len() });
}

#[test]
fn an_expression_that_can_never_fire_is_refused() {
    for expr in [
        "0 0 30 2 *",
        "0 0 30-31 2 *",
        "0 0 31 4,6,9,11 *",
        "0 0 31 2-11/9,6 *",
        "0 0 30W 2 *",
        "0 0 31W APR ?",
    ] {
        assert_eq!(error(expr), CronError::NeverFires, "{expr}");
    }
    for expr in
        ["0 0 29 2 *", "0 0 29W 2 *", "0 0 * 2 MON#5", "0 0 30 2 MON", "0 0 31 4,5 *", "0 0 L 2 *"]
    {
        assert!(CronSchedule::parse(expr, None).is_ok(), "{expr}");
    }
}

#[test]
fn errors_name_the_field_the_problem_and_what_is_accepted() {
    assert_eq!(
        error("*/90 * * * *").to_string(),
        "has \"*/90\" in its minute field, which has a step that is out of range (steps start again at the field's first \
         value); the field takes 0-59, lists a,b, ranges a-b, and steps */n or a-b/n with n from 1 to 60"
    );
    assert_eq!(error("x").field(), "cron");
    for zone in ["Europe/Lundon", "europe/london", "", "+01:00", &"x".repeat(100_000)] {
        let error = CronSchedule::parse("@daily", Some(zone)).expect_err(zone);
        assert_eq!(error.field(), "timezone");
        assert!(error.to_string().contains("Europe/London"), "{error}");
        assert!(error.to_string().len() < 300, "{error}");
    }
}

#[test]
fn the_zone_is_kept_and_utc_by_default() {
    assert_eq!(schedule("@daily", "Europe/London").timezone().name(), "Europe/London");
    assert_eq!(CronSchedule::parse("@daily", None).unwrap().timezone().name(), "UTC");
}

#[test]
fn an_unknown_zone_is_answered_with_the_zones_that_it_may_mean() {
    for (name, proposed) in [
        ("Berlin", "write Europe/Berlin"),
        ("bERLIN", "write Europe/Berlin"),
        (" Europe/Berlin ", "write Europe/Berlin"),
        ("europe/berlin", "write Europe/Berlin"),
        ("utc", "write UTC"),
        ("New York", "write America/New_York"),
        ("new_york", "write America/New_York"),
        ("america/new york", "write America/New_York"),
        ("Buenos Aires", "write America/Argentina/Buenos_Aires or America/Buenos_Aires"),
        ("argentina/buenos_aires", "write America/Argentina/Buenos_Aires"),
        ("Istanbul", "write Asia/Istanbul or Europe/Istanbul"),
        ("eastern", "write Canada/Eastern or US/Eastern"),
    ] {
        let error = CronSchedule::parse("@daily", Some(name)).unwrap_err();
        assert_eq!(error.field(), "timezone");
        let start = format!("is {name:?}, which is not a known time zone; write ");
        let text = error.to_string();
        assert!(text.starts_with(&start) && text.contains(proposed), "{text}");
    }
    // The sign in `Etc/GMT+5` is the reverse of the usual one.
    for name in ["Berl", "York", "GMT+5", "/Berlin", "Berlin/", "", " ", "_", "Münster", "ürich"]
    {
        let text = CronSchedule::parse("@daily", Some(name)).unwrap_err().to_string();
        assert!(text.ends_with("such as Europe/London or UTC"), "{text}");
    }
}

#[test]
fn a_parsed_schedule_is_small() {
    // A shard may hold 20,000 of them.
    assert!(size_of::<CronSchedule>() <= 56);
}

#[test]
fn the_ends_of_time_are_quiet() {
    for zone in ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/London", "Asia/Manila"] {
        for expr in ["* * * * * *", "0 0 29 2 *", "59 59 23 31 12 *", "0 0 * 2 SUN#5", "@hourly"] {
            let schedule = schedule(expr, zone);
            for after in [i64::MAX, i64::MAX - 1, UnixMillis::LAST.get()] {
                assert_eq!(schedule.next_after(UnixMillis::new(after)), None);
            }
            let first = schedule.next_after(UnixMillis::new(i64::MIN));
            assert!(first.is_some());
            assert_eq!(
                first,
                schedule.next_after(instant("0000-12-31T23:59:59Z")),
                "{expr} {zone}"
            );
        }
    }
}

#[test]
fn the_fuzz_corpus_passes() {
    let mut count = 0;
    for entry in std::fs::read_dir(CORPUS).expect(CORPUS) {
        fuzz_checks::check(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 20, "only {count} inputs were found in {CORPUS}");
}

/// Generates text from the parts of expressions.
fn cron_like() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        Just("*".to_owned()),
        Just("?".to_owned()),
        (0_u32..70).prop_map(|n| n.to_string()),
        (0_u32..32, 0_u32..62).prop_map(|(a, b)| format!("{a}-{b}")),
        (1_u32..62).prop_map(|n| format!("*/{n}")),
        (0_u32..9, 0_u32..32, 0_u32..9).prop_map(|(a, b, n)| format!("{a}-{b}/{n}")),
        (0_u32..9, 0_u32..7).prop_map(|(day, nth)| format!("{day}#{nth}")),
        (0_u32..33).prop_map(|day| format!("{day}W")),
        (0_u32..8).prop_map(|day| format!("{day}L")),
        prop::sample::select(vec![
            "L", "LW", "MON", "jan", "SUN-TUE", "FRI#L", "2-FEB", "", "#", "-"
        ])
        .prop_map(str::to_owned),
    ];
    let field = prop::collection::vec(item, 1..3).prop_map(|items| items.join(","));
    prop::collection::vec(field, 5..7).prop_map(|fields| fields.join(" "))
}

/// Generates an expression that is accepted by construction.
fn accepted() -> impl Strategy<Value = String> {
    let small = |least: u32, most: u32| {
        prop_oneof![
            2 => Just("*".to_owned()),
            1 => (1_u32..8).prop_map(|n| format!("*/{n}")),
            2 => (least..=most).prop_map(|n| n.to_string()),
            1 => (least..=most, least..=most).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        ]
    };
    let days = prop_oneof![
        3 => Just("* * *".to_owned()),
        1 => (1_u32..29).prop_map(|day| format!("{day} * *")),
        1 => (0_u32..8).prop_map(|day| format!("* * {day}")),
        1 => (1_u32..29, 0_u32..8, 1_u32..6).prop_map(|(day, weekday, nth)| format!("{day}W * {weekday}#{nth}")),
        1 => (0_u32..8).prop_map(|weekday| format!("L 2 {weekday}L")),
        1 => Just("29 2 ?".to_owned()),
    ];
    (small(0, 59), small(0, 59), small(0, 23), days)
        .prop_map(|(second, minute, hour, days)| format!("{second} {minute} {hour} {days}"))
}

fn zone() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        prop::sample::select(TZ_VARIANTS.as_slice()).prop_map(|zone| zone.name()),
        prop::sample::select(vec![
            "Europe/London",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Asia/Manila"
        ]),
    ]
}

/// Generates the values of a field in two notations: as ranges and steps, and as single values.
fn two_spellings(size: u32) -> impl Strategy<Value = (String, String)> {
    let item =
        (0..size, 0..size, 1..size, 0_u8..3).prop_map(move |(one, other, step, kind)| match kind {
            0 => (
                one.min(other)..=one.max(other),
                step,
                format!("{}-{}/{step}", one.min(other), one.max(other)),
            ),
            1 => (0..=size - 1, step, format!("*/{step}")),
            _ => (one..=one, 1, one.to_string()),
        });
    prop::collection::vec(item, 1..3).prop_map(|items| {
        let spelled: Vec<String> = items.iter().map(|(_, _, text)| text.clone()).collect();
        let values: std::collections::BTreeSet<u32> =
            items.into_iter().flat_map(|(range, step, _)| range.step_by(step as usize)).collect();
        (spelled.join(","), values.iter().rev().map(u32::to_string).collect::<Vec<_>>().join(","))
    })
}

proptest! {
    /// The occurrences of a schedule, even where a clock jumps, depend on its times and not on
    /// their notation.
    #[test]
    fn the_same_times_are_the_same_schedule(second in two_spellings(60), minute in two_spellings(60), hour in two_spellings(24)) {
        let one = CronSchedule::parse(&format!("{} {} {} * * *", second.0, minute.0, hour.0), None);
        let other = CronSchedule::parse(&format!("{} {} {} * * *", second.1, minute.1, hour.1), None);
        prop_assert!(one.is_ok());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn any_text_is_accepted_or_refused(text in any::<String>()) {
        fuzz_checks::check(text.as_bytes());
    }

    #[test]
    fn text_like_an_expression_is_accepted_or_refused(text in cron_like(), zone in zone(), after in any::<i64>()) {
        fuzz_checks::check(format!("{text}\n{zone}\n{after}").as_bytes());
    }

    #[test]
    fn occurrences_only_go_forward(
        text in accepted(),
        zone in zone(),
        after in prop_oneof![any::<i64>(), -4_000_000_000_000..4_200_000_000_000_i64],
    ) {
        prop_assert!(CronSchedule::parse(&text, Some(zone)).is_ok(), "{}", text);
        fuzz_checks::check(format!("{text}\n{zone}\n{after}").as_bytes());
    }
}
