//! The schemas of the tools, derived from the types that read arguments and write answers. Only
//! tests compile this. The Worker contains the files.

use super::{all, parsed, shapes};
use crate::openapi::schemas::simplify;
use crate::openapi::tests::each;
use scheduler_model::tools::{
    CancelTasks, ChangeTask, FindTasks, ListRuns, NoArguments, OfTask, ParseSchedule,
    ReplayFailures, ScheduleTask,
};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Returns the schema of a type as one object, because many clients do not follow references.
fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    simplify(&mut schema);
    shorten(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
        object.remove("description");
    }
    schema
}

/// Removes what does not help a model, because it reads the schemas of all tools before each call:
/// the sizes of numbers, and that a time may be a number.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(object) => {
            let is_of_number =
                matches!(object.get("type"), Some(Value::String(kind)) if kind != "string");
            if is_of_number && object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            object.remove("x-maxBytes");
            if let Some(text) = object.get_mut("description").filter(|text| text.is_string()) {
                *text = text.as_str().unwrap_or_default().replace('\n', " ").into();
            }
            if let Some(said) = object.get("anyOf").and_then(time_in_words) {
                let what = object.get("description").and_then(Value::as_str).unwrap_or_default();
                let description = format!("{what} {said}");
                *object = Map::new();
                object.insert("type".to_owned(), "string".into());
                object.insert("description".to_owned(), description.trim().into());
            }
            object.values_mut().for_each(shorten);
        }
        _ => {}
    }
}

/// Returns the description of the text in a choice between milliseconds and text.
fn time_in_words(choice: &Value) -> Option<String> {
    match choice.as_array()?.as_slice() {
        [millis, text] if millis["description"].as_str()?.starts_with("Milliseconds") => {
            Some(text["description"].as_str()?.to_owned())
        }
        _ => None,
    }
}

/// Returns the schemas of `change_task`. A patch removes a member that is null, and has only the
/// changed members of an object.
fn of_change() -> Value {
    let mut schemas = schemas::<ChangeTask<'_>, shapes::TaskAndRuns>();
    let changes = &mut schemas["inputSchema"]["properties"]["changes"]["properties"];
    for (name, member) in changes.as_object_mut().into_iter().flatten() {
        if matches!(name.as_str(), "callback" | "retry") {
            let description = format!(
                "As {name} of schedule_task. Members that are absent stay, and members that are null go."
            );
            *member = json!({ "type": "object", "description": description });
        }
        if let Some(member) = member.as_object_mut() {
            // If a patch does not name a member, the task keeps its value.
            member.remove("default");
        }
        match member {
            Value::Object(of) if of.contains_key("anyOf") => {
                if let Some(choices) = of["anyOf"].as_array_mut() {
                    choices.push(json!({ "type": "null" }));
                }
            }
            Value::Object(of) if of.contains_key("type") => {
                let kind = of["type"].take();
                of["type"] = json!([kind, "null"]);
                if let Some(names) = of.get_mut("enum").and_then(Value::as_array_mut) {
                    names.push(Value::Null);
                }
            }
            // Any JSON.
            _ => {}
        }
    }
    schemas
}

fn schemas<In: JsonSchema, Out: JsonSchema>() -> Value {
    json!({ "inputSchema": of::<In>(), "outputSchema": of::<Out>() })
}

fn of_tool(name: &str) -> Value {
    match name {
        "parse_schedule" => schemas::<ParseSchedule<'_>, parsed::Parsed>(),
        "schedule_task" => schemas::<ScheduleTask<'_>, shapes::TaskAndRuns>(),
        "find_tasks" => schemas::<FindTasks<'_>, shapes::Tasks>(),
        "get_task" => schemas::<OfTask<'_>, shapes::TaskAndRuns>(),
        "change_task" => of_change(),
        "explain_task" => schemas::<OfTask<'_>, shapes::Explained>(),
        "list_runs" => schemas::<ListRuns<'_>, shapes::Runs>(),
        "replay_failures" => schemas::<ReplayFailures<'_>, shapes::Many>(),
        "cancel_tasks" => schemas::<CancelTasks<'_>, shapes::Many>(),
        "scheduler_health" => schemas::<NoArguments, shapes::Health>(),
        other => panic!("the schemas of {other} are not derived here"),
    }
}

#[test]
fn the_files_are_what_the_types_say() {
    for tool in all() {
        let name = tool.about.name;
        let text: String = format!("{:#}", of_tool(name))
            .lines()
            .flat_map(|line| [line.trim_start(), "\n"])
            .collect();
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            let path = format!("{}/src/tools/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, &text).unwrap();
        } else {
            assert!(
                tool.about.schemas == text,
                "schemas/{name}.json is out of date: run UPDATE_OPENAPI=1 cargo test -p coordinator schemas"
            );
        }
    }
}

/// The most bytes of schemas, which every client reads before a model can call a tool.
const MAX_BYTES: usize = 54_000;

#[test]
fn schemas_are_short() {
    let bytes: usize = all().map(|tool| of_tool(tool.about.name).to_string().len()).sum();
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
}

#[test]
fn schemas_are_strict_and_stand_alone() {
    for tool in all() {
        let name = tool.about.name;
        let schemas = of_tool(name);
        for part in ["inputSchema", "outputSchema"] {
            assert_eq!(schemas[part]["type"], "object", "{name}: {part}");
            assert_eq!(schemas[part]["additionalProperties"], false, "{name}: {part}");
        }
        each(&schemas, &mut |object| {
            assert!(!object.contains_key("$ref"), "{name}: {object:?}");
            if object.get("properties").is_some_and(Value::is_object) {
                assert_eq!(
                    object.get("additionalProperties"),
                    Some(&false.into()),
                    "{name}: {object:?}"
                );
            }
        });
    }
}
