//! Tests what the validator refuses, and the defaults of absent fields.

use super::*;
use crate::bounds::{MAX_CALLBACK_BYTES, MAX_ORIGIN_BYTES, MAX_OUTCOME_BYTES, MAX_RECORD_BYTES};
use crate::task::{Record, parse_one};

pub(super) const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

pub(super) fn record(text: &str) -> Result<String, FieldError> {
    let queues = ["FIRED_TASKS".to_owned()];
    let mut validator = Validator::new(
        NOW,
        [7; 16],
        Targets { handlers: &["log"], queues: &queues, ..Targets::default() },
    );
    let mut out = Vec::new();
    validator.check(parse_one(text)?)?.write_record(&Origin::default(), &mut out);
    Ok(String::from_utf8(out).unwrap())
}

fn field(text: &str) -> String {
    record(text).expect_err(text).field.into_owned()
}

pub(super) const LOG: &str = r#""callback":{"type":"handler","name":"log"}"#;

#[test]
fn counting_runs_is_bounded_for_the_whole_request() {
    let task = |runs: u32| format!(r#"{{"cron":"0 0 * * *","maxRuns":{runs},{LOG}}}"#);
    let tasks = [task(60_000), task(40_000), task(1)];
    let mut validator =
        Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let mut check = |text| validator.check(parse_one(text).unwrap()).map(drop);
    assert_eq!(check(&tasks[0]), Ok(()));
    assert_eq!(check(&tasks[1]), Ok(()));
    let problem = check(&tasks[2]).unwrap_err();
    assert!(
        problem.field == "maxRuns" && problem.detail.contains("100000: send several requests"),
        "{problem}"
    );
}

#[test]
fn bad_input_names_the_field() {
    let time = r#""time":1764000001234"#;
    let long = "x".repeat(70_000);
    let many_tags = format!("[{}\"t\"]", "\"t\",".repeat(16));
    for (text, expected) in [
        ("".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        (format!("{{{time},{LOG}}} x"), "body"),
        (format!("{{{time},{LOG},\"tiem\":1}}"), "tiem"),
        (format!("{{\"id\":\"\",{time},{LOG}}}"), "id"),
        (format!("{{\"id\":7,{time},{LOG}}}"), "id"),
        (format!("{{\"id\":\"{}\",{time},{LOG}}}", "i".repeat(257)), "id"),
        (format!("{{\"id\":\"a\\u0000\",{time},{LOG}}}"), "id"),
        (format!("{{{LOG}}}"), "time"),
        (format!("{{\"time\":1.5,{LOG}}}"), "time"),
        (format!("{{\"time\":-1,{LOG}}}"), "time"),
        (format!("{{\"time\":1764000000001e30,{LOG}}}"), "time"),
        (format!("{{\"time\":18446744073709551615,{LOG}}}"), "time"),
        (format!("{{\"time\":\"tomorrow\",{LOG}}}"), "time"),
        (format!("{{\"time\":\"2026-02-30T00:00:00Z\",{LOG}}}"), "time"),
        (format!("{{\"time\":[],{LOG}}}"), "time"),
        (format!("{{{time},\"delayInSeconds\":1,{LOG}}}"), "delayInSeconds"),
        (format!("{{{time},\"type\":\"cron\",{LOG}}}"), "type"),
        (format!("{{{time},\"type\":\"weekly\",{LOG}}}"), "type"),
        (format!("{{{time},\"timezone\":\"Europe/London\",{LOG}}}"), "timezone"),
        (format!("{{\"delayInSeconds\":-1,{LOG}}}"), "delayInSeconds"),
        (format!("{{\"delayInSeconds\":1e300,{LOG}}}"), "delayInSeconds"),
        (format!("{{\"delayInSeconds\":\"1\",{LOG}}}"), "delayInSeconds"),
        (format!("{{\"cron\":\"* * *\",{LOG}}}"), "cron"),
        (format!("{{\"cron\":\"* * * * *\",\"timezone\":\"Mars\",{LOG}}}"), "timezone"),
        (format!("{{\"cron\":7,{LOG}}}"), "cron"),
        (format!("{{\"cron\":[],{LOG}}}"), "cron"),
        (format!("{{\"cron\":[\"@daily\",\"x\"],{LOG}}}"), "cron[1]"),
        (format!("{{\"cron\":[\"@daily\",7],{LOG}}}"), "cron[1]"),
        (format!("{{\"cron\":[{}\"@daily\"],{LOG}}}", "\"@daily\",".repeat(16)), "cron"),
        (format!("{{\"cron\":[{}\"@daily\"],{LOG}}}", " ".repeat(120_000)), "cron"),
        (format!("{{\"cron\":\"@daily\",\"everySeconds\":5,{LOG}}}"), "everySeconds"),
        (format!("{{\"everySeconds\":0.999,{LOG}}}"), "everySeconds"),
        (format!("{{\"everySeconds\":1e300,{LOG}}}"), "everySeconds"),
        (format!("{{\"everySeconds\":-5,{LOG}}}"), "everySeconds"),
        (format!("{{\"everySeconds\":5,\"timezone\":\"UTC\",{LOG}}}"), "timezone"),
        (format!("{{\"everySeconds\":5,\"anchor\":\"now\",{LOG}}}"), "anchor"),
        (format!("{{\"cron\":\"@daily\",\"anchor\":1764000000005,{LOG}}}"), "anchor"),
        (format!("{{\"rrule\":\"FREQ=DAILY\",{LOG}}}"), "startAt"),
        (format!("{{\"rrule\":\"FREQ=DAILY\",\"startAt\":1764000000005,{LOG}}}"), "startAt"),
        (format!("{{\"rrule\":\"FREQ=SOMETIMES\",\"startAt\":1764000000000,{LOG}}}"), "rrule"),
        (
            format!(
                "{{\"rrule\":\"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\",\"startAt\":1764000000000,{LOG}}}"
            ),
            "rrule",
        ),
        (
            format!(
                "{{\"rrule\":\"FREQ=DAILY;COUNT=3\",\"startAt\":\"1970-01-01T00:00:00Z\",{LOG}}}"
            ),
            "rrule",
        ),
        (
            format!(
                "{{\"rrule\":\"FREQ=DAILY\",\"startAt\":1764000000000,\"timezone\":\"Mars\",{LOG}}}"
            ),
            "timezone",
        ),
        (format!("{{{time},\"startAt\":1764000000005,{LOG}}}"), "startAt"),
        (format!("{{{time},\"endAt\":1764000000005,{LOG}}}"), "endAt"),
        (format!("{{{time},\"maxRuns\":5,{LOG}}}"), "maxRuns"),
        (format!("{{\"everySeconds\":5,\"maxRuns\":0,{LOG}}}"), "maxRuns"),
        (format!("{{\"everySeconds\":5,\"maxRuns\":-1,{LOG}}}"), "maxRuns"),
        (format!("{{\"everySeconds\":5,\"maxRuns\":5000000000,{LOG}}}"), "maxRuns"),
        (format!("{{\"cron\":\"@daily\",\"maxRuns\":100001,{LOG}}}"), "maxRuns"),
        (format!("{{\"everySeconds\":5,\"endAt\":1764000000005,{LOG}}}"), "endAt"),
        (
            format!(
                "{{\"everySeconds\":5,\"startAt\":1764000000006,\"endAt\":1764000000005,{LOG}}}"
            ),
            "endAt",
        ),
        (format!("{{{time},\"jitterSeconds\":-1,{LOG}}}"), "jitterSeconds"),
        (format!("{{{time},\"jitterSeconds\":86401,{LOG}}}"), "jitterSeconds"),
        (format!("{{{time},\"windowSeconds\":86401,{LOG}}}"), "windowSeconds"),
        (format!("{{\"type\":\"no-schedule\",\"jitterSeconds\":1,{LOG}}}"), "jitterSeconds"),
        (format!("{{\"type\":\"no-schedule\",\"windowSeconds\":1,{LOG}}}"), "windowSeconds"),
        (format!("{{{time}}}"), "callback"),
        (
            format!("{{{time},\"callback\":{{\"type\":\"handler\",\"name\":\"nope\"}}}}"),
            "callback.name",
        ),
        (format!("{{{time},{LOG},\"payload\":\"{long}\"}}"), "payload"),
        (format!("{{{time},{LOG},\"description\":\"{}\"}}", &long[..1025]), "description"),
        (format!("{{{time},{LOG},\"tags\":{many_tags}}}"), "tags"),
        (format!("{{{time},{LOG},\"tags\":[\"a\",\"\"]}}"), "tags[1]"),
        (format!("{{{time},{LOG},\"tags\":\"a\"}}"), "tags"),
        (format!("{{{time},{LOG},\"tags\":[1]}}"), "tags[0]"),
        (format!("{{{time},{LOG},\"retry\":{{\"jitter\":2}}}}"), "retry.jitter"),
        (format!("{{{time},{LOG},\"retry\":{{\"jitter\":\"x\"}}}}"), "retry.jitter"),
        (format!("{{{time},{time},{LOG}}}"), "time"),
    ] {
        let shown: String = text.chars().take(200).collect();
        assert_eq!(field(&text), expected, "{shown}");
    }
}

#[test]
fn follow_ups_are_kept_and_checked_as_the_callback_is() {
    let log = r#"{"type":"handler","name":"log"}"#;
    let task = |more: &str| format!(r#"{{"id":"a","time":1764000000005,{LOG}{more}}}"#);
    let follow_ups = r#","onSuccess":{"type":"queue","queue":"FIRED_TASKS"},"onFailure":{"type":"handler","name":"log"}"#;
    assert_eq!(
        record(&task(&format!(r#"{follow_ups},"payload":7"#))).unwrap(),
        format!(r#"{{"time":1764000000005,"id":"a",{LOG}{follow_ups},"payload":7}}"#)
    );
    assert_eq!(record(&task(r#","onSuccess":null"#)), record(&task("")));
    let long = format!(
        r#"{{"type":"webhook","url":"https://a.example","body":"{}"}}"#,
        "x".repeat(MAX_CALLBACK_BYTES)
    );
    for (given, path) in [
        ("7", ""),
        (r#"{"type":"email"}"#, ".type"),
        (r#"{"type":"handler","name":"unknown"}"#, ".name"),
        (r#"{"type":"queue","queue":"OTHER"}"#, ".queue"),
        (r#"{"type":"service","binding":"MAIL","path":"/"}"#, ".binding"),
        (r#"{"type":"webhook","url":"http://127.0.0.1/"}"#, ".url"),
        (r#"{"type":"webhook","url":"https://a.example","headers":{"host":"b"}}"#, ".headers.host"),
        (long.as_str(), ""),
    ] {
        for name in ["onSuccess", "onFailure"] {
            assert_eq!(
                field(&task(&format!(r#","{name}":{given}"#))),
                format!("{name}{path}"),
                "{given}"
            );
        }
    }
    // Nobody reports the outcome of a message in a queue.
    for name in ["onSuccess", "onFailure"] {
        let text = format!(
            r#"{{"time":1764000000005,"callback":{{"type":"queue","queue":"FIRED_TASKS"}},"{name}":{log}}}"#
        );
        assert_eq!(field(&text), name);
    }
    // The validator remembers a valid follow-up for its own field only, and only while the text is
    // the same.
    let queues = [];
    let mut validator = Validator::new(
        NOW,
        [7; 16],
        Targets { handlers: &["log"], queues: &queues, ..Targets::default() },
    );
    let (good, bad) = (
        task(&format!(r#","onSuccess":{log}"#)),
        task(r#","onSuccess":{"type":"handler","name":"l"}"#),
    );
    let mut check = |text| {
        validator
            .check(parse_one(text).unwrap())
            .map(|_| ())
            .map_err(|problem| problem.field.into_owned())
    };
    assert_eq!(
        (check(&good), check(&bad), check(&good)),
        (Ok(()), Err("onSuccess.name".to_owned()), Ok(()))
    );
}

#[test]
fn a_task_with_follow_ups_leaves_room_for_an_outcome() {
    let webhook = |bytes: usize| {
        let head = r#"{"type":"webhook","url":"https://a.example","body":""}"#.len();
        format!(
            r#"{{"type":"webhook","url":"https://a.example","body":"{}"}}"#,
            "x".repeat(bytes - head)
        )
    };
    let (payload, largest) = ("x".repeat(MAX_PAYLOAD_BYTES - 2), webhook(MAX_CALLBACK_BYTES));
    // White space is kept, so a list of expressions and a policy can be as large as this.
    let with = |follow_ups: &str, spaces: usize| {
        let (of_cron, of_retry) =
            (" ".repeat(spaces.min(32_000)), " ".repeat(spaces.saturating_sub(32_000)));
        let description = r"\u0001".repeat(MAX_DESCRIPTION_BYTES);
        record(&format!(
            r#"{{"cron":["@daily"{of_cron}],"id":"a","description":"{description}","callback":{largest}{follow_ups},"retry":{{{of_retry}}},"payload":"{payload}"}}"#
        ))
    };
    let both = format!(r#","onSuccess":{largest},"onFailure":{largest}"#);
    let most = MAX_RECORD_BYTES - MAX_ORIGIN_BYTES;
    for (follow_ups, limit) in [("", most), (both.as_str(), most - MAX_OUTCOME_BYTES)] {
        let least = with(follow_ups, 0).unwrap().len();
        assert_eq!(with(follow_ups, limit - least).unwrap().len(), limit);
        assert_eq!(with(follow_ups, limit - least + 1).unwrap_err().field, "body");
    }
}

#[test]
fn limits_are_reached_and_not_passed() {
    let payload = "x".repeat(MAX_PAYLOAD_BYTES - 2);
    assert!(record(&format!("{{\"time\":1764000000001,{LOG},\"payload\":\"{payload}\"}}")).is_ok());
    assert_eq!(
        field(&format!("{{\"time\":1764000000001,{LOG},\"payload\":\"x{payload}\"}}")),
        "payload"
    );
    assert!(record(&format!("{{\"time\":{},{LOG}}}", UnixMillis::LAST)).is_ok());
    assert_eq!(field(&format!("{{\"time\":{},{LOG}}}", UnixMillis::LAST.get() + 1)), "time");
}

#[test]
fn a_task_without_a_callback_gets_the_default_one() {
    let queues = ["FIRED_TASKS".to_owned()];
    let targets = Targets { handlers: &["log"], queues: &queues, ..Targets::default() };
    let default: &RawValue =
        serde_json::from_str(r#"{"type":"queue","queue":"FIRED_TASKS"}"#).unwrap();
    let checked = |text: &'static str, default: Option<&'static str>| {
        let default: Option<&'static RawValue> =
            default.map(|text| serde_json::from_str(text).unwrap());
        let mut record = Vec::new();
        let mut validator = Validator::new(NOW, [7; 16], targets).with_default_callback(default);
        let valid = validator.check(parse_one(text)?)?;
        valid.write_record(&Origin::default(), &mut record);
        Ok::<_, FieldError>((valid.to_queue, String::from_utf8(record).unwrap()))
    };
    let record =
        r#"{"time":1764000001234,"id":"a","callback":{"type":"queue","queue":"FIRED_TASKS"}}"#
            .to_owned();
    let task = r#"{"id":"a","time":1764000001234}"#;
    assert_eq!(checked(task, Some(default.get().to_owned().leak())), Ok((true, record)));
    let own = checked(
        r#"{"id":"a","time":1764000001234,"callback":{"type":"handler","name":"log"}}"#,
        Some("{}"),
    )
    .unwrap();
    assert!(!own.0 && own.1.contains("log"));
    for default in [None, Some("{}"), Some(r#"{"type":"queue","queue":"OTHER"}"#)] {
        assert_eq!(checked(task, default).unwrap_err().field, "callback", "{default:?}");
    }
    // The refusal of a limit key with a queue covers the default callback, too.
    let limited = r#"{"id":"a","time":1764000001234,"limitKey":"stripe"}"#;
    assert_eq!(
        checked(limited, Some(default.get().to_owned().leak())).unwrap_err().field,
        "limitKey"
    );
}

#[test]
fn generated_ids_differ() {
    let mut validator =
        Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let text = format!("{{\"time\":1764000000001,{LOG}}}");
    let mut id = || validator.check(parse_one(&text).unwrap()).unwrap().id.into_string();
    let (first, second) = (id(), id());
    assert!(first < second && first[..18] == second[..18]);
}

#[test]
fn reserved_ids_are_refused_to_callers() {
    for id in ["handler:", "handler:log", "handler:ä"] {
        let text = format!("{{\"id\":\"{id}\",\"time\":1764000000001,{LOG}}}");
        let problem = record(&text).unwrap_err();
        assert_eq!(problem.field, "id");
        assert!(problem.detail.contains("starts with \"handler:\""), "{}", problem.detail);
        let mut replaced = parse_one("{}").unwrap();
        replaced.set_id(id).unwrap();
        let mut validator = Validator::new(NOW, [7; 16], Targets::default());
        assert_eq!(validator.check(replaced).unwrap_err().field, "id");
    }
    for id in ["handler", "Handler:log", "my-handler:log"] {
        assert!(
            record(&format!("{{\"id\":\"{id}\",\"time\":1764000000001,{LOG}}}")).is_ok(),
            "{id}"
        );
    }
}

#[test]
fn a_task_without_a_retry_gets_its_handlers() {
    let of_report: &RawValue = serde_json::from_str(r#"{"maxAttempts":6}"#).unwrap();
    let retries = [("report", of_report)];
    let targets = Targets { handlers: &["log", "report"], ..Targets::default() };
    let mut validator = Validator::new(NOW, [7; 16], targets).with_handler_retries(&retries);
    let mut record = |more: &str| {
        let text = format!("{{\"id\":\"a\",\"time\":1764000000001,{more}}}").leak();
        let mut out = Vec::new();
        validator
            .check(parse_one(text).unwrap())
            .unwrap()
            .write_record(&Origin::default(), &mut out);
        String::from_utf8(out).unwrap()
    };
    let report = r#""callback":{"type":"handler","name":"report"}"#;
    // Each is checked twice, because the validator remembers the callback of the task before.
    for _ in 0..2 {
        assert_eq!(
            record(report),
            format!(r#"{{"time":1764000000001,"id":"a",{report},"retry":{{"maxAttempts":6}}}}"#)
        );
        assert_eq!(
            record(&format!(r#"{report},"retry":{{"jitter":0}}"#)),
            format!(r#"{{"time":1764000000001,"id":"a",{report},"retry":{{"jitter":0}}}}"#)
        );
        assert_eq!(record(LOG), format!(r#"{{"time":1764000000001,"id":"a",{LOG}}}"#));
    }
}

#[test]
fn a_limit_key_is_kept_and_not_for_queues() {
    let text = record(&format!(
        r#"{{"id":"a","time":1764000000000,"limitKey":"st\"ripe","priority":3,{LOG}}}"#
    ))
    .unwrap();
    assert_eq!(
        text,
        format!(r#"{{"time":1764000000000,"id":"a",{LOG},"priority":3,"limitKey":"st\"ripe"}}"#)
    );
    assert_eq!(Record::parse(text.as_bytes()).unwrap().limit_key.as_deref(), Some("st\"ripe"));
    for key in [r#""""#.to_owned(), r#""a\u0000""#.to_owned(), format!("{:?}", "x".repeat(129))] {
        assert_eq!(
            field(&format!(r#"{{"time":1764000000000,"limitKey":{key},{LOG}}}"#)),
            "limitKey",
            "{key}"
        );
    }
    assert_eq!(
        field(
            r#"{"time":1764000000000,"limitKey":"a","callback":{"type":"queue","queue":"FIRED_TASKS"}}"#
        ),
        "limitKey"
    );
}

#[test]
fn a_policy_of_retries_is_refused_beside_a_queue() {
    let queues = ["Q".to_owned()];
    let default: Box<RawValue> = serde_json::from_str(r#"{"type":"queue","queue":"Q"}"#).unwrap();
    let check = |callback: &str| {
        let targets = Targets { queues: &queues, ..Targets::default() };
        let text = format!(r#"{{"delayInSeconds":5{callback},"retry":{{"maxAttempts":2}}}}"#);
        let mut validator =
            Validator::new(NOW, [7; 16], targets).with_default_callback(Some(&default));
        validator.check(parse_one(&text).unwrap()).map(drop).unwrap_err()
    };
    for (callback, hint) in [
        (r#","callback":{"type":"queue","queue":"Q"}"#, "a callback of the type queue"),
        ("", "a task without a callback"),
    ] {
        let problem = check(callback);
        assert!(problem.field == "retry" && problem.detail.contains(hint), "{problem}");
    }
}
