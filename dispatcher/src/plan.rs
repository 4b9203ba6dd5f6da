//! From the text of a message to the tasks to run.

use crate::outcome::{Tally, TaskError};
use crate::text::{ascii_line, header_value};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::{Envelope, EnvelopeError};
use scheduler_model::namespace::{Namespace, ShardName};
use scheduler_model::retry::{RetryInput, RetryPolicy};
use scheduler_model::task::{
    Body, Callback, DurableObject, Message, Record, Service, Webhook, for_request,
};
use std::borrow::Cow;

/// An envelope, ready to run.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The shard that gets the report.
    pub(crate) shard: ShardName,
    /// The tasks that can be run, in the envelope's order.
    pub(crate) jobs: Vec<Job<'a>>,
    /// What is already known: the tasks that were stopped since they were dispatched, and the
    /// records that cannot be read.
    pub(crate) tally: Tally,
}

/// One task to run.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// The namespace of its task.
    pub(crate) namespace: Namespace,
    /// Its place in the envelope.
    pub(crate) index: u32,
    /// The record's JSON, as the envelope has it.
    pub(crate) text: &'a str,
    /// The record.
    pub(crate) record: Record<'a>,
    /// When the task was due; for a recurring task, the occurrence.
    pub(crate) time: UnixMillis,
    /// The destination that it counts for.
    pub(crate) destination: String,
    /// What to run.
    pub(crate) work: Work<'a>,
}

/// The callbacks that a dispatcher runs.
#[derive(Debug)]
pub(crate) enum Work<'a> {
    /// A request to a URL.
    Webhook(Webhook<'a>),
    /// A call of another Worker.
    Service(Service<'a>),
    /// A call of a Durable Object.
    DurableObject(DurableObject<'a>),
    /// The function registered under this name.
    Handler(Cow<'a, str>),
}

/// Why a message cannot be run at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// The body is not text.
    #[error("the body is not text; envelopes are sent with the content type text")]
    NotText,
    /// The text is no envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Its outcomes could not be reported.
    #[error("the envelope's shard is {0:?}, which is not a shard's name like 1-3")]
    Shard(String),
}

impl<'a> Plan<'a> {
    /// Reads a message. A record that cannot be read fails alone, for good: it will not read better
    /// the next time.
    ///
    /// # Errors
    /// When there is no envelope in it, or none whose outcomes could be reported.
    pub(crate) fn read(text: &'a str) -> Result<Self, PlanError> {
        let envelope = Envelope::parse(text)?;
        let shard: ShardName = envelope
            .shard
            .parse()
            .map_err(|_| PlanError::Shard(envelope.shard.chars().take(64).collect()))?;
        let mut jobs = Vec::with_capacity(envelope.tasks.len());
        let mut tally = Tally::new(envelope.seq).of_firing(envelope.fired_at);
        for (index, task) in (0u32..).zip(&envelope.tasks) {
            if envelope.skip.contains(&index) {
                tally.add_not_started(index);
                continue;
            }
            match Job::read(shard.namespace.clone(), index, task.get()) {
                Ok(job) => jobs.push(job),
                Err(problem) => tally.add_unreadable(index, &problem),
            }
        }
        Ok(Self { shard, jobs, tally })
    }
}

impl<'a> Job<'a> {
    fn read(namespace: Namespace, index: u32, text: &'a str) -> Result<Self, TaskError> {
        let record = Record::parse(text.as_bytes()).map_err(|problem| {
            TaskError::permanent(format!("the record cannot be read: {problem}"))
        })?;
        let time = record
            .time
            .ok_or_else(|| TaskError::permanent("the record cannot be read: it has no time"))?;
        let callback = Callback::parse(record.callback.get()).map_err(|problem| {
            TaskError::permanent(format!("the record cannot be read: {problem}"))
        })?;
        let destination = callback.destination().unwrap_or_default();
        let work = match callback {
            Callback::Webhook(webhook) => Work::Webhook(webhook),
            Callback::Service(service) => Work::Service(service),
            Callback::DurableObject(object) => Work::DurableObject(object),
            Callback::Handler { name } => Work::Handler(name),
            Callback::Queue { .. } => {
                return Err(TaskError::permanent(
                    "a queue callback was sent to the dispatcher, which runs all other callbacks only",
                ));
            }
        };
        Ok(Self { namespace, index, text, record, time, destination, work })
    }

    /// Returns the value of the header `Idempotency-Key`: the occurrence key, percent-encoded where
    /// a header could not carry it.
    pub(crate) fn idempotency_key(&self) -> String {
        header_value(&self.record.occurrence_key().to_string())
    }

    /// Returns what a request sends, and the type of that; nothing with a method that has no body.
    /// It is the same on every attempt of a run: what differs is in [`Job::attempt_headers`].
    pub(crate) fn content<'m>(
        &self,
        message: &'m Message<'_>,
    ) -> Option<(Cow<'m, str>, &'static str)> {
        message.method.has_body().then(|| match &message.body {
            None => (Cow::Owned(for_request(self.text)), "application/json"),
            Some(Body::Json(json)) => (Cow::Borrowed(*json), "application/json"),
            Some(Body::Text(text)) => (Cow::Borrowed(text.as_ref()), "text/plain;charset=utf-8"),
        })
    }

    /// Returns the headers of a request that say which attempt it is.
    pub(crate) fn attempt_headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let record = &self.record;
        let time = |at: Option<UnixMillis>| at.map(|at| at.to_string());
        let headers = [
            ("scheduler-attempt", Some(record.attempt_number().to_string())),
            ("scheduler-last-error", record.error.as_deref().map(ascii_line)),
            ("scheduler-failed-at", time(record.failed_at)),
            ("scheduler-replayed-at", time(record.replayed_at)),
        ];
        headers.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// Returns the task's policy; the default where it has none, or one that an older deployment
    /// wrote and this one does not understand.
    pub(crate) fn policy(&self) -> RetryPolicy {
        let given = self
            .record
            .retry
            .and_then(|retry| serde_json::from_str::<RetryInput>(retry.get()).ok());
        given.and_then(|input| RetryPolicy::try_from(input).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(shard: &str, tasks: &[&str]) -> String {
        format!(r#"{{"v":1,"shard":"{shard}","seq":42,"firedAt":5,"tasks":[{}]}}"#, tasks.join(","))
    }

    #[test]
    fn bad_records_fail_alone_and_for_good() {
        let text = envelope(
            "1-3",
            &[
                r#"{"time":5,"id":"a","callback":{"type":"handler","name":"log"}}"#,
                r#"{"time":5,"callback":{"type":"handler","name":"log"}}"#,
                r#"{"time":5,"id":"b ä","callback":{"type":"webhook","url":"https://a.example"},"payload":{"n": 1},"attempt":2}"#,
                r#"{"time":5,"id":"c","callback":{"type":"email"}}"#,
                r#"{"id":"d","callback":{"type":"handler","name":"log"}}"#,
                r#"{"time":5,"id":"e","callback":{"type":"queue","queue":"FIRED_TASKS"}}"#,
                "17",
                r#"{"time":6,"id":"f","callback":{"type":"handler","name":"noop"},"ofALaterVersion":1}"#,
            ],
        );
        let plan = Plan::read(&text).unwrap();
        assert_eq!(plan.shard.to_string(), "1-3");
        assert_eq!(plan.jobs.iter().map(|job| job.index).collect::<Vec<_>>(), [0, 2, 7]);
        assert_eq!(plan.jobs[1].idempotency_key(), "b%20%C3%A4@5");
        assert_eq!(plan.jobs[1].record.attempt_number(), 2);
        assert!(
            plan.jobs[1].text.contains(r#""payload":{"n": 1}"#),
            "the record's text is kept as it is"
        );
        let report = plan.tally.into_report(UnixMillis::ZERO);
        assert_eq!(report.seq, 42);
        assert_eq!(
            report.failed.iter().map(|failure| failure.index).collect::<Vec<_>>(),
            [1, 3, 4, 5, 6]
        );
        assert!(report.failed.iter().all(|failure| failure.permanent && !failure.error.is_empty()));
        assert!(report.failed[1].error.contains("callback.type"), "{}", report.failed[1].error);
    }

    #[test]
    fn what_was_stopped_since_is_not_started() {
        let task = |id: &str| {
            format!(r#"{{"time":5,"id":"{id}","callback":{{"type":"handler","name":"log"}}}}"#)
        };
        let text = envelope("1-3", &[&task("a"), &task("b"), "17", &task("c")]);
        let text = String::from_utf8(scheduler_model::format::envelope::with_skip(
            text.as_bytes(),
            &[0, 2],
        ))
        .unwrap();
        let plan = Plan::read(&text).unwrap();
        assert_eq!(plan.jobs.iter().map(|job| job.index).collect::<Vec<_>>(), [1, 3]);
        let report = plan.tally.into_report(UnixMillis::ZERO);
        assert_eq!((report.not_started, report.failed.len()), (vec![0, 2], 0));
    }

    #[test]
    fn a_request_sends_the_record_or_what_is_given_in_its_place() {
        let record = |callback: &str| format!(r#"{{"time":5,"id":"a","callback":{callback}}}"#);
        let json = Some("application/json");
        for (more, content, content_type) in [
            ("", None, json),
            (r#","method":"PATCH","body":{"a": 1}"#, Some(r#"{"a": 1}"#), json),
            (r#","body":"a=\u00e4""#, Some("a=ä"), Some("text/plain;charset=utf-8")),
            (r#","body":"""#, Some(""), Some("text/plain;charset=utf-8")),
            (r#","method":"GET""#, Some(""), None),
            (r#","method":"DELETE""#, Some(""), None),
        ] {
            let text = record(&format!(r#"{{"type":"webhook","url":"https://a.example"{more}}}"#));
            let job = Job::read(Namespace::DEFAULT, 0, &text).unwrap();
            let Work::Webhook(webhook) = &job.work else { panic!("{more}") };
            let sent = job.content(&webhook.message);
            assert_eq!(
                sent.as_ref().map(|(_, content_type)| *content_type),
                content_type,
                "{more}"
            );
            let sent = sent.map_or(Cow::Borrowed(""), |(content, _)| content);
            assert_eq!(sent, content.unwrap_or(&text), "{more}");
        }
    }

    #[test]
    fn what_differs_between_attempts_is_in_headers() {
        let record = |more: &str| {
            format!(
                r#"{{"time":5,"id":"a","callback":{{"type":"webhook","url":"https://a.example","headers":{{"x-api-key":"secret"}}}}{more}}}"#
            )
        };
        let (first, later) = (
            record(""),
            record(r#","attempt":2,"failedAt":7,"error":"HTTP 503:\nsp\u00e4t","replayedAt":9"#),
        );
        let read = |text| Job::read(Namespace::DEFAULT, 0, text).unwrap();
        let sent = |job: &Job<'_>| {
            let Work::Webhook(webhook) = &job.work else { panic!("it is a webhook") };
            let (body, _) = job.content(&webhook.message).unwrap();
            (body.into_owned(), job.idempotency_key())
        };
        assert_eq!(sent(&read(&first)), sent(&read(&later)));
        assert!(!sent(&read(&first)).0.contains("secret"));
        let headers = |text| read(text).attempt_headers().collect::<Vec<_>>();
        assert_eq!(headers(&first), [("scheduler-attempt", "1".to_owned())]);
        assert_eq!(
            headers(&later).iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
            ["2", "HTTP 503: sp?t", "7", "9"]
        );
    }

    #[test]
    fn a_policy_is_the_tasks_own() {
        let policy = |retry: &str| {
            let text = format!(
                r#"{{"time":5,"id":"a","callback":{{"type":"handler","name":"log"}}{retry}}}"#
            );
            Job::read(Namespace::DEFAULT, 0, &text).unwrap().policy()
        };
        assert!(policy(r#","retry":{"permanentStatuses":[404]}"#).is_permanent(404));
        for other in ["", r#","retry":{"maxAttempts":0}"#, r#","retry":{"ofALaterVersion":1}"#] {
            assert_eq!(policy(other), RetryPolicy::default(), "{other}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        for text in ["", "x", "{}", r#"{"v":9,"shard":"1-3","seq":1,"firedAt":0,"tasks":[]}"#] {
            assert!(matches!(Plan::read(text), Err(PlanError::Envelope(_))), "{text}");
        }
        for shard in ["", "3", "1-x", "-1-3", "1-99999999"] {
            assert!(
                matches!(Plan::read(&envelope(shard, &[])), Err(PlanError::Shard(_))),
                "{shard}"
            );
        }
        assert!(Plan::read(&envelope("1-3", &[])).unwrap().jobs.is_empty());
        assert_eq!(
            Plan::read(&envelope("team-7:1-3", &[])).unwrap().shard.to_string(),
            "team-7:1-3"
        );
    }
}
