//! Examples of requests. Tests send each through the real parser.

use serde_json::{Value, json};

/// Tasks to create, one for each kind of schedule and callback.
pub(super) fn tasks() -> Value {
    json!({
        "webhook": {
            "summary": "A webhook at a time",
            "value": {
                "id": "order-7:remind",
                "time": "2030-12-24T18:00:00+01:00",
                "description": "Remind the customer of order 7",
                "tags": ["orders"],
                "callback": {
                    "type": "webhook",
                    "url": "https://example.com/hooks/remind",
                    "headers": { "x-api-key": "secret" },
                    "timeoutSeconds": 10
                },
                "retry": { "maxAttempts": 5, "minBackoffSeconds": 1, "factor": 2, "maxBackoffSeconds": 3600, "jitter": 0.2 },
                "payload": { "order": 7 }
            }
        },
        "get": {
            "summary": "A webhook that fetches, and is given up when it is refused",
            "value": {
                "delayInSeconds": 60,
                "callback": { "type": "webhook", "url": "https://example.com/warm-up?page=1", "method": "GET" },
                "retry": { "permanentStatuses": ["4xx", 501] }
            }
        },
        "handler": {
            "summary": "A registered Rust function after a delay",
            "value": { "delayInSeconds": 1.5, "callback": { "type": "handler", "name": "log" }, "payload": ["any", "JSON"] }
        },
        "recurring": {
            "summary": "A message to a queue on weekdays at nine, once it is resumed",
            "value": {
                "id": "morning-report",
                "cron": "0 9 * * MON-FRI",
                "timezone": "Europe/London",
                "paused": true,
                "callback": { "type": "queue", "queue": "FIRED_TASKS" }
            }
        },
        "unscheduled": {
            "summary": "A task that does not fire by itself",
            "value": { "id": "later", "type": "no-schedule", "callback": { "type": "handler", "name": "noop" } }
        }
    })
}

/// A batch as an array.
pub(super) fn batch() -> Value {
    json!([
        { "id": "a", "delayInSeconds": 60, "callback": { "type": "handler", "name": "log" } },
        { "id": "b", "time": 1_924_362_000_000_i64, "callback": { "type": "handler", "name": "log" } }
    ])
}

/// The same batch as lines.
pub(super) fn lines() -> String {
    batch().as_array().into_iter().flatten().map(|task| format!("{task}\n")).collect()
}

/// A key to make.
pub(super) fn key() -> Value {
    json!({ "name": "the shop's backend", "scopes": ["read", "write"], "namespaces": ["shop"], "expiresAt": "2040-01-01T00:00:00Z" })
}

/// A namespace to make.
pub(super) fn namespace() -> Value {
    json!({ "quota": { "pendingTasks": 100_000, "createsPerSecond": 500 } })
}

/// What to cancel.
pub(super) fn cancels() -> Value {
    json!({
        "ids": { "summary": "By id", "value": { "ids": ["order-7:remind", "order-8:remind"] } },
        "filter": { "summary": "By filter", "value": { "filter": { "tag": "orders", "status": "scheduled" } } }
    })
}

/// What a change of the task in the path may say.
pub(super) fn change_one() -> Value {
    json!({ "time": { "summary": "Of a reschedule: when", "value": { "delayInSeconds": 60 } } })
}

/// What to change.
pub(super) fn change_many() -> Value {
    json!({
        "ids": { "summary": "By id", "value": { "ids": ["order-7:remind", "order-8:remind"] } },
        "filter": { "summary": "By filter; the time of a reschedule only", "value": { "filter": { "tag": "orders" }, "time": 1_924_362_000_000_i64 } }
    })
}

/// Single fields to change.
pub(super) fn patches() -> Value {
    json!({
        "fields": { "summary": "Another text, and no tags", "value": { "description": "Remind them again", "tags": null } },
        "schedule": { "summary": "Another schedule", "value": { "cron": "0 10 * * MON-FRI", "timezone": "Europe/London" } }
    })
}
