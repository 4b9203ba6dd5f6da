//! Describes the query of the list of all runs.

use super::schemas;
use scheduler_model::bounds::{
    DEFAULT_LIST_LIMIT, MAX_DESTINATION_BYTES, MAX_ID_BYTES, MAX_LIST_LIMIT, MAX_TAG_BYTES,
};
use scheduler_model::format::history::Outcome;
use scheduler_model::protocol::MAX_ERROR_CHARS;
use serde_json::{Value, json};

/// Returns the parameters of the list of all runs.
pub(super) fn runs_parameters() -> Value {
    let text = |most: usize| json!({ "type": "string", "minLength": 1, "maxLength": most });
    let outcomes: Vec<Value> = Outcome::KNOWN.iter().map(|outcome| json!(outcome.name())).collect();
    let parameters = [
        (
            "outcome",
            "Only attempts with this outcome, or with one of several that are separated by commas.",
            json!({ "type": "array", "items": { "type": "string", "enum": outcomes }, "minItems": 1 }),
        ),
        (
            "target",
            "Only attempts that called this: a type of callback, such as `handler`, or a type, a colon and the host or the name, such as `webhook:example.com`.",
            text(MAX_DESTINATION_BYTES),
        ),
        (
            "callbackHost",
            "Only attempts that called a webhook of this host. The same as `target=webhook:HOST`.",
            text(MAX_DESTINATION_BYTES),
        ),
        (
            "tag",
            "Only attempts of tasks with this tag, or with both if the parameter is given twice.",
            json!({ "type": "array", "items": text(MAX_TAG_BYTES), "minItems": 1, "maxItems": 2 }),
        ),
        ("prefix", "Only attempts of tasks whose id starts with this.", text(MAX_ID_BYTES)),
        (
            "error",
            "Only attempts whose error contains this. Upper and lower case do not differ.",
            text(MAX_ERROR_CHARS),
        ),
        ("from", "Only attempts that were reported at this time or later.", schemas::query_time()),
        ("to", "Only attempts that were reported before this time.", schemas::query_time()),
        (
            "group",
            "Answers with groups of attempts whose errors are similar.",
            json!({ "type": "string", "enum": ["error"] }),
        ),
        (
            "order",
            "With `group`: whether the group with the newest attempt is first, or the largest group.",
            json!({ "type": "string", "enum": ["newest", "count"], "default": "newest" }),
        ),
        (
            "limit",
            "The most attempts on the page. With `group`, the most groups that each shard adds to the page, so there may be more groups than this.",
            json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIST_LIMIT, "default": DEFAULT_LIST_LIMIT }),
        ),
        (
            "cursor",
            "The cursor from the previous answer, unchanged, with the same filter.",
            json!({ "type": "string" }),
        ),
    ];
    let parameter = |(name, description, schema): (&str, &str, Value)| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    parameters.into_iter().map(parameter).collect()
}
