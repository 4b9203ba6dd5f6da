//! No text that a caller can send takes more memory than the budget of its route, and no error
//! repeats more of it than an error may.
//!
//! The attacked fields come from the schemas of the types that read requests, so a new field is
//! attacked without a line here. Each gets endless lists, objects, texts, numbers and levels, as
//! long as the route's body may be. The memory must stay within a few times the text: lists stop at
//! their first item too many, raw values are measured before they are parsed, and errors are cut.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption ends the test"
)]

use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{NamespaceInput, NewKey, Token};
use scheduler_model::bounds::{
    MAX_BULK_BODY_BYTES, MAX_CALENDAR_BODY_BYTES, MAX_ERROR_DETAIL_BYTES, MAX_ERROR_FIELD_BYTES,
    MAX_REQUEST_BYTES, MAX_SMALL_BODY_BYTES, MAX_TASK_BODY_BYTES,
};
use scheduler_model::calendars::CalendarInput;
use scheduler_model::input::FieldError;
use scheduler_model::limit::Limit;
use scheduler_model::mcp::{CallParams, Envelope, InitializeParams, Message, NotAMessage};
use scheduler_model::schedule::{ParseInput, PreviewRequest, preview};
use scheduler_model::task::{
    ChangeInput, DeadLettersInput, NewTask, Record, ReplayInput, RunInput, Targets, Validator,
    merge_patch, parse_batch, parse_one,
};
use scheduler_model::tools::{
    CancelTasks, ChangeTask, FindTasks, ListRuns, OfTask, ParseSchedule, ReplayFailures,
    ScheduleTask,
};
use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// The bytes that a request may take in addition to its text, whatever it contains: its parsed form
/// and its errors.
const FIXED_BYTES: usize = 6_000_000;
/// The additional bytes for each byte of the text: an error copies it twice, with up to three bytes
/// for each, before it is cut.
const TIMES: usize = 8;
/// The same for a batch, whose text is copied as a whole at most once.
const BATCH_TIMES: usize = 2;
/// The items of a batch and their errors: 20,000 of the largest.
const BATCH_FIXED_BYTES: usize = 36_000_000;

fn validator() -> Validator<'static> {
    Validator::new(NOW, [7; 16], Targets { handlers: &["log"], ..Targets::default() })
}

fn one(text: &str) -> Vec<FieldError> {
    parse_one(text).and_then(|task| validator().check(task).map(drop)).err().into_iter().collect()
}

fn items(text: &str, lines: bool) -> Vec<FieldError> {
    let tasks = match parse_batch(text, lines) {
        Ok(tasks) => tasks,
        Err(error) => return vec![error],
    };
    let mut validator = validator();
    tasks
        .into_iter()
        .filter_map(|task| task.and_then(|task| validator.check(task).map(drop)).err())
        .collect()
}

fn patch(text: &str) -> Vec<FieldError> {
    let record = r#"{"time":1764000000005,"id":"a","callback":{"type":"webhook","url":"https://a.example","body":{"a":{"b":1}}},"retry":{"factor":2}}"#;
    match merge_patch(record, false, text) {
        Ok(task) => one(&task),
        Err(error) => vec![error],
    }
}

fn replay(text: &str) -> Vec<FieldError> {
    let letter = r#"{"time":5,"id":"a","callback":{"type":"handler","name":"log"},"payload":{"n":1},"failedAt":9}"#;
    let letter = Record::parse(letter.as_bytes()).unwrap();
    let targets = Targets { handlers: &["log"], ..Targets::default() };
    let read =
        ReplayInput::parse(text).and_then(|input| input.changed(&letter, NOW, targets).map(drop));
    read.err().into_iter().collect()
}

fn change(text: &str) -> Vec<FieldError> {
    let read = ChangeInput::parse(text, ChangeInput::RESCHEDULE_MANY).and_then(|input| {
        input.filter.iter().try_for_each(|filter| filter.check().map(drop))?;
        input.new_time(NOW).map(drop)
    });
    read.err().into_iter().collect()
}

fn key(text: &str) -> Vec<FieldError> {
    NewKey::parse(text)
        .and_then(|key| key.check(&Token::new([1; 8], [2; 16]), NOW))
        .err()
        .into_iter()
        .collect()
}

fn message(text: &str) -> Vec<FieldError> {
    match Message::parse(text) {
        Err(NotAMessage::NotJson(problem) | NotAMessage::Invalid(problem)) => vec![problem],
        Ok(_) => Vec::new(),
    }
}

/// Reads the answers of a user in the parameters of a call, too.
fn call(text: &str) -> Vec<FieldError> {
    let read = CallParams::parse(Some(text)).and_then(|call| call.answer("confirm").map(drop));
    read.err().into_iter().collect()
}

/// Reads the arguments of a tool, and makes of them what it sends.
fn schedule_task(text: &str) -> Vec<FieldError> {
    let read =
        ScheduleTask::parse(text).map(|task| (task.lacks_timezone(), task.body(Some("UTC"))));
    read.err().into_iter().collect()
}

fn change_task(text: &str) -> Vec<FieldError> {
    let read = ChangeTask::parse(text).map(|task| (task.lacks_timezone(), task.body(Some("UTC"))));
    read.err().into_iter().collect()
}

/// A reader of a body: its name, the longest body, and the function.
type Reader = (&'static str, usize, fn(&str) -> Vec<FieldError>);

/// Returns values of about `bytes`, each heavy in its own way.
fn shapes(bytes: usize) -> Vec<(&'static str, String)> {
    let repeat = |part: &str| part.repeat(bytes / part.len());
    let list = |item: &str| format!("[{}{item}]", repeat(&format!("{item},")));
    let mut names = String::with_capacity(bytes + 32);
    for n in 0.. {
        names.push_str(&format!("\"{n:x}\":0,"));
        if names.len() >= bytes {
            break;
        }
    }
    vec![
        ("numbers", list("1")),
        ("texts", list("\"\"")),
        ("letters", list("\"a\"")),
        ("lists", list("[]")),
        ("objects", list("{}")),
        ("nulls", list("null")),
        ("levels", format!("{}{}", "[".repeat(bytes / 2), "]".repeat(bytes / 2))),
        (
            "objects in objects",
            format!("{}1{}", r#"{"a":"#.repeat(bytes / 6), "}".repeat(bytes / 6)),
        ),
        ("a text", format!("\"{}\"", repeat("x"))),
        ("escapes", format!("\"{}\"", repeat("\\u0001"))),
        ("quotes", format!("\"{}\"", repeat("\\\""))),
        ("private letters", format!("\"{}\"", repeat("\u{e000}"))),
        ("digits", repeat("1")),
        ("a fraction", format!("0.{}", repeat("1"))),
        ("members", format!("{{{names}\"z\":0}}")),
        ("one member again and again", format!("{{{}\"a\":0}}", repeat("\"a\":0,"))),
        ("a member's name", format!("{{\"{}\":0}}", repeat("x"))),
        ("a text in a list", format!("[\"{}\"]", repeat("x"))),
        ("a list in a list", format!("[{}]", list("1"))),
        ("white space", format!("[{}]", repeat(" "))),
    ]
}

/// Returns bodies with a hole for an attack, by the schema: at every field, and at every field of
/// an object in it.
fn holes(schema: &Value) -> Vec<String> {
    let mut found = vec!["@".to_owned(), r#"{"unknown":@}"#.to_owned()];
    let root = schema.clone();
    walk(schema, &root, &mut |path| found.push(path), "@", 0);
    found.sort();
    found.dedup();
    found
}

fn walk(schema: &Value, root: &Value, add: &mut dyn FnMut(String), around: &str, depth: usize) {
    let schema = match schema["$ref"].as_str() {
        Some(path) => path.trim_start_matches("#/").split('/').fold(root, |at, part| &at[part]),
        None => schema,
    };
    for of in ["oneOf", "anyOf", "allOf"] {
        for part in schema[of].as_array().into_iter().flatten() {
            walk(part, root, add, around, depth);
        }
    }
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let kind = properties
        .get("type")
        .and_then(|kind| kind["const"].as_str())
        .map(|kind| format!(r#""type":"{kind}","#));
    for (name, of) in properties {
        let inner = format!(r#"{{{}"{name}":@}}"#, kind.as_deref().unwrap_or_default());
        let path = around.replace('@', &inner);
        add(path.clone());
        if depth < 3 {
            walk(of, root, add, &path, depth + 1);
        }
    }
}

fn holes_of<T: JsonSchema>() -> Vec<String> {
    holes(&serde_json::to_value(schema_for!(T)).unwrap())
}

/// Measures the highest resident memory since the last call, and the current one, if the system
/// reports it.
struct Peak;

impl Peak {
    fn value(name: &str) -> Option<usize> {
        let text = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().trim_end_matches(" kB").parse::<usize>().ok()? * 1_024)
    }

    /// Returns the memory that `work` needs at most in addition to what was used before.
    fn of<T>(work: impl FnOnce() -> T) -> (T, Option<usize>) {
        let is_reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        let before = Self::value("VmRSS:").filter(|_| is_reset);
        let outcome = work();
        (outcome, before.and_then(|before| Some(Self::value("VmHWM:")?.saturating_sub(before))))
    }
}

fn attack(
    what: &str,
    body: &str,
    budget: usize,
    read: fn(&str) -> Vec<FieldError>,
    worst: &mut BTreeMap<String, usize>,
) {
    let (errors, peak) = Peak::of(|| read(body));
    for error in &errors {
        let written = |text: &str| serde_json::to_string(text).unwrap().len() - 2;
        assert!(
            written(&error.field) <= MAX_ERROR_FIELD_BYTES,
            "{what}: the field {}",
            error.field
        );
        assert!(written(&error.detail) <= MAX_ERROR_DETAIL_BYTES, "{what}: {}", error.detail);
    }
    if let Some(peak) = peak {
        assert!(
            peak <= budget,
            "{what}: a body of {} bytes took {peak} bytes; its budget is {budget}",
            body.len()
        );
        let route = what.split(':').next().unwrap_or_default().to_owned();
        let worst = worst.entry(route).or_default();
        *worst = (*worst).max(peak);
    }
}

/// This is a single test, because resident memory belongs to the whole process.
#[test]
fn no_body_takes_more_than_its_budget() {
    let readers: [(Reader, Vec<String>); 23] = [
        (("one task", MAX_TASK_BODY_BYTES, one), holes_of::<NewTask<'_>>()),
        (("patch", MAX_TASK_BODY_BYTES, patch), holes_of::<NewTask<'_>>()),
        (
            ("preview", MAX_TASK_BODY_BYTES, |text| preview(text, NOW).err().into_iter().collect()),
            holes_of::<PreviewRequest<'_>>(),
        ),
        (
            ("sentence", MAX_SMALL_BODY_BYTES, |text| {
                ParseInput::parse(text, NOW).err().into_iter().collect()
            }),
            holes_of::<ParseInput<'_>>(),
        ),
        (("key", MAX_SMALL_BODY_BYTES, key), holes_of::<NewKey<'_>>()),
        (
            ("namespace", MAX_SMALL_BODY_BYTES, |text| {
                NamespaceInput::parse(text).err().into_iter().collect()
            }),
            holes_of::<NamespaceInput>(),
        ),
        (
            ("limit", MAX_SMALL_BODY_BYTES, |text| Limit::parse(text).err().into_iter().collect()),
            holes_of::<Limit>(),
        ),
        (
            ("calendar", MAX_CALENDAR_BODY_BYTES, |text| {
                CalendarInput::parse(text).err().into_iter().collect()
            }),
            holes_of::<CalendarInput<'_>>(),
        ),
        (("change of one", MAX_SMALL_BODY_BYTES, change), holes_of::<ChangeInput<'_>>()),
        (
            ("run of one", MAX_TASK_BODY_BYTES, |text| {
                RunInput::payload_of(text).err().into_iter().collect()
            }),
            holes_of::<RunInput<'_>>(),
        ),
        (("replay of one", MAX_TASK_BODY_BYTES, replay), holes_of::<ReplayInput<'_>>()),
        (("message", MAX_TASK_BODY_BYTES, message), holes_of::<Message<'_>>()),
        (
            ("envelope", MAX_TASK_BODY_BYTES, |text| {
                Envelope::parse(Some(text)).err().into_iter().collect()
            }),
            holes_of::<Envelope<'_>>(),
        ),
        (
            ("initialize", MAX_TASK_BODY_BYTES, |text| {
                InitializeParams::parse(Some(text)).err().into_iter().collect()
            }),
            holes_of::<InitializeParams<'_>>(),
        ),
        (("call of a tool", MAX_TASK_BODY_BYTES, call), holes_of::<CallParams<'_>>()),
        (
            ("parse_schedule", MAX_TASK_BODY_BYTES, |text| {
                let read = ParseSchedule::parse(text).map(|said| said.body(Some("UTC")));
                read.err().into_iter().collect()
            }),
            holes_of::<ParseSchedule<'_>>(),
        ),
        (("schedule_task", MAX_TASK_BODY_BYTES, schedule_task), holes_of::<ScheduleTask<'_>>()),
        (("change_task", MAX_TASK_BODY_BYTES, change_task), holes_of::<ChangeTask<'_>>()),
        (
            ("find_tasks", MAX_TASK_BODY_BYTES, |text| {
                FindTasks::parse(text).err().into_iter().collect()
            }),
            holes_of::<FindTasks<'_>>(),
        ),
        (
            ("list_runs", MAX_TASK_BODY_BYTES, |text| {
                ListRuns::parse(text).err().into_iter().collect()
            }),
            holes_of::<ListRuns<'_>>(),
        ),
        (
            ("get_task", MAX_TASK_BODY_BYTES, |text| {
                OfTask::parse(text).err().into_iter().collect()
            }),
            holes_of::<OfTask<'_>>(),
        ),
        (
            ("cancel_tasks", MAX_TASK_BODY_BYTES, |text| {
                CancelTasks::parse(text).err().into_iter().collect()
            }),
            holes_of::<CancelTasks<'_>>(),
        ),
        (
            ("replay_failures", MAX_TASK_BODY_BYTES, |text| {
                ReplayFailures::parse(text).err().into_iter().collect()
            }),
            holes_of::<ReplayFailures<'_>>(),
        ),
    ];
    let mut worst = BTreeMap::new();
    for ((name, limit, read), holes) in readers {
        assert!(holes.len() > 2, "{name}: the schema has no fields");
        let (full, short) = (shapes(limit), shapes(limit.min(MAX_SMALL_BODY_BYTES)));
        for hole in holes {
            // The content of an object in the body was measured before it is parsed.
            let is_outer = hole.matches('{').count() < 2;
            for (shape, value) in if is_outer { &full } else { &short } {
                let body = hole.replace('@', value);
                attack(
                    &format!("{name}: {shape} at {hole}"),
                    &body,
                    FIXED_BYTES + TIMES * body.len(),
                    read,
                    &mut worst,
                );
            }
        }
    }
    // The large bodies: a part of their length at every field, and the whole length in place of the
    // body.
    let large: [(Reader, Vec<String>); 4] = [
        (
            ("dead letters", MAX_BULK_BODY_BYTES, |text| {
                DeadLettersInput::parse(text).err().into_iter().collect()
            }),
            holes_of::<DeadLettersInput<'_>>(),
        ),
        (("changes", MAX_BULK_BODY_BYTES, change), holes_of::<ChangeInput<'_>>()),
        (
            ("batch", MAX_REQUEST_BYTES, |text| items(text, false)),
            holes_of::<NewTask<'_>>().iter().map(|hole| format!("[{hole}]")).collect(),
        ),
        (("lines", MAX_REQUEST_BYTES, |text| items(text, true)), holes_of::<NewTask<'_>>()),
    ];
    for ((name, limit, read), holes) in large {
        let outer = holes
            .iter()
            .filter(|hole| hole.matches('{').count() < 2)
            .map(|hole| (limit / 16, hole.as_str()));
        let whole = [
            (limit, "@"),
            (limit, "[@]"),
            (limit, r#"{"ids":@}"#),
            (limit, r#"{"ids":[@]}"#),
            (limit, r#"[{"priority":@}]"#),
        ];
        for (part, hole) in outer.chain(whole) {
            for (shape, value) in shapes(part) {
                let body = hole.replace('@', &value);
                let budget = BATCH_FIXED_BYTES + BATCH_TIMES * body.len();
                attack(&format!("{name}: {shape} at {hole}"), &body, budget, read, &mut worst);
            }
        }
    }
    for line in ["1\n", "{}\n", "\n", " \n", "[\n"] {
        let body = line.repeat(MAX_REQUEST_BYTES / line.len());
        attack(
            &format!("lines: {line:?}"),
            &body,
            BATCH_FIXED_BYTES + BATCH_TIMES * body.len(),
            |text| items(text, true),
            &mut worst,
        );
    }
    println!("most bytes held beside the text: {worst:#?}");
}

/// Valid lists of a request, at their limits.
#[test]
fn lists_are_accepted_up_to_their_limit() {
    let task = |fields: Value| {
        let mut task =
            json!({ "delayInSeconds": 1, "callback": { "type": "handler", "name": "log" } });
        task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        one(&task.to_string()).first().map(|error| error.to_string())
    };
    assert_eq!(task(json!({ "tags": vec!["a"; 16] })), None);
    assert_eq!(
        task(json!({ "tags": vec!["a"; 17] })).as_deref(),
        Some("tags has more than 16 items, which is the limit: give fewer")
    );
    assert!(
        task(json!({ "tags": ["a\u{7}"] })).unwrap().starts_with("tags[0] has a control character")
    );
    let headers = |headers: Value| {
        let callback = json!({ "type": "webhook", "url": "https://a.example", "headers": headers });
        task(json!({ "callback": callback }))
    };
    let many =
        |count: usize| Value::Object((0..count).map(|n| (format!("x-{n}"), json!("1"))).collect());
    assert_eq!(headers(many(32)), None);
    assert_eq!(
        headers(many(33)).as_deref(),
        Some("callback.headers has more than 32 items, which is the limit: give fewer")
    );
    assert!(headers(json!({ "X-A": "1", "x-a": "2" })).unwrap().contains("twice"));
    let deep = |levels: usize| {
        serde_json::from_str::<Value>(&format!("{}1{}", "[".repeat(levels), "]".repeat(levels)))
            .unwrap()
    };
    assert_eq!(task(json!({ "payload": deep(100) })), None);
    assert!(task(json!({ "payload": deep(101) })).unwrap().contains("the limit is 100"));
}
