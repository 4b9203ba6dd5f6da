//! Refusals: what is answered as `application/problem+json` (RFC 9457).

mod types;

pub(crate) use types::ProblemType;

use scheduler_model::access::{Denied, NAMESPACE_HEADER};
use scheduler_model::address::task_path;
use scheduler_model::bounds::{
    MAX_ID_BYTES, MAX_LIMIT_KEY_BYTES, MAX_PROBLEM_BYTES, MAX_RECORD_BYTES, MAX_RUNS_OF_A_TASK,
};
use scheduler_model::input::{FieldError, cut};
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::Change;
use serde::Serialize;
use std::time::Duration;

/// Retry delay after a full shard refused a request, in seconds. Room appears only when tasks fire
/// or are cancelled.
const FULL_RETRY_SECONDS: u32 = 60;

/// A refusal, as RFC 9457 writes it. `type` is a stable name for programs, `detail` is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    #[serde(flatten)]
    pub(crate) kind: ProblemType,
    pub(crate) detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip)]
    pub(crate) retry_after_seconds: Option<u32>,
    /// The methods that the path takes.
    #[serde(skip)]
    pub(crate) allow: Option<String>,
}

impl Problem {
    fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        // It may repeat what the caller has sent.
        let detail = cut(detail.into(), MAX_PROBLEM_BYTES).into_owned();
        Self { kind, detail, field: None, retry_after_seconds: None, allow: None }
    }

    /// A field of the request does not hold.
    pub(crate) fn invalid(error: FieldError) -> Self {
        let detail = error.to_string();
        Self { field: Some(error.field.into_owned()), ..Self::new(ProblemType::Invalid, detail) }
    }

    /// The header has a condition that cannot be kept here.
    pub(crate) fn condition_refused(header: &'static str, detail: &str) -> Self {
        let detail = format!("{header} {detail}");
        Self { field: Some(header.to_owned()), ..Self::new(ProblemType::ConditionRefused, detail) }
    }

    /// Every task of a batch is invalid. `first` is the error of the first one, at the index `at`
    /// and, if the body has an item a line, in `line`.
    pub(crate) fn batch_rejected(
        rejected: usize,
        at: usize,
        line: Option<usize>,
        first: &FieldError,
    ) -> Self {
        let tasks =
            if rejected == 1 { "the task".to_owned() } else { format!("all {rejected} tasks") };
        let of_line = line.map(|line| format!(" in line {line}")).unwrap_or_default();
        let dot = if first.field.starts_with('[') { "" } else { "." };
        // A body of lines is no list, so no path leads to an item.
        let field = match (line, first.field.as_ref()) {
            (Some(_), field) => field.to_owned(),
            (None, "body") => format!("[{at}]"),
            (None, field) => format!("[{at}]{dot}{field}"),
        };
        let detail = format!(
            "refused {tasks}, see results; the first error is{of_line}: {field} {}",
            first.detail
        );
        Self { field: Some(field), ..Self::new(ProblemType::BatchRejected, detail) }
    }

    /// The body did not arrive in time.
    pub(crate) fn slow_body(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::SlowBody, detail)
    }

    /// A path that cannot be decoded.
    pub(crate) fn malformed_path(path: &str, problem: &str) -> Self {
        let detail = format!("the path {:?} {problem}", cut(path, 100));
        Self::new(ProblemType::MalformedPath, detail)
    }

    /// The body is larger than the route takes.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!(
            "the body is longer than {limit} bytes, which is the limit of this route: send less, or several requests"
        );
        Self::new(ProblemType::TooLarge, detail)
    }

    /// No or a wrong API key.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Unauthorized, detail)
    }

    /// The address has sent too many wrong API keys.
    pub(crate) fn guessing() -> Self {
        let detail = "too many wrong API keys have come from this address; wait a second before the next one. A right one of 24 bytes or more is let in all the same";
        let problem = Self::new(ProblemType::Guessing, detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// The API key may not do this, or not there.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Forbidden, detail)
    }

    /// No such API key.
    pub(crate) fn no_key(id: &str) -> Self {
        let detail = format!("there is no key {:?} (any more)", cut(id, 64));
        Self::new(ProblemType::NoKey, detail)
    }

    /// No such namespace.
    pub(crate) fn no_namespace(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::NoNamespace, detail)
    }

    /// No limit for this key.
    pub(crate) fn no_limit(key: &str) -> Self {
        let detail = format!(
            "the key {:?} has no limit (any more); set one with PUT",
            cut(key, MAX_LIMIT_KEY_BYTES)
        );
        Self::new(ProblemType::NoLimit, detail)
    }

    /// A namespace with tasks in it.
    pub(crate) fn not_empty(name: &str, tasks: u64) -> Self {
        let detail = format!(
            "the namespace {name:?} holds {}, those that run and dead letters among them; cancel them or wait until they are done",
            if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") }
        );
        Self::new(ProblemType::NotEmpty, detail)
    }

    /// As many keys, namespaces or limits as there may be.
    pub(crate) fn too_many(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::TooMany, detail)
    }

    /// An `Idempotency-Key` that stands for another request.
    pub(crate) fn key_reused(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::KeyReused, detail)
    }

    /// A quota is used up; without `retry_after_seconds`, the request never fits it.
    pub(crate) fn quota(detail: impl Into<String>, retry_after_seconds: Option<u32>) -> Self {
        Self { retry_after_seconds, ..Self::new(ProblemType::Quota, detail) }
    }

    /// As many follow the events as may.
    pub(crate) fn too_many_readers(detail: impl Into<String>, retry_after_seconds: u32) -> Self {
        let problem = Self::new(ProblemType::TooManyReaders, detail);
        Self { retry_after_seconds: Some(retry_after_seconds), ..problem }
    }

    /// No such path.
    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        let path = cut(path, 100);
        Self::new(
            ProblemType::NoRoute,
            format!("{method} {path}: see /openapi.json for what there is"),
        )
    }

    /// The path does not take the method. `hint` says what the caller may mean.
    pub(crate) fn no_method(method: &str, path: &str, allowed: String, hint: Option<&str>) -> Self {
        let path = cut(path, 100);
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        let detail =
            format!("{path} does not take {method}; it takes {allowed}{hint}; see /openapi.json");
        let problem = Self::new(ProblemType::NoMethod, detail);
        Self { allow: Some(allowed), ..problem }
    }

    /// No such task.
    pub(crate) fn no_task(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "there is no task {id:?} (any more): it was never created, was cancelled, or has fired; GET {}/runs tells how \
             attempts at it went",
            task_path(&id)
        );
        Self::new(ProblemType::NoTask, detail)
    }

    /// Names the namespace in which something was not found.
    pub(crate) fn in_namespace(self, namespace: &Namespace) -> Self {
        match self.kind {
            ProblemType::NoTask | ProblemType::NoDeadLetter => {
                let detail = format!(
                    "{}. The namespace of the request is {:?}",
                    self.detail,
                    namespace.as_str()
                );
                Self { detail: cut(detail, MAX_PROBLEM_BYTES).into_owned(), ..self }
            }
            _ => self,
        }
    }

    /// No such dead letter.
    pub(crate) fn no_dead_letter(id: &str) -> Self {
        let detail = format!(
            "there is no dead letter {:?} (any more): it was replayed or discarded, or newer ones of its task have taken its place",
            cut(id, 2 * MAX_ID_BYTES)
        );
        Self::new(ProblemType::NoDeadLetter, detail)
    }

    /// The record of a run with this payload would be too large.
    pub(crate) fn too_large_payload() -> Self {
        let detail =
            format!("makes the task longer than {MAX_RECORD_BYTES} bytes, which is the limit");
        Self::invalid(FieldError::new("payload", detail))
    }

    /// An attempt is in flight, and no other waits.
    pub(crate) fn already_running(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "task {id:?} is running, and no other attempt of it waits; GET {}/explain shows the attempt",
            task_path(&id)
        );
        Self::new(ProblemType::AlreadyRunning, detail)
    }

    /// It was cancelled while an attempt of it is in flight.
    pub(crate) fn task_cancelled(id: &str) -> Self {
        let detail = format!(
            "task {:?} was cancelled, and its last attempt is still in flight: create it again with PUT",
            cut(id, MAX_ID_BYTES)
        );
        Self::new(ProblemType::TaskCancelled, detail)
    }

    /// Such a task cannot be changed so.
    pub(crate) fn not_applicable(id: &str, change: &Change) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let why = match change {
            Change::Reschedule(_) => {
                "moved: a recurring task has no time to move, change its schedule with PATCH; nor has a follow-up"
            }
            _ => {
                "paused: it does not fire by itself, because it is a dead letter or has no schedule"
            }
        };
        Self::new(ProblemType::NotApplicable, format!("task {id:?} cannot be {why}"))
    }

    /// What is there under the id takes no patch. `why` says what it is, and what to do instead.
    pub(crate) fn not_patchable(id: &str, why: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        Self::new(ProblemType::NotApplicable, format!("task {id:?} cannot be patched: {why}"))
    }

    /// As many runs of the task wait as may.
    pub(crate) fn too_many_runs(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "{MAX_RUNS_OF_A_TASK} runs of task {id:?} wait, which is the limit of one id, so that no further run was added: wait until some \
             have fired, or cancel the task; GET {}/explain says what they wait for",
            task_path(&id)
        );
        Self::new(ProblemType::TooManyRuns, detail)
    }

    /// The shard was asked again, and its answer may be the work of the first try.
    pub(crate) fn unknown_outcome() -> Self {
        Self::unavailable(
            "it is not known whether the change was made, for the answer of the first try was lost; read the task",
        )
    }

    /// The task is not (any more) what the request takes it for.
    pub(crate) fn other_version(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::OtherVersion, detail)
    }

    /// The task has none of the versions that `If-Match` names, or there is none.
    pub(crate) fn not_matched() -> Self {
        Self::other_version("there is no task that If-Match allows; read it again")
    }

    /// The task has a version that `If-None-Match` names.
    pub(crate) fn seen_already() -> Self {
        Self::other_version("the task is one that If-None-Match names; it has not changed since")
    }

    /// How long to wait before the request is made again, where that helps.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after_seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Whether it is [`Problem::other_version`].
    pub(crate) fn is_other_version(&self) -> bool {
        self.kind == ProblemType::OtherVersion
    }

    /// A shard holds as much as it may.
    pub(crate) fn full(detail: String) -> Self {
        let problem = Self::new(ProblemType::Full, detail);
        Self { retry_after_seconds: Some(FULL_RETRY_SECONDS), ..problem }
    }

    /// A shard has too much to do.
    pub(crate) fn overloaded() -> Self {
        let detail = "a shard has more requests than it can take; send less, or raise the number of shards (SHARD_MAP)";
        let problem = Self::new(ProblemType::Overloaded, detail);
        Self { retry_after_seconds: Some(2), ..problem }
    }

    /// The bodies of other requests take the memory that there is.
    pub(crate) fn crowded() -> Self {
        let detail = "other requests of this instance are sending large bodies; send this one again in a second, fewer at once, or smaller ones";
        Self { detail: detail.to_owned(), retry_after_seconds: Some(1), ..Self::overloaded() }
    }

    /// A shard could not be reached, or failed.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Self::new(ProblemType::Unavailable, detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// The deployment's settings do not hold.
    pub(crate) fn misconfigured(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Misconfigured, detail)
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_retryable(&self) -> bool {
        self.retry_after_seconds.is_some()
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let detail = denied.to_string();
        match denied {
            Denied::UnknownKey | Denied::Expired(_) => Self::unauthorized(detail),
            Denied::Scope(_) | Denied::Reach(_) | Denied::Grant(_) | Denied::ReachAll => {
                Self::forbidden(detail)
            }
            Denied::Name(_) => Self::invalid(FieldError::new(NAMESPACE_HEADER, detail)),
            Denied::NoNamespace(_) | Denied::CreateNamespace(_) => Self::no_namespace(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::bounds::MAX_ERROR_FIELD_BYTES;

    #[test]
    fn a_rejected_batch_names_the_first_field() {
        let field = |field: &'static str| {
            Problem::batch_rejected(2, 3, None, &FieldError::new(field, "is bad")).field.unwrap()
        };
        assert_eq!(field("cron"), "[3].cron");
        assert_eq!(field("body"), "[3]");
        let of_line = Problem::batch_rejected(2, 3, Some(5), &FieldError::new("tags[0]", "is bad"));
        assert_eq!(of_line.field.as_deref(), Some("tags[0]"));
        assert!(of_line.detail.ends_with("in line 5: tags[0] is bad"), "{}", of_line.detail);
    }

    /// Whatever a refusal repeats of a request, and however JSON writes that.
    #[test]
    fn refusals_are_short() {
        for sign in ["a", "\u{1}", "\"", "\\", "\u{7f}", "é", "\u{10ffff}"] {
            let long = sign.repeat(20_000);
            for problem in [
                Problem::invalid(FieldError::new(long.clone(), long.clone())),
                Problem::unauthorized(long.clone()),
                Problem::no_key(&long),
                Problem::no_limit(&long),
                Problem::no_route(&long, &long),
                Problem::no_method(&long, &long, "GET".to_owned(), Some(&long)),
                Problem::no_task(&long),
                Problem::no_dead_letter(&long),
                Problem::already_running(&long),
                Problem::task_cancelled(&long),
                Problem::not_patchable(&long, &long),
                Problem::no_task(&long).in_namespace(&"n".repeat(64).parse().unwrap()),
                Problem::full(long.clone()),
            ] {
                let (kind, bytes) = (problem.kind, serde_json::to_vec(&problem).unwrap().len());
                assert!(
                    bytes <= MAX_PROBLEM_BYTES + MAX_ERROR_FIELD_BYTES + 160,
                    "{kind:?}: {bytes} bytes of {sign:?}"
                );
            }
        }
    }
}
