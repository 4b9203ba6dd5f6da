//! Tests the error for a value of the wrong type: every field names the problem in terms of JSON.

use super::*;
use crate::access::{NamespaceInput, NewKey};
use crate::input::FieldError;
use crate::limit::Limit;
use crate::schedule::preview;
use scheduler_calendar::time::UnixMillis;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// A reader of a body.
type Read = fn(&str) -> Result<(), FieldError>;

fn task(text: &str) -> Result<(), FieldError> {
    let queues = ["FIRED_TASKS".to_owned()];
    let default: Box<serde_json::value::RawValue> =
        serde_json::from_str(r#"{"type":"queue","queue":"FIRED_TASKS"}"#).unwrap();
    let targets = Targets { handlers: &["log"], queues: &queues, ..Targets::default() };
    let mut validator = Validator::new(NOW, [7; 16], targets).with_default_callback(Some(&default));
    validator.check(parse_one(text)?).map(drop)
}

fn preview_of(text: &str) -> Result<(), FieldError> {
    preview(text, NOW).map(drop)
}

fn change(text: &str) -> Result<(), FieldError> {
    let change = ChangeInput::parse(text, ChangeInput::RESCHEDULE_MANY)?;
    change.filter.as_ref().map(FilterInput::check).transpose()?;
    if change.ids.is_none() && change.filter.is_none() {
        change.new_time(NOW).map(drop)
    } else {
        Ok(())
    }
}

fn key(text: &str) -> Result<(), FieldError> {
    let key = NewKey::parse(text)?;
    let token = crate::access::Token::new([1; 8], [1; 16]);
    key.check(&token, NOW).map(drop)
}

fn limit(text: &str) -> Result<(), FieldError> {
    Limit::parse(text).map(drop)
}

fn namespace(text: &str) -> Result<(), FieldError> {
    NamespaceInput::parse(text).map(drop)
}

/// Returns a body for every field that a request may have. The body is otherwise valid, and has `~`
/// in place of the field's value.
fn places() -> Vec<(String, Read)> {
    let mut places: Vec<(String, Read)> = Vec::new();
    let mut of = |read: Read, around: &str, fields: &[&str]| {
        places.extend(
            fields.iter().map(|field| (around.replace("FIELD", &format!("\"{field}\":~")), read)),
        );
    };
    let log = r#""callback":{"type":"handler","name":"log"}"#;
    let plain = [
        "id",
        "type",
        "description",
        "tags",
        "retry",
        "priority",
        "limitKey",
        "paused",
        "payload",
        "onSuccess",
        "onFailure",
    ];
    of(task, &format!("{{\"delayInSeconds\":5,{log},FIELD}}"), &plain);
    of(
        task,
        &format!("{{{log},FIELD}}"),
        &["time", "delayInSeconds", "cron", "everySeconds", "type"],
    );
    of(task, &format!("{{\"startAt\":\"2099-01-01T00:00:00Z\",{log},FIELD}}"), &["rrule"]);
    let of_recurring = [
        "timezone",
        "startAt",
        "endAt",
        "maxRuns",
        "jitterSeconds",
        "windowSeconds",
        "misfire",
        "overlap",
        "expireAfterSeconds",
    ];
    of(task, &format!("{{\"cron\":\"@daily\",{log},FIELD}}"), &of_recurring);
    of(task, &format!("{{\"everySeconds\":5,{log},FIELD}}"), &["anchor"]);
    of(task, r#"{"delayInSeconds":5,FIELD}"#, &["callback"]);
    let retry = [
        "maxAttempts",
        "minBackoffSeconds",
        "factor",
        "maxBackoffSeconds",
        "jitter",
        "maxDurationSeconds",
        "permanentStatuses",
    ];
    of(task, &format!("{{\"delayInSeconds\":5,{log},\"retry\":{{FIELD}}}}"), &retry);
    of(
        task,
        &format!("{{\"delayInSeconds\":5,{log},\"misfire\":{{\"policy\":\"skip\",FIELD}}}}"),
        &["graceSeconds"],
    );
    of(task, &format!("{{\"delayInSeconds\":5,{log},\"misfire\":{{FIELD}}}}"), &["policy"]);
    for callback in ["callback", "onSuccess", "onFailure"] {
        let others = if callback == "callback" { String::new() } else { format!("{log},") };
        let around =
            |fields: &str| format!("{{\"delayInSeconds\":5,{others}\"{callback}\":{{{fields}}}}}");
        let webhook = r#""type":"webhook","url":"https://example.com/",FIELD"#;
        of(task, &around(webhook), &["method", "headers", "body", "timeoutSeconds"]);
        of(
            task,
            &around(r#""type":"webhook","url":"https://example.com/","headers":{FIELD}"#),
            &["x-a"],
        );
        of(task, &around(r#""type":"webhook",FIELD"#), &["url"]);
        of(task, &around(r#""name":"log",FIELD"#), &["type"]);
        of(task, &around(r#""type":"handler",FIELD"#), &["name"]);
        of(task, &around(r#""type":"queue",FIELD"#), &["queue"]);
        of(task, &around(r#""type":"service",FIELD"#), &["binding", "path", "function"]);
    }
    of(
        preview_of,
        r#"{"cron":"@daily",FIELD}"#,
        &["count", "from", "id", "type", "timezone", "maxRuns", "misfire"],
    );
    of(change, "{FIELD}", &["ids", "filter", "time", "delayInSeconds"]);
    of(change, r#"{"time":"2099-01-01T09:00",FIELD}"#, &["timezone"]);
    of(change, r#"{"filter":{FIELD}}"#, &["prefix", "text", "tag", "kind", "status", "from", "to"]);
    of(key, r#"{"scopes":["read"],"namespaces":["*"],FIELD}"#, &["name", "expiresAt"]);
    of(key, r#"{"name":"a","namespaces":["*"],FIELD}"#, &["scopes"]);
    of(key, r#"{"name":"a","scopes":["read"],FIELD}"#, &["namespaces"]);
    of(limit, r#"{"concurrency":5,FIELD}"#, &["perSecond"]);
    of(limit, "{FIELD}", &["concurrency"]);
    of(namespace, "{FIELD}", &["quota"]);
    of(namespace, r#"{"quota":{FIELD}}"#, &["pendingTasks", "createsPerSecond"]);
    for read in [task, preview_of, change, key, limit, namespace] as [Read; 6] {
        places.push(("~".to_owned(), read));
    }
    places
}

const VALUES: [&str; 14] = [
    "true",
    "5",
    "-5",
    "1.5",
    "-1.5",
    "1e300",
    "18446744073709551615",
    r#""x""#,
    r#""""#,
    "[]",
    "{}",
    "[1]",
    r#"["x",{}]"#,
    r#"{"a":1}"#,
];

#[test]
fn no_answer_names_a_type_of_rust() {
    let rust = [
        "f32", "f64", "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize",
        "struct", "enum", "sequence", "map", "unit", "tuple", "variant", "boolean", "floating",
        "borrowed", "bytes of", "Option", "elements", "newtype",
    ];
    let mut refused = 0;
    for (place, read) in places() {
        for value in VALUES {
            let body = place.replace('~', value);
            let Err(problem) = read(&body) else { continue };
            refused += 1;
            // The error names the found value as JSON does.
            let detail = problem.detail.replace("boolean `true`", "").replace("no boolean", "");
            let words: Vec<&str> = detail.split(|c: char| !c.is_alphanumeric()).collect();
            let named: Vec<_> = rust
                .iter()
                .filter(|name| words.contains(name) || name.contains(' ') && detail.contains(*name))
                .collect();
            assert!(named.is_empty(), "{body}: {problem}");
            assert!(!detail.contains("expected value"), "{body}: {problem}");
            // The field names the place. A column would count from the start of a part of the body.
            assert!(!detail.contains(" column "), "{body}: {problem}");
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn a_missing_member_is_named() {
    let url = r#"{"url":"https://example.com/"}"#;
    for (read, body, field) in [
        (key as Read, r#"{"scopes":["read"],"namespaces":["*"]}"#.to_owned(), "name"),
        (key, r#"{"name":"a","namespaces":["*"]}"#.to_owned(), "scopes"),
        (key, r#"{"name":"a","scopes":["read"]}"#.to_owned(), "namespaces"),
        (task, format!(r#"{{"delayInSeconds":5,"callback":{url}}}"#), "callback.type"),
        (
            task,
            format!(
                r#"{{"delayInSeconds":5,"callback":{{"type":"handler","name":"log"}},"onSuccess":{url}}}"#
            ),
            "onSuccess.type",
        ),
    ] {
        assert_eq!(read(&body), Err(FieldError::new(field, "is missing")), "{body}");
    }
}

#[test]
fn a_body_that_is_no_json_is_refused_in_plain_words() {
    for empty in ["", " \n"] {
        for read in [task, preview_of, key, limit] as [Read; 4] {
            assert_eq!(read(empty), Err(FieldError::new("body", "is empty")));
        }
        assert_eq!(parse_batch(empty, false).unwrap_err(), FieldError::new("body", "is empty"));
        assert_eq!(
            merge_patch(r#"{"id":"a"}"#, false, empty).unwrap_err(),
            FieldError::new("body", "is empty")
        );
    }
    let lines = parse_batch("nothing\n{\"id\":tru}\n", true).unwrap();
    let details: Vec<String> =
        lines.into_iter().map(|line| line.unwrap_err().to_string()).collect();
    assert_eq!(
        details,
        [
            "body cannot be read: expected a value at column 2",
            "body cannot be read: expected a value at column 10"
        ]
    );
}

#[test]
fn a_patch_gives_no_position_in_the_patched_task() {
    let record = r#"{"id":"a","time":1764000000005,"callback":{"type":"handler","name":"log"}}"#;
    for (patch, field) in
        [(r#"{"prioritty":3}"#, "prioritty"), (r#"{"priority":1e999}"#, "priority")]
    {
        let merged = merge_patch(record, false, patch).unwrap();
        let problem = parse_one(&merged).unwrap_err();
        assert!(problem.field == field && !problem.detail.contains(" column "), "{problem}");
    }
}

#[test]
fn a_list_is_not_taken_for_an_object() {
    for (place, read) in places() {
        // Which fields take lists.
        let takes_lists = [
            "tags",
            "cron",
            "permanentStatuses",
            "payload",
            "body",
            "ids",
            "scopes",
            "namespaces",
            "function",
        ];
        if takes_lists.iter().any(|name| place.contains(&format!("\"{name}\":~"))) {
            continue;
        }
        for list in [
            "[]",
            "[null]",
            "[null,null,null,null,null,null,null]",
            r#"["skip",5]"#,
            "[5,6]",
            "[[5]]",
        ] {
            let body = place.replace('~', list);
            let problem = read(&body).expect_err(&body);
            assert!(!problem.field.contains('['), "{body}: {problem}");
        }
    }
    let nested = r#"{"delayInSeconds":5,"callback":{"type":"handler","name":"log"},"retry":{"permanentStatuses":[[5]]}}"#;
    assert_eq!(task(nested).unwrap_err().field, "retry.permanentStatuses[0]");
}

#[test]
fn hints_are_of_what_was_written() {
    let log = r#""callback":{"type":"handler","name":"log"}"#;
    let detail = |read: Read, body: &str| read(body).expect_err(body).to_string();
    let zone = r#""timezone":"Europe/London""#;
    // A time zone with a time that needs none.
    for fields in [
        r#""everySeconds":60"#,
        r#""delayInSeconds":5"#,
        r#""type":"no-schedule""#,
        r#""time":1796115600000"#,
    ] {
        let detail = detail(task, &format!("{{{fields},{zone},{log}}}"));
        assert!(
            detail.starts_with("timezone")
                && detail.contains("leave it out")
                && !detail.contains("offset"),
            "{detail}"
        );
    }
    let with_offset = detail(task, &format!(r#"{{"time":"2026-12-01T09:00:00Z",{zone},{log}}}"#));
    assert!(with_offset.contains("leave out the offset"), "{with_offset}");
    for (time, hint) in
        [("1796115600000", "leave it out"), (r#""2026-12-01T09:00:00Z""#, "leave out the offset")]
    {
        assert!(detail(change, &format!(r#"{{"time":{time},{zone}}}"#)).contains(hint), "{time}");
    }
    // The request names no callback.
    let limited = detail(task, r#"{"delayInSeconds":5,"limitKey":"a"}"#);
    assert!(
        limited.starts_with("limitKey") && limited.contains("a task without a callback"),
        "{limited}"
    );
    let followed =
        detail(task, r#"{"delayInSeconds":5,"onSuccess":{"type":"handler","name":"log"}}"#);
    assert!(
        followed.starts_with("onSuccess") && followed.contains("a task without a callback"),
        "{followed}"
    );
    let queue = detail(
        task,
        r#"{"delayInSeconds":5,"limitKey":"a","callback":{"type":"queue","queue":"FIRED_TASKS"}}"#,
    );
    assert!(queue.contains("a callback of the type queue"), "{queue}");
    // Requests that have no time zone.
    for (read, body) in [
        (change as Read, r#"{"filter":{"from":"2026-12-01"}}"#),
        (change, r#"{"filter":{"to":"soon"}}"#),
        (key, r#"{"name":"a","scopes":["read"],"namespaces":["*"],"expiresAt":"2099-12-01"}"#),
    ] {
        assert!(!detail(read, body).contains("timezone"), "{}", detail(read, body));
    }
}

#[test]
fn the_end_is_blamed_that_comes_before_the_first_run() {
    let start = r#""rrule":"FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=1;PART","startAt":"2099-01-01T00:00:00","timezone":"Europe/London""#;
    for (fields, field, hint) in [
        (
            format!("{},\"endAt\":\"2099-03-01T00:00:00\"", start.replace(";PART", "")),
            "endAt",
            "before the first run",
        ),
        (
            format!("{},\"endAt\":\"2099-03-01T00:00:00Z\"", start.replace(";PART", "")),
            "endAt",
            "before the first run",
        ),
        (start.replace("PART", "UNTIL=20990301T000000Z"), "rrule", "UNTIL"),
        (
            r#""rrule":"freq=daily;until=20250301T000000Z","startAt":"2025-01-01T00:00:00Z""#
                .to_owned(),
            "rrule",
            "UNTIL",
        ),
        (
            r#""rrule":"FREQ=DAILY;COUNT=3","startAt":"2025-01-01T00:00:00Z""#.to_owned(),
            "rrule",
            "has no run after now",
        ),
        (
            r#""cron":"@daily","endAt":"2025-01-01T00:00","timezone":"Europe/London""#.to_owned(),
            "endAt",
            "before the first run",
        ),
        (
            r#""everySeconds":60,"endAt":"2025-01-01T00:00","timezone":"Europe/London""#.to_owned(),
            "endAt",
            "before the first run",
        ),
        (
            r#""rrule":"FREQ=DAILY","startAt":"9999-12-31T23:00","timezone":"America/New_York""#
                .to_owned(),
            "startAt",
            "out of range",
        ),
    ] {
        let problem = preview_of(&format!("{{{fields}}}")).expect_err(&fields);
        assert_eq!(problem.field, field, "{fields}: {problem}");
        assert!(problem.detail.contains(hint), "{fields}: {problem}");
    }
}

#[test]
fn whole_numbers_are_stored_as_such() {
    let mut validator =
        Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let text = r#"{"id":"a","cron":"@daily","priority":9.0,"maxRuns":3.0,"jitterSeconds":5.0,"misfire":{"policy":"skip","graceSeconds":60.0},
        "retry":{"maxAttempts":5.0,"permanentStatuses":[404.0]},"payload":{"n":5.0},
        "callback":{"type":"webhook","url":"https://example.com/","timeoutSeconds":30.0,"body":{"n":5.0}},
        "onFailure":{"type":"webhook","url":"https://example.com/","timeoutSeconds":30.0}}"#;
    let mut record = Vec::new();
    validator
        .check(parse_one(text).unwrap())
        .unwrap()
        .write_record(&Origin::default(), &mut record);
    let record = String::from_utf8(record).unwrap();
    for kept in [
        r#""priority":9}"#,
        r#""maxRuns":3,"#,
        r#""jitterSeconds":5,"#,
        r#""graceSeconds":60}"#,
        r#""maxAttempts":5,"#,
        "[404]",
        r#""payload":{"n":5.0}"#,
        r#""timeoutSeconds":30,"body":{"n":5.0}}"#,
        r#""timeoutSeconds":30}"#,
    ] {
        assert!(record.contains(kept), "{kept} in {record}");
    }
    assert_eq!(record.matches(".0").count(), 2, "those of the caller's own JSON: {record}");
}

#[test]
fn an_unknown_name_is_refused_where_it_is() {
    let log = r#""callback":{"type":"handler","name":"log"}"#;
    for (read, body, field) in [
        (
            task as Read,
            format!(r#"{{"cron":"@daily",{log},"misfire":{{"policy":"x"}}}}"#),
            "misfire.policy",
        ),
        (
            task,
            format!(r#"{{"cron":"@daily",{log},"misfire":{{"policy":"fireOnce"}}}}"#),
            "misfire.policy",
        ),
        (task, format!(r#"{{"cron":"@daily",{log},"overlap":"queueOne"}}"#), "overlap"),
        (change, r#"{"filter":{"status":"fired"}}"#.to_owned(), "filter.status"),
        (change, r#"{"filter":{"kind":"x"}}"#.to_owned(), "filter.kind"),
    ] {
        let problem = read(&body).expect_err(&body);
        assert_eq!(problem.field, field, "{body}: {problem}");
        assert!(problem.detail.contains("unknown value"), "{problem}");
    }
}

#[test]
fn members_of_null_are_not_stored() {
    let mut validator =
        Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let text = r#"{"id":"a","cron":"@daily","misfire":{"policy":"skip","graceSeconds":null},"retry":{"maxAttempts":null},"payload":{"n":null},
        "callback":{"type":"webhook","url":"https://example.com/","headers":null,"body":{"n":null}},"onSuccess":null,
        "onFailure":{"type":"handler","name":"log","url":null}}"#;
    let mut record = Vec::new();
    validator
        .check(parse_one(text).unwrap())
        .unwrap()
        .write_record(&Origin::default(), &mut record);
    let record = String::from_utf8(record).unwrap();
    assert_eq!(record.matches("null").count(), 2, "those of the caller's own JSON: {record}");
    assert!(record.contains(r#""retry":{},"#), "{record}");
}

#[test]
fn a_preview_takes_the_ids_that_a_create_takes() {
    for (id, is_taken) in [
        ("a", true),
        ("{a}/b", true),
        ("", false),
        (".", false),
        ("..", false),
        ("handler:a", false),
        ("a\\u0000", false),
    ] {
        let body = format!(r#"{{"id":"{id}","cron":"@daily","jitterSeconds":5}}"#);
        assert_eq!(preview_of(&body).is_ok(), is_taken, "{id}");
        let create =
            body.replace("\"cron\"", r#""callback":{"type":"handler","name":"log"},"cron""#);
        assert_eq!(task(&create).is_ok(), is_taken, "{id}");
    }
}
