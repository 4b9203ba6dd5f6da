//! A task as a caller gives it, and how the text of a request is read into tasks.

use super::follow_ups::FollowUps;
use super::policies::{DEFAULT_PRIORITY, MAX_PRIORITY};
use super::{Callback, describe_read_only, is_read_only};
use crate::bounds::{
    MAX_BATCH_AT_ONCE_BYTES, MAX_BATCH_ITEMS, MAX_CALLBACK_BYTES, MAX_DESCRIPTION_BYTES,
    MAX_ID_BYTES, MAX_LIMIT_KEY_BYTES, MAX_PAYLOAD_BYTES, MAX_TAG_BYTES, MAX_TAGS,
    MAX_TASK_BODY_BYTES,
};
use crate::input::{
    Bounded, FieldError, TOO_MANY, Text, TimeInput, Whole, at_most, parse_naming_the_field,
};
use crate::retry::RetryInput;
use crate::schedule::{GivenKind, Recurrence, ScheduleFields, read_whole_recurrence};
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A task as a caller gives it, borrowing from the request's text. The API's document shows the
/// comments of the fields to callers.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename_all = "camelCase", extend("additionalProperties" = false))]
#[schemars(transform = describe_read_only)]
#[schemars(
    description = "A task to create: what to run, and exactly one of `time`, `delayInSeconds`, `cron`, `everySeconds`, `rrule`, \
                   `schedule` and `\"type\":\"no-schedule\"`."
)]
pub struct NewTask<'a> {
    /// The task's id; generated if absent. If a task has this id, the new one overwrites it. It has
    /// no control characters, is neither `.` nor `..`, and does not start with `handler:`. The
    /// limit is in bytes of UTF-8.
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    pub(super) id: Option<Text<'a>>,
    /// The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
    /// field that says when.
    pub(super) r#type: Option<GivenKind>,
    /// The time at which it fires once. If it has passed, the task fires at once.
    pub(super) time: Option<TimeInput<'a>>,
    /// The delay after which it fires once, in seconds from now.
    #[schemars(range(min = 0))]
    pub(super) delay_in_seconds: Option<f64>,
    #[schemars(flatten)]
    pub(super) recurrence: Option<Box<Recurrence<'a>>>,
    /// What the task is, in the caller's words. The limit is in bytes of UTF-8.
    #[schemars(length(max = MAX_DESCRIPTION_BYTES))]
    pub(super) description: Option<Text<'a>>,
    /// Labels to find it by. The limits are in bytes of UTF-8.
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_TAGS), inner(length(min = 1, max = MAX_TAG_BYTES)))]
    pub(super) tags: Option<&'a RawValue>,
    /// What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
    /// queue of `QUEUE_BINDINGS` if there is no default.
    #[schemars(with = "Option<Callback<'static>>", extend("x-maxBytes" = MAX_CALLBACK_BYTES))]
    pub(super) callback: Option<&'a RawValue>,
    #[schemars(flatten)]
    pub(super) follow_ups: Option<Box<FollowUps<'a>>>,
    /// When a failed attempt is tried again. If absent, the policy of the handler that the task
    /// names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
    #[schemars(with = "Option<RetryInput>")]
    pub(super) retry: Option<&'a RawValue>,
    /// Of tasks that are due together, those with a higher priority fire first.
    #[schemars(with = "Option<u8>", range(min = 0, max = MAX_PRIORITY), extend("default" = DEFAULT_PRIORITY))]
    pub(super) priority: Option<Whole<u64>>,
    /// The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
    /// Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
    /// UTF-8.
    #[schemars(length(min = 1, max = MAX_LIMIT_KEY_BYTES))]
    pub(super) limit_key: Option<Text<'a>>,
    /// Creates the task paused: it waits until it is resumed.
    pub(super) paused: Option<bool>,
    /// Any JSON. It is delivered unchanged.
    #[schemars(with = "Option<serde_json::Value>", extend("x-maxBytes" = MAX_PAYLOAD_BYTES))]
    pub(super) payload: Option<&'a RawValue>,
}

read_whole_recurrence!(NewTask, "a task", ignoring is_read_only, {
    "id" => id,
    "type" => r#type,
    "time" => time,
    "delayInSeconds" => delay_in_seconds,
    "description" => description,
    "tags" => tags,
    "callback" => callback,
    "retry" => retry,
    "priority" => priority,
    "limitKey" => limit_key,
    "paused" => paused,
    "payload" => payload,
}, follow_ups: {
    "onSuccess" => on_success,
    "onFailure" => on_failure,
});

impl<'a> NewTask<'a> {
    /// Marks it as a recurring task that continues the schedule that it has. `final_run` is the
    /// schedule's last run, if its runs are counted. The count continues, and no run may be left.
    pub fn go_on(&mut self, final_run: Option<UnixMillis>) {
        self.recurrence.get_or_insert_default().goes_on = Some(final_run);
    }

    /// Records that only the exclusions of the recurring task change. `former` is the schedule that
    /// the task has. If it counts runs, the new schedule has as many runs left.
    pub fn continue_from(&mut self, former: ScheduleFields<'a>) {
        if former.max_runs.is_some() {
            self.recurrence.get_or_insert_default().continues = Some(Box::new(former));
        }
    }

    /// Marks an absent anchor as one that the request removes, so that the interval starts over.
    pub fn settle_anchor(&mut self) {
        self.recurrence.get_or_insert_default().settles_anchor = true;
    }

    /// Sets the id to the one in the path.
    ///
    /// # Errors
    /// Returns an error if the body names another id.
    pub fn set_id(&mut self, id: &'a str) -> Result<(), FieldError> {
        match &self.id {
            Some(given) if given.0 != id => {
                Err(FieldError::new("id", "is not the one in the path; leave it out"))
            }
            _ => {
                self.id = Some(Text(Cow::Borrowed(id)));
                Ok(())
            }
        }
    }

    /// Returns the names of the calendars that it names, which are not checked yet. `in_words`
    /// returns those that a schedule in words may name.
    pub fn calendars(&self, in_words: impl Fn(&str) -> Vec<String>) -> Vec<String> {
        let recurrence = self.recurrence.as_ref();
        recurrence.map_or_else(Vec::new, |recurrence| recurrence.calendars(in_words))
    }

    /// Returns the given id, which is not checked yet.
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| id.0.as_ref())
    }
}

/// Returns the names of the calendars that the tasks of a request name: see [`NewTask::calendars`].
pub fn calendars_of(
    tasks: &[Result<NewTask<'_>, FieldError>],
    in_words: &dyn Fn(&str) -> Vec<String>,
) -> BTreeSet<String> {
    // Most tasks have no such field.
    let recurring = tasks.iter().flatten().filter(|task| task.recurrence.is_some());
    recurring.flat_map(|task| task.calendars(in_words)).collect()
}

/// Reads one task.
///
/// # Errors
/// Returns an error that names the field that cannot be read.
pub fn parse_one(text: &str) -> Result<NewTask<'_>, FieldError> {
    parse_naming_the_field(text, "")
}

/// Reads many tasks from a JSON array, or from one task on each line if `lines` is set. An item
/// that cannot be read is an error of its own and does not affect the others.
///
/// # Errors
/// Returns an error if the text is not an array, has no item, or has more than [`MAX_BATCH_ITEMS`].
pub fn parse_batch(
    text: &str,
    lines: bool,
) -> Result<Vec<Result<NewTask<'_>, FieldError>>, FieldError> {
    if lines {
        let mut lines = text.lines().filter(|line| !line.trim_ascii().is_empty());
        let items: Vec<_> = lines.by_ref().take(MAX_BATCH_ITEMS).map(parse_line).collect();
        return match lines.next() {
            Some(_) => Err(too_many_items()),
            None if items.is_empty() => {
                Err(FieldError::new("body", "has no task; send one task per line"))
            }
            None => Ok(items),
        };
    }
    if text.trim_ascii().is_empty() {
        return Err(FieldError::new("body", "is empty"));
    }
    if !text.trim_ascii_start().starts_with('[') {
        return Err(FieldError::new(
            "body",
            "must be a JSON array of tasks, or one task per line as application/x-ndjson",
        ));
    }
    // An error repeats the text of its item. So a long text is read item by item, and the length of
    // each item is checked first.
    if text.len() <= MAX_BATCH_AT_ONCE_BYTES
        && let Ok(Bounded(tasks)) =
            serde_json::from_str::<Bounded<NewTask<'_>, MAX_BATCH_ITEMS>>(text)
    {
        check_any(&tasks)?;
        return Ok(tasks.into_iter().map(Ok).collect());
    }
    // Some item is invalid, or there are too many or too long ones: read each by itself.
    let items = parse_naming_the_field::<Bounded<&RawValue, MAX_BATCH_ITEMS>>(text, "");
    let items = items.map_err(|problem| {
        if problem.detail.starts_with(TOO_MANY) { too_many_items() } else { problem }
    })?;
    check_any(&items.0)?;
    Ok(items.0.into_iter().map(|item| parse_item(item.get())).collect())
}

fn check_any<T>(items: &[T]) -> Result<(), FieldError> {
    if items.is_empty() {
        return Err(FieldError::new("body", "has no task; send one or more in the list"));
    }
    Ok(())
}

fn too_many_items() -> FieldError {
    FieldError::new(
        "body",
        format!("has more than {MAX_BATCH_ITEMS} items, which is the limit: send several requests"),
    )
}

/// Reads the item of a line. An error gives the column only, because the number of the item is that
/// of the line.
fn parse_line(line: &str) -> Result<NewTask<'_>, FieldError> {
    parse_item(line).map_err(|mut problem| {
        if let Some((said, column)) = problem.detail.rsplit_once(" at line 1 column ") {
            problem.detail = format!("{said} at column {column}");
        }
        problem
    })
}

/// Reads one item of many. Its length is checked first, because an error repeats parts of the item
/// several times.
fn parse_item(text: &str) -> Result<NewTask<'_>, FieldError> {
    at_most("body", text.len(), MAX_TASK_BODY_BYTES)?;
    parse_one(text)
}

#[cfg(test)]
#[path = "new_task_tests.rs"]
mod tests;
