//! Describes the refusals of each route.

use super::answers;
use super::parameters::{is_of_namespace, request_id};
use crate::conditions::{Conditions, Repeats};
use crate::problem::{Problem, ProblemType};
use crate::routes::{Access, Route};
use scheduler_engine::EngineError;
use scheduler_model::bounds::{DEFAULT_REQUEST_BYTES, READERS_RETRY_SECONDS};
use scheduler_model::input::FieldError;
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::Change;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The refusals of every operation that needs a key: by the key, the settings, the sender, and the
/// shards.
const WITH_KEY: [ProblemType; 7] = [
    ProblemType::Unauthorized,
    ProblemType::Guessing,
    ProblemType::Forbidden,
    ProblemType::Misconfigured,
    ProblemType::Loop,
    ProblemType::Overloaded,
    ProblemType::Unavailable,
];

/// Returns the refusals of a route.
pub(super) fn problems_of(route: &Route) -> impl Iterator<Item = Problem> {
    problems().into_iter().filter(|problem| {
        let follows = match problem.kind {
            ProblemType::NoNamespace | ProblemType::Invalid => is_of_namespace(route),
            ProblemType::TooLarge | ProblemType::SlowBody => route.operation.body.is_some(),
            ProblemType::MalformedPath => {
                route.path.contains('{') && !matches!(route.access, Access::Open(_))
            }
            ProblemType::ConditionRefused => {
                route.conditions == Conditions::Refused || route.repeats == Repeats::ActAgain
            }
            ProblemType::OtherVersion => {
                matches!(route.conditions, Conditions::Change | Conditions::Read)
            }
            kind => WITH_KEY.contains(&kind) && !matches!(route.access, Access::Open(_)),
        };
        follows || route.operation.refusals.contains(&problem.kind)
    })
}

/// Adds the refusals of a route to the answers of its operation. Refusals that several operations
/// share are components, named after their problems.
pub(super) fn add_refusals(
    route: &Route,
    answers: &mut Map<String, Value>,
    components: &mut Map<String, Value>,
    generator: &mut SchemaGenerator,
) {
    let mut by_status: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
    for problem in problems_of(route) {
        by_status.entry(problem.kind.status()).or_default().push(problem);
    }
    for (status, problems) in by_status {
        let names: Vec<&str> = problems.iter().map(|problem| problem.kind.name()).collect();
        let name = names.join(".");
        // An operation may itself answer with the status of a problem.
        if let Some(answer) = answers.get_mut(&status.to_string()) {
            let mut refusal = refusal(&problems, generator);
            let description = answer["description"].as_str().unwrap_or_default();
            let either = format!(
                "{description} Or: {}.",
                refusal["description"].as_str().unwrap_or_default()
            );
            answer["description"] = either.into();
            for (media_type, content) in
                refusal["content"].as_object_mut().into_iter().flat_map(std::mem::take)
            {
                answer["content"][media_type] = content;
            }
            continue;
        }
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        answers.insert(status.to_string(), reference);
        components.entry(name).or_insert_with(|| refusal(&problems, generator));
    }
}

/// Returns the refusals with one status.
fn refusal(problems: &[Problem], generator: &mut SchemaGenerator) -> Value {
    let titles: Vec<&str> = problems.iter().map(|problem| problem.kind.title()).collect();
    let examples: Map<String, Value> = problems
        .iter()
        .map(|problem| {
            let value = serde_json::to_value(problem).unwrap_or_default();
            (
                problem.kind.name().to_owned(),
                json!({ "summary": problem.kind.title(), "value": value }),
            )
        })
        .collect();
    let schema = generator.subschema_for::<answers::Problem>();
    let mut response = json!({
        "description": titles.join("; or: "),
        "content": { "application/problem+json": { "schema": schema, "examples": examples } }
    });
    response["headers"] = request_id();
    if problems.iter().any(Problem::is_retryable) {
        response["headers"]["Retry-After"] = json!({ "$ref": "#/components/headers/RetryAfter" });
    }
    if problems.iter().any(|problem| problem.kind == ProblemType::Unauthorized) {
        response["headers"]["WWW-Authenticate"] =
            json!({ "description": "The scheme: `Bearer`.", "schema": { "type": "string" } });
    }
    response
}

/// Returns an example of every refusal, made by its own constructor.
pub(super) fn problems() -> Vec<Problem> {
    vec![
        Problem::unauthorized("send the header Authorization: Bearer <key>"),
        Problem::guessing(),
        Problem::called_by_a_task(),
        Problem::forbidden(
            "the API key does not have the scope \"write\", which this request needs",
        ),
        Problem::no_route("GET", "/v1/taks"),
        Problem::no_method("PATCH", "/v1/tasks", "GET, HEAD, POST".to_owned(), None),
        Problem::malformed_path(
            "/v1/tasks/%zz",
            "has a percent sign without two hexadecimal digits; write it as %25",
        ),
        Problem::no_task("order-7").in_namespace(&Namespace::DEFAULT),
        Problem::no_dead_letter("1764000000123-1764000000000r-order-7")
            .in_namespace(&Namespace::DEFAULT),
        Problem::no_namespace(
            "there is no namespace \"shop\"; create it with PUT /v1/namespaces/shop",
        ),
        Problem::no_key("0123456789abcdef"),
        Problem::no_limit("stripe"),
        Problem::no_calendar("de-holidays"),
        Problem::calendar_in_use("de-holidays", &["report".to_owned()], false),
        Problem::not_empty("shop", 17),
        Problem::too_many("there are 1000 keys, which is the limit; delete some first"),
        Problem::key_reused("use a new key for each request"),
        Problem::quota(
            EngineError::RateQuota { quota: 500, wait_millis: 700 }.to_string(),
            Some(1),
        ),
        Problem::too_many_readers(EngineError::TooManyReaders.to_string(), READERS_RETRY_SECONDS),
        Problem::already_running("order-7"),
        Problem::task_cancelled("order-7"),
        Problem::not_applicable("order-7", &Change::Pause),
        Problem::too_many_runs("order-7"),
        Problem::other_version("the task was changed meanwhile; read it again"),
        Problem::condition_refused(
            "If-Match",
            "is not supported here, because only a single task or calendar has a version; change tasks one by one, or omit the header",
        ),
        Problem::too_large(DEFAULT_REQUEST_BYTES),
        Problem::media_type(
            "Content-Type",
            "application/json",
            "send one task per line as application/x-ndjson",
        ),
        Problem::slow_body("the body did not arrive within 60 s; send less, or split the request"),
        Problem::invalid(FieldError::new(
            "delayInSeconds",
            "is -1; must be 0 or more, and end by 9999-12-31T23:59:59.999Z",
        )),
        Problem::batch_rejected(2, 0, None, &FieldError::new("cron", "is empty")),
        Problem::overloaded(),
        Problem::misconfigured("SHARD_MAP is not set; write the number of shards, like 16"),
        Problem::unavailable("shard 1-3 could not be reached"),
        Problem::full("the shard holds as many tasks as it may".to_owned()),
    ]
}
