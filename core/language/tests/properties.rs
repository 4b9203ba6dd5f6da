//! Properties: any text ends within its bounds, and any schedule comes back from its sentence.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions"
)]

use proptest::prelude::*;
use proptest::sample::select;
use scheduler_language::limits::{MAX_CHOICES, MAX_PHRASE_CHARS, MAX_STEPS};
use scheduler_language::{
    Cron, Exclude, Language, Outcome, Reason, Schedule, Time, Zone, language_of, parse, read, runs,
    sentence, sentence_in, zone,
};

/// 2026-11-25T09:15:00Z.
const NOW: i64 = 1_795_598_100_000;

/// Words of the tables, and some that are in none.
const WORDS: &[&str] = &[
    "every",
    "each",
    "other",
    "second",
    "third",
    "last",
    "first",
    "monday",
    "fri",
    "weekdays",
    "weekend",
    "day",
    "days",
    "week",
    "month",
    "year",
    "quarter",
    "hour",
    "minutes",
    "half",
    "quarter",
    "at",
    "on",
    "in",
    "of",
    "the",
    "from",
    "to",
    "until",
    "between",
    "and",
    "or",
    "except",
    "starting",
    "for",
    "next",
    "this",
    "a",
    "an",
    "per",
    "times",
    "twice",
    "once",
    "daily",
    "weekly",
    "monthly",
    "hourly",
    "9",
    "17:00",
    "5pm",
    "0",
    "31",
    "31st",
    "1",
    "2027",
    "12",
    "am",
    "pm",
    "noon",
    "midnight",
    "tomorrow",
    "today",
    "tonight",
    "morning",
    "night",
    "january",
    "may",
    "feb",
    "3/4",
    "2027-03-03",
    "T09:30",
    "Z",
    "Berlin",
    "time",
    "UTC",
    "EST",
    "Europe/Berlin",
    "+2",
    "-",
    ",",
    ".",
    ":",
    "/",
    "\"",
    "cron",
    "rule",
    "\"0 9 * * 1\"",
    "\"FREQ=DAILY\"",
    "now",
    "call",
    "remind",
    "me",
    "99999999999",
    "999999999",
    "thousand",
    "ä",
    "毎",
    "'s",
    "christmas",
    "working",
    "past",
    "o'clock",
    "end",
    "counted",
    "local",
    "moved",
    "working",
    "\"12-24, SAT\"",
    "calendar",
    "\"de-holidays\"",
    "mondays",
    "august",
    "minute",
    "hours",
    "1.5",
    "0.001",
    "seconds",
    "three",
    "twenty",
    "-5",
    "p.m.",
    "h",
    "m",
    "jeden",
    "alle",
    "montags",
    "um",
    "uhr",
    "halb",
    "vor",
    "bis",
    "am",
    "ersten",
    "werktag",
    "3.",
    "1,5",
    "stunden",
    "morgen",
    "montagabend",
    "ab",
    "mal",
    "fünfundvierzig",
    "this",
    "only",
    "beginning",
    "evry",
    "mondya",
    "@daily",
    "*/5",
];

fn in_berlin() -> Zone {
    zone("Europe/Berlin").unwrap()
}

fn check_bounds(phrase: &str) {
    let (outcome, steps) = read(phrase, NOW, in_berlin(), None);
    assert!(steps <= MAX_STEPS + 1, "{phrase:?} takes {steps} steps");
    match outcome {
        Outcome::Understood(reading) => {
            assert!(
                runs(&reading.schedule, NOW, 1).is_ok_and(|runs| runs.len() == 1),
                "{phrase:?}: {reading:?}"
            );
            assert!((10..=100).contains(&reading.confidence));
        }
        Outcome::Ambiguous(ambiguity) => {
            assert!((2..=MAX_CHOICES).contains(&ambiguity.choices.len()), "{phrase:?}")
        }
        Outcome::Refused(refusal) => {
            assert!(
                phrase.get(refusal.span.start..refusal.span.end).is_some(),
                "{phrase:?}: {refusal:?}"
            )
        }
    }
}

/// Returns what a schedule leaves out, in the notation of the API.
fn exclude() -> impl Strategy<Value = Exclude> {
    let some = |items: Vec<&'static str>| {
        prop_oneof![
            1 => Just(Vec::new()),
            1 => proptest::sample::subsequence(items.clone(), 0..items.len()).prop_map(|items| items.iter().map(|item| (*item).to_owned()).collect()),
        ]
    };
    (
        some(vec![
            "12-24",
            "2026-12-24",
            "12-24/12-26",
            "2026-12-24/2027-01-02",
            "12-31/01-01",
            "02-29",
            "2030-05-01",
        ]),
        some(vec!["SAT", "SUN", "mon"]),
        some(vec!["12:00-13:00", "22:00-06:00", "23:30-24:00", "00:00-00:01"]),
        some(vec![
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "FREQ=YEARLY;BYMONTH=4,5;BYDAY=1MO",
            "FREQ=YEARLY;BYMONTH=12;BYDAY=FR",
            "FREQ=YEARLY;BYMONTH=7,8;BYDAY=SA,SU",
        ]),
        some(vec!["de-holidays", "uk.bank", "Quiet_Hours"]),
        select(vec![None, Some("next"), Some("previous")]),
    )
        .prop_map(|(dates, weekdays, times, rules, calendars, instead)| Exclude {
            dates,
            weekdays,
            times,
            rules,
            calendars,
            instead: instead.map(str::to_owned),
        })
}

/// Returns a schedule with its zone, start, end and number of runs.
fn bounded(base: impl Strategy<Value = Schedule>) -> impl Strategy<Value = Schedule> {
    let zones = select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "EST5EDT",
        "Etc/GMT+5",
        "Cuba",
        "America/Argentina/Buenos_Aires",
        "Australia/Lord_Howe",
    ]);
    let start = prop_oneof![
        Just(None),
        (0..28_u32, 0..24_u32)
            .prop_map(|(day, hour)| Some(format!("2027-01-{:02}T{hour:02}:00:00", day + 1))),
        Just(Some("2027-02-01T00:00:00".to_owned())),
        Just(Some("2026-12-01T10:30:00Z".to_owned()))
    ];
    let end = prop_oneof![
        Just(None),
        (2_028..2_050_i32).prop_map(|year| Some(format!("{year}-06-30T23:59:59"))),
        Just(Some("2040-01-01T00:00:00+02:00".to_owned())),
        Just(Some("2040-01-01 10:15".to_owned()))
    ];
    let runs = prop_oneof![Just(None), (1..1_000_u32).prop_map(Some)];
    (base, zones, start, end, runs, prop::option::weighted(0.4, exclude())).prop_map(
        |(base, zone, start, end, max_runs, exclude)| {
            let start_at = base.start_at.clone().or(start.map(Time::Text));
            Schedule {
                timezone: Some(zone.to_owned()),
                start_at,
                end_at: end.map(Time::Text),
                max_runs,
                exclude,
                ..base
            }
        },
    )
}

fn field(most: u32, least: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("*".to_owned()),
        4 => (least..=most).prop_map(|value| value.to_string()),
        2 => proptest::collection::btree_set(least..=most, 2..4).prop_map(|set| set.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
        1 => (least..most, 2..8_u32).prop_map(move |(first, step)| format!("{first}-{most}/{step}")),
        1 => select(vec!["*/2", "*/5", "*/7", "*/15"]).prop_map(str::to_owned),
    ]
}

fn cron() -> impl Strategy<Value = String> {
    let day = prop_oneof![6 => Just("*".to_owned()), 2 => (1..29_u32).prop_map(|day| day.to_string()), 1 => select(vec!["L", "LW", "15W", "1,15", "31", "L-3"]).prop_map(str::to_owned)];
    let weekday = prop_oneof![6 => Just("*".to_owned()), 4 => select(vec!["MON", "MON-FRI", "SAT,SUN", "1", "0", "7", "TUE#2", "FRIL", "MON#1,MON#3", "1-5", "FRI-MON", "SUN-TUE"]).prop_map(str::to_owned)];
    let month = prop_oneof![6 => Just("*".to_owned()), 2 => (1..13_u32).prop_map(|month| month.to_string()), 1 => select(vec!["1,7", "JAN-MAR", "*/3"]).prop_map(str::to_owned)];
    let fields = (field(59, 0), field(23, 0), day, month, weekday)
        .prop_map(|(minute, hour, day, month, weekday)| {
            // Both days together mean either.
            format!("{minute} {hour} {day} {month} {weekday}")
        })
        .boxed();
    prop_oneof![8 => fields.clone(), 1 => (field(59, 0), fields).prop_map(|(second, rest)| format!("{second} {rest}")), 1 => select(vec!["@daily", "@hourly", "@weekly", "@yearly"]).prop_map(str::to_owned)]
}

fn rule() -> impl Strategy<Value = String> {
    let frequency = select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"]);
    let by = select(vec![
        "",
        ";BYDAY=MO",
        ";BYDAY=TU,TH",
        ";BYMONTHDAY=15",
        ";BYMONTHDAY=-1",
        ";BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        ";BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
        ";BYHOUR=8,20;BYMINUTE=0",
        ";BYMONTH=3,6",
        ";COUNT=12",
    ]);
    (frequency, 1..5_u32, by).prop_map(|(frequency, interval, by)| {
        let interval = if interval > 1 { format!(";INTERVAL={interval}") } else { String::new() };
        format!("FREQ={frequency}{interval}{by}")
    })
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let crons = proptest::collection::vec(cron(), 1..4).prop_map(|mut list| Schedule {
        cron: Some(if list.len() == 1 { Cron::One(list.remove(0)) } else { Cron::Several(list) }),
        ..Schedule::default()
    });
    let rules = (rule(), 0..365_u32, 0..24_u32, select(vec![0, 15, 30])).prop_map(
        |(rule, day, hour, minute)| {
            let start = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).unwrap()
                + chrono::Days::new(u64::from(day));
            Schedule {
                rrule: Some(rule),
                start_at: Some(Time::Text(format!("{start}T{hour:02}:{minute:02}:00"))),
                ..Schedule::default()
            }
        },
    );
    let seconds = prop_oneof![
        (1..200_u32).prop_map(f64::from),
        (1..600_u32).prop_map(|minutes| f64::from(minutes * 60)),
        (1..60_000_000_u32).prop_map(|millis| f64::from(millis + 1_000) / 1_000.0),
        Just(3_155_760_000.0)
    ];
    let anchor = prop_oneof![
        Just(Some(Time::Text("2026-11-25T09:00:00".to_owned()))),
        Just(Some(Time::Millis(NOW - 86_400_123))),
        Just(None)
    ];
    let every = (seconds, anchor).prop_map(|(seconds, anchor)| Schedule {
        every_seconds: Some(seconds),
        anchor,
        ..Schedule::default()
    });
    let once = (0..3_000_u32, 0..86_400_u32, any::<bool>()).prop_map(|(day, second, is_local)| {
        let time =
            chrono::NaiveDate::from_ymd_opt(2026, 11, 27).unwrap().and_hms_opt(0, 0, 0).unwrap()
                + chrono::TimeDelta::days(i64::from(day))
                + chrono::TimeDelta::seconds(i64::from(second));
        let text = time.format("%Y-%m-%dT%H:%M:%S").to_string() + if is_local { "" } else { "Z" };
        Schedule {
            time: Some(Time::Text(text)),
            timezone: is_local.then(|| "Europe/Berlin".to_owned()),
            ..Schedule::default()
        }
    });
    prop_oneof![4 => bounded(crons), 2 => bounded(rules), 2 => bounded(every), 1 => once]
}

/// Returns whether both have the same runs, and the same end.
fn is_same(one: &Schedule, other: &Schedule) -> bool {
    let of = |schedule: &Schedule| runs(schedule, NOW, 60);
    of(one) == of(other)
        && one.max_runs == other.max_runs
        && one.exclude == other.exclude
        && one.end_at.is_some() == other.end_at.is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_end_within_their_steps(words in proptest::collection::vec((select(WORDS), any::<bool>()), 0..60)) {
        let phrase: String = words.iter().map(|(word, space)| if *space { format!(" {word}") } else { (*word).to_owned() }).collect();
        check_bounds(&phrase);
    }

    #[test]
    fn any_spaced_words_end_within_their_steps(words in proptest::collection::vec(select(WORDS), 1..12)) {
        check_bounds(&words.join(" "));
    }

    #[test]
    fn any_text_ends_within_its_steps(phrase in "\\PC{0,200}") {
        check_bounds(&phrase);
    }

    #[test]
    fn any_schedule_comes_back_from_its_sentence(schedule in schedules(), language in select(&Language::ALL)) {
        // The scheduler refuses a schedule without runs, and a sentence of one.
        let schedule = if schedule.every_seconds.is_some() && !uses_zone(&schedule) { Schedule { timezone: None, ..schedule } } else { schedule };
        prop_assume!(runs(&schedule, NOW, 1).is_ok_and(|runs| !runs.is_empty()));
        let words = sentence_in(language, &schedule, NOW);
        prop_assert_eq!(language_of(&words), language, "{}", words);
        let outcome = parse(&words, NOW, in_berlin());
        let Outcome::Understood(reading) = &outcome else { panic!("{schedule:?}\n{words}\n{outcome:?}") };
        prop_assert!(is_same(&schedule, &reading.schedule), "{schedule:?}\n{words}\n{:?}", reading.schedule);
        prop_assert!(reading.ignored.is_empty(), "{words}: {:?}", reading.ignored);
    }
}

fn uses_zone(schedule: &Schedule) -> bool {
    let is_local = |time: &Time| matches!(time, Time::Text(text) if !text.ends_with('Z') && !text.contains('+'));
    schedule.exclude.is_some()
        || [&schedule.start_at, &schedule.end_at, &schedule.anchor]
            .into_iter()
            .flatten()
            .any(is_local)
}

#[test]
fn long_phrases_are_refused_at_once() {
    for phrase in [
        "a ".repeat(MAX_PHRASE_CHARS),
        "every monday ".repeat(1_000),
        "x".repeat(1_000_000),
        "\"".repeat(20_000),
        "9".repeat(499),
        "1/".repeat(249),
        "every ".repeat(80),
        "in 1h".repeat(90),
        "at 9 and ".repeat(50),
        "the first and ".repeat(35),
        "a b ".repeat(120),
    ] {
        check_bounds(&phrase);
    }
}

/// As many tokens as a phrase can have: more than the steps are for.
#[test]
fn a_phrase_that_takes_too_long_is_refused_in_time() {
    let (outcome, steps) = read(&"a1".repeat(MAX_PHRASE_CHARS / 2), NOW, in_berlin(), None);
    assert!(
        matches!(&outcome, Outcome::Refused(refusal) if refusal.reason == Reason::TooLong),
        "{outcome:?}"
    );
    assert_eq!(steps, MAX_STEPS + 1);
}

/// The longest sentence that a schedule has is within the limits.
#[test]
fn the_longest_expressions_come_back() {
    let long = |minute: usize| format!("{} * * * *", vec![minute.to_string(); 300].join(","));
    let schedule = Schedule {
        cron: Some(Cron::Several((10..26).map(long).collect())),
        timezone: Some("America/Argentina/ComodRivadavia".to_owned()),
        ..Schedule::default()
    };
    let Outcome::Understood(reading) = parse(&sentence(&schedule, NOW), NOW, in_berlin()) else {
        panic!("{}", sentence(&schedule, NOW))
    };
    assert_eq!(reading.schedule.cron, schedule.cron);
}
