//! A task as it is given, and the check that makes it valid.

use super::follow_ups::FollowUps;
use super::handler_task::check_id;
use super::policies::{DEFAULT_PRIORITY, MAX_PRIORITY, check_priority};
use super::record_writer::RecordWriter;
use super::text::is_as_stored;
use super::{Callback, Origin, Targets, describe_read_only, is_read_only};
use crate::bounds::{
    MAX_BATCH_AT_ONCE_BYTES, MAX_BATCH_ITEMS, MAX_CALLBACK_BYTES, MAX_DESCRIPTION_BYTES,
    MAX_ID_BYTES, MAX_LIMIT_KEY_BYTES, MAX_ORIGIN_BYTES, MAX_OUTCOME_BYTES, MAX_PAYLOAD_BYTES,
    MAX_RECORD_BYTES, MAX_RETRY_TEXT_BYTES, MAX_TAG_BYTES, MAX_TAGS, MAX_TAGS_TEXT_BYTES,
    MAX_TASK_BODY_BYTES,
};
use crate::id_key::IdKey;
use crate::ids::{IdGenerator, TaskId};
use crate::input::{
    Bounded, FieldError, TOO_MANY, Text, TimeInput, Whole, at_most, check_nesting,
    parse_naming_the_field, parse_object, read_object,
};
use crate::limit::check_limit_key;
use crate::retry::{RetryInput, RetryPolicy};
use crate::schedule::{
    Budget, CheckedSchedule, GivenKind, Recurrence, ScheduleFields, ScheduleInput, Sentences,
};
use scheduler_calendar::rrule::MAX_RULE_BYTES;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A task as it is given, borrowing from the request's text. What stands at the fields is shown to
/// callers.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename_all = "camelCase", extend("additionalProperties" = false))]
#[schemars(transform = describe_read_only)]
#[schemars(
    description = "A task to take in: what to run, and exactly one of `time`, `delayInSeconds`, `cron`, `everySeconds`, `rrule`, \
                   `schedule` and `\"type\":\"no-schedule\"`."
)]
pub struct NewTask<'a> {
    /// Overwrites the task of this id; one is generated without. No control characters, neither `.`
    /// nor `..`, and not starting with `handler:`. The limit is in bytes of UTF-8.
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    id: Option<Text<'a>>,
    /// May be left out but for `no-schedule`; must agree with the field that says when.
    r#type: Option<GivenKind>,
    /// When it fires, once. One that is past fires at once.
    time: Option<TimeInput<'a>>,
    /// How long from now it fires, once, seconds.
    #[schemars(range(min = 0))]
    delay_in_seconds: Option<f64>,
    #[schemars(flatten)]
    recurrence: Option<Box<Recurrence<'a>>>,
    /// What the task is, in the caller's words. The limit is in bytes of UTF-8.
    #[schemars(length(max = MAX_DESCRIPTION_BYTES))]
    description: Option<Text<'a>>,
    /// Labels to find it by. The limits are in bytes of UTF-8.
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_TAGS), inner(length(min = 1, max = MAX_TAG_BYTES)))]
    tags: Option<&'a RawValue>,
    /// What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
    /// not set, it goes to the first queue of `QUEUE_BINDINGS`.
    #[schemars(with = "Option<Callback<'static>>", extend("x-maxBytes" = MAX_CALLBACK_BYTES))]
    callback: Option<&'a RawValue>,
    #[schemars(flatten)]
    follow_ups: Option<Box<FollowUps<'a>>>,
    /// When it is tried again after a failure. Without it, as the handler that it names says for
    /// itself; else the defaults. Not with a `queue` callback, whose consumer retries.
    #[schemars(with = "Option<RetryInput>")]
    retry: Option<&'a RawValue>,
    /// Of tasks that are due together, those with a higher priority fire first.
    #[schemars(with = "Option<u8>", range(min = 0, max = MAX_PRIORITY), extend("default" = DEFAULT_PRIORITY))]
    priority: Option<Whole<u64>>,
    /// The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
    /// Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
    /// UTF-8.
    #[schemars(length(min = 1, max = MAX_LIMIT_KEY_BYTES))]
    limit_key: Option<Text<'a>>,
    /// Creates the task paused: it waits to be resumed.
    paused: Option<bool>,
    /// Any JSON, delivered as it is given.
    #[schemars(with = "Option<serde_json::Value>", extend("x-maxBytes" = MAX_PAYLOAD_BYTES))]
    payload: Option<&'a RawValue>,
}

read_object!(NewTask, "a task", ignoring is_read_only, {
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
}, recurrence: {
    "cron" => cron,
    "timezone" => timezone,
    "everySeconds" => every_seconds,
    "anchor" => anchor,
    "rrule" => rrule,
    "startAt" => start_at,
    "endAt" => end_at,
    "maxRuns" => max_runs,
    "jitterSeconds" => jitter_seconds,
    "windowSeconds" => window_seconds,
    "misfire" => misfire,
    "overlap" => overlap,
    "expireAfterSeconds" => expire_after_seconds,
    "local" => local,
    "kind" => kind,
    "schedule" => sentence,
    "words" => words,
}, follow_ups: {
    "onSuccess" => on_success,
    "onFailure" => on_failure,
});

impl<'a> NewTask<'a> {
    /// Marks it as a recurring task that goes on by the schedule that it has, with its last run if
    /// its runs are counted. The count of such a schedule goes on, and it may have no run to come.
    pub fn go_on(&mut self, final_run: Option<UnixMillis>) {
        self.recurrence.get_or_insert_default().goes_on = Some(final_run);
    }

    /// Marks an anchor that is not given as one that was taken away, so that the interval begins
    /// anew.
    pub fn settle_anchor(&mut self) {
        self.recurrence.get_or_insert_default().settles_anchor = true;
    }

    /// Gives the task the id of the path.
    ///
    /// # Errors
    /// When the body names another.
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

    /// Returns the id that is given; not checked yet.
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| id.0.as_ref())
    }
}

/// Reads one task.
///
/// # Errors
/// Names the field that cannot be read.
pub fn parse_one(text: &str) -> Result<NewTask<'_>, FieldError> {
    parse_naming_the_field(text, "")
}

/// Reads many tasks: a JSON array, or one task a line. An item that cannot be read is an error of
/// its own and leaves the others good.
///
/// # Errors
/// When the whole cannot be read as items: not an array, no item, or more than
/// [`MAX_BATCH_ITEMS`].
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
                Err(FieldError::new("body", "has no task; send one a line"))
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
            "must be a JSON array of tasks; or send one task a line as application/x-ndjson",
        ));
    }
    // The error of an item repeats it, so a long text is read item by item, each measured first.
    if text.len() <= MAX_BATCH_AT_ONCE_BYTES
        && let Ok(Bounded(tasks)) =
            serde_json::from_str::<Bounded<NewTask<'_>, MAX_BATCH_ITEMS>>(text)
    {
        check_any(&tasks)?;
        return Ok(tasks.into_iter().map(Ok).collect());
    }
    // Some item is bad, or there are too many or long ones: read each for itself.
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

/// Reads the item of a line. Within a line there is no other, and its number says which it is.
fn parse_line(line: &str) -> Result<NewTask<'_>, FieldError> {
    parse_item(line).map_err(|mut problem| {
        if let Some((said, column)) = problem.detail.rsplit_once(" at line 1 column ") {
            problem.detail = format!("{said} at column {column}");
        }
        problem
    })
}

/// Reads one item of many. Its length is checked first: an error holds what it says of the item
/// several times.
fn parse_item(text: &str) -> Result<NewTask<'_>, FieldError> {
    at_most("body", text.len(), MAX_TASK_BODY_BYTES)?;
    parse_one(text)
}

/// A checked task.
#[derive(Debug)]
pub struct ValidTask<'a> {
    /// The task's name.
    pub id: TaskId<'a>,
    /// When it first fires; [`UnixMillis::NEVER`] for one without a schedule.
    pub due: UnixMillis,
    /// Whether it fires again and again.
    pub recurring: bool,
    /// Whether its record goes to the user's own consumer.
    pub to_queue: bool,
    /// Whether it takes its record to tell, once it is due, if it still fires.
    pub is_conditional: bool,
    /// Whether it fires once, at a time that was given as a local one.
    pub is_at_local_time: bool,
    priority: Option<u8>,
    limit_key: Option<Text<'a>>,
    paused: Option<bool>,
    has_open_anchor: bool,
    /// The time that was asked for.
    time: Option<UnixMillis>,
    schedule: Option<Box<ScheduleFields<'a>>>,
    description: Option<Text<'a>>,
    tags: Option<&'a RawValue>,
    callback: &'a RawValue,
    is_callback_as_stored: bool,
    follow_ups: Option<Box<FollowUps<'a>>>,
    retry: Option<&'a RawValue>,
    payload: Option<&'a RawValue>,
}

impl ValidTask<'_> {
    /// Appends the task's record to `out`: what [`super::Record::write`] would write.
    pub fn write_record(&self, origin: &Origin, out: &mut Vec<u8>) {
        let mut fields = RecordWriter::start(out, self.time, self.id.as_str());
        if let Some(schedule) = &self.schedule {
            fields.schedule(schedule);
        }
        fields.text(
            "description",
            self.description.as_ref().map(|description| description.0.as_ref()),
        );
        fields.json("tags", self.tags);
        if self.is_callback_as_stored {
            fields.stored_json("callback", self.callback);
        } else {
            fields.json_with_numbers("callback", Some(self.callback));
        }
        fields.json_with_numbers(
            "onSuccess",
            self.follow_ups.as_ref().and_then(|follow_ups| follow_ups.on_success),
        );
        fields.json_with_numbers(
            "onFailure",
            self.follow_ups.as_ref().and_then(|follow_ups| follow_ups.on_failure),
        );
        fields.json_with_numbers("retry", self.retry);
        fields.json("payload", self.payload);
        fields.number("priority", self.priority.map(i64::from));
        fields.text("limitKey", self.limit_key());
        fields.flag("paused", self.is_paused() && self.recurring);
        fields.members(origin.members());
        fields.finish();
    }

    /// Returns how urgent it is.
    pub fn priority(&self) -> u8 {
        self.priority.unwrap_or(DEFAULT_PRIORITY)
    }

    /// Returns the key of the limit that bounds its runs.
    pub fn limit_key(&self) -> Option<&str> {
        self.limit_key.as_ref().map(|key| key.0.as_ref())
    }

    /// Returns its place in the order of firing: when it is due, unless it waits to be resumed.
    pub fn place(&self) -> UnixMillis {
        let waits = self.recurring || self.due != UnixMillis::NEVER;
        if self.is_paused() && waits { UnixMillis::PAUSED } else { self.due }
    }

    fn is_paused(&self) -> bool {
        self.paused == Some(true)
    }

    /// Returns whether the request says that it is paused, or that it is not.
    pub fn says_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Returns whether its anchor was settled here, because the request gives none.
    pub fn has_open_anchor(&self) -> bool {
        self.has_open_anchor
    }
}

/// What is known of a callback that holds.
#[derive(Debug, Clone, Copy)]
struct CheckedCallback<'a> {
    /// Whether it goes to the user's own queue.
    to_queue: bool,
    /// Whether its text goes into a record as it is: found once for the many tasks of a request
    /// that have it.
    is_as_stored: bool,
    /// The retry policy of the handler that it names.
    handler_retry: Option<&'a RawValue>,
}

/// Checks the tasks of one request. Remembers what it last found good, for in a batch callback,
/// policy and tags are mostly the same text again.
pub struct Validator<'a> {
    now: UnixMillis,
    ids: IdGenerator,
    id_key: IdKey,
    targets: Targets<'a>,
    handler_retries: &'a [(&'a str, &'a RawValue)],
    default_callback: Option<&'a RawValue>,
    origin: Origin,
    takes_reserved_ids: bool,
    last_callback: Option<(&'a str, CheckedCallback<'a>)>,
    /// The last of each that was good.
    last_follow_ups: FollowUps<'a>,
    last_retry: Option<&'a str>,
    last_tags: Option<&'a str>,
    /// What is left for the schedules of the request.
    budget: Budget,
    sentences: Option<&'a Sentences<'a>>,
}

impl<'a> Validator<'a> {
    /// Returns the key by which a request's ids are told apart: nobody knew it when the ids were
    /// made.
    pub(crate) fn id_key(&self) -> IdKey {
        self.id_key
    }

    /// `now` is what delays count from; `random` 16 fresh random bytes for generated ids.
    pub fn new(now: UnixMillis, random: [u8; 16], targets: Targets<'a>) -> Self {
        Self {
            now,
            ids: IdGenerator::new(now, random),
            id_key: IdKey::new(random),
            targets,
            handler_retries: &[],
            default_callback: None,
            origin: Origin::default(),
            takes_reserved_ids: false,
            last_callback: None,
            last_follow_ups: FollowUps::default(),
            last_retry: None,
            last_tags: None,
            budget: Budget::default(),
            sentences: None,
        }
    }

    /// Reads schedules in words with this. Without it, they are refused.
    #[must_use]
    pub fn with_sentences(self, sentences: &'a Sentences<'a>) -> Self {
        Self { sentences: Some(sentences), ..self }
    }

    /// Generates the ids with this.
    #[must_use]
    pub fn with_ids(mut self, ids: IdGenerator) -> Self {
        self.ids = ids;
        self
    }

    /// Gives the retry policies of handlers, as JSON, that have one of their own: tasks that name
    /// such a handler and no policy get the handler's.
    #[must_use]
    pub fn with_handler_retries(self, handler_retries: &'a [(&'a str, &'a RawValue)]) -> Self {
        Self { handler_retries, ..self }
    }

    /// Gives the callback of tasks that have none of their own. It becomes part of the task's
    /// record.
    #[must_use]
    pub fn with_default_callback(self, default_callback: Option<&'a RawValue>) -> Self {
        Self { default_callback, ..self }
    }

    /// Gives when and by whom the tasks are created. It becomes part of the tasks' records.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Returns when and by whom the tasks are created.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Takes also the ids that callers cannot have: for the deployment's own tasks.
    #[must_use]
    pub fn with_reserved_ids(self) -> Self {
        Self { takes_reserved_ids: true, ..self }
    }

    /// Checks a task.
    ///
    /// # Errors
    /// Names the first field that does not hold, the problem and the limit.
    pub fn check(&mut self, mut task: NewTask<'a>) -> Result<ValidTask<'a>, FieldError> {
        let mut when = ScheduleInput {
            kind: task.r#type,
            time: task.time,
            delay_in_seconds: task.delay_in_seconds,
            recurrence: task.recurrence,
            has_local_from: false,
        };
        let said = when.read_sentence(self.sentences, self.now, &mut self.budget)?;
        task.description = task.description.or(said);
        let id = match task.id {
            Some(id) => {
                check_id(&id.0, self.takes_reserved_ids)?;
                TaskId::Given(id.0)
            }
            None => self.ids.next_id(),
        };
        if let Some(description) = &task.description {
            at_most("description", description.0.len(), MAX_DESCRIPTION_BYTES)?;
        }
        if let Some(tags) = task.tags {
            self.check_tags(tags.get())?;
        }
        if let Some(payload) = task.payload {
            at_most("payload", payload.get().len(), MAX_PAYLOAD_BYTES)?;
            check_nesting("payload", payload.get())?;
        }
        let priority = task.priority.map(|priority| check_priority(priority.0)).transpose()?;
        if let Some(retry) = task.retry {
            self.check_retry(retry.get())?;
        }
        let callback = task.callback.or(self.default_callback).ok_or_else(|| {
            let detail = r#"is missing, and the deployment has no queue to send tasks to; say what to run, like {"type":"webhook","url":"https://…"}"#;
            FieldError::new("callback", detail)
        })?;
        let checked = self.check_callback(callback.get()).map_err(|problem| match task.callback {
            Some(_) => problem,
            None => FieldError::new(
                "callback",
                format!(
                    "is missing, and the deployment's DEFAULT_CALLBACK does not hold: {problem}"
                ),
            ),
        });
        let CheckedCallback { to_queue, is_as_stored, handler_retry } = checked?;
        let queue = match task.callback {
            Some(_) => "a callback of the type queue",
            None => "the queue that a task without a callback goes to",
        };
        if let Some(key) = &task.limit_key {
            check_limit_key("limitKey", &key.0)?;
            if to_queue {
                let detail = format!(
                    "does not apply to {queue}: its consumer sets its own pace; leave it out, or give another callback"
                );
                return Err(FieldError::new("limitKey", detail));
            }
        }
        if to_queue && task.retry.is_some() {
            let detail = format!(
                "does not apply to {queue}: its consumer retries by itself; leave it out, or give another callback"
            );
            return Err(FieldError::new("retry", detail));
        }
        if let Some(follow_ups) = &task.follow_ups {
            follow_ups.check(to_queue.then_some(queue), self.targets, self.last_follow_ups)?;
            self.last_follow_ups = **follow_ups;
        }
        let CheckedSchedule { time, due, fields, schedule, has_open_anchor } =
            when.check(&id, self.now, &mut self.budget)?;
        let policies =
            fields.as_ref().map(|fields| fields.policies()).transpose()?.unwrap_or_default();
        let valid = ValidTask {
            id,
            due,
            is_conditional: policies.is_conditional(),
            is_at_local_time: fields.as_ref().and_then(|fields| fields.local?.time).is_some(),
            recurring: schedule.is_some(),
            to_queue,
            priority,
            limit_key: task.limit_key,
            paused: task.paused,
            has_open_anchor,
            time,
            schedule: fields,
            description: task.description,
            tags: task.tags,
            callback,
            is_callback_as_stored: is_as_stored,
            follow_ups: task.follow_ups,
            retry: task.retry.or(handler_retry),
            payload: task.payload,
        };
        valid.check_size()?;
        Ok(valid)
    }

    fn check_tags(&mut self, text: &'a str) -> Result<(), FieldError> {
        if self.last_tags == Some(text) {
            return Ok(());
        }
        at_most("tags", text.len(), MAX_TAGS_TEXT_BYTES)?;
        let tags: Bounded<Text<'a>, MAX_TAGS> = parse_naming_the_field(text, "tags")?;
        for (at, Text(tag)) in tags.0.iter().enumerate() {
            let problem = if tag.is_empty() || tag.len() > MAX_TAG_BYTES {
                format!("is {} bytes long; must be 1 to {MAX_TAG_BYTES}", tag.len())
            } else if tag.chars().any(char::is_control) {
                "has a control character; a tag has none".to_owned()
            } else {
                continue;
            };
            return Err(FieldError::new(format!("tags[{at}]"), problem));
        }
        self.last_tags = Some(text);
        Ok(())
    }

    fn check_retry(&mut self, text: &'a str) -> Result<(), FieldError> {
        if self.last_retry != Some(text) {
            at_most("retry", text.len(), MAX_RETRY_TEXT_BYTES)?;
            let input: RetryInput = parse_object(text, "retry")?;
            RetryPolicy::try_from(input)
                .map_err(|problem| FieldError::new(problem.field, problem.detail))?;
            self.last_retry = Some(text);
        }
        Ok(())
    }

    fn check_callback(&mut self, text: &'a str) -> Result<CheckedCallback<'a>, FieldError> {
        if let Some((last, checked)) = self.last_callback
            && last == text
        {
            return Ok(checked);
        }
        let callback = Callback::given(text, self.targets)?;
        let retry_of = |name: &str| {
            self.handler_retries.iter().find(|(known, _)| *known == name).map(|(_, retry)| *retry)
        };
        let handler_retry =
            if let Callback::Handler { name } = &callback { retry_of(name) } else { None };
        let checked = CheckedCallback {
            to_queue: callback.is_queue(),
            is_as_stored: is_as_stored(text),
            handler_retry,
        };
        self.last_callback = Some((text, checked));
        Ok(checked)
    }
}

impl ValidTask<'_> {
    /// Checks that the record fits a queue message. Only escapes and headers can bring it over the
    /// limit, so it is written and measured only when its parts come near.
    fn check_size(&self) -> Result<(), FieldError> {
        let raw = |value: Option<&RawValue>| value.map_or(0, |value| value.get().len());
        // A cron list may have white space and escapes without end.
        let schedule = self.schedule.as_ref().map_or(0, |schedule| {
            raw(schedule.cron)
                + raw(schedule.misfire)
                + 2 * MAX_RULE_BYTES
                + schedule.words.as_ref().map_or(0, |words| words.len())
        });
        let parts = self.id.bytes()
            + schedule
            + self.description.as_ref().map_or(0, |text| text.0.len())
            + raw(self.tags)
            + raw(Some(self.callback))
            + self
                .follow_ups
                .as_ref()
                .map_or(0, |follow_ups| raw(follow_ups.on_success) + raw(follow_ups.on_failure))
            + raw(self.retry)
            + raw(self.payload);
        if parts < MAX_RECORD_BYTES / 2 {
            return Ok(());
        }
        let mut record = Vec::with_capacity(parts + 256);
        self.write_record(&Origin::default(), &mut record);
        let outcome = if self.follow_ups.is_some() { MAX_OUTCOME_BYTES } else { 0 };
        at_most("body", record.len(), MAX_RECORD_BYTES - MAX_ORIGIN_BYTES - outcome)
    }
}

#[cfg(test)]
#[path = "new_task_tests.rs"]
mod tests;
