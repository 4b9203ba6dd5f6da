//! Describes the bodies of requests: media types, schemas and examples.

use super::operation::Body;
use super::{answers, examples};
use scheduler_model::access::NewKey;
use scheduler_model::bounds::{MAX_BATCH_ITEMS, MAX_TASK_BODY_BYTES};
use scheduler_model::calendars::CalendarInput;
use scheduler_model::limit::Limit;
use scheduler_model::mcp::Message;
use scheduler_model::schedule::{ParseInput, PreviewRequest};
use scheduler_model::task::{ChangeInput, NewTask, ReplayInput, RunInput};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

const JSON: &str = "application/json";

/// Returns the media types of a body, each with its schema and examples.
pub(super) fn content(body: &Body, generator: &mut SchemaGenerator) -> Value {
    match body {
        Body::Task => of::<NewTask<'static>>(examples::tasks(), generator),
        Body::TaskOfPath => of::<NewTask<'static>>(examples::tasks_of_path(), generator),
        Body::Batch => {
            let task = generator.subschema_for::<NewTask<'static>>();
            let lines =
                format!("One task per line, at most {MAX_BATCH_ITEMS}; empty lines do not count.");
            json!({
                JSON: {
                    "schema": { "type": "array", "items": task, "minItems": 1, "maxItems": MAX_BATCH_ITEMS },
                    "examples": { "two": { "summary": "Two tasks", "value": examples::batch() } }
                },
                "application/x-ndjson": {
                    "schema": { "type": "string", "description": lines },
                    "examples": { "two": { "summary": "Two tasks", "value": examples::lines() } }
                }
            })
        }
        Body::Lines => {
            let lines = format!(
                "One task per line, any number of them; empty lines are skipped. A line has at most {MAX_TASK_BODY_BYTES} bytes."
            );
            json!({
                "application/x-ndjson": {
                    "schema": { "type": "string", "description": lines },
                    "examples": { "two": { "summary": "Two tasks", "value": examples::lines() } }
                }
            })
        }
        Body::Patch => {
            let patch = json!({
                "schema": { "$ref": "#/components/schemas/TaskPatch" }, "examples": examples::patches()
            });
            json!({ "application/merge-patch+json": patch, JSON: patch })
        }
        Body::Run => of::<RunInput<'static>>(examples::runs(), generator),
        Body::Replay => of::<ReplayInput<'static>>(examples::replays(), generator),
        Body::DeadLetters => of::<answers::ManyLetters>(examples::dead_letters(), generator),
        Body::Reschedule => of_change("Reschedule", examples::reschedules(), generator),
        Body::Pause => of_change("Pause", examples::pauses(), generator),
        Body::Selection => of_change("Selection", examples::selections(), generator),
        Body::PauseMany => of_change("PauseMany", examples::pauses_of_many(), generator),
        Body::RescheduleMany => {
            of_change("RescheduleMany", examples::reschedules_of_many(), generator)
        }
        Body::Preview => of::<PreviewRequest<'static>>(examples::previews(), generator),
        Body::Parse => of::<ParseInput<'static>>(examples::sentences(), generator),
        Body::Key => of::<NewKey<'static>>(examples::keys(), generator),
        Body::Limit => of::<Limit>(examples::limits(), generator),
        Body::Calendar => of::<CalendarInput<'static>>(examples::calendars(), generator),
        Body::Mcp => of::<Message<'static>>(examples::mcp(), generator),
        Body::Namespace => of::<answers::NewNamespace>(examples::namespaces(), generator),
    }
}

/// Returns a JSON body with the schema of `T`.
fn of<T: JsonSchema>(examples: Value, generator: &mut SchemaGenerator) -> Value {
    json!({ JSON: { "schema": generator.subschema_for::<T>(), "examples": examples } })
}

/// Returns a JSON body with a part of the body of a change: see [`super::forms::add_changes`].
fn of_change(name: &str, examples: Value, generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<ChangeInput<'static>>();
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    json!({ JSON: { "schema": schema, "examples": examples } })
}
