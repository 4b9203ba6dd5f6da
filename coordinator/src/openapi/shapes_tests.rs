//! Checks that a list is refused where a request needs an object. Without a check, the parsers that
//! serde derives accept a list as the values of the object's members, by position.

use super::document::document;
use super::examples;
use super::tests::members;
use crate::sentences::Grammar;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{NamespaceInput, NewKey, Token};
use scheduler_model::calendars::CalendarInput;
use scheduler_model::input::FieldError;
use scheduler_model::limit::Limit;
use scheduler_model::schedule::{ParseInput, Sentences, preview_with};
use scheduler_model::task::{
    ChangeInput, NewTask, Targets, Validator, merge_patch, parse_batch, parse_one,
};
use serde_json::{Value, json};

const NOW: UnixMillis = UnixMillis::new(1_800_000_000_000);

/// The parser of a body.
type Read = fn(&str) -> Result<(), FieldError>;

fn checked(task: NewTask<'_>) -> Result<(), FieldError> {
    let queues = ["FIRED_TASKS".to_owned()];
    let targets = Targets { handlers: &["log", "noop"], queues: &queues, ..Targets::default() };
    let sentences = Sentences::new(&Grammar);
    Validator::new(NOW, [0; 16], targets).with_sentences(&sentences).check(task).map(drop)
}

fn task(text: &str) -> Result<(), FieldError> {
    checked(parse_one(text)?)
}

fn item(text: &str) -> Result<(), FieldError> {
    parse_batch(&format!("[{text}]"), false)?.into_iter().try_for_each(|task| checked(task?))
}

fn line(text: &str) -> Result<(), FieldError> {
    parse_batch(text, true)?.into_iter().try_for_each(|task| checked(task?))
}

fn patch(text: &str) -> Result<(), FieldError> {
    let record = r#"{"id":"a","cron":"0 9 * * *","callback":{"type":"handler","name":"log"}}"#;
    task(&merge_patch(record, false, text)?)
}

fn change(text: &str) -> Result<(), FieldError> {
    let read = ChangeInput::parse(text, ChangeInput::RESCHEDULE_MANY)?;
    read.filter.as_ref().map(|filter| filter.check()).transpose().map(drop)
}

fn key(text: &str) -> Result<(), FieldError> {
    NewKey::parse(text)?.check(&Token::new([1; 8], [2; 16]), NOW).map(drop)
}

/// Returns the bodies that the document shows, each with its parser.
fn bodies() -> Vec<(Value, Read)> {
    let of = |examples: Value, read: Read| {
        let examples = examples.as_object().cloned().unwrap_or_default();
        let bodies =
            examples.into_iter().map(move |(_, mut example)| (example["value"].take(), read));
        bodies.collect::<Vec<_>>()
    };
    let mut bodies = of(examples::keys(), key);
    bodies.extend(of(examples::limits(), |text| Limit::parse(text).map(drop)));
    bodies.extend(of(examples::calendars(), |text| CalendarInput::parse(text).map(drop)));
    bodies.extend(of(examples::namespaces(), |text| NamespaceInput::parse(text).map(drop)));
    for read in [task, item, line] as [Read; 3] {
        bodies.extend(of(examples::tasks(), read));
    }
    bodies.extend(of(examples::previews(), |text| {
        let sentences = Sentences::new(&Grammar);
        preview_with(text, NOW, Some(&sentences)).map(drop)
    }));
    bodies.extend(of(examples::sentences(), |text| ParseInput::parse(text, NOW).map(drop)));
    for examples in
        [examples::selections(), examples::reschedules(), examples::reschedules_of_many()]
    {
        bodies.extend(of(examples, change));
    }
    bodies.extend(of(examples::patches(), patch));
    let handler = json!({ "type": "handler", "name": "log" });
    bodies.push((
        json!({
            "callback": handler, "onSuccess": handler, "onFailure": handler,
            "retry": { "factor": 3 }, "misfire": { "policy": "skip" }
        }),
        patch,
    ));
    bodies
}

/// Calls `visit` for each object in a body, with the object's path and with the body in which a
/// list replaces the object. Members that accept any JSON are skipped.
fn with_lists(body: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    let mut paths = vec![String::new()];
    while let Some(path) = paths.pop() {
        let Some(object) = body.pointer(&path).and_then(Value::as_object) else { continue };
        let values: Vec<Value> = object.values().cloned().collect();
        for list in [json!([]), json!(values), json!([null, null, null, null, null, null, null])] {
            let mut changed = body.clone();
            if let Some(place) = changed.pointer_mut(&path) {
                *place = list;
            }
            visit(path.trim_start_matches('/').replace('/', ".").as_str(), &changed);
        }
        let inner = object.keys().filter(|name| !matches!(name.as_str(), "payload" | "body"));
        paths.extend(inner.map(|name| format!("{path}/{name}")));
    }
}

/// This lets a caller send a body back that an answer showed.
#[test]
fn a_request_accepts_every_member_of_a_shown_task() {
    let document = document();
    let (given, of_preview) = (members(&document, "NewTask"), members(&document, "PreviewRequest"));
    let shown = document["components"]["schemas"]["Task"]["properties"].as_object().unwrap();
    for name in shown.keys() {
        assert!(given.contains_key(name) && of_preview.contains_key(name), "{name}");
    }
}

#[test]
fn a_list_is_not_accepted_as_an_object() {
    let mut tried = 0;
    for (body, read) in bodies() {
        assert_eq!(read(&body.to_string()), Ok(()), "{body}");
        with_lists(&body, &mut |path, changed| {
            let problem = read(&changed.to_string()).expect_err(&changed.to_string());
            let expected = if path.is_empty() { "body" } else { path };
            assert_eq!(problem.field, expected, "{changed}: {problem}");
            tried += 1;
        });
    }
    assert!(tried > 100, "{tried}");
}
