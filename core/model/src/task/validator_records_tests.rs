//! Tests the records that tasks become.

use super::tests::{LOG, NOW, record};
use super::*;
use crate::task::{READ_ONLY, Record, parse_one};

#[test]
fn times_become_milliseconds() {
    for (given, time) in [
        (r#""time":1764000001234"#, 1_764_000_001_234_i64),
        (r#""time":"2025-11-24T16:00:01.234Z""#, 1_764_000_001_234),
        (r#""time":"2025-11-24T17:00:01.234+01:00""#, 1_764_000_001_234),
        (r#""time":"1970-01-01T00:00:00Z","type":"scheduled""#, 0),
        (r#""delayInSeconds":1.5"#, 1_764_000_001_500),
        (r#""delayInSeconds":0.0001,"type":"delayed""#, 1_764_000_000_001),
    ] {
        let text = record(&format!("{{\"id\":\"a\",{given},{LOG}}}")).unwrap();
        assert_eq!(text, format!("{{\"time\":{time},\"id\":\"a\",{LOG}}}"));
    }
}

#[test]
fn every_field_is_kept() {
    let text = record(
        r#"{"id":"a/b","description":"say \"hi\"","tags":["x","y"],"payload":{ "n": [1.50, "\u00e9"] },
            "retry":{"maxAttempts":3},"callback":{"type":"handler","name":"log"},
            "cron":"0 9 * * MON","timezone":"Europe/London"}"#,
    )
    .unwrap();
    assert_eq!(
        text,
        r#"{"id":"a/b","cron":"0 9 * * MON","timezone":"Europe/London","description":"say \"hi\"","tags":["x","y"],"callback":{"type":"handler","name":"log"},"retry":{"maxAttempts":3},"payload":{ "n": [1.50, "\u00e9"] }}"#
    );
}

#[test]
fn schedules_become_records() {
    let now = NOW.get();
    for (given, kept) in [
        (r#""cron":["0 9 * * *",
            "0 17 * * *"],"timezone":"Europe/London""#, r#""cron":["0 9 * * *","0 17 * * *"],"timezone":"Europe/London""#.to_owned()),
        (r#""everySeconds":60.0"#, format!(r#""everySeconds":60,"anchor":{}"#, now + 60_000)),
        (r#""everySeconds":1.5,"type":"every""#, format!(r#""everySeconds":1.5,"anchor":{}"#, now + 1_500)),
        (r#""everySeconds":60,"anchor":"2025-01-01T00:00:00Z""#, r#""everySeconds":60,"anchor":1735689600000"#.to_owned()),
        (
            r#""everySeconds":60,"startAt":1764000030000,"endAt":"2026-01-01T00:00:00Z""#,
            r#""everySeconds":60,"anchor":1764000030000,"startAt":1764000030000,"endAt":1767225600000"#.to_owned(),
        ),
        (
            r#""everySeconds":60,"maxRuns":4000000000"#,
            format!(
                r#""everySeconds":60,"anchor":{},"maxRuns":4000000000,"firstRun":{},"finalRun":{}"#,
                now + 60_000,
                now + 60_000,
                now + 4_000_000_000 * 60_000_i64
            ),
        ),
        (
            r#""cron":"0 0 * * * *","maxRuns":3"#,
            r#""cron":"0 0 * * * *","maxRuns":3,"firstRun":1764003600000,"finalRun":1764010800000"#.to_owned(),
        ),
        (
            r#""cron":"0 0 * * * *","maxRuns":3,"endAt":1764003700000"#,
            r#""cron":"0 0 * * * *","endAt":1764003700000,"maxRuns":3,"firstRun":1764003600000,"finalRun":1764003600000"#.to_owned(),
        ),
        (
            r#""rrule":"FREQ=DAILY;COUNT=10","startAt":"2025-11-20T09:00:00Z","type":"rrule""#,
            r#""rrule":"FREQ=DAILY;COUNT=10","startAt":1763629200000,"finalRun":1764406800000"#.to_owned(),
        ),
        (
            r#""rrule":"FREQ=DAILY;COUNT=10","startAt":"2025-11-20T09:00:00Z","maxRuns":2,"jitterSeconds":0.5"#,
            r#""rrule":"FREQ=DAILY;COUNT=10","startAt":1763629200000,"maxRuns":2,"firstRun":1764061200000,"finalRun":1764147600000,"jitterSeconds":0.5"#.to_owned(),
        ),
    ] {
        let text = record(&format!("{{\"id\":\"a\",{given},{LOG}}}")).unwrap();
        assert_eq!(text, format!("{{\"id\":\"a\",{kept},{LOG}}}"));
    }
}

/// The record keeps the requested time; only the place in the order moves.
#[test]
fn a_one_shot_may_be_put_off() {
    let given = format!(
        "{{\"id\":\"a\",\"time\":1764000000001,\"jitterSeconds\":60,\"windowSeconds\":0.25,{LOG}}}"
    );
    let mut validator =
        Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let valid = validator.check(parse_one(&given).unwrap()).unwrap();
    let (due, delay) = (valid.due, valid.due.since(NOW));
    assert!((1..=60_251).contains(&delay), "{delay}");
    let mut out = Vec::new();
    valid.write_record(&Origin::default(), &mut out);
    let record = crate::task::Record::parse(&out).unwrap();
    assert_eq!((record.time, record.due()), (Some(NOW.plus(1)), due));
    assert!(
        String::from_utf8(out.clone())
            .unwrap()
            .contains(r#""id":"a","jitterSeconds":60,"windowSeconds":0.25,"#)
    );
}

/// A change that keeps the schedule keeps the last run, too.
#[test]
fn a_last_run_may_be_kept() {
    let text = format!("{{\"id\":\"a\",\"cron\":\"0 0 * * * *\",\"maxRuns\":3,{LOG}}}");
    let mut task = parse_one(&text).unwrap();
    task.go_on(Some(UnixMillis::new(1_764_007_200_000)));
    let mut validator =
        Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let mut out = Vec::new();
    validator.check(task).unwrap().write_record(&Origin::default(), &mut out);
    let expected =
        r#"{"id":"a","cron":"0 0 * * * *","maxRuns":3,"finalRun":1764007200000,"callback"#;
    assert!(String::from_utf8(out).unwrap().starts_with(expected));
    // A task that was paused past its end has no run left, and can still be changed.
    let mut task = parse_one(&text).unwrap();
    task.go_on(Some(NOW));
    assert_eq!(validator.check(task).unwrap().due, UnixMillis::NEVER);
}

#[test]
fn a_payload_over_several_lines_comes_out_on_one() {
    let text = record(&format!(
        "{{\"id\":\"a\",\"type\":\"no-schedule\",{LOG},\"payload\":{{\n\"a\": \"b c\"}}}}"
    ))
    .unwrap();
    assert!(text.ends_with(r#""payload":{"a":"b c"}}"#), "{text}");
}

#[test]
fn a_callback_that_many_tasks_have_is_stored_alike_for_each() {
    for (given, stored) in [
        (
            r#"{"type":"webhook","url":"https://a.example"}"#,
            r#"{"type":"webhook","url":"https://a.example"}"#,
        ),
        (
            "{\"type\":\"webhook\",\n \"url\":\"https://a.example\"}",
            r#"{"type":"webhook","url":"https://a.example"}"#,
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","timeoutSeconds":30.0}"#,
            r#"{"type":"webhook","url":"https://a.example","timeoutSeconds":30}"#,
        ),
    ] {
        let text = format!(r#"{{"delayInSeconds":1,"callback":{given}}}"#);
        let mut validator = Validator::new(UnixMillis::new(1_000), [3; 16], Targets::default());
        for _ in 0..2 {
            let mut record = Vec::new();
            validator
                .check(parse_one(&text).unwrap())
                .unwrap()
                .write_record(&Origin::default(), &mut record);
            let record = String::from_utf8(record).unwrap();
            assert!(record.contains(&format!(r#""callback":{stored}"#)), "{record}");
        }
    }
}

/// Returns the record of a task that is created from an answer's view of `record`.
fn sent_again(record: &str, shown: &str) -> String {
    let body = record.replacen('{', &format!("{{{shown},"), 1);
    let mut validator =
        Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let mut out = Vec::new();
    validator.check(parse_one(&body).unwrap()).unwrap().write_record(&Origin::default(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn what_an_answer_shows_defines_the_same_task() {
    let log = r#""callback":{"type":"handler","name":"log"}"#;
    let zone = r#""timezone":"Europe/London""#;
    for task in [
        format!(r#"{{"id":"a","time":"2099-06-01T09:00",{zone},{log},"payload":{{"n":1.0}}}}"#),
        format!(r#"{{"id":"a","time":"2099-06-01T09:00:00Z",{log},"tags":["t"]}}"#),
        format!(r#"{{"id":"a","cron":"0 9 * * *",{zone},"startAt":"2098-01-01T00:00",{log}}}"#),
        format!(
            r#"{{"id":"a","everySeconds":60,{zone},"startAt":"2098-01-01T00:00","endAt":"2099-01-01T00:00",{log}}}"#
        ),
        // Its anchor is a local time that the clock skips.
        format!(r#"{{"id":"a","everySeconds":86400,{zone},"anchor":"2099-03-29T01:30",{log}}}"#),
        format!(r#"{{"id":"a","rrule":"FREQ=DAILY",{zone},"startAt":"2098-01-01T09:00",{log}}}"#),
        format!(r#"{{"id":"a","type":"no-schedule",{log}}}"#),
    ] {
        let stored = record(&task).unwrap();
        let kind = if task.contains("no-schedule") { "no-schedule" } else { "once" };
        let shown: Vec<String> = READ_ONLY
            .iter()
            .filter(|name| **name != "kind")
            .map(|name| format!("\"{name}\":[{{}}]"))
            .chain([format!("\"kind\":\"{kind}\"")])
            .collect();
        assert_eq!(sent_again(&stored, &shown.join(",")), stored, "{task}");
    }
}

#[test]
fn a_local_time_counts_as_long_as_it_is_the_same_instant() {
    let log = r#""callback":{"type":"handler","name":"log"}"#;
    let of = |time: i64, more: &str| {
        record(&format!(
            r#"{{"id":"a","time":{time},"timezone":"Europe/London","local":{{"time":"2099-06-01T09:00:00"}}{more},{log}}}"#
        ))
    };
    assert!(of(4_083_984_000_000, "").unwrap().contains(r#""local":{"time""#));
    // The local clock does not show 09:00 at another instant.
    assert_eq!(of(4_083_984_060_000, "").unwrap_err().field, "timezone");
    let list = record(&format!(r#"{{"id":"a","delayInSeconds":5,"local":[null],{log}}}"#));
    assert_eq!(list.unwrap_err().field, "local");
}

#[test]
fn a_record_says_when_and_by_whom_it_was_created() {
    let mut validator =
        Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let text = r#"{"id":"a","time":1764000000005,"createdBy":"me","callback":{"type":"handler","name":"log"}}"#;
    let task = validator.check(parse_one(text).unwrap()).unwrap();
    let mut out = Vec::new();
    task.write_record(&Origin::new(NOW, Some("the \"shop\"")), &mut out);
    let read = Record::parse(&out).unwrap();
    assert_eq!((read.created_at, read.created_by.as_deref()), (Some(NOW), Some("the \"shop\"")));
    let mut again = Vec::new();
    read.write(&mut again);
    assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(out).unwrap());
}
