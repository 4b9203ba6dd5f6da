//! Refusals, which are answered as `application/problem+json` (RFC 9457).

mod types;

pub(crate) use types::ProblemType;

use scheduler_model::access::{Denied, NAMESPACE_HEADER};
use scheduler_model::address::task_path;
use scheduler_model::bounds::{
    MAX_CALENDAR_NAME_BYTES, MAX_ID_BYTES, MAX_LANES, MAX_LIMIT_KEY_BYTES, MAX_PROBLEM_BYTES,
    MAX_RECORD_BYTES, MAX_RUNS_OF_A_TASK,
};
use scheduler_model::input::{FieldError, cut, quoted};
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::Change;
use serde::Serialize;
use std::time::Duration;

/// The retry delay after a full shard refused a request, in seconds. A shard has room again only
/// after tasks have fired or were cancelled.
const FULL_RETRY_SECONDS: u32 = 60;

/// The retry delay after a shard of an earlier version refused a request, in seconds. The platform
/// replaces the objects of a deployment within a minute or two.
const DEPLOY_RETRY_SECONDS: u32 = 10;

/// A refusal in the form of RFC 9457. `type` is a stable name for programs, `detail` is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    #[serde(flatten)]
    pub(crate) kind: ProblemType,
    pub(crate) detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip)]
    pub(crate) retry_after_seconds: Option<u32>,
    /// The methods that the path accepts.
    #[serde(skip)]
    pub(crate) allow: Option<String>,
}

impl Problem {
    fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        // The detail may repeat text of the caller.
        let detail = cut(detail.into(), MAX_PROBLEM_BYTES).into_owned();
        Self { kind, detail, field: None, retry_after_seconds: None, allow: None }
    }

    /// Returns the refusal of an invalid field.
    pub(crate) fn invalid(error: FieldError) -> Self {
        let detail = error.to_string();
        Self { field: Some(error.field.into_owned()), ..Self::new(ProblemType::Invalid, detail) }
    }

    /// Returns the refusal of a condition that the route cannot check.
    pub(crate) fn condition_refused(header: &'static str, detail: &str) -> Self {
        let detail = format!("{header} {detail}");
        Self { field: Some(header.to_owned()), ..Self::new(ProblemType::ConditionRefused, detail) }
    }

    /// Returns the refusal of a batch whose tasks are all invalid. `first` is the error of the
    /// first task, which is at index `at`, and in line `line` if the body has one task per line.
    pub(crate) fn batch_rejected(
        rejected: usize,
        at: usize,
        line: Option<u64>,
        first: &FieldError,
    ) -> Self {
        let tasks =
            if rejected == 1 { "the task".to_owned() } else { format!("all {rejected} tasks") };
        let of_line = line.map(|line| format!(" in line {line}")).unwrap_or_default();
        let dot = if first.field.starts_with('[') { "" } else { "." };
        // A body of lines is not a list, so an index does not lead to its items.
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

    /// Returns the refusal of a body that did not arrive in time.
    pub(crate) fn slow_body(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::SlowBody, detail)
    }

    /// Returns the refusal of a path that cannot be decoded.
    pub(crate) fn malformed_path(path: &str, problem: &str) -> Self {
        let detail = format!("the path {} {problem}", quoted(path, 100));
        Self::new(ProblemType::MalformedPath, detail)
    }

    /// Returns the refusal of a body that is larger than the route's limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!(
            "the body is longer than {limit} bytes, which is the limit of this route: send less, or split the request"
        );
        Self::new(ProblemType::TooLarge, detail)
    }

    /// Returns the end of a stream of tasks that is longer than one request can create. `why` names
    /// the limit.
    pub(crate) fn too_long_stream(why: &str) -> Self {
        Self::new(
            ProblemType::TooLarge,
            format!("{why}: send the lines from nextLine on in another request"),
        )
    }

    /// Returns the refusal of a body whose form the route does not accept.
    pub(crate) fn media_type(header: &str, given: &str, wanted: &str) -> Self {
        let given = quoted(given, 100);
        let detail = format!("{header} is {given}; {wanted}");
        Self { field: Some(header.to_owned()), ..Self::new(ProblemType::MediaType, detail) }
    }

    /// Returns the refusal of a request without a valid API key.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Unauthorized, detail)
    }

    /// Returns the refusal of an address that has sent too many wrong API keys.
    pub(crate) fn guessing() -> Self {
        let detail = "too many wrong API keys have come from this address; wait a second before the next one. A valid key of 24 bytes or more is accepted at once";
        let problem = Self::new(ProblemType::Guessing, detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// Returns the refusal of an API key without the scope or the namespace that the request needs.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Forbidden, detail)
    }

    /// Returns the refusal for a missing API key.
    pub(crate) fn no_key(id: &str) -> Self {
        let detail = format!("no key has the id {}; it may have been revoked", quoted(id, 64));
        Self::new(ProblemType::NoKey, detail)
    }

    /// Returns the refusal for a missing namespace.
    pub(crate) fn no_namespace(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::NoNamespace, detail)
    }

    /// Returns the refusal for a key without a limit.
    pub(crate) fn no_limit(key: &str) -> Self {
        let detail =
            format!("the key {:?} has no limit; set one with PUT", cut(key, MAX_LIMIT_KEY_BYTES));
        Self::new(ProblemType::NoLimit, detail)
    }

    /// Returns the refusal for a missing calendar.
    pub(crate) fn no_calendar(name: &str) -> Self {
        let name = cut(name, MAX_CALENDAR_NAME_BYTES);
        let detail = format!("the namespace has no calendar {name:?}; create it with PUT");
        Self::new(ProblemType::NoCalendar, detail)
    }

    /// Returns the refusal to delete a calendar that tasks use. `ids` are some of them.
    pub(crate) fn calendar_in_use(name: &str, ids: &[String], may_be_more: bool) -> Self {
        let count = match (ids.len(), may_be_more) {
            (count, true) => format!("at least {count} tasks name"),
            (1, false) => "1 task names".to_owned(),
            (count, false) => format!("{count} tasks name"),
        };
        let some: Vec<String> = ids.iter().take(3).map(|id| quoted(id, 64).to_string()).collect();
        let others = if may_be_more || ids.len() > some.len() { " and others" } else { "" };
        let detail = format!("{count} the calendar {name:?}: {}{others}", some.join(", "));
        Self::new(ProblemType::CalendarInUse, detail)
    }

    /// Returns the refusal for a calendar with another version than the request expects.
    pub(crate) fn other_calendar() -> Self {
        Self::other_version(
            "the calendar has another version than If-Match or If-None-Match requires, or does not exist; read it again",
        )
    }

    /// Returns the refusal to delete a namespace with tasks.
    pub(crate) fn not_empty(name: &str, tasks: u64) -> Self {
        let detail = format!(
            "the namespace {name:?} holds {}, including running tasks and dead letters; cancel them or wait until they have ended",
            if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") }
        );
        Self::new(ProblemType::NotEmpty, detail)
    }

    /// Returns the refusal of a further key, namespace or limit beyond the maximum.
    pub(crate) fn too_many(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::TooMany, detail)
    }

    /// Returns the refusal of an `Idempotency-Key` that another request has used.
    pub(crate) fn key_reused(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::KeyReused, detail)
    }

    /// Returns the refusal of a request beyond a quota. Without `retry_after_seconds`, the request
    /// alone is larger than the quota.
    pub(crate) fn quota(detail: impl Into<String>, retry_after_seconds: Option<u32>) -> Self {
        Self { retry_after_seconds, ..Self::new(ProblemType::Quota, detail) }
    }

    /// Returns the refusal of a further reader of events beyond the maximum.
    pub(crate) fn too_many_readers(detail: impl Into<String>, retry_after_seconds: u32) -> Self {
        let problem = Self::new(ProblemType::TooManyReaders, detail);
        Self { retry_after_seconds: Some(retry_after_seconds), ..problem }
    }

    /// Returns the refusal of an unknown path.
    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        let path = cut(path, 100);
        Self::new(
            ProblemType::NoRoute,
            format!("{method} {path}: the API has no such path; see /openapi.json"),
        )
    }

    /// Returns the refusal of a method that the path does not accept. `hint` names the request that
    /// the caller may mean.
    pub(crate) fn no_method(method: &str, path: &str, allowed: String, hint: Option<&str>) -> Self {
        let path = cut(path, 100);
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        let detail = format!(
            "{path} does not accept {method}; it accepts {allowed}{hint}; see /openapi.json"
        );
        let problem = Self::new(ProblemType::NoMethod, detail);
        Self { allow: Some(allowed), ..problem }
    }

    /// Returns the refusal for a missing task.
    pub(crate) fn no_task(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "no task has the id {id:?}: it was never created, was cancelled, or has ended; GET {}/runs lists its \
             attempts",
            task_path(&id)
        );
        Self::new(ProblemType::NoTask, detail)
    }

    /// Adds the namespace of the request to the detail, if something was not found in it.
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

    /// Returns the refusal for a missing dead letter.
    pub(crate) fn no_dead_letter(id: &str) -> Self {
        let detail = format!(
            "no dead letter has the id {}: it was replayed or discarded, or newer ones of its task have replaced it",
            quoted(id, 2 * MAX_ID_BYTES)
        );
        Self::new(ProblemType::NoDeadLetter, detail)
    }

    /// Returns the refusal of a payload with which the record of the run would be too large.
    pub(crate) fn too_large_payload() -> Self {
        let detail =
            format!("makes the task longer than {MAX_RECORD_BYTES} bytes, which is the limit");
        Self::invalid(FieldError::new("payload", detail))
    }

    /// Returns the refusal to run a task whose attempt is in flight, while no other waits.
    pub(crate) fn already_running(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "task {id:?} is running, and no other attempt of it waits; GET {}/explain shows the attempt",
            task_path(&id)
        );
        Self::new(ProblemType::AlreadyRunning, detail)
    }

    /// Returns the refusal to change a task that was cancelled while an attempt was in flight.
    pub(crate) fn task_cancelled(id: &str) -> Self {
        let detail = format!(
            "task {} was cancelled, and its last attempt is still in flight: create it again with PUT",
            quoted(id, MAX_ID_BYTES)
        );
        Self::new(ProblemType::TaskCancelled, detail)
    }

    /// Returns the refusal of a change that is not possible for this kind of task.
    pub(crate) fn not_applicable(id: &str, change: &Change) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let why = match change {
            Change::Reschedule(_) => {
                "moved: it has no time of its own, because it is a recurring task or a follow-up; if it recurs, change its schedule with PATCH"
            }
            _ => {
                "paused: it does not fire by itself, because it is a dead letter or has no schedule"
            }
        };
        Self::new(ProblemType::NotApplicable, format!("task {id:?} cannot be {why}"))
    }

    /// Returns the refusal of a definition that would leave nothing of the task.
    pub(crate) fn would_end(detail: String) -> Self {
        Self::new(ProblemType::NotApplicable, detail)
    }

    /// Returns the refusal to patch something that is not a task. `why` names it, and an
    /// alternative.
    pub(crate) fn not_patchable(id: &str, why: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        Self::new(ProblemType::NotApplicable, format!("task {id:?} cannot be patched: {why}"))
    }

    /// Returns the refusal of a further run of a task beyond the maximum.
    pub(crate) fn too_many_runs(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "{MAX_RUNS_OF_A_TASK} runs of task {id:?} wait, which is the limit of one id, so no further run was added: wait until some \
             have fired, or cancel the task; GET {}/explain says what they wait for",
            task_path(&id)
        );
        Self::new(ProblemType::TooManyRuns, detail)
    }

    /// Returns the refusal of a change of many tasks that would change nothing, because the shards
    /// have no room for the limit keys of the tasks.
    pub(crate) fn no_lanes() -> Self {
        Self::full(format!(
            "no task was changed: their shards have tasks of {MAX_LANES} keys of limits (limitKey) each, which is the limit, \
             and no room for those of these tasks; wait until those of some keys are done, use fewer keys, or raise the number of shards (SHARD_MAP)"
        ))
    }

    /// Returns the refusal for a change with an unknown outcome. A shard was asked again, and its
    /// answer may reflect the first try.
    pub(crate) fn unknown_outcome() -> Self {
        Self::unavailable(
            "it is unknown whether the change was made, because the answer of the first try was lost; read the task",
        )
    }

    /// Returns the refusal for a task with another version than the request expects.
    pub(crate) fn other_version(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::OtherVersion, detail)
    }

    /// Returns the refusal for a task that has none of the versions in `If-Match`, or that does not
    /// exist.
    pub(crate) fn not_matched() -> Self {
        Self::other_version("no task has a version that If-Match names; read it again")
    }

    /// Returns the refusal for a task with a version in `If-None-Match`.
    pub(crate) fn seen_already() -> Self {
        Self::other_version(
            "the task has a version that If-None-Match names; it has not changed since",
        )
    }

    /// Returns the time to wait before the request is sent again, if that can help.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after_seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Returns whether this is a [`Problem::other_version`].
    pub(crate) fn is_other_version(&self) -> bool {
        self.kind == ProblemType::OtherVersion
    }

    /// Returns the refusal of a full shard.
    pub(crate) fn full(detail: String) -> Self {
        let problem = Self::new(ProblemType::Full, detail);
        Self { retry_after_seconds: Some(FULL_RETRY_SECONDS), ..problem }
    }

    /// Returns the refusal of an overloaded shard.
    pub(crate) fn overloaded() -> Self {
        let detail = "a shard has more requests than it can handle; send fewer requests, or raise the number of shards (SHARD_MAP)";
        let problem = Self::new(ProblemType::Overloaded, detail);
        Self { retry_after_seconds: Some(2), ..problem }
    }

    /// Returns the refusal of a body for which there is no memory, because of the bodies of other
    /// requests.
    pub(crate) fn crowded() -> Self {
        let detail = "other requests of this instance are sending large bodies; send this one again in a second, and send fewer or smaller bodies at once";
        Self { detail: detail.to_owned(), retry_after_seconds: Some(1), ..Self::overloaded() }
    }

    /// Returns the refusal for a shard that could not be reached, or failed.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Self::new(ProblemType::Unavailable, detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// Returns the refusal of a request that needs more requests to shards than the platform allows
    /// an invocation. The same request would need as many again.
    pub(crate) fn too_many_subrequests() -> Self {
        Self::misconfigured(
            "the request needs more requests to shards than SUBREQUESTS allows; a part of it may be done. Select fewer tasks, or use fewer shards or namespaces for them",
        )
    }

    /// Returns the refusal of a shard that cannot read a request. A deploy contains the coordinator
    /// and the shards, so the usual reason is that the platform has not replaced this shard yet.
    pub(crate) fn not_known_yet(refused: &str) -> Self {
        let detail = format!(
            "{refused}; while a deploy is under way, a shard may still run the version before it. Send the request again in {DEPLOY_RETRY_SECONDS} s. If a shard still refuses it after some minutes, report a defect"
        );
        Self { retry_after_seconds: Some(DEPLOY_RETRY_SECONDS), ..Self::unavailable(detail) }
    }

    /// Returns the refusal for invalid settings of the deployment.
    pub(crate) fn misconfigured(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Misconfigured, detail)
    }

    /// Returns the refusal of a request that a task of a scheduler has sent.
    pub(crate) fn called_by_a_task() -> Self {
        let detail = "the request has the header Scheduler-Attempt, so a task has sent it; a task may not call the API of a scheduler, because it could start itself again without end";
        Self::new(ProblemType::Loop, detail)
    }

    /// Returns whether the same request may succeed later.
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

    /// The bound applies to every text of a request that a refusal repeats, and to every character
    /// that JSON escapes.
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
