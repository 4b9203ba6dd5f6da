//! The types of problems, and the pages about them.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// Declares the types of problems. Each has a variant, a name, a status, a title, a meaning, and an
/// action.
macro_rules! problem_types {
    ($($variant:ident $name:literal $status:literal $title:literal $meaning:literal $action:literal)*) => {
        /// The reason why a request is refused. Its names, statuses, titles and pages are defined
        /// only here, and the API's document is generated from them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ProblemType {
            $(#[doc = $title] $variant,)*
        }

        impl ProblemType {
            /// Every type, in the order of the document.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the last segment of the type's URI reference, `/problems/<name>`, which is a
            /// stable name for programs.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns the HTTP status.
            pub(crate) const fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                }
            }

            /// Returns the short summary for people, which is the same for every occurrence.
            pub(crate) const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }

            /// Returns the meaning, and the action to take, as sentences.
            const fn advice(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$variant => ($meaning, $action),)*
                }
            }
        }
    };
}

problem_types! {
    Unauthorized "unauthorized" 401 "Missing or invalid API key"
        "The request has no API key, or one that does not exist, was revoked or has expired."
        "Send the header `Authorization: Bearer <key>` with a valid key."
    Guessing "guessing" 429 "Too many wrong API keys"
        "Too many wrong API keys have come from this address."
        "Wait for the time in `Retry-After`. A valid key of 24 bytes or more is accepted at once."
    Forbidden "forbidden" 403 "API key lacks permission"
        "The API key is valid, but it lacks the scope or the namespace that the request needs."
        "Use a key that has what `detail` names, or have one created."
    MalformedPath "malformed-path" 400 "Malformed path"
        "The path contains a percent sign without two hexadecimal digits, or bytes that are not UTF-8."
        "Percent-encode the UTF-8 bytes of each id in a path, and write a percent sign as `%25`."
    NoRoute "no-route" 404 "Path not found"
        "The API has no such path."
        "See `/openapi.json` for the paths of the API."
    NoMethod "no-method" 405 "Method not allowed"
        "The path exists, but not with this method."
        "Use a method that the header `Allow` lists."
    NoTask "no-task" 404 "Task not found"
        "No task has this id now: it was never created, was cancelled, or has ended."
        "Check the id and the namespace. `GET /v1/tasks/{id}/runs` lists attempts of tasks that have ended."
    NoDeadLetter "no-dead-letter" 404 "Dead letter not found"
        "No dead letter has this id now: it was replayed or discarded, or newer ones of its task have taken its place."
        "List the dead letters with `GET /v1/dead-letters`. One that failed again has another id."
    NoNamespace "no-namespace" 404 "Namespace not found"
        "The namespace of the request does not exist."
        "Create it with `PUT /v1/namespaces/{id}`, or name another in `Scheduler-Namespace`."
    NoKey "no-key" 404 "API key not found"
        "No API key with this id exists, or it reaches further than the key of the request."
        "List the keys with `GET /v1/keys`."
    NoLimit "no-limit" 404 "Limit not found"
        "No limit is set for this key."
        "Set one with `PUT /v1/limits/{id}`."
    NoCalendar "no-calendar" 404 "Calendar not found"
        "The namespace has no calendar with this name."
        "Create it with `PUT /v1/calendars/{id}`. `GET /v1/calendars` lists those that exist."
    SlowBody "slow-body" 408 "Request body too slow"
        "The body of the request did not arrive in time. Nothing was done. In the answer to a stream of tasks: nothing from the line `nextLine` on."
        "Send the request again over a faster connection, or split it. Continue a stream at `nextLine`."
    NotEmpty "not-empty" 409 "Namespace not empty"
        "The namespace still holds tasks. Running tasks and dead letters count."
        "Cancel its tasks or wait until they have ended, then delete it again."
    CalendarInUse "calendar-in-use" 409 "Calendar in use"
        "Tasks name the calendar in `exclude`, so it was not deleted."
        "Remove its name from the tasks in `detail`, or cancel them, then delete it again."
    TooMany "too-many" 409 "Maximum number reached"
        "The highest number of keys, namespaces, calendars or limits is reached."
        "Delete some that you no longer need."
    KeyReused "idempotency-key-reused" 409 "Idempotency-Key reused"
        "Another request has used this `Idempotency-Key` in the last day. Nothing was done."
        "Use a new key for each request, and repeat a request unchanged."
    AlreadyRunning "already-running" 409 "Task already running"
        "An attempt of the task is in flight, and no other waits that could start now."
        "Wait for its outcome. `GET /v1/tasks/{id}/explain` shows the attempt."
    TaskCancelled "task-cancelled" 409 "Task cancelled"
        "The task was cancelled. Its last attempt is still in flight, and nothing is left to change."
        "Create the task again if it should fire again."
    NotApplicable "not-applicable" 409 "Change not applicable"
        "Such a task cannot be changed in this way, or nothing would be left of it."
        "See `detail` for why, and for what to do instead."
    TooManyRuns "too-many-runs" 409 "Too many waiting runs"
        "The task has the highest number of waiting runs. No run was added."
        "Wait until some of them have fired, or cancel the task. `GET /v1/tasks/{id}/explain` says what they wait for."
    ConditionRefused "condition-refused" 400 "Precondition not supported"
        "The request has `If-Match` or `If-None-Match`, and what it writes has no version that could be compared."
        "Leave the header out, or write the tasks one by one with an `id` each."
    OtherVersion "other-version" 412 "Version mismatch"
        "`If-Match` or `If-None-Match` is not fulfilled: the task or the calendar has another version, or does not exist. Nothing was done."
        "Read it, decide again, and send the request with its new `ETag`."
    TooLarge "too-large" 413 "Request too large"
        "The body is longer than this path accepts. In the answer to a stream of tasks: one request cannot create more of them."
        "Send less, or several requests. Continue a stream at `nextLine`."
    MediaType "media-type" 415 "Media type not supported"
        "The path does not accept a body of this `Content-Type` or `Content-Encoding`. Nothing was done."
        "Send the body in the form that `detail` names."
    Invalid "invalid" 422 "Invalid request"
        "A field, a parameter or a header of the request is invalid. `field` names it. Nothing was done."
        "Correct the field as `detail` says."
    BatchRejected "batch-rejected" 422 "No task accepted"
        "Every task of the batch is invalid. Nothing was created."
        "`results` has the error of each task, in the order of the request. Correct them and send them again."
    Quota "quota" 429 "Quota exceeded"
        "The request would exceed a quota of the namespace."
        "Wait for the time in `Retry-After`. Without this header, the request alone is larger than the quota: split it, or raise the quota."
    TooManyReaders "too-many-readers" 429 "Too many event readers"
        "The events have the highest number of readers."
        "Close other streams, or wait for the time in `Retry-After`."
    Overloaded "overloaded" 429 "Scheduler overloaded"
        "The scheduler has more requests than it can handle. Nothing was done."
        "Wait for the time in `Retry-After`. If it happens often, send fewer requests at once or raise the number of shards."
    Misconfigured "misconfigured" 500 "Deployment misconfigured"
        "A setting of the deployment is missing or invalid."
        "The operator corrects the setting that `detail` names."
    Loop "loop" 508 "Called by a task"
        "A task of a scheduler has sent the request: a dispatcher marks its requests with `Scheduler-Attempt`. Such a task could start itself again without end. Nothing was done."
        "Call the scheduler from your own code, for example from the Worker that the task calls."
    Unavailable "unavailable" 503 "Shard unavailable"
        "A part of the scheduler did not answer, or a deploy is under way and a shard does not know the request yet. The change may or may not have been made; `detail` says if that is unknown."
        "Wait for the time in `Retry-After`. Reads, and changes that set a state, can be repeated; read the task before you repeat a run."
    Full "shard-full" 507 "Shard full"
        "A shard has reached a limit of its tasks or of its memory."
        "Wait for the time in `Retry-After`, discard dead letters, or raise the number of shards."
}

impl ProblemType {
    /// Returns the page about the type with this name, in Markdown.
    pub(crate) fn page(name: &str) -> Option<String> {
        let kind = Self::ALL.iter().find(|kind| kind.name() == name)?;
        let (meaning, action) = kind.advice();
        let (title, status) = (kind.title(), kind.status());
        Some(format!(
            "# {title}\n\n`/problems/{name}`, HTTP status {status}\n\n## Meaning\n{meaning}\n\n## What to do\n{action}\n\n\
             [All problem types](/problems)\n"
        ))
    }

    /// Returns the list of all pages, in Markdown.
    pub(crate) fn index() -> String {
        let mut page = "# Problem types\n\n| type | status | title |\n|---|---|---|\n".to_owned();
        for kind in Self::ALL {
            let (name, status, title) = (kind.name(), kind.status(), kind.title());
            page.push_str(&format!("| [{name}](/problems/{name}) | {status} | {title} |\n"));
        }
        page
    }
}

impl Serialize for ProblemType {
    /// Writes the members `type`, `title` and `status` of a problem.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("ProblemType", 3)?;
        members.serialize_field("type", &format_args!("/problems/{}", self.name()))?;
        members.serialize_field("title", self.title())?;
        members.serialize_field("status", &self.status())?;
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_page() {
        let index = ProblemType::index();
        for kind in ProblemType::ALL {
            let page = ProblemType::page(kind.name()).unwrap();
            assert!(page.starts_with(&format!("# {}\n", kind.title())), "{page}");
            assert!(page.contains(&kind.status().to_string()), "{page}");
            let (meaning, action) = kind.advice();
            assert!(meaning.ends_with('.') && action.ends_with('.'), "{kind:?}");
            assert!(index.contains(&format!("(/problems/{})", kind.name())), "{index}");
        }
        assert_eq!(ProblemType::page("nothing"), None);
    }
}
