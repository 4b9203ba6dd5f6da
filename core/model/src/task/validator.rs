//! The check of the tasks of one request.

use super::follow_ups::FollowUps;
use super::handler_task::check_id;
use super::new_task::NewTask;
use super::policies::check_priority;
use super::text::is_as_stored;
use super::valid_task::ValidTask;
use super::{Callback, Origin, Targets};
use crate::bounds::{
    MAX_DESCRIPTION_BYTES, MAX_PAYLOAD_BYTES, MAX_RETRY_TEXT_BYTES, MAX_TAG_BYTES, MAX_TAGS,
    MAX_TAGS_TEXT_BYTES,
};
use crate::calendars::Calendars;
use crate::id_key::IdKey;
use crate::ids::{IdGenerator, TaskId};
use crate::input::{
    Bounded, FieldError, Text, at_most, check_nesting, parse_naming_the_field, parse_object,
};
use crate::limit::check_limit_key;
use crate::retry::{RetryInput, RetryPolicy};
use crate::schedule::{Budget, CheckedSchedule, ScheduleInput, Sentences};
use scheduler_calendar::time::UnixMillis;
use serde_json::value::RawValue;

/// What is known of a valid callback.
#[derive(Debug, Clone, Copy)]
struct CheckedCallback<'a> {
    /// Whether it goes to the user's own queue.
    to_queue: bool,
    /// Whether a record can hold its text unchanged. This is determined once for the many tasks of
    /// a request that share the callback.
    is_as_stored: bool,
    /// The retry policy of the handler that it names.
    handler_retry: Option<&'a RawValue>,
}

/// Checks the tasks of one request. It remembers the last valid texts, because most tasks of a
/// batch repeat the same callback, policy and tags.
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
    /// The last follow-ups, retry policy and tags that were valid.
    last_follow_ups: FollowUps<'a>,
    last_retry: Option<&'a str>,
    last_tags: Option<&'a str>,
    /// The steps that are left for the schedules of the request.
    budget: Budget,
    sentences: Option<&'a Sentences<'a>>,
    calendars: Option<&'a Calendars>,
}

impl<'a> Validator<'a> {
    /// Returns the key of the index that finds equal ids in a request. Nobody knew it when the ids
    /// were chosen.
    pub(crate) fn id_key(&self) -> IdKey {
        self.id_key
    }

    /// Returns a validator. Delays count from `now`. `random` are 16 fresh random bytes for
    /// generated ids.
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
            calendars: None,
        }
    }

    /// Sets the reader of schedules in words. Without it, they are refused.
    #[must_use]
    pub fn with_sentences(self, sentences: &'a Sentences<'a>) -> Self {
        Self { sentences: Some(sentences), ..self }
    }

    /// Sets the calendars that tasks may name. Without them, a name is refused.
    #[must_use]
    pub fn with_calendars(self, calendars: &'a Calendars) -> Self {
        Self { calendars: Some(calendars), ..self }
    }

    /// Sets the generator of ids.
    #[must_use]
    pub fn with_ids(mut self, ids: IdGenerator) -> Self {
        self.ids = ids;
        self
    }

    /// Sets the retry policies of handlers, as JSON, by the name of the handler. A task that names
    /// such a handler and has no policy gets the handler's.
    #[must_use]
    pub fn with_handler_retries(self, handler_retries: &'a [(&'a str, &'a RawValue)]) -> Self {
        Self { handler_retries, ..self }
    }

    /// Sets the callback of tasks that have none. It becomes a part of their records.
    #[must_use]
    pub fn with_default_callback(self, default_callback: Option<&'a RawValue>) -> Self {
        Self { default_callback, ..self }
    }

    /// Sets when and by whom the tasks are created. It becomes a part of their records.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Returns when and by whom the tasks are created.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Accepts the ids that are reserved for the deployment's own tasks.
    #[must_use]
    pub fn with_reserved_ids(self) -> Self {
        Self { takes_reserved_ids: true, ..self }
    }

    /// Checks a task.
    ///
    /// # Errors
    /// Returns an error that names the first invalid field, the problem and the limit.
    pub fn check(&mut self, mut task: NewTask<'a>) -> Result<ValidTask<'a>, FieldError> {
        let mut when = ScheduleInput {
            kind: task.r#type,
            time: task.time,
            delay_in_seconds: task.delay_in_seconds,
            recurrence: task.recurrence,
            has_local_from: false,
        };
        let said = when.read_sentence(self.sentences, self.now, &mut self.budget)?;
        when.resolve_calendars(self.calendars, &mut self.budget)?;
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
        let (callback, CheckedCallback { to_queue, is_as_stored, handler_retry }) = self
            .check_target(
                task.callback,
                task.limit_key.as_ref(),
                task.retry.is_some(),
                task.follow_ups.as_deref(),
            )?;
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

    /// Checks the callback of a task, and the members that depend on it: `limitKey`, `retry` and the
    /// follow-ups. Returns the callback, which may be the default one.
    fn check_target(
        &mut self,
        given: Option<&'a RawValue>,
        limit_key: Option<&Text<'a>>,
        has_retry: bool,
        follow_ups: Option<&FollowUps<'a>>,
    ) -> Result<(&'a RawValue, CheckedCallback<'a>), FieldError> {
        let callback = given.or(self.default_callback).ok_or_else(|| {
            let detail = r#"is missing, and the deployment has no queue to send tasks to; say what to run, like {"type":"webhook","url":"https://…"}"#;
            FieldError::new("callback", detail)
        })?;
        let checked = self.check_callback(callback.get()).map_err(|problem| match given {
            Some(_) => problem,
            None => FieldError::new(
                "callback",
                format!("is missing, and the deployment's DEFAULT_CALLBACK is invalid: {problem}"),
            ),
        })?;
        let to_queue = checked.to_queue;
        let queue = match given {
            Some(_) => "a callback of the type queue",
            None => "the queue that a task without a callback goes to",
        };
        if let Some(key) = limit_key {
            check_limit_key("limitKey", &key.0)?;
            if to_queue {
                let detail = format!(
                    "does not apply to {queue}: its consumer sets its own pace; leave it out, or give another callback"
                );
                return Err(FieldError::new("limitKey", detail));
            }
        }
        if to_queue && has_retry {
            let detail = format!(
                "does not apply to {queue}: its consumer retries by itself; leave it out, or give another callback"
            );
            return Err(FieldError::new("retry", detail));
        }
        if let Some(follow_ups) = follow_ups {
            follow_ups.check(to_queue.then_some(queue), self.targets, self.last_follow_ups)?;
            self.last_follow_ups = *follow_ups;
        }
        Ok((callback, checked))
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
                "has a control character, which a tag may not have".to_owned()
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

#[cfg(test)]
#[path = "validator_records_tests.rs"]
mod records_tests;
#[cfg(test)]
#[path = "validator_tests.rs"]
mod tests;
