//! Writes request bodies without a serializer, because on two cores the client's own cost is part
//! of the measurement.

use std::fmt::Write;

use crate::ledger::{Kind, Via};
use crate::plan::Planned;

/// Writes tasks as JSON.
#[derive(Clone, Debug)]
pub(crate) struct TaskWriter {
    run: u64,
    consumer: String,
    webhook: String,
    padding: String,
    payload_bytes: usize,
}

impl TaskWriter {
    /// Returns a writer for the tasks of a run. Queue tasks use the binding `queue`, and webhooks
    /// go to `sink_port`.
    pub(crate) fn new(run: u64, queue: &str, sink_port: u16, payload_bytes: u32) -> Self {
        let queue = serde_json::Value::from(queue);
        let payload_bytes = payload_bytes as usize;
        Self {
            run,
            consumer: format!(r#"{{"type":"queue","queue":{queue}}}"#),
            webhook: format!(r#"{{"type":"webhook","url":"http://127.0.0.1:{sink_port}/hook"}}"#),
            padding: "x".repeat(payload_bytes),
            payload_bytes,
        }
    }

    /// Appends the task with entry number `n`. `id` is absent if the server generates the id, or if
    /// the path has it.
    pub(crate) fn write(&self, out: &mut String, n: u32, id: Option<&str>, task: &Planned) {
        out.push('{');
        if let Some(id) = id {
            // A task's own id has only letters, digits and dashes (see `Plan::own_id`). Generated
            // ids are not sent.
            self.append(out, format_args!(r#""id":"{id}","#));
        }
        match task.kind {
            Kind::Once => self.append(out, format_args!(r#""time":{},"#, task.due)),
            Kind::Cron { step: 1_000 } => out.push_str(r#""cron":"* * * * * *","#),
            Kind::Cron { step } => {
                self.append(out, format_args!(r#""cron":"*/{} * * * * *","#, step / 1_000))
            }
        }
        out.push_str(r#""callback":"#);
        out.push_str(match task.via {
            Via::Consumer => &self.consumer,
            Via::Webhook => &self.webhook,
            Via::HandlerNoop => r#"{"type":"handler","name":"noop"}"#,
        });
        out.push_str(r#","payload":"#);
        self.payload(out, n);
        out.push('}');
    }

    fn payload(&self, out: &mut String, n: u32) {
        const PAD: &str = r#","pad":""#;
        let from = out.len();
        self.append(out, format_args!(r#"{{"run":{},"n":{n}"#, self.run));
        let written = out.len() - from + PAD.len() + 2;
        if let Some(padding) =
            self.payload_bytes.checked_sub(written).and_then(|missing| self.padding.get(..missing))
        {
            out.push_str(PAD);
            out.push_str(padding);
            out.push('"');
        }
        out.push('}');
    }

    fn append(&self, out: &mut String, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = out.write_fmt(text);
    }
}

/// Returns a batch body, an array or NDJSON, of `items` items that `write` appends one by one.
pub(crate) fn batch(
    items: usize,
    ndjson: bool,
    mut write: impl FnMut(&mut String, usize),
) -> String {
    let mut out = String::with_capacity(items * 200);
    let separator = if ndjson { '\n' } else { ',' };
    if !ndjson {
        out.push('[');
    }
    for item in 0..items {
        if item > 0 {
            out.push(separator);
        }
        write(&mut out, item);
    }
    out.push(if ndjson { '\n' } else { ']' });
    out
}

/// Returns the content type of a batch body.
pub(crate) fn content_type(ndjson: bool) -> &'static str {
    if ndjson { "application/x-ndjson" } else { "application/json" }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn task(kind: Kind, via: Via) -> Planned {
        Planned { kind, via, due: 17, change: None }
    }

    fn written(id: Option<&str>, task: &Planned, payload_bytes: u32) -> Value {
        let mut out = String::new();
        TaskWriter::new(5, "A\"B", 8790, payload_bytes).write(&mut out, 3, id, task);
        serde_json::from_str(&out).unwrap()
    }

    #[test]
    fn tasks_are_written_in_the_form_of_the_api() {
        assert_eq!(
            written(Some("a"), &task(Kind::Once, Via::Consumer), 0),
            json!({"id":"a","time":17,"callback":{"type":"queue","queue":"A\"B"},"payload":{"run":5,"n":3}})
        );
        assert_eq!(
            written(None, &task(Kind::Cron { step: 2_000 }, Via::Webhook), 0),
            json!({"cron":"*/2 * * * * *","callback":{"type":"webhook","url":"http://127.0.0.1:8790/hook"},
                   "payload":{"run":5,"n":3}})
        );
        let noop = written(None, &task(Kind::Cron { step: 1_000 }, Via::HandlerNoop), 0);
        assert_eq!(noop["cron"], "* * * * * *");
        assert_eq!(noop["callback"], json!({"type":"handler","name":"noop"}));
    }

    #[test]
    fn the_payload_has_the_requested_size() {
        for bytes in [40, 64, 1_000, 65_536] {
            let value = written(None, &task(Kind::Once, Via::Consumer), bytes);
            // serde_json writes the keys in another order, but also without spaces, so the length
            // is the same.
            assert_eq!(value["payload"].to_string().len(), bytes as usize);
        }
    }

    #[test]
    fn batches_are_arrays_or_lines() {
        let numbers = |ndjson| batch(3, ndjson, |out, item| out.push_str(&item.to_string()));
        assert_eq!((numbers(false).as_str(), numbers(true).as_str()), ("[0,1,2]", "0\n1\n2\n"));
    }
}
