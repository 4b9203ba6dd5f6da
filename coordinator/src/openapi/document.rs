//! Puts the document together.

use super::operation::Body;
use super::{answers, examples, schemas};
use crate::conditions::Conditions;
use crate::problem::{Problem, ProblemType};
use crate::routes::{self, Access, Route};
use scheduler_engine::EngineError;
use scheduler_model::access::{NAMESPACE_HEADER, NewKey, Scope};
use scheduler_model::bounds::{
    MAX_BATCH_ITEMS, MAX_ID_BYTES, MAX_IDEMPOTENCY_KEY_BYTES, MAX_LIMIT_KEY_BYTES,
    MAX_NAMESPACE_BYTES, MAX_REQUEST_BYTES, READERS_RETRY_SECONDS,
};
use scheduler_model::idempotency;
use scheduler_model::input::FieldError;
use scheduler_model::limit::Limit;
use scheduler_model::protocol::Change;
use scheduler_model::runs::RUNS_QUERY;
use scheduler_model::schedule::PreviewRequest;
use scheduler_model::task::{ChangeInput, NewTask};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Returns the whole document.
pub(super) fn document() -> Value {
    let mut generator = schemas::generator();
    let filter = schemas::properties_of_filter();
    let mut paths = Map::new();
    for route in routes::all() {
        let described = describe(route, &filter, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path["parameters"] = path_parameters(route);
        path[method_of(route)] = described;
    }
    let responses = refusals(&mut generator);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Durable Scheduler",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Tasks that fire at their time, after a delay, or again and again.\n\n\
                Times in answers are milliseconds since 1970. `x-maxBytes` is a limit on JSON text in bytes. \
                A parameter of a query is given at most once. \
                Refusals are `application/problem+json`; with `Retry-After`, the same request may succeed later. HEAD is answered as GET, \
                without the body. A method that a path does not take is answered with 405 and `Allow`.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas::definitions(generator),
            "responses": responses,
            "headers": headers(),
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

/// How every operation that needs a key may be refused: by the key, the settings, and the shards.
const WITH_KEY: [ProblemType; 6] = [
    ProblemType::Unauthorized,
    ProblemType::Guessing,
    ProblemType::Forbidden,
    ProblemType::Misconfigured,
    ProblemType::Overloaded,
    ProblemType::Unavailable,
];

/// Returns whether a route is about one namespace, and so takes the header that names it.
fn is_of_namespace(route: &Route) -> bool {
    matches!(route.access, Access::Scope(Scope::Read | Scope::Write, _))
}

/// Returns how a route may be refused.
pub(super) fn problems_of(route: &Route) -> impl Iterator<Item = Problem> {
    problems().into_iter().filter(|problem| {
        let follows = match problem.kind {
            ProblemType::NoNamespace | ProblemType::Invalid => is_of_namespace(route),
            ProblemType::TooLarge | ProblemType::SlowBody => route.operation.body.is_some(),
            ProblemType::MalformedPath => {
                route.path.contains('{') && matches!(route.access, Access::Scope(..))
            }
            ProblemType::OtherVersion => {
                matches!(route.conditions, Conditions::Change | Conditions::Read)
            }
            kind => WITH_KEY.contains(&kind) && matches!(route.access, Access::Scope(..)),
        };
        follows || route.operation.refusals.contains(&problem.kind)
    })
}

fn describe(route: &Route, filter: &Map<String, Value>, generator: &mut SchemaGenerator) -> Value {
    let operation = &route.operation;
    let mut described = json!({ "operationId": operation.id, "summary": operation.summary });
    if matches!(route.access, Access::Open(_)) {
        described["security"] = json!([]);
    }
    if !operation.query.is_empty() {
        let all = if operation.stream {
            schemas::events_parameters(generator)
        } else if operation.query == RUNS_QUERY {
            schemas::runs_parameters()
        } else {
            schemas::list_parameters(filter)
        };
        let is_taken = |parameter: &&Value| {
            parameter["in"] != "query"
                || operation.query.iter().any(|name| parameter["name"] == *name)
        };
        described["parameters"] =
            all.as_array().into_iter().flatten().filter(is_taken).cloned().collect();
    }
    let takes_version = matches!(route.conditions, Conditions::Change | Conditions::Read);
    let headers = [
        (takes_version, version_parameter as fn() -> Value),
        (takes_version, seen_version_parameter),
        (operation.once, once_parameter),
    ];
    let headers: Vec<Value> = headers
        .into_iter()
        .filter(|(is_taken, _)| *is_taken)
        .map(|(_, parameter)| parameter())
        .collect();
    if !headers.is_empty() {
        described["parameters"] = Value::Array(headers);
    }
    if let Some(body) = &operation.body {
        let required = !matches!(body, Body::ChangeOne | Body::Namespace);
        described["requestBody"] = json!({ "required": required, "x-maxBytes": route.body_limit, "content": content(body, generator) });
    }
    let mut responses = Map::new();
    for (status, description, schema) in operation.answers {
        let content_type =
            if operation.stream { "text/event-stream" } else { operation.content_type };
        let content = json!({ content_type: { "schema": schema(generator) } });
        let mut response =
            json!({ "description": description, "content": content, "headers": request_id() });
        if operation.once {
            response["headers"]["Idempotent-Replayed"] = json!({
                "description": "Present if an earlier request with this key was carried out: this is its answer.",
                "schema": { "type": "string", "const": "true" }
            });
        }
        responses.insert(status.to_string(), response);
    }
    if route.conditions == Conditions::Read {
        responses.insert(
            "304".to_owned(),
            json!({ "description": "The task and its state are still those that If-None-Match names.", "headers": request_id() }),
        );
    }
    let mut by_status: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
    for problem in problems_of(route) {
        by_status.entry(problem.kind.status()).or_default().push(problem);
    }
    for (status, problems) in by_status {
        responses.insert(status.to_string(), any_of(&problems, generator));
    }
    described["responses"] = Value::Object(responses);
    described
}

/// Returns the refusals of one status.
fn any_of(problems: &[Problem], generator: &mut SchemaGenerator) -> Value {
    if let [only] = problems {
        return json!({ "$ref": format!("#/components/responses/{}", only.kind.name()) });
    }
    let described: Vec<(String, Value)> = problems
        .iter()
        .map(|problem| (problem.kind.name().to_owned(), refusal(problem, generator)))
        .collect();
    let titles: Vec<&str> =
        described.iter().filter_map(|(_, response)| response["description"].as_str()).collect();
    let examples: Map<String, Value> = described
        .iter()
        .map(|(name, response)| {
            (
                name.clone(),
                json!({ "value": response["content"]["application/problem+json"]["example"] }),
            )
        })
        .collect();
    let schema = generator.subschema_for::<answers::Problem>();
    let mut response = json!({
        "description": titles.join("; or: "),
        "content": { "application/problem+json": { "schema": schema, "examples": examples } }
    });
    for (_, described) in &described {
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            response["headers"][name] = header.clone();
        }
    }
    response
}

fn content(body: &Body, generator: &mut SchemaGenerator) -> Value {
    match body {
        Body::Task => json!({
            "application/json": { "schema": generator.subschema_for::<NewTask<'static>>(), "examples": examples::tasks() }
        }),
        Body::Batch => {
            let task = generator.subschema_for::<NewTask<'static>>();
            let lines =
                format!("One task a line, at most {MAX_BATCH_ITEMS}; empty lines are passed over.");
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
        Body::Preview => json!({
            "application/json": { "schema": generator.subschema_for::<PreviewRequest<'static>>(), "examples": examples::previews() }
        }),
        Body::Key => json!({
            "application/json": { "schema": generator.subschema_for::<NewKey<'static>>(), "example": examples::key() }
        }),
        Body::Limit => json!({
            "application/json": { "schema": generator.subschema_for::<Limit>(), "example": examples::limit() }
        }),
        Body::Namespace => json!({
            "application/json": { "schema": generator.subschema_for::<answers::NewNamespace>(), "example": examples::namespace() }
        }),
    }
}

/// Returns what stands in the path, and the header that names the namespace.
fn path_parameters(route: &Route) -> Value {
    let named = |before: &str, description: &str, schema: Value| {
        let parameter = json!({ "name": "id", "in": "path", "required": true, "description": description, "schema": schema });
        route.path.starts_with(&format!("{before}/{{id}}")).then_some(parameter)
    };
    let id = json!({ "type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES });
    let namespace =
        json!({ "type": "string", "pattern": format!("^[a-z0-9-]{{1,{MAX_NAMESPACE_BYTES}}}$") });
    let header = is_of_namespace(route).then(|| {
        json!({
            "name": NAMESPACE_HEADER, "in": "header",
            "description": "The namespace; without it the only one that the key is for, or else `default`.",
            "schema": namespace
        })
    });
    let parameters = [
        named("/v1/tasks", "The task's id, percent-encoded.", id),
        named("/v1/keys", "The id of the API key.", json!({ "type": "string" })),
        named("/problems", "The last part of a problem's `type`.", json!({ "type": "string" })),
        named(
            "/v1/limits",
            "The key that tasks name, percent-encoded.",
            json!({ "type": "string", "minLength": 1, "maxLength": MAX_LIMIT_KEY_BYTES }),
        ),
        named("/v1/namespaces", "The namespace's name.", namespace.clone()),
        header,
    ];
    parameters.into_iter().flatten().collect()
}

/// Returns the header of every answer, by reference.
fn request_id() -> Value {
    json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } })
}

/// Returns the headers that several answers have.
fn headers() -> Value {
    json!({ "X-Request-Id": {
        "description": "The id of the request, as the request gives it in this header (1 to 128 letters, digits, `_` and `-`), or else a new one. The log lines of the request have it.",
        "schema": { "type": "string" }
    } })
}

fn version_parameter() -> Value {
    json!({
        "name": "If-Match", "in": "header", "required": false,
        "description": "The ETag of the answer that showed the task: the request is carried out only if the task still has this version, the part of the tag before the dot, else answered 412. Several, separated by commas: if it is one of these. `*`: if there is a task. A weak tag (`W/`) matches none.",
        "schema": { "type": "string" }
    })
}

fn seen_version_parameter() -> Value {
    json!({
        "name": "If-None-Match", "in": "header", "required": false,
        "description": "The ETags of answers that showed the task, or `*`: a change is answered 412 if the task still has one of these versions, the part of a tag before the dot; a read is answered 304 without a body if the state, the part behind it, is the same, too.",
        "schema": { "type": "string" }
    })
}

fn once_parameter() -> Value {
    json!({
        "name": idempotency::HEADER, "in": "header",
        "description": "Names this request: sent again under the same key within a day it is not done again, and answered as the first time. \
            With another body it is refused.",
        "schema": { "type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_BYTES, "pattern": "^[ -~]*$" }
    })
}

/// Returns every way to be refused, by its name: made from the refusals themselves.
pub(super) fn problems() -> Vec<Problem> {
    vec![
        Problem::unauthorized("send the header Authorization: Bearer <key>"),
        Problem::guessing(),
        Problem::forbidden(
            "the API key does not have the scope \"write\", which this request needs",
        ),
        Problem::malformed_path(
            "/v1/tasks/%zz",
            "has a percent sign without two hexadecimal digits; write it as %25",
        ),
        Problem::no_route("GET", "/v1/taks"),
        Problem::no_method("PATCH", "/v1/tasks", "GET, HEAD, POST".to_owned()),
        Problem::no_task("order-7"),
        Problem::no_namespace(
            "there is no namespace \"shop\"; create it with PUT /v1/namespaces/shop",
        ),
        Problem::no_key("0123456789abcdef"),
        Problem::no_limit("stripe"),
        Problem::not_empty("shop", 17),
        Problem::too_many("there are 1000 keys, which is the limit; delete some first"),
        Problem::key_reused("take a new key for each request"),
        Problem::quota(
            EngineError::RateQuota { quota: 500, wait_millis: 700 }.to_string(),
            Some(1),
        ),
        Problem::too_many_readers(EngineError::TooManyReaders.to_string(), READERS_RETRY_SECONDS),
        Problem::already_running("order-7"),
        Problem::task_cancelled("order-7"),
        Problem::not_applicable("order-7", Some(&Change::Pause)),
        Problem::too_many_runs("order-7"),
        Problem::other_version("the task was changed meanwhile; read it again"),
        Problem::slow_body("the body did not arrive within 60 s; send less, or several requests"),
        Problem::too_large(MAX_REQUEST_BYTES),
        Problem::invalid(FieldError::new("delayInSeconds", "is -1; must be 0 to 251637958799")),
        Problem::batch_rejected(2, 0, None, &FieldError::new("cron", "is empty")),
        Problem::overloaded(),
        Problem::misconfigured("SHARD_MAP is not set; write the number of shards, like 16"),
        Problem::unavailable("shard 1-3 could not be reached"),
        Problem::full("the shard holds as many tasks as it may".to_owned()),
    ]
}

fn refusals(generator: &mut SchemaGenerator) -> Value {
    problems()
        .iter()
        .map(|problem| (problem.kind.name().to_owned(), refusal(problem, generator)))
        .collect::<Map<_, _>>()
        .into()
}

fn refusal(problem: &Problem, generator: &mut SchemaGenerator) -> Value {
    let schema = generator.subschema_for::<answers::Problem>();
    let example = serde_json::to_value(problem).unwrap_or_default();
    let mut response = json!({
        "description": problem.kind.title(),
        "content": { "application/problem+json": { "schema": schema, "example": example } }
    });
    response["headers"] = request_id();
    let headers = &mut response["headers"];
    if problem.is_retryable() {
        headers["Retry-After"] = json!({ "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0 } });
    } else if problem.kind == ProblemType::NoMethod {
        headers["Allow"] = json!({ "description": "The methods that the path takes.", "schema": { "type": "string" } });
    } else if problem.kind == ProblemType::Unauthorized {
        headers["WWW-Authenticate"] = json!({ "schema": { "type": "string" } });
    }
    response
}
