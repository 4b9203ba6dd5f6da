//! Converts Rust types to the document's schemas.

use scheduler_model::bounds::{DEFAULT_LIST_LIMIT, MAX_ID_BYTES, MAX_LIST_LIMIT, MAX_TAG_BYTES};
use scheduler_model::protocol::EventKind;
use scheduler_model::task::FilterInput;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Returns a generator whose references point into the document.
pub(super) fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    settings.into_generator()
}

/// Returns the members of a filter, each with its schema.
pub(super) fn properties_of_filter() -> Map<String, Value> {
    let mut schema = FilterInput::json_schema(&mut generator()).to_value();
    simplify(&mut schema);
    match schema["properties"].take() {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

/// Returns the schema of a time in a query.
pub(super) fn query_time() -> Value {
    // In a query, a number is text. A time has 13 digits.
    json!({ "anyOf": [
        { "type": "integer", "minimum": 1_000_000_000_000_i64, "maximum": 9_999_999_999_999_i64 },
        { "type": "string", "format": "date-time" }
    ] })
}

/// Returns the parameters of a list: the members of a filter, the cursor, and the page size.
pub(super) fn list_parameters(filter: &Map<String, Value>) -> Value {
    let mut parameters: Vec<Value> = Vec::with_capacity(filter.len() + 2);
    for (name, schema) in filter {
        let mut schema = schema.clone();
        let mut description =
            schema.as_object_mut().and_then(|schema| schema.remove("description"));
        if matches!(name.as_str(), "from" | "to") {
            schema = query_time();
        }
        if name == "tag" {
            schema = json!({ "type": "array", "items": schema, "maxItems": 2 });
            description = Some("The tags include this. Give it twice to require two tags.".into());
        }
        parameters.push(
            json!({ "name": name, "in": "query", "description": description, "schema": schema }),
        );
    }
    parameters.push(json!({
        "name": "order", "in": "query",
        "description": "`asc` lists from the first due time to the last, and then what has no due time. `desc` lists the same from its end, and misses a task that fires or fails meanwhile.",
        "schema": { "type": "string", "enum": ["asc", "desc"], "default": "asc" }
    }));
    parameters.push(json!({
        "name": "limit", "in": "query", "description": "The largest number of items on the page.",
        "schema": { "type": "integer", "minimum": 1, "maximum": MAX_LIST_LIMIT, "default": DEFAULT_LIST_LIMIT }
    }));
    parameters.push(json!({
        "name": "cursor", "in": "query", "description": "The cursor from the previous answer, unchanged, with the same filter and order.",
        "schema": { "type": "string" }
    }));
    Value::Array(parameters)
}

/// Returns the parameters of the stream of events.
pub(super) fn events_parameters(generator: &mut SchemaGenerator) -> Value {
    let mut kind = generator.subschema_for::<EventKind>().to_value();
    simplify(&mut kind);
    let text = |longest: usize| json!({ "type": "string", "minLength": 1, "maxLength": longest });
    let parameter = |place: &str, name: &str, description: &str, schema: Value| json!({ "name": name, "in": place, "description": description, "schema": schema });
    json!([
        parameter("query", "id", "Only events of the task with this id.", text(MAX_ID_BYTES)),
        parameter("query", "tag", "Only events of tasks with this tag.", text(MAX_TAG_BYTES)),
        parameter("query", "type", "Only events of this type.", kind),
        parameter(
            "header",
            "Last-Event-ID",
            "The last `id` of the previous answer. The stream continues from there.",
            json!({ "type": "string" })
        ),
    ])
}

/// Rewrites the derived schemas, at all levels, into forms that every tool understands:
/// - an optional member is absent instead of null;
/// - a choice between documented constants is an `enum`, and its description lists their meanings.
pub(crate) fn simplify(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(object) => {
            drop_null_from_optional(object);
            join_constants(object);
            object.values_mut().for_each(simplify);
        }
        _ => {}
    }
}

fn drop_null_from_optional(object: &mut Map<String, Value>) {
    let required: Vec<Value> =
        object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, schema) in properties {
        let Some(schema) = schema.as_object_mut() else { continue };
        if required.iter().any(|required| required == name) {
            continue;
        }
        schema
            .remove("default")
            .filter(|default| !default.is_null())
            .map(|default| schema.insert("default".to_owned(), default));
        for key in ["type", "enum"] {
            drop_from_list(schema, key, &json!("null"));
            drop_from_list(schema, key, &Value::Null);
        }
        drop_from_list(schema, "anyOf", &json!({ "type": "null" }));
        // A choice with one element left is replaced by that element.
        if let Some([Value::Object(only)]) =
            schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice)
        {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
        }
        if let Some([only]) = schema.get("type").and_then(Value::as_array).map(Vec::as_slice) {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
}

fn drop_from_list(schema: &mut Map<String, Value>, key: &str, unwanted: &Value) {
    if let Some(Value::Array(items)) = schema.get_mut(key) {
        items.retain(|item| item != unwanted);
    }
}

fn join_constants(object: &mut Map<String, Value>) {
    let Some(choices) = object.get("oneOf").and_then(Value::as_array) else { return };
    let constant = |choice: &Value| choice["const"].as_str().map(str::to_owned);
    let Some(constants) = choices.iter().map(constant).collect::<Option<Vec<String>>>() else {
        return;
    };
    let mut description =
        object.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, choice) in constants.iter().zip(choices) {
        if let Some(meaning) = choice["description"].as_str() {
            description.push_str(&format!("\n- `{name}`: {meaning}"));
        }
    }
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), json!(constants));
    object.insert("description".to_owned(), json!(description.trim_start()));
}
