//! Examples of requests. Tests send each of them through the real parser.

use serde_json::{Value, json};

/// Returns tasks to create, one for each kind of schedule and callback.
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
                "words": "weekdays at 9:00",
                "paused": true,
                "priority": 9,
                "misfire": { "policy": "fire-once", "graceSeconds": 300 },
                "callback": { "type": "queue", "queue": "FIRED_TASKS" }
            }
        },
        "several": {
            "summary": "At nine and at noon except over the holidays, for the first ten times, at some moment of the quarter of an hour after",
            "value": {
                "cron": ["0 9 * * MON-FRI", "0 12 * * MON-FRI"],
                "timezone": "America/New_York",
                "maxRuns": 10,
                "exclude": { "dates": ["12-24/01-01", "2030-05-03"], "instead": "previous" },
                "jitterSeconds": 900,
                "callback": { "type": "handler", "name": "log" }
            }
        },
        "interval": {
            "summary": "Every ninety seconds of a day, up to ten seconds later if that saves firings",
            "value": {
                "everySeconds": 90,
                "anchor": "2030-06-01T00:00:00Z",
                "startAt": "2030-06-01T06:00:00Z",
                "endAt": "2030-06-02T06:00:00Z",
                "windowSeconds": 10,
                "overlap": "skip",
                "expireAfterSeconds": 60,
                "callback": { "type": "handler", "name": "log" }
            }
        },
        "rule": {
            "summary": "On the last Friday of each month, by a rule of RFC 5545",
            "value": {
                "rrule": "FREQ=MONTHLY;BYDAY=-1FR",
                "startAt": "2030-01-25T15:00:00+01:00",
                "timezone": "Europe/Berlin",
                "callback": { "type": "handler", "name": "log" }
            }
        },
        "words": {
            "summary": "A schedule in words. The task stores the words and the fields that they mean",
            "value": {
                "id": "call-ann",
                "schedule": "remind me to call Ann every monday at 10:00",
                "timezone": "Europe/Berlin",
                "callback": { "type": "handler", "name": "log" }
            }
        },
        "limited": {
            "summary": "A webhook that waits for its turn among those of its key",
            "value": {
                "delayInSeconds": 5,
                "limitKey": "stripe",
                "callback": { "type": "webhook", "url": "https://example.com/hooks/charge" }
            }
        },
        "followed": {
            "summary": "A task that reports its success to a webhook, and its failure for good to a queue",
            "value": {
                "id": "order-7:invoice",
                "delayInSeconds": 5,
                "callback": { "type": "webhook", "url": "https://example.com/hooks/invoice" },
                "onSuccess": { "type": "webhook", "url": "https://example.com/hooks/invoiced" },
                "onFailure": { "type": "queue", "queue": "FIRED_TASKS" }
            }
        },
        "unscheduled": {
            "summary": "A task that does not fire by itself",
            "value": { "id": "later", "type": "no-schedule", "callback": { "type": "handler", "name": "noop" } }
        }
    })
}

/// Returns the same tasks without their ids, which are in the path.
pub(super) fn tasks_of_path() -> Value {
    let mut tasks = tasks();
    for task in tasks.as_object_mut().into_iter().flat_map(|tasks| tasks.values_mut()) {
        if let Some(fields) = task.get_mut("value").and_then(Value::as_object_mut) {
            fields.remove("id");
        }
    }
    tasks
}

/// Returns a batch as an array.
pub(super) fn batch() -> Value {
    json!([
        { "id": "a", "delayInSeconds": 60, "callback": { "type": "handler", "name": "log" } },
        { "id": "b", "time": 1_924_362_000_000_i64, "callback": { "type": "handler", "name": "log" } }
    ])
}

/// Returns the same batch as lines.
pub(super) fn lines() -> String {
    batch().as_array().into_iter().flatten().map(|task| format!("{task}\n")).collect()
}

/// Returns schedules to preview.
pub(super) fn previews() -> Value {
    json!({
        "gap": {
            "summary": "A run that the beginning of daylight saving moves",
            "value": {
                "cron": "30 1 * * *", "timezone": "Europe/London", "from": "2026-03-28T00:00:00Z", "count": 3
            }
        },
        "words": { "summary": "A schedule in words", "value": { "schedule": "every other friday at noon", "timezone": "Europe/London" } },
        "interval": { "summary": "An interval", "value": { "everySeconds": 90, "jitterSeconds": 5, "id": "order-7:poll" } }
    })
}

/// Returns sentences to read.
pub(super) fn sentences() -> Value {
    json!({
        "monday": {
            "summary": "A sentence that says when and what",
            "value": { "text": "remind me to call my friend every monday at 10:00", "timezone": "Europe/Berlin" }
        },
        "ambiguous": { "summary": "One that can be read in two ways", "value": { "text": "tomorrow at 5", "timezone": "America/New_York" } },
        "german": {
            "summary": "One in German",
            "value": { "text": "am ersten Werktag jedes Monats um 9 Uhr", "timezone": "Europe/Vienna", "language": "de" }
        }
    })
}

/// Returns keys to create.
pub(super) fn keys() -> Value {
    json!({
        "shop": {
            "summary": "A key that reads and writes in one namespace",
            "value": { "name": "the shop's backend", "scopes": ["read", "write"], "namespaces": ["shop"], "expiresAt": "2040-01-01T00:00:00Z" }
        }
    })
}

/// Returns namespaces to create.
pub(super) fn namespaces() -> Value {
    json!({
        "quota": {
            "summary": "A namespace with a quota",
            "value": { "quota": { "pendingTasks": 100_000, "createsPerSecond": 500 } }
        }
    })
}

/// Returns limits to set.
pub(super) fn limits() -> Value {
    json!({
        "both": {
            "summary": "Ten runs at a time, and 25 a second",
            "value": { "concurrency": 10, "perSecond": 25 }
        }
    })
}

/// Returns calendars to create.
pub(super) fn calendars() -> Value {
    json!({
        "holidays": {
            "summary": "Public holidays, and the last day of each month",
            "value": {
                "description": "Public holidays in Germany",
                "dates": ["01-01", "05-01", "10-03", "12-25/12-26", "2030-04-19", "2030-04-22"],
                "rules": ["FREQ=MONTHLY;BYMONTHDAY=-1"]
            }
        },
        "office": {
            "summary": "When the office is closed",
            "value": { "weekdays": ["SAT", "SUN"], "times": ["22:00-06:00"] }
        }
    })
}

/// Returns selections of tasks to change.
pub(super) fn selections() -> Value {
    json!({
        "ids": { "summary": "By id", "value": { "ids": ["order-7:remind", "order-8:remind"] } },
        "filter": { "summary": "By filter", "value": { "filter": { "tag": "orders", "status": "scheduled" } } },
        "dryRun": {
            "summary": "How many a filter selects",
            "value": { "filter": { "tag": "orders", "lastOutcome": "failed" }, "dryRun": true }
        }
    })
}

/// Returns why a task is paused.
pub(super) fn pauses() -> Value {
    json!({
        "note": { "summary": "With a note", "value": { "note": "The shop is closed until Monday." } },
        "none": { "summary": "Without", "value": {} }
    })
}

/// Returns which tasks to pause, and why.
pub(super) fn pauses_of_many() -> Value {
    json!({
        "ids": { "summary": "By id", "value": { "ids": ["order-7:remind", "order-8:remind"] } },
        "filter": {
            "summary": "By filter, with a note",
            "value": {
                "filter": { "callbackHost": "hooks.example.com", "paused": false },
                "note": "Their server is moved to another host."
            }
        },
        "dryRun": {
            "summary": "How many a filter selects",
            "value": { "filter": { "tag": "orders" }, "dryRun": true }
        }
    })
}

/// Returns replacements of a task's members for a requested run.
pub(super) fn runs() -> Value {
    json!({ "payload": { "summary": "With another payload, this time", "value": { "payload": { "order": 8 } } } })
}

/// Returns changes of a dead letter for a replay.
pub(super) fn replays() -> Value {
    json!({
        "callback": { "summary": "By another handler", "value": { "callback": { "type": "handler", "name": "noop" } } },
        "payload": { "summary": "With another member of the payload", "value": { "payload": { "order": 8 } } }
    })
}

/// Returns selections of dead letters to replay or to discard.
pub(super) fn dead_letters() -> Value {
    json!({
        "ids": { "summary": "By id", "value": { "ids": ["1764000000123-1764000000000r-order-7:remind"] } },
        "filter": { "summary": "By filter", "value": { "filter": { "tag": "orders", "from": "2030-12-24T00:00:00Z" } } },
        "all": { "summary": "All of them", "value": { "all": true } },
        "dryRun": { "summary": "How many there are", "value": { "all": true, "dryRun": true } }
    })
}

/// Returns new times of a task.
pub(super) fn reschedules() -> Value {
    json!({
        "delay": { "summary": "A minute from now", "value": { "delayInSeconds": 60 } },
        "time": { "summary": "At a time", "value": { "time": "2030-12-24T19:00:00+01:00" } },
        "local": {
            "summary": "At a local time",
            "value": { "time": "2030-12-24T19:00", "timezone": "Europe/Berlin" }
        }
    })
}

/// Returns new times of many tasks.
pub(super) fn reschedules_of_many() -> Value {
    json!({
        "ids": {
            "summary": "By id, a minute from now",
            "value": { "ids": ["order-7:remind", "order-8:remind"], "delayInSeconds": 60 }
        },
        "filter": {
            "summary": "By filter, to a time",
            "value": { "filter": { "tag": "orders" }, "time": 1_924_362_000_000_i64 }
        }
    })
}

/// Returns changes of single fields.
pub(super) fn patches() -> Value {
    json!({
        "fields": { "summary": "Another text, and no tags", "value": { "description": "Remind them again", "tags": null } },
        "schedule": { "summary": "Another schedule", "value": { "cron": "0 10 * * MON-FRI", "timezone": "Europe/London" } }
    })
}

/// Returns messages of the Model Context Protocol.
pub(super) fn mcp() -> Value {
    json!({
        "list": {
            "summary": "List the tools",
            "value": { "jsonrpc": "2.0", "id": 1, "method": "tools/list" }
        },
        "call": {
            "summary": "Call a tool",
            "value": {
                "jsonrpc": "2.0",
                "id": 2,
                "method": "tools/call",
                "params": { "name": "find_tasks", "arguments": { "status": "paused" } }
            }
        }
    })
}
