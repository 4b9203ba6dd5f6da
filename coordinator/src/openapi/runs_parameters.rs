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
            "They ended with this outcome, or with one of several that have commas between them.",
            json!({ "type": "array", "items": { "type": "string", "enum": outcomes }, "minItems": 1 }),
        ),
        (
            "target",
            "They called this: a type of callback, such as `handler`, or a type, a colon and the host or the name, such as `webhook:example.com`.",
            text(MAX_DESTINATION_BYTES),
        ),
        (
            "callbackHost",
            "They called a webhook of this host. The same as `target=webhook:HOST`.",
            text(MAX_DESTINATION_BYTES),
        ),
        (
            "tag",
            "Their task has this tag, or both if the parameter is given twice.",
            json!({ "type": "array", "items": text(MAX_TAG_BYTES), "minItems": 1, "maxItems": 2 }),
        ),
        ("prefix", "The id of their task starts with this.", text(MAX_ID_BYTES)),
        ("error", "Their error contains this, upper and lower case alike.", text(MAX_ERROR_CHARS)),
        ("from", "They were reported at this time or later.", schemas::query_time()),
        ("to", "They were reported before this time.", schemas::query_time()),
        (
            "group",
            "Answer groups of attempts with like errors.",
            json!({ "type": "string", "enum": ["error"] }),
        ),
        (
            "order",
            "With `group`: the group with the newest attempt first, or the largest.",
            json!({ "type": "string", "enum": ["newest", "count"], "default": "newest" }),
        ),
        (
            "limit",
            "The most attempts on the page. With `group`, the most groups that each shard adds to the page, so there may be more groups than this.",
            json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIST_LIMIT, "default": DEFAULT_LIST_LIMIT }),
        ),
        (
            "cursor",
            "The cursor from the answer before, unchanged, with the same filter.",
            json!({ "type": "string" }),
        ),
    ];
    let parameter = |(name, description, schema): (&str, &str, Value)| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    parameters.into_iter().map(parameter).collect()
}
