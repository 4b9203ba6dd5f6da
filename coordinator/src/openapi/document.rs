//! Puts the document together.

use super::operations::{Body, Operation, operations};
use super::{answers, examples, schemas};
use crate::answer::Problem;
use scheduler_core::limits::{MAX_BATCH_ITEMS, MAX_ID_BYTES, MAX_REQUEST_BYTES};
use scheduler_core::task::{ChangeInput, FieldError, NewTask};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

/// The whole document.
pub(super) fn document() -> Value {
    let mut generator = schemas::generator();
    let filter = schemas::properties_of_filter();
    let mut paths = Map::new();
    for operation in operations() {
        let described = describe(&operation, &filter, &mut generator);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if operation.path.contains("{id}") {
            path["parameters"] = json!([id_parameter()]);
        }
        path[operation.method] = described;
    }
    let responses = refusals(&mut generator);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Durable Scheduler",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Tasks that fire at their time, after a delay, or again and again.\n\n\
                Times in answers are milliseconds since 1970. `x-maxBytes` is a limit on JSON text in bytes. \
                Refusals are `application/problem+json`; with `Retry-After`, the same request may succeed later.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas::definitions(generator),
            "responses": responses,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "One of the keys in the deployment's secret API_KEYS." }
            }
        }
    })
}

fn describe(operation: &Operation, filter: &Map<String, Value>, generator: &mut SchemaGenerator) -> Value {
    let mut described = json!({ "operationId": operation.id, "summary": operation.summary });
    if operation.open {
        described["security"] = json!([]);
    }
    if operation.takes_query {
        described["parameters"] = schemas::list_parameters(filter);
    }
    if operation.takes_page {
        described["parameters"] = schemas::list_parameters(&Map::new());
    }
    if operation.takes_events_query {
        described["parameters"] = schemas::events_parameters(generator);
    }
    if operation.takes_version {
        described["parameters"] = json!([{
            "name": "If-Match", "in": "header", "required": false,
            "description": "The ETag of the answer that showed the task: the change is made only if it is still the same.",
            "schema": { "type": "string", "pattern": "^\"[0-9a-f]{16}\"$" }
        }]);
    }
    if let Some(body) = &operation.body {
        described["requestBody"] = json!({ "required": !matches!(body, Body::ChangeOne), "x-maxBytes": MAX_REQUEST_BYTES, "content": content(body, generator) });
    }
    let mut responses = Map::new();
    for (status, description, schema) in operation.answers {
        let content_type = if operation.stream { "text/event-stream" } else { "application/json" };
        let content = json!({ content_type: { "schema": schema(generator) } });
        responses.insert(status.to_string(), json!({ "description": description, "content": content }));
    }
    for problem in operation.problems() {
        responses.insert(problem.status.to_string(), json!({ "$ref": format!("#/components/responses/{}", name_of(&problem)) }));
    }
    described["responses"] = Value::Object(responses);
    described
}

fn content(body: &Body, generator: &mut SchemaGenerator) -> Value {
    match body {
        Body::Task => json!({
            "application/json": { "schema": generator.subschema_for::<NewTask<'static>>(), "examples": examples::tasks() }
        }),
        Body::Batch => {
            let task = generator.subschema_for::<NewTask<'static>>();
            let lines = format!("One task a line, at most {MAX_BATCH_ITEMS}; empty lines are passed over.");
            json!({
                "application/json": {
                    "schema": { "type": "array", "items": task, "maxItems": MAX_BATCH_ITEMS },
                    "examples": { "two": { "value": examples::batch() } }
                },
                "application/x-ndjson": {
                    "schema": { "type": "string", "description": lines },
                    "examples": { "two": { "value": examples::lines() } }
                }
            })
        }
        Body::ChangeOne => json!({
            "application/json": { "schema": generator.subschema_for::<ChangeInput<'static>>(), "examples": examples::change_one() }
        }),
        Body::ChangeMany => json!({
            "application/json": { "schema": generator.subschema_for::<ChangeInput<'static>>(), "examples": examples::change_many() }
        }),
        Body::Patch => json!({
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "Fields of a task to create, each with its new value, or null to leave it out. Of callback and retry, single fields may be given. One of the fields that say when takes the place of all of them."
                },
                "examples": examples::patches()
            }
        }),
        Body::Cancel => json!({
            "application/json": { "schema": generator.subschema_for::<answers::CancelMany>(), "examples": examples::cancels() }
        }),
    }
}

fn id_parameter() -> Value {
    json!({
        "name": "id", "in": "path", "required": true,
        "description": "The task's id, percent-encoded.",
        "schema": { "type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES }
    })
}

/// Every way to be refused, by its name: made from the refusals themselves.
pub(super) fn problems() -> Vec<Problem> {
    vec![
        Problem::unauthorized("send the header Authorization: Bearer <key>"),
        Problem::no_task("order-7"),
        Problem::already_fired("order-7"),
        Problem::other_version("the task was changed meanwhile; read it again"),
        Problem::too_large(MAX_REQUEST_BYTES + 1, MAX_REQUEST_BYTES),
        Problem::invalid(FieldError::new("delayInSeconds", "is -1; must be 0 to 251637958799")),
        Problem::overloaded(),
        Problem::misconfigured("SHARD_MAP is not set; write the number of shards, like 16"),
        Problem::unavailable("shard 1-3 could not be reached"),
        Problem::full("the shard holds as many tasks as it may".to_owned()),
    ]
}

fn refusals(generator: &mut SchemaGenerator) -> Value {
    let schema = generator.subschema_for::<answers::Problem>();
    let mut responses = Map::new();
    for problem in problems() {
        let example = serde_json::to_value(&problem).unwrap_or_default();
        let mut response = json!({
            "description": example["title"],
            "content": { "application/problem+json": { "schema": schema, "example": example } }
        });
        if problem.is_retryable() {
            let seconds = json!({ "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0 } });
            response["headers"] = json!({ "Retry-After": seconds });
        } else if problem.status == 401 {
            response["headers"] = json!({ "WWW-Authenticate": { "schema": { "type": "string" } } });
        }
        responses.insert(name_of(&problem), response);
    }
    Value::Object(responses)
}

/// The name of a refusal: the last part of its type.
pub(super) fn name_of(problem: &Problem) -> String {
    let example = serde_json::to_value(problem).unwrap_or_default();
    let kind = example["type"].as_str().unwrap_or_default();
    kind.rsplit('/').next().unwrap_or_default().to_owned()
}
