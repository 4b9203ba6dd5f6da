use super::document::{document, method_of};
use super::problems::{problems, problems_of};
use crate::conditions::Conditions;
use crate::problem::ProblemType;
use crate::routes::{self, Access};
use crate::sentences::Grammar;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::input::FieldError;
use scheduler_model::schedule::Sentences;
use scheduler_model::task::{Targets, Validator, parse_one};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(super) const DOCUMENTED: &str = "the document has it";

pub(super) fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect(DOCUMENTED).keys().map(String::as_str).collect()
}

pub(super) fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    &document["components"]["schemas"][name]
}

/// Returns the forms of an object that has several.
pub(super) fn forms<'a>(document: &'a Value, name: &str) -> Vec<&'a Value> {
    let forms = schema(document, name)["anyOf"].as_array().expect(DOCUMENTED);
    let resolved = |form: &'a Value| match form["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).expect(DOCUMENTED),
        None => form,
    };
    forms.iter().map(resolved).collect()
}

/// Returns the members of all forms of an object. Each member has the schema of a form that allows
/// it.
pub(super) fn members(document: &Value, name: &str) -> Map<String, Value> {
    let forms = forms(document, name).into_iter();
    let all = forms.flat_map(|form| form["properties"].as_object().expect(DOCUMENTED));
    all.filter(|(_, member)| member["type"] != "null")
        .map(|(name, member)| (name.clone(), member.clone()))
        .collect()
}

pub(super) fn required(schema: &Value) -> BTreeSet<&str> {
    schema["required"].as_array().expect(DOCUMENTED).iter().filter_map(Value::as_str).collect()
}

/// Parses and checks a task in the same way as a request.
pub(super) fn check(task: &Value) -> Result<(), FieldError> {
    let text = task.to_string();
    let (queues, services, durable_objects) =
        (["FIRED_TASKS".to_owned()], ["MAIL".to_owned()], ["ROOMS".to_owned()]);
    let targets = Targets {
        handlers: &["log", "noop"],
        queues: &queues,
        services: &services,
        durable_objects: &durable_objects,
        hosts: scheduler_model::hosts::Hosts::default(),
    };
    let sentences = Sentences::new(&Grammar);
    Validator::new(UnixMillis::new(1_800_000_000_000), [0; 16], targets)
        .with_sentences(&sentences)
        .check(parse_one(&text)?)
        .map(drop)
}

/// Visits every object in a value.
pub(crate) fn each(value: &Value, visit: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, visit)),
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|value| each(value, visit));
        }
        _ => {}
    }
}

/// Generators of clients treat a choice beside properties as an intersection with `unknown`.
#[test]
fn no_schema_has_members_and_a_choice() {
    each(&document()["components"]["schemas"], &mut |object| {
        if object.contains_key("properties") {
            for choice in ["oneOf", "anyOf", "allOf"] {
                assert!(!object.contains_key(choice), "{choice} in {object:?}");
            }
        }
    });
}

/// Readers of the document do not have the code.
#[test]
fn the_document_does_not_name_code() {
    for name in ["crate::", "self::", "super::", "[`", "scheduler_"] {
        assert!(!super::TEXT.contains(name), "{name}");
    }
}

#[test]
fn the_file_is_generated_from_the_types() {
    // Each value is on a line of its own, so that changes are readable. The lines are not indented,
    // because the indentation would be a fifth of the file's size in the wasm.
    let text: String =
        format!("{:#}", document()).lines().flat_map(|line| [line.trim_start(), "\n"]).collect();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json"), &text).unwrap();
    } else {
        assert!(
            super::TEXT == text,
            "openapi.json is out of date: run UPDATE_OPENAPI=1 cargo test -p coordinator openapi"
        );
    }
}

#[test]
fn every_route_is_documented_under_its_path() {
    let document = document();
    let mut ids = BTreeSet::new();
    for route in routes::all() {
        let (id, method) = (route.operation.id, method_of(route));
        let described = &document["paths"][route.path][&method];
        assert_eq!(described["operationId"], id);
        assert!(ids.insert(id));
        let (summary, description) = (route.operation.summary, route.operation.description);
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{id} has a title");
        assert!(description.ends_with('.'), "{id} is described in whole sentences");
        let path: Vec<&str> = route
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { "a" } else { part })
            .collect();
        let (found, _) = routes::find(&route.method, &path.join("/")).expect(id);
        assert!(std::ptr::eq(found, route), "{id}");
        // A write never ignores a condition. A preview and a reading do not write.
        let is_read = method == "get" || id == "preview" || id == "parse";
        assert_eq!(
            is_read,
            matches!(route.conditions, Conditions::Read | Conditions::Ignored),
            "{id}"
        );
        assert_eq!(
            described.get("security").is_some(),
            matches!(route.access, Access::Open(_)),
            "{id}"
        );
        let names = described["parameters"].as_array().into_iter().flatten();
        let names: BTreeSet<&str> =
            names.filter(|of| of["in"] == "query").filter_map(|of| of["name"].as_str()).collect();
        assert_eq!(names, route.query.iter().copied().collect(), "{id}");
    }
    let described = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().keys());
    assert_eq!(described.filter(|key| *key != "parameters").count(), ids.len());
}

/// What no request can name in a condition has no version: a dead letter, and what is deleted.
#[test]
fn only_what_a_condition_can_name_has_a_version() {
    let document = document();
    let mut tagged = 0;
    for route in routes::all() {
        let operation = &document["paths"][route.path][method_of(route)];
        let takes = operation["parameters"].to_string().contains("/IfMatch");
        for (status, answer) in operation["responses"].as_object().expect(DOCUMENTED) {
            if answer["headers"]["ETag"].is_null() {
                continue;
            }
            let name = format!("{} {} {status}", method_of(route), route.path);
            assert!(takes, "{name}: no later request can name its version");
            assert_ne!(route.method, worker::Method::Delete, "{name}: nothing is left to name");
            tagged += 1;
        }
    }
    assert!(tagged > 10, "{tagged} answers");
}

#[test]
fn every_reference_is_resolved_and_no_schema_is_duplicated() {
    let document = document();
    let mut found = 0;
    each(&document, &mut |object| {
        if let Some(Value::String(reference)) = object.get("$ref") {
            found += 1;
            let pointer = reference.strip_prefix('#').expect("within the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    });
    assert!(found > 20);
    // A name that ends with a number comes from two types with the same name.
    assert!(
        keys(&document["components"]["schemas"])
            .iter()
            .all(|name| !name.ends_with(char::is_numeric))
    );
}

#[test]
fn every_problem_type_has_one_example_and_a_route() {
    let described: Vec<ProblemType> = problems().iter().map(|problem| problem.kind).collect();
    for kind in ProblemType::ALL {
        assert_eq!(described.iter().filter(|described| *described == kind).count(), 1, "{kind:?}");
        // No route has this problem, because it is about a path.
        let is_of_route =
            routes::all().any(|route| problems_of(route).any(|problem| problem.kind == *kind));
        assert_eq!(is_of_route, !matches!(kind, ProblemType::NoMethod), "{kind:?}");
    }
}

#[test]
fn refusals_match_their_schema() {
    let document = document();
    let described = schema(&document, "Problem");
    for problem in problems() {
        let real = serde_json::to_value(&problem).unwrap();
        assert!(keys(&real).is_subset(&keys(&described["properties"])));
        assert!(keys(&real).is_superset(&required(described)));
    }
}

#[test]
fn optional_fields_are_absent_instead_of_null() {
    let document = document();
    assert_eq!(schema(&document, "Run")["properties"]["error"]["type"], "string");
    assert_eq!(
        schema(&document, "TaskList")["properties"]["cursor"]["type"],
        json!(["string", "null"])
    );
    let status = &schema(&document, "Task")["properties"]["status"];
    assert_eq!(
        status["enum"],
        json!([
            "scheduled",
            "retrying",
            "held",
            "running",
            "paused",
            "dead-lettered",
            "unscheduled",
            "cancelled"
        ])
    );
}

/// A client learns from this header whether and when to send a refused request again.
#[test]
fn temporary_refusals_have_a_retry_after() {
    for problem in problems() {
        let passes = matches!(problem.kind.status(), 429 | 503 | 507);
        assert_eq!(
            problem.retry_after().is_some_and(|wait| wait.as_secs() > 0),
            passes,
            "{}",
            problem.kind.name()
        );
    }
    for (name, response) in document()["components"]["responses"].as_object().unwrap() {
        let passes = problems().iter().any(|problem| {
            name.split('.').any(|name| name == problem.kind.name()) && problem.is_retryable()
        });
        assert_eq!(response["headers"].get("Retry-After").is_some(), passes, "{name}");
    }
}
