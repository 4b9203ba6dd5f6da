//! Describes the parameters in paths and headers.

use crate::conditions::{Conditions, IF_MATCH, IF_NONE_MATCH, Repeats};
use crate::problem::ProblemType;
use crate::routes::{Access, Route};
use scheduler_model::access::{NAMESPACE_HEADER, Scope};
use scheduler_model::bounds::{
    MAX_ID_BYTES, MAX_IDEMPOTENCY_KEY_BYTES, MAX_LIMIT_KEY_BYTES, MAX_NAMESPACE_BYTES,
};
use scheduler_model::calendars::CalendarName;
use scheduler_model::idempotency;
use serde_json::{Value, json};

/// Returns whether a route is about one namespace, and so accepts the header that names it.
pub(super) fn is_of_namespace(route: &Route) -> bool {
    matches!(route.access, Access::Namespace(_) | Access::Scope(Scope::Read | Scope::Write, _))
}

/// Returns the parameter in the path, and the header that names the namespace.
pub(super) fn path_parameters(route: &Route) -> Value {
    let text = |longest: usize| json!({ "type": "string", "minLength": 1, "maxLength": longest });
    let names: Vec<&str> = ProblemType::ALL.iter().map(|kind| kind.name()).collect();
    let ids = [
        ("/v1/tasks", "The task's id, percent-encoded.", text(MAX_ID_BYTES)),
        (
            "/v1/dead-letters",
            "The `deadLetterId`, percent-encoded.",
            json!({ "type": "string", "minLength": 1 }),
        ),
        ("/v1/limits", "The key that tasks name, percent-encoded.", text(MAX_LIMIT_KEY_BYTES)),
        (
            "/v1/calendars",
            "The calendar's name.",
            json!({ "type": "string", "pattern": CalendarName::PATTERN }),
        ),
        ("/v1/keys", "The id of the API key.", json!({ "type": "string", "minLength": 1 })),
        (
            "/v1/namespaces",
            "The namespace's name.",
            json!({ "type": "string", "pattern": namespace_pattern() }),
        ),
        (
            "/problems",
            "The last part of a problem's `type`.",
            json!({ "type": "string", "enum": names }),
        ),
    ];
    let id = ids
        .into_iter()
        .find(|(before, ..)| route.path.starts_with(&format!("{before}/{{id}}")))
        .map(|(_, description, schema)| {
            json!({ "name": "id", "in": "path", "required": true, "description": description, "schema": schema })
        });
    let header =
        is_of_namespace(route).then(|| json!({ "$ref": "#/components/parameters/Namespace" }));
    id.into_iter().chain(header).collect()
}

/// Returns the pattern of a namespace's name.
fn namespace_pattern() -> String {
    format!("^[a-z0-9-]{{1,{MAX_NAMESPACE_BYTES}}}$")
}

/// Returns the headers that an operation reads, except the namespace.
pub(super) fn headers(route: &Route) -> Vec<Value> {
    let takes_version = matches!(route.conditions, Conditions::Change | Conditions::Read);
    let headers = [
        (takes_version, "IfMatch"),
        (takes_version, "IfNoneMatch"),
        (route.repeats == Repeats::Once, "IdempotencyKey"),
    ];
    let taken = headers.into_iter().filter(|(is_taken, _)| *is_taken);
    taken.map(|(_, name)| json!({ "$ref": format!("#/components/parameters/{name}") })).collect()
}

/// The pattern of a condition: `*`, or quoted ETags with commas between them.
const CONDITION_PATTERN: &str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#;

/// Returns the headers that several operations read, as components.
pub(super) fn components() -> Value {
    json!({
        "Namespace": {
            "name": NAMESPACE_HEADER, "in": "header", "required": false,
            "description": "The namespace. Without it, the only one that the key is for, or else `default`.",
            "schema": { "type": "string", "pattern": namespace_pattern() }
        },
        "IfMatch": {
            "name": IF_MATCH, "in": "header", "required": false,
            "description": "The `ETag` of the answer that showed the task or the calendar. The request is carried out only if it still has that \
                version, the part of the tag before the dot, and answered with 412 otherwise. Several tags, separated by commas, stand for any \
                of them, and `*` for any version. A weak tag (`W/`) never matches.",
            "schema": { "type": "string", "pattern": CONDITION_PATTERN, "examples": ["*"] }
        },
        "IfNoneMatch": {
            "name": IF_NONE_MATCH, "in": "header", "required": false,
            "description": "`*`, or the `ETag`s of answers that showed the task or the calendar. A change is answered with 412 if there is one, \
                or if it has one of these versions. A read is answered with 304 if version and state are those of a tag.",
            "schema": { "type": "string", "pattern": CONDITION_PATTERN, "examples": ["*"] }
        },
        "IdempotencyKey": {
            "name": idempotency::HEADER, "in": "header", "required": false,
            "description": "Names the request. A request with the same key and body within a day is not carried out again, and gets the answer of \
                the first. With another body it is refused.",
            "schema": { "type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_BYTES, "pattern": "^[ -~]*$" }
        }
    })
}

/// Returns the header that every answer has.
pub(super) fn request_id() -> Value {
    json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } })
}

/// Returns the headers that several answers have, as components.
pub(super) fn answer_headers() -> Value {
    json!({
        "X-Request-Id": {
            "description": "The id of the request, as the request gives it in this header (1 to 128 letters, digits, `_` and `-`), or else a \
                new one. The log lines of the request have it.",
            "schema": { "type": "string" }
        },
        "ETag": {
            "description": "The version of the task or the calendar and its state, for `If-Match` and `If-None-Match`.",
            "schema": { "type": "string" }
        },
        "RetryAfter": {
            "description": "Seconds to wait before the same request may succeed.",
            "schema": { "type": "integer", "minimum": 0 }
        },
        "IdempotentReplayed": {
            "description": "Present if an earlier request with this key was carried out: this is its answer.",
            "schema": { "type": "string", "const": "true" }
        }
    })
}
