//! What an answer shows of a task defines the same task if a request sends it back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use proptest::prelude::*;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::input::FieldError;
use scheduler_model::listing::write_task;
use scheduler_model::protocol::Status;
use scheduler_model::schedule::preview;
use scheduler_model::task::{Origin, Record, Targets, Validator, merge_patch, parse_one};
use serde_json::{Map, Value, json};

/// 2025-11-24T16:00:00Z.
const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Returns the record of a task.
fn record(task: &str) -> Result<String, FieldError> {
    let targets = Targets { handlers: &["log"], ..Targets::default() };
    let mut out = Vec::new();
    Validator::new(NOW, [7; 16], targets)
        .check(parse_one(task)?)?
        .write_record(&Origin::default(), &mut out);
    Ok(String::from_utf8(out).unwrap())
}

/// Returns the body of the answer to a GET.
fn shown(record: &str) -> String {
    let due = Record::parse(record.as_bytes()).unwrap();
    let due = if due.is_recurring() { NOW.plus(1) } else { due.due() };
    let mut out = Vec::new();
    write_task(Status::Scheduled, due, record, &mut out);
    String::from_utf8(out).unwrap()
}

/// Checks what the answer that shows this record means when it is sent back.
fn check(stored: &str) -> Result<(), TestCaseError> {
    let shown = shown(stored);
    let again = record(&shown);
    prop_assert_eq!(again.as_deref(), Ok(stored), "a PUT of {}", shown);
    let merged = merge_patch(stored, false, &shown);
    let patched = merged.and_then(|task| record(&task));
    prop_assert_eq!(patched.as_deref(), Ok(stored), "a PATCH of {}", shown);
    let next = preview(&shown, NOW);
    let is_unscheduled = shown.contains(r#""kind":"no-schedule""#);
    prop_assert!(is_unscheduled || next.is_ok(), "a preview of {}: {:?}", shown, next);
    Ok(())
}

const LOG: &str = r#""callback":{"type":"handler","name":"log"}"#;

#[test]
fn early_times_and_those_whose_number_reads_as_a_date_can_be_sent_back() {
    for fields in [
        r#""time":"1970-01-01T00:00:00Z""#,
        r#""time":"1973-03-03T09:46:39.999Z""#,
        r#""time":"1976-08-26T12:57:20.930Z""#,
        r#""time":"2635-03-09T23:34:53Z""#,
        r#""time":"1972-06-30T23:59:60Z","jitterSeconds":5"#,
        r#""time":"1970-01-02T09:00","timezone":"Europe/London""#,
        r#""everySeconds":60,"anchor":"1970-01-01T00:00:00.007Z""#,
        r#""everySeconds":60,"anchor":"1970-01-05T00:00","timezone":"Europe/London""#,
        r#""everySeconds":60,"startAt":"1972-01-01T00:00:00Z","endAt":"2635-03-09T23:34:53Z""#,
        r#""everySeconds":60,"startAt":"1972-01-01T00:00:00Z","maxRuns":5"#,
        r#""cron":"0 9 * * *","startAt":"1970-01-01T00:00:00Z","timezone":"Asia/Tokyo""#,
        r#""cron":"0 9 * * *","startAt":"1971-01-01T00:00","timezone":"Asia/Tokyo","maxRuns":3"#,
        r#""cron":"0 9 * * *","startAt":"1970-01-01T00:00:00Z","exclude":{"dates":["12-24"]}"#,
        r#""rrule":"FREQ=DAILY","startAt":"1970-01-01T09:00:00Z""#,
        r#""rrule":"FREQ=DAILY","startAt":"1970-01-01T09:00","timezone":"Europe/London""#,
        r#""rrule":"FREQ=DAILY;COUNT=60000","startAt":"1970-01-01T09:00:00Z""#,
        r#""type":"no-schedule""#,
    ] {
        let stored = record(&format!(r#"{{"id":"a",{fields},{LOG}}}"#)).expect(fields);
        check(&stored).expect(fields);
    }
}

/// Returns instants, half of them beyond the numbers that a request accepts.
fn instant() -> impl Strategy<Value = i64> {
    prop_oneof![
        0..200_000_000_000_i64,
        197_001_010_000..220_001_010_000_i64,
        19_700_101_000_000..22_000_101_000_000_i64,
        0..1_764_000_000_000_i64,
        NOW.get()..NOW.get() + 40_000_000_000,
        0..=UnixMillis::LAST.get(),
    ]
}

/// Returns times as callers write them.
fn time() -> impl Strategy<Value = Value> {
    (instant(), 0..4).prop_map(|(millis, form)| {
        let time = chrono::DateTime::from_timestamp_millis(millis).unwrap();
        match form {
            0 => json!(millis),
            1 => json!(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
            2 => json!(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)),
            _ => json!(time.format("%Y-%m-%dT%H:%M:%S").to_string()),
        }
    })
}

/// Returns the members that say when, of any kind.
fn way() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    prop_oneof![
        2 => time().prop_map(|time| vec![("time", time)]),
        1 => (0.0..2e9_f64).prop_map(|delay| vec![("delayInSeconds", json!(delay))]),
        2 => Just(vec![("cron", json!(["0 9 * * *", "*/7 30 5-8 1 * *"]))]),
        2 => (1_u32..100_000_000).prop_map(|every| vec![("everySeconds", json!(every))]),
        2 => (1_u32..100_000, time())
            .prop_map(|(every, time)| vec![("everySeconds", json!(every)), ("anchor", time)]),
        2 => time().prop_map(|time| vec![("rrule", json!("FREQ=DAILY")), ("startAt", time)]),
        1 => Just(vec![("type", json!("no-schedule"))]),
    ]
}

/// Returns some other members of a task.
fn others() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    const ZONES: &[&str] =
        &["UTC", "Europe/London", "America/Vancouver", "Asia/Kolkata", "Africa/Monrovia"];
    let other = prop_oneof![
        3 => proptest::sample::select(ZONES).prop_map(|zone| ("timezone", json!(zone))),
        1 => time().prop_map(|time| ("startAt", time)),
        1 => time().prop_map(|time| ("endAt", time)),
        1 => (1_u32..50).prop_map(|runs| ("maxRuns", json!(runs))),
        1 => (0.0..86_400.0_f64).prop_map(|jitter| ("jitterSeconds", json!(jitter))),
        1 => Just(("misfire", json!({ "policy": "skip", "graceSeconds": 5.0 }))),
        1 => Just(("overlap", json!("queue-one"))),
        1 => Just(("exclude", json!({ "dates": ["12-24", "2099-01-01"], "weekdays": ["SUN"] }))),
        1 => Just(("payload", json!({ "time": 5, "anchor": 5, "local": { "time": 5 } }))),
    ];
    proptest::collection::vec(other, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Generated tasks that a create refuses are passed over.
    #[test]
    fn what_a_create_accepts_can_be_sent_back(way in way(), others in others()) {
        let mut task = Map::new();
        for (name, value) in others.into_iter().chain(way) {
            task.insert(name.to_owned(), value);
        }
        let needs_zone = ["time", "startAt", "endAt", "anchor"].iter().any(|name| {
            let text = task.get(*name).and_then(Value::as_str);
            text.is_some_and(|text| text.len() == 19)
        });
        if needs_zone {
            task.entry("timezone").or_insert(json!("Europe/London"));
        } else if !task.contains_key("cron") && !task.contains_key("rrule") {
            task.remove("timezone");
        }
        task.insert("id".to_owned(), json!("a"));
        task.insert("callback".to_owned(), json!({ "type": "handler", "name": "log" }));
        if let Ok(stored) = record(&Value::Object(task).to_string()) {
            check(&stored)?;
        }
    }
}
