//! Parses a message into the tasks to run.

use crate::outcome::{Tally, TaskError};
use crate::text::{ascii_line, header_value};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::{Envelope, EnvelopeError};
use scheduler_model::namespace::{Namespace, ShardName};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::retry::{RetryInput, RetryPolicy};
use scheduler_model::task::{
    Body, Callback, DurableObject, Message, Record, Service, Webhook, for_request,
};
use std::borrow::Cow;

/// An envelope that is ready to run.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The shard that receives the report.
    pub(crate) shard: ShardName,
    /// The tasks that can run, in the envelope's order.
    pub(crate) jobs: Vec<Job<'a>>,
    /// The outcomes that are already known: tasks that were stopped after their dispatch, and
    /// records that cannot be parsed.
    pub(crate) tally: Tally,
}

/// One task to run.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// The namespace of the task.
    pub(crate) namespace: Namespace,
    /// The index of the task in the envelope.
    pub(crate) index: u32,
    /// The record's JSON as it is in the envelope.
    pub(crate) text: &'a str,
    /// The parsed record.
    pub(crate) record: Record<'a>,
    /// The time at which the task was due; of a recurring task, the time of the occurrence.
    pub(crate) time: UnixMillis,
    /// The destination whose limits and circuit the task counts for.
    pub(crate) destination: String,
    /// The callback to run.
    pub(crate) work: Work<'a>,
}

/// The callbacks that the dispatcher runs.
#[derive(Debug)]
pub(crate) enum Work<'a> {
    /// A request to a URL.
    Webhook(Webhook<'a>),
    /// A call of another Worker.
    Service(Service<'a>),
    /// A call of a Durable Object.
    DurableObject(DurableObject<'a>),
    /// The handler with this name.
    Handler(Cow<'a, str>),
}

/// Why none of a message's tasks can run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// The body is not text.
    #[error("the body is not text; envelopes are sent with the content type text")]
    NotText,
    /// The text is not an envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The envelope names no shard to report to.
    #[error("the envelope's shard is {0:?}, which is not a shard's name like 1-3")]
    Shard(String),
}

impl<'a> Plan<'a> {
    /// Parses a message. A record that cannot be parsed fails alone, and permanently, because
    /// another attempt would read the same text.
    ///
    /// # Errors
    /// Returns an error if the text is not an envelope, or if the envelope names no valid shard.
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
                Ok(job) => {
                    tally.open(index);
                    jobs.push(job);
                }
                Err(problem) => tally.add_unreadable(index, &problem),
            }
        }
        Ok(Self { shard, jobs, tally })
    }
}

impl Plan<'_> {
    /// Returns the number of the envelope.
    pub(crate) fn seq(&self) -> EnvelopeSeq {
        self.tally.seq()
    }

    /// Keeps the tasks that the delivery with this number runs, from 1, and returns the others to
    /// the shard: see [`share_of_delivery`]. From [`HOPELESS_DELIVERY`] on, a handler does not run,
    /// and its attempt fails. Other targets run outside of the program and cannot end it.
    pub(crate) fn narrow(&mut self, delivery: u32) {
        let kept = share_of_delivery(self.jobs.len(), delivery);
        for job in self.jobs.drain(kept..) {
            self.tally.add_not_started(job.index);
        }
        if delivery >= HOPELESS_DELIVERY
            && let Some(job) = self.jobs.pop_if(|job| matches!(job.work, Work::Handler(_)))
        {
            let problem = TaskError::retry(format!(
                "its message was delivered {} times, and no dispatcher has reported it; the handler may use too much memory or CPU time",
                delivery - 1
            ));
            self.tally.add_fatal(job.index, &problem);
        }
    }

    /// Returns whether both are the same envelope, which the shard has sent twice.
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        self.shard == other.shard && self.tally.is_of_same_firing(&other.tally)
    }
}

/// The number of deliveries of a message that run all its tasks. More than one, because a
/// dispatcher may end by accident.
const FULL_DELIVERIES: u32 = 2;

/// The first delivery of a message that runs no handler. Otherwise a handler that ends every
/// dispatcher would run without end. The number of a delivery does not prove that the handler was
/// ever started: a deployment that cannot start fails deliveries too. So this is high. The queue
/// waits for `retry_delay`, five seconds, before each delivery, so nothing fails because the
/// dispatchers did not work for less than five minutes. A message has 101 deliveries in all
/// (`max_retries` in wrangler.toml).
const HOPELESS_DELIVERY: u32 = 61;

/// Returns how many of `tasks` the delivery with this number runs. The queue delivers a message
/// again if its dispatcher has ended without a report, for its memory or CPU time. Each further
/// delivery runs an eighth of the tasks of the previous one, but at least one task. So a task that
/// ends dispatchers soon delays no others.
fn share_of_delivery(tasks: usize, delivery: u32) -> usize {
    let shift = delivery.saturating_sub(FULL_DELIVERIES).saturating_mul(3);
    tasks.checked_shr(shift).unwrap_or(0).max(1).min(tasks)
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
                    "the dispatcher received a queue callback, which only the shard can send",
                ));
            }
        };
        Ok(Self { namespace, index, text, record, time, destination, work })
    }

    /// Returns the value of the header `Idempotency-Key`: the occurrence key, with the characters
    /// that a header cannot carry percent-encoded.
    pub(crate) fn idempotency_key(&self) -> String {
        header_value(&self.record.occurrence_key().to_string())
    }

    /// Returns the body of a request and its content type, or `None` if the method has no body. The
    /// body is the same on every attempt of a run; [`Job::attempt_headers`] has what differs.
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

    /// Returns the headers of a request that describe its attempt.
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

    /// Returns the task's policy. It returns the default if the task has none, or if another
    /// deployment wrote a policy that this one cannot parse.
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
    fn a_message_that_ends_its_dispatchers_is_soon_run_task_by_task() {
        for (tasks, shares) in [(100, [100, 100, 12, 1, 1]), (7, [7, 7, 1, 1, 1]), (0, [0; 5])] {
            let of = |delivery| share_of_delivery(tasks, delivery);
            assert_eq!([1, 2, 3, 4, 100].map(of), shares, "{tasks}");
            assert_eq!(of(0), tasks);
            assert_eq!(of(u32::MAX), tasks.min(1));
        }
        let task = r#"{"time":5,"id":"a","callback":{"type":"handler","name":"log"}}"#;
        let text = envelope("1-3", &["1", task, task, task, task]);
        let mut plan = Plan::read(&text).unwrap();
        plan.narrow(3);
        assert_eq!(plan.jobs.iter().map(|job| job.index).collect::<Vec<_>>(), [1]);
        let report = plan.tally.into_report(UnixMillis::ZERO);
        assert_eq!((report.failed.len(), report.not_started), (1, vec![2, 3, 4]));
    }

    #[test]
    fn a_handler_that_ends_every_dispatcher_fails_its_attempt() {
        let handler = r#"{"time":5,"id":"a","callback":{"type":"handler","name":"log"}}"#;
        let webhook =
            r#"{"time":5,"id":"b","callback":{"type":"webhook","url":"https://a.example"}}"#;
        for (tasks, delivery, runs, failed, returned) in [
            ([handler, webhook], 60, vec![0], vec![], vec![1]),
            ([handler, webhook], 61, vec![], vec![0], vec![1]),
            ([webhook, handler], 61, vec![0], vec![], vec![1]),
            ([webhook, handler], u32::MAX, vec![0], vec![], vec![1]),
        ] {
            let text = envelope("1-3", &tasks);
            let mut plan = Plan::read(&text).unwrap();
            plan.narrow(delivery);
            assert_eq!(plan.jobs.iter().map(|job| job.index).collect::<Vec<_>>(), runs);
            // A program that ends now reports each of them once.
            let last = plan.tally.clone().into_last_report(9, &TaskError::retry(""));
            assert_eq!(last.not_started, [runs, returned.clone()].concat());
            let report = plan.tally.into_report(UnixMillis::ZERO);
            assert_eq!(report.not_started, returned);
            assert_eq!(report.failed.iter().map(|of| of.index).collect::<Vec<_>>(), failed);
            for failure in report.failed {
                assert!(!failure.permanent);
                assert!(failure.error.contains("delivered 60 times"), "{}", failure.error);
            }
        }
        let text = envelope("1-3", &[]);
        let mut empty = Plan::read(&text).unwrap();
        empty.narrow(61);
        assert!(empty.jobs.is_empty());
    }

    #[test]
    fn bad_records_fail_alone_and_permanently() {
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
            "the record's text is unchanged"
        );
        let report = plan.tally.into_report(UnixMillis::ZERO);
        assert_eq!(report.seq.get(), 42);
        assert_eq!(
            report.failed.iter().map(|failure| failure.index).collect::<Vec<_>>(),
            [1, 3, 4, 5, 6]
        );
        assert!(report.failed.iter().all(|failure| failure.permanent && !failure.error.is_empty()));
        assert!(report.failed[1].error.contains("callback.type"), "{}", report.failed[1].error);
    }

    #[test]
    fn stopped_tasks_are_not_started() {
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
    fn a_request_sends_the_record_or_the_given_body() {
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
    fn headers_describe_the_attempt() {
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
            let Work::Webhook(webhook) = &job.work else { panic!("not a webhook") };
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
    fn a_task_has_its_own_policy_or_the_default() {
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
    fn a_text_without_a_valid_envelope_is_refused() {
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
