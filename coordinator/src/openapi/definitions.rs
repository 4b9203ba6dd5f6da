//! Collects the schemas of the document from the types.

use super::forms::{self, SPLITS};
use super::schemas::simplify;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The members of requests that may be absent but not null, as object and name.
const NEVER_NULL: &[(&str, &str)] = &[("NewKey", "expiresAt"), ("ReplayInput", "callback")];

/// Returns the schemas by name. `parts` are the parts of the document that refer to them.
pub(super) fn definitions(mut generator: SchemaGenerator, parts: &Value) -> Value {
    let mut definitions = Value::Object(generator.take_definitions(false));
    simplify(&mut definitions);
    let Value::Object(mut schemas) = definitions else { return Value::Null };
    forms::add_changes(&mut schemas);
    forms::add_patches(&mut schemas);
    forms::split_calls(&mut schemas);
    SPLITS.iter().for_each(|split| split.apply(&mut schemas));
    let mut of_requests = BTreeSet::new();
    each_body(parts, &mut |body| {
        each_reference(body, &mut |name| follow(name, &schemas, &mut of_requests));
    });
    for (name, schema) in &mut schemas {
        if of_requests.contains(name) {
            forms::let_optional_members_be_null(schema, name, NEVER_NULL);
        }
    }
    let mut used = BTreeSet::new();
    each_reference(parts, &mut |name| follow(name, &schemas, &mut used));
    schemas.retain(|name, _| used.contains(name));
    let mut schemas = Value::Object(schemas);
    say_in_words(&mut schemas);
    schemas
}

/// Visits the body of each request to the API, including the webhooks.
fn each_body(part: &Value, visit: &mut dyn FnMut(&Value)) {
    match part {
        Value::Array(items) => items.iter().for_each(|item| each_body(item, visit)),
        Value::Object(object) => {
            for (key, value) in object {
                match key.as_str() {
                    "requestBody" => visit(value),
                    "webhooks" => {}
                    _ => each_body(value, visit),
                }
            }
        }
        _ => {}
    }
}

/// Adds the name of a schema, and of those that it refers to.
fn follow(name: &str, schemas: &Map<String, Value>, found: &mut BTreeSet<String>) {
    if found.insert(name.to_owned())
        && let Some(schema) = schemas.get(name)
    {
        each_reference(schema, &mut |name| follow(name, schemas, found));
    }
}

/// Visits the names of the schemas that a value refers to.
fn each_reference(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_reference(item, visit)),
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|of| of.strip_prefix("#/components/schemas/")) {
                visit(name);
            }
            object.values().for_each(|value| each_reference(value, visit));
        }
        _ => {}
    }
}

/// The formats of numbers, which are removed. Some generators of clients turn a number of 64 bits
/// into a `bigint`, which no JSON parser returns. The bounds state the range of a number instead.
const NUMBERS: [&str; 7] = ["int64", "uint64", "uint32", "uint16", "uint8", "uint", "double"];

/// Moves every `default` into the description, at all levels, because many generators of clients
/// treat a member with a `default` as required.
pub(super) fn say_in_words(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(say_in_words),
        Value::Object(object) => {
            let format = object.get("format").and_then(Value::as_str);
            if format.is_some_and(|format| NUMBERS.contains(&format)) {
                object.remove("format");
            }
            if object.get("default").is_some_and(|default| !default.is_object())
                && let Some(default) = object.remove("default")
            {
                let described = object.get("description").and_then(Value::as_str);
                let before = described.map(|text| format!("{text} ")).unwrap_or_default();
                let description = json!(format!("{before}Default: `{default}`."));
                object.insert("description".to_owned(), description);
            }
            object.values_mut().for_each(say_in_words);
        }
        _ => {}
    }
}
