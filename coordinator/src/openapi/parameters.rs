//! Parameters in paths and headers.

use crate::conditions::{Conditions, IF_MATCH, IF_NONE_MATCH};
use crate::routes::{Access, Route};
use scheduler_model::access::{NAMESPACE_HEADER, Scope};
use scheduler_model::bounds::{
    MAX_ID_BYTES, MAX_IDEMPOTENCY_KEY_BYTES, MAX_LIMIT_KEY_BYTES, MAX_NAMESPACE_BYTES,
};
use scheduler_model::idempotency;
use serde_json::{Value, json};

/// Returns whether a route is about one namespace, and so takes the header that names it.
pub(super) fn is_of_namespace(route: &Route) -> bool {
    matches!(route.access, Access::Scope(Scope::Read | Scope::Write, _))
}

/// Returns what stands in the path, and the header that names the namespace.
pub(super) fn path_parameters(route: &Route) -> Value {
    let named = |name: &str, description: &str, schema: Value| {
        let parameter = json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema });
        route.path.contains(&format!("{{{name}}}")).then_some(parameter)
    };
    let id = json!({ "type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES });
    let namespace =
        json!({ "type": "string", "pattern": format!("^[a-z0-9-]{{1,{MAX_NAMESPACE_BYTES}}}$") });
    let header =
        is_of_namespace(route).then(|| json!({ "$ref": "#/components/parameters/Namespace" }));
    let parameters = [
        named("id", "The task's id, percent-encoded.", id),
        named("key", "The key's id.", json!({ "type": "string" })),
        named(
            "limitKey",
            "The key that tasks name, percent-encoded.",
            json!({ "type": "string", "minLength": 1, "maxLength": MAX_LIMIT_KEY_BYTES }),
        ),
        named("name", "The namespace's name.", namespace),
        header,
    ];
    parameters.into_iter().flatten().collect()
}

/// Returns the headers that an operation reads, beside the namespace.
pub(super) fn headers(route: &Route) -> Vec<Value> {
    let takes_version = matches!(route.conditions, Conditions::Change | Conditions::Read);
    let headers = [
        (takes_version, "IfMatch"),
        (takes_version, "IfNoneMatch"),
        (route.operation.once, "IdempotencyKey"),
    ];
    let taken = headers.into_iter().filter(|(is_taken, _)| *is_taken);
    taken.map(|(_, name)| json!({ "$ref": format!("#/components/parameters/{name}") })).collect()
}

/// Returns the headers that several operations read, as components.
pub(super) fn components() -> Value {
    let pattern = format!("^[a-z0-9-]{{1,{MAX_NAMESPACE_BYTES}}}$");
    json!({
        "Namespace": {
            "name": NAMESPACE_HEADER, "in": "header", "required": false,
            "description": "The namespace. Without it, the only one that the key is for, or else `default`.",
            "schema": { "type": "string", "pattern": pattern }
        },
        "IfMatch": {
            "name": IF_MATCH, "in": "header", "required": false,
            "description": "The `ETag` of the answer that showed the task. The request is carried out only if the task still has that version, \
                the part of the tag before the dot, and answered with 412 otherwise. Several tags, separated by commas, stand for any of them, \
                and `*` for any task. A weak tag (`W/`) never matches.",
            "schema": { "type": "string", "examples": ["*"] }
        },
        "IfNoneMatch": {
            "name": IF_NONE_MATCH, "in": "header", "required": false,
            "description": "`*`, or the `ETag`s of answers that showed the task. A change is answered with 412 if there is a task, or if it has \
                one of these versions. A read is answered with 304 if version and state are those of a tag.",
            "schema": { "type": "string", "examples": ["*"] }
        },
        "IdempotencyKey": {
            "name": idempotency::HEADER, "in": "header", "required": false,
            "description": "Names the request. A request with the same key and body within a day is not carried out again, and gets the answer of \
                the first. With another body it is refused.",
            "schema": { "type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_BYTES, "pattern": "^[ -~]*$" }
        }
    })
}
