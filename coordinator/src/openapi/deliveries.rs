//! Describes what the scheduler sends when a task fires: requests of webhooks, and messages in
//! queues.

use super::tags::DELIVERIES;
use scheduler_model::task::{Record, for_consumer, for_request};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

/// A task as the body of a webhook: the same on every attempt. `callback`, `onSuccess` and
/// `onFailure` have no `headers`.
#[derive(JsonSchema)]
#[schemars(transform = as_sent)]
#[expect(dead_code, reason = "only its schema is used")]
struct DeliveredTask {
    #[schemars(flatten)]
    record: Record<'static>,
}

/// A task in a message: `onSuccess` and `onFailure` have no `headers`.
#[derive(JsonSchema)]
#[schemars(transform = as_queued)]
#[expect(dead_code, reason = "only its schema is used")]
struct QueuedTask {
    #[schemars(flatten)]
    record: Record<'static>,
}

/// A message in a queue of your own: tasks that fired together. It is JSON text.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct Envelope {
    /// The version of this format. Refuse a message of another version.
    #[schemars(extend("const" = 1))]
    v: u32,
    /// The shard that sent the message: epoch and index.
    shard: String,
    /// The number of the message in its shard. A message that is sent again has the same number.
    seq: u64,
    /// When the shard fired the tasks, milliseconds since 1970.
    fired_at: i64,
    /// The tasks, in the order in which they fired.
    #[schemars(length(min = 1))]
    tasks: Vec<QueuedTask>,
}

/// Removes the members of a record that a request does not send.
fn as_sent(schema: &mut Schema) {
    keep(schema, for_request);
}

/// Removes the members of a record that a message does not have.
fn as_queued(schema: &mut Schema) {
    keep(schema, |record| for_consumer(record).into_owned());
}

fn keep(schema: &mut Schema, delivered: impl Fn(&str) -> String) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| delivered(&format!("{{\"{name}\":{{}}}}")) != "{}");
    }
}

/// Returns what the scheduler sends, as the webhooks of the document.
pub(super) fn webhooks(generator: &mut SchemaGenerator) -> Value {
    let header = |name: &str, required: bool, description: &str| json!({ "name": name, "in": "header", "required": required, "description": description, "schema": { "type": "string" } });
    json!({
        "task": { "post": {
            "operationId": "deliverTask",
            "tags": [DELIVERIES.0],
            "summary": "A task fires, and its target is a webhook",
            "description": "The request of a callback of type `webhook`, of `callback`, `onSuccess` or `onFailure`. Method, headers and body are \
                those of the callback; without a `body`, the body is the task, which is the same on every attempt. Delivery is at least once: recognize a repeat by `Idempotency-Key`.",
            "security": [],
            "parameters": [
                header("Idempotency-Key", true, "`<id>@<time>`, the same on every attempt at the run; a follow-up adds `/onSuccess` or `/onFailure`. Characters other than visible ASCII are percent-encoded."),
                header("Scheduler-Attempt", true, "The number of the attempt, from 1."),
                header("Scheduler-Last-Error", false, "The error of the previous attempt, cut to 256 characters, with `?` for each that is not ASCII."),
                header("Scheduler-Failed-At", false, "When the previous attempt failed, milliseconds since 1970."),
                header("Scheduler-Replayed-At", false, "When a run of it was requested, milliseconds since 1970."),
                header("webhook-id", false, "The id of the message of Standard Webhooks, the same on every attempt. Only if the deployment has signing keys."),
                header("webhook-timestamp", false, "When the attempt was sent, seconds since 1970. Only if the deployment has signing keys."),
                header("webhook-signature", false, "The signatures of Standard Webhooks, one for each key. Only if the deployment has signing keys."),
                header("Scheduler-Namespace", false, "The namespace of the task. Only if the deployment has signing keys."),
            ],
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": generator.subschema_for::<DeliveredTask>() } }
            },
            "responses": {
                "2XX": { "description": "The run has succeeded. The body is not read." },
                "410": { "description": "The run has failed for good: it is not retried, and becomes a dead letter." },
                "4XX": { "description": "The attempt has failed. It is retried as `retry` says, unless `permanentStatuses` has the status." },
                "5XX": { "description": "The attempt has failed, and is retried as `retry` says." }
            }
        } },
        "message": { "post": {
            "operationId": "deliverMessage",
            "tags": [DELIVERIES.0],
            "summary": "Tasks fire, and their target is a queue",
            "description": "Not a request: the message that the scheduler sends to the queue of a callback of type `queue`. Your consumer reads the \
                text of the message as JSON. Delivery is at least once: recognize a repeat by the `id` and `time` of each task.",
            "security": [],
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": generator.subschema_for::<Envelope>() } }
            },
            "responses": {
                "2XX": { "description": "Your consumer acknowledges the message." },
                "4XX": { "description": "Your consumer does not acknowledge the message: the queue delivers it again." }
            }
        } }
    })
}
