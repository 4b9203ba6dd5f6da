//! The schemas of the tools, derived from the types that read arguments and write answers. Only
//! tests compile this; the Worker carries the files.

use super::{all, shapes};
use crate::openapi::schemas::simplify;
use scheduler_model::tools::{
    CancelTasks, ChangeTask, FindTasks, ListRuns, NoArguments, OfTask, ReplayFailures, ScheduleTask,
};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

/// Returns the schema of a type as one object: many clients do not follow references.
fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    simplify(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
        object.remove("description");
    }
    schema
}

fn schemas<In: JsonSchema, Out: JsonSchema>() -> Value {
    json!({ "inputSchema": of::<In>(), "outputSchema": of::<Out>() })
}

fn of_tool(name: &str) -> Value {
    match name {
        "schedule_task" => schemas::<ScheduleTask<'_>, shapes::TaskAndRuns>(),
        "find_tasks" => schemas::<FindTasks<'_>, shapes::Tasks>(),
        "get_task" => schemas::<OfTask<'_>, shapes::TaskAndRuns>(),
        "change_task" => schemas::<ChangeTask<'_>, shapes::TaskAndRuns>(),
        "explain_task" => schemas::<OfTask<'_>, shapes::Explained>(),
        "list_runs" => schemas::<ListRuns<'_>, shapes::Runs>(),
        "replay_failures" => schemas::<ReplayFailures<'_>, shapes::Many>(),
        "cancel_tasks" => schemas::<CancelTasks<'_>, shapes::Many>(),
        "scheduler_health" => schemas::<NoArguments, shapes::Health>(),
        other => panic!("the schemas of {other} are not derived here"),
    }
}

/// Visits every object in a value.
fn each(value: &Value, visit: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, visit)),
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|value| each(value, visit));
        }
        _ => {}
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
