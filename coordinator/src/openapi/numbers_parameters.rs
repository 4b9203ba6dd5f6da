//! The queries for numbers, and that of a stream of tasks. Each parameter has an example, which the end-to-end tests send.

use super::schemas;
use scheduler_model::bounds::{DEFAULT_FORECAST_BUCKETS, MAX_FORECAST_BUCKETS};
use serde_json::{Value, json};

/// Returns the parameters of a forecast.
pub(super) fn forecast_parameters() -> Value {
    json!([
        {
            "name": "from", "in": "query", "schema": schemas::query_time(), "example": "2030-12-24T00:00:00Z",
            "description": "Count what is due at this time or later. Default: now."
        },
        {
            "name": "to", "in": "query", "schema": schemas::query_time(), "example": "2030-12-25T00:00:00Z",
            "description": "Count what is due before this time: at most 366 days after `from`. Default: a day after `from`."
        },
        {
            "name": "buckets", "in": "query", "example": 48,
            "description": "How many parts to divide this time into. There are fewer if the time cannot be divided into that many parts of whole milliseconds.",
            "schema": { "type": "integer", "minimum": 1, "maximum": MAX_FORECAST_BUCKETS, "default": DEFAULT_FORECAST_BUCKETS }
        },
    ])
}

/// Returns the parameters of series.
pub(super) fn series_parameters() -> Value {
    json!([{
        "name": "by", "in": "query", "example": "hour",
        "description": "The length of a bucket. The answer has 120 buckets of a minute, or 168 of an hour.",
        "schema": { "type": "string", "enum": ["minute", "hour"], "default": "minute" }
    }])
}

/// Returns the parameters of a stream of tasks.
pub(super) fn stream_parameters() -> Value {
    json!([{
        "name": "results", "in": "query", "example": "all",
        "description": "The tasks whose results are in the answer: those that were refused, or all. You need all of them to learn the ids that the scheduler generates.",
        "schema": { "type": "string", "enum": ["refused", "all"], "default": "refused" }
    }])
}
