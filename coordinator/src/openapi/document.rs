//! Assembles the document.

use super::{
    bodies, definitions, deliveries, numbers_parameters, parameters, problems, runs_parameters,
    schemas, tags,
};
use crate::conditions::{Conditions, Repeats};
use crate::handlers::tasks::stream;
use crate::routes::{self, Access, Route};
use scheduler_model::forecast::FORECAST_QUERY;
use scheduler_model::runs::RUNS_QUERY;
use scheduler_model::series::SERIES_QUERY;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use worker::Method;

const DESCRIPTION: &str = "Tasks that fire at their time, after a delay, or again and again.\n\n\
    Every time in an answer is an integer of milliseconds since 1970. Every time in a request may be that, or a text in RFC 3339 with \
    an offset; with a `timezone`, it may also be a local time. \
    A member of a request that may be absent may be null, which means the same. \
    `x-maxBytes` is a limit on JSON text in bytes. Refusals are `application/problem+json`; with `Retry-After`, the same request may \
    succeed later. HEAD is answered like GET, without the body. A method that a path does not take is answered with 405 and `Allow`.";

/// Returns the whole document.
pub(super) fn document() -> Value {
    let mut generator = schemas::generator();
    let filter = schemas::properties_of_filter();
    let (mut paths, mut responses) = (Map::new(), Map::new());
    for route in routes::all() {
        let described = describe(route, &filter, &mut responses, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let parameters = parameters::path_parameters(route);
        if parameters.as_array().is_some_and(|parameters| !parameters.is_empty()) {
            path["parameters"] = parameters;
        }
        path[method_of(route)] = described;
    }
    let parts = json!({
        "paths": paths,
        "responses": responses,
        "webhooks": deliveries::webhooks(&mut generator),
    });
    let tags = tags::tags(&routes::all().map(|route| route.path).collect::<Vec<_>>());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Durable Scheduler",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "contact": { "name": "The operator of this deployment" },
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/", "description": "This deployment." }],
        "security": [{ "bearer": [] }],
        "tags": tags,
        "paths": parts["paths"],
        "webhooks": parts["webhooks"],
        "components": {
            "schemas": definitions::definitions(generator, &parts),
            "responses": parts["responses"],
            "parameters": parameters::components(),
            "headers": parameters::answer_headers(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "One of the keys in the deployment's secret API_KEYS, or one made with POST /v1/keys." }
            }
        }
    })
}

/// Returns the method of a route as the document writes it.
pub(super) fn method_of(route: &Route) -> String {
    route.method.as_ref().to_lowercase()
}

fn describe(
    route: &Route,
    filter: &Map<String, Value>,
    components: &mut Map<String, Value>,
    generator: &mut SchemaGenerator,
) -> Value {
    let operation = &route.operation;
    let mut described = json!({
        "operationId": operation.id,
        "tags": [tags::tag_of(route.path)],
        "summary": operation.summary,
        "description": operation.description,
    });
    if matches!(route.access, Access::Open(_)) {
        described["security"] = json!([]);
    }
    let mut taken = parameters::headers(route);
    if !route.query.is_empty() {
        let all = if operation.stream {
            schemas::events_parameters(generator)
        } else if route.query == RUNS_QUERY {
            runs_parameters::runs_parameters()
        } else if route.query == FORECAST_QUERY {
            numbers_parameters::forecast_parameters()
        } else if route.query == stream::QUERY {
            numbers_parameters::stream_parameters()
        } else if route.query == SERIES_QUERY {
            numbers_parameters::series_parameters()
        } else {
            schemas::list_parameters(filter)
        };
        let is_taken = |parameter: &&Value| {
            parameter["in"] != "query" || route.query.iter().any(|name| parameter["name"] == *name)
        };
        taken.extend(all.as_array().into_iter().flatten().filter(is_taken).cloned());
    }
    if !taken.is_empty() {
        described["parameters"] = Value::Array(taken);
        definitions::say_in_words(&mut described["parameters"]);
    }
    if let Some(body) = &operation.body {
        described["requestBody"] = json!({
            "required": body.is_required(), "content": bodies::content(body, generator)
        });
        // A stream may have any length.
        if route.body_limit < usize::MAX {
            described["requestBody"]["x-maxBytes"] = route.body_limit.into();
        }
    }
    described["responses"] = Value::Object(responses(route, components, generator));
    described
}

/// Returns the schema of a server-sent event whose data has the schema `data`.
fn server_sent_event(data: &Value) -> Value {
    json!({
        "type": "object",
        "description": "One of the events of the stream. Its members are the fields of the event.",
        "properties": {
            "event": { "type": "string", "description": "The name of the event: the `type` of its data." },
            "data": {
                "type": "string", "description": "JSON.", "contentMediaType": "application/json", "contentSchema": data
            },
            "id": { "type": "string", "description": "Where to continue: send it in `Last-Event-ID`." },
            "retry": { "type": "integer", "description": "How long to wait before a new connection, milliseconds." }
        }
    })
}

/// Returns whether an answer with this schema has an `ETag`. Only what a later request can name in
/// a condition has one: no route takes a condition for a dead letter, and nothing is left to name
/// after a delete.
fn has_version(route: &Route, schema: &Value) -> bool {
    matches!(route.conditions, Conditions::Change | Conditions::Read)
        && route.method != Method::Delete
        && ["Task", "Calendar"]
            .iter()
            .any(|of| schema["$ref"] == format!("#/components/schemas/{of}"))
}

/// Returns the answers of an operation.
fn responses(
    route: &Route,
    components: &mut Map<String, Value>,
    generator: &mut SchemaGenerator,
) -> Map<String, Value> {
    let operation = &route.operation;
    let mut responses = Map::new();
    for (status, description, schema) in operation.answers {
        let content_type =
            if operation.stream { "text/event-stream" } else { operation.content_type };
        let schema = schema(generator).to_value();
        let schema = if operation.stream { server_sent_event(&schema) } else { schema };
        let mut headers = parameters::request_id();
        if has_version(route, &schema) {
            headers["ETag"] = json!({ "$ref": "#/components/headers/ETag" });
        }
        // The header of a stream is sent before all of it was done.
        if route.repeats == Repeats::Once && route.query != stream::QUERY {
            headers["Idempotent-Replayed"] =
                json!({ "$ref": "#/components/headers/IdempotentReplayed" });
        }
        let mut response = json!({ "description": description, "headers": headers });
        // A 202 has no body.
        if *status != 202 {
            response["content"] = json!({ content_type: { "schema": schema } });
        }
        responses.insert(status.to_string(), response);
    }
    if route.conditions == Conditions::Read {
        let mut headers = parameters::request_id();
        headers["ETag"] = json!({ "$ref": "#/components/headers/ETag" });
        responses.insert(
            "304".to_owned(),
            json!({
                "description": "The task and its state are still those that If-None-Match names.",
                "headers": headers
            }),
        );
    }
    problems::add_refusals(route, &mut responses, components, generator);
    if matches!(route.access, Access::Open(_)) && operation.refusals.is_empty() {
        responses.insert(
            "4XX".to_owned(),
            json!({ "description": "The scheduler refuses no request to this path. What is in front of it, such as a firewall, may." }),
        );
    }
    responses
}
