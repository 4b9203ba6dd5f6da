use super::*;
use crate::task::{READ_ONLY, Record};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

fn record(text: &str) -> Result<String, FieldError> {
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

const LOG: &str = r#""callback":{"type":"handler","name":"log"}"#;

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

/// The record keeps the time that was asked for; only the place in the order moves.
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

/// A change that leaves the schedule as it is leaves the last run, too.
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
    // One that was paused past its end has no run to come, and can be changed all the same.
    let mut task = parse_one(&text).unwrap();
    task.go_on(Some(NOW));
    assert_eq!(validator.check(task).unwrap().due, UnixMillis::NEVER);
}

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
fn a_payload_over_several_lines_comes_out_on_one() {
    let text = record(&format!(
        "{{\"id\":\"a\",\"type\":\"no-schedule\",{LOG},\"payload\":{{\n\"a\": \"b c\"}}}}"
    ))
    .unwrap();
    assert!(text.ends_with(r#""payload":{"a":"b c"}}"#), "{text}");
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
    // Nobody reports what becomes of a message in a queue.
    for name in ["onSuccess", "onFailure"] {
        let text = format!(
            r#"{{"time":1764000000005,"callback":{{"type":"queue","queue":"FIRED_TASKS"}},"{name}":{log}}}"#
        );
        assert_eq!(field(&text), name);
    }
    // What was good once in a request is remembered for its own field only while it is the same.
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
fn a_batch_keeps_the_good_among_the_bad() {
    let array = format!(
        "[{{\"id\":\"a\",\"time\":1764000000001,{LOG}}}, 7, {{\"id\":\"b\",\"time\":1764000000002,{LOG}}}, {{\"x\":1}}]"
    );
    let items = parse_batch(&array, false).unwrap();
    assert_eq!(items.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
    let lines = format!(
        "{{\"time\":1764000000001,{LOG}}}\n\n  \nnope\n{{\"time\":1764000000002,{LOG}}}\r\n"
    );
    let items = parse_batch(&lines, true).unwrap();
    assert_eq!(items.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(parse_batch("{}", false).unwrap_err().field, "body");
    assert_eq!(parse_batch("[1,", false).unwrap_err().field, "body");
    let too_many = format!("[{}1]", "1,".repeat(MAX_BATCH_ITEMS));
    assert!(
        parse_batch(&too_many, false)
            .unwrap_err()
            .detail
            .contains("more than 20000 items, which is the limit")
    );
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
    // What does not go with a queue is told of the default, too.
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
    // Each twice: the callback is remembered from one task to the next.
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

/// The record of a task that is defined by what an answer has shown of its record.
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
        // Its anchor lies in a gap of the clock.
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
    // Another instant is not what that clock shows.
    assert_eq!(of(4_083_984_060_000, "").unwrap_err().field, "timezone");
    let list = record(&format!(r#"{{"id":"a","delayInSeconds":5,"local":[null],{log}}}"#));
    assert_eq!(list.unwrap_err().field, "local");
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
