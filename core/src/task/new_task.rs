//! A task as it is given, and the check that makes it valid.

use super::handler_task::check_not_reserved;
use super::record::RecordWriter;
use super::text::{Text, TimeInput};
use super::{Callback, FieldError, Targets, parse_naming_the_field};
use crate::cron::CronSchedule;
use crate::ids::{IdGenerator, TaskId, check_task_id};
use crate::limits::{
    MAX_BATCH_ITEMS, MAX_CALLBACK_BYTES, MAX_DESCRIPTION_BYTES, MAX_ID_BYTES, MAX_PAYLOAD_BYTES, MAX_RECORD_BYTES, MAX_TAG_BYTES,
    MAX_TAGS,
};
use crate::retry::{RetryInput, RetryPolicy};
use crate::time::UnixMillis;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A task as it is given, borrowing from the request's text. What stands at the fields is shown to callers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    description = "A task to take in: what to run, and exactly one of `time`, `delayInSeconds`, `cron` and `\"type\":\"no-schedule\"`."
)]
#[schemars(extend(
    "oneOf" = [
        { "required": ["time"] },
        { "required": ["delayInSeconds"] },
        { "required": ["cron"] },
        { "required": ["type"], "properties": { "type": { "const": "no-schedule" } } }
    ],
    "dependentRequired" = { "timezone": ["cron"] }
))]
pub struct NewTask<'a> {
    /// Overwrites the task of this id; one is generated without. Not starting with `handler:`. The limit is in bytes of UTF-8.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    id: Option<Text<'a>>,
    /// May be left out but for `no-schedule`; must agree with which of `time`, `delayInSeconds` and `cron` is given.
    r#type: Option<Kind>,
    /// When it fires, once. One that is past fires at once.
    #[serde(borrow)]
    time: Option<TimeInput<'a>>,
    /// How long from now it fires, once, seconds.
    #[schemars(range(min = 0))]
    delay_in_seconds: Option<f64>,
    /// When it fires, again and again.
    #[serde(borrow)]
    cron: Option<Text<'a>>,
    /// The IANA time zone that `cron` is read in; without it, UTC.
    #[serde(borrow)]
    timezone: Option<Text<'a>>,
    /// What the task is, in the caller's words. The limit is in bytes of UTF-8.
    #[serde(borrow)]
    #[schemars(length(max = MAX_DESCRIPTION_BYTES))]
    description: Option<Text<'a>>,
    /// Labels to find it by. The limits are in bytes of UTF-8.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_TAGS), inner(length(min = 1, max = MAX_TAG_BYTES)))]
    tags: Option<&'a RawValue>,
    /// What happens when it fires.
    #[serde(borrow)]
    #[schemars(with = "Callback<'static>", extend("x-maxBytes" = MAX_CALLBACK_BYTES))]
    callback: Option<&'a RawValue>,
    /// When it is tried again after a failure. Without it, as the handler that it names says for itself; else the defaults.
    #[serde(borrow)]
    #[schemars(with = "Option<RetryInput>")]
    retry: Option<&'a RawValue>,
    /// Take it in, but let it wait to be resumed.
    paused: Option<bool>,
    /// Any JSON, delivered as it is given.
    #[serde(borrow)]
    #[schemars(with = "Option<serde_json::Value>", extend("x-maxBytes" = MAX_PAYLOAD_BYTES))]
    payload: Option<&'a RawValue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum Kind {
    Scheduled,
    Delayed,
    Cron,
    NoSchedule,
}

impl<'a> NewTask<'a> {
    /// Gives the task the id that stands in the path.
    ///
    /// # Errors
    /// When the body names another.
    pub fn set_id(&mut self, id: &'a str) -> Result<(), FieldError> {
        match &self.id {
            Some(given) if given.0 != id => Err(FieldError::new("id", "is not the one in the path; leave it out")),
            _ => {
                self.id = Some(Text(Cow::Borrowed(id)));
                Ok(())
            }
        }
    }
}

/// Reads one task.
///
/// # Errors
/// Names the field that cannot be read.
pub fn parse_one(text: &str) -> Result<NewTask<'_>, FieldError> {
    parse_naming_the_field(text, "")
}

/// Reads many tasks: a JSON array, or one task a line. An item that cannot be read is an error of its own and leaves the
/// others good.
///
/// # Errors
/// When the whole cannot be read as items: not an array, or more than [`MAX_BATCH_ITEMS`].
pub fn parse_batch(text: &str, lines: bool) -> Result<Vec<Result<NewTask<'_>, FieldError>>, FieldError> {
    let items = if lines {
        text.lines().filter(|line| !line.trim_ascii().is_empty()).map(parse_one).collect()
    } else if let Ok(tasks) = serde_json::from_str::<Vec<NewTask<'_>>>(text) {
        tasks.into_iter().map(Ok).collect()
    } else {
        // Some item is bad: read each for itself.
        let items: Vec<&RawValue> = parse_naming_the_field(text, "")?;
        items.into_iter().map(|item| parse_one(item.get())).collect::<Vec<_>>()
    };
    if items.len() > MAX_BATCH_ITEMS {
        return Err(FieldError::new(
            "body",
            format!("has {} items; the limit is {MAX_BATCH_ITEMS}: send several requests", items.len()),
        ));
    }
    Ok(items)
}

/// A checked task.
#[derive(Debug)]
pub struct ValidTask<'a> {
    /// The task's name.
    pub id: TaskId<'a>,
    /// When it fires; [`UnixMillis::NEVER`] for one without a schedule. Of a recurring task, its first occurrence.
    pub due: UnixMillis,
    /// Whether it fires again and again.
    pub recurring: bool,
    /// Whether its record goes to the user's own consumer.
    pub to_queue: bool,
    paused: bool,
    cron: Option<Text<'a>>,
    timezone: Option<Text<'a>>,
    description: Option<Text<'a>>,
    tags: Option<&'a RawValue>,
    callback: &'a RawValue,
    retry: Option<&'a RawValue>,
    payload: Option<&'a RawValue>,
}

impl ValidTask<'_> {
    /// Appends the task's record to `out`: what [`super::Record::write`] would write.
    pub fn write_record(&self, out: &mut Vec<u8>) {
        let time = (!self.recurring && self.due != UnixMillis::NEVER).then_some(self.due);
        let mut fields = RecordWriter::start(out, time, self.id.as_str());
        fields.text("cron", self.cron.as_ref().map(|cron| cron.0.as_ref()));
        fields.text("timezone", self.timezone.as_ref().map(|timezone| timezone.0.as_ref()));
        fields.text("description", self.description.as_ref().map(|description| description.0.as_ref()));
        fields.json("tags", self.tags);
        fields.json("callback", Some(self.callback));
        fields.json("retry", self.retry);
        fields.json("payload", self.payload);
        fields.flag("paused", self.paused && self.recurring);
        fields.finish();
    }

    /// Its place in the order of firing: when it is due, unless it waits to be resumed.
    pub fn place(&self) -> UnixMillis {
        if self.paused && self.due != UnixMillis::NEVER { UnixMillis::PAUSED } else { self.due }
    }
}

/// What is known of a callback that holds.
#[derive(Debug, Clone, Copy)]
struct CheckedCallback<'a> {
    /// Whether it goes to the user's own queue.
    to_queue: bool,
    /// The retry policy of the handler that it names.
    handler_retry: Option<&'a RawValue>,
}

/// Checks the tasks of one request. Remembers what it last found good, for in a batch callback, policy and tags are mostly the
/// same text again.
pub struct Validator<'a> {
    now: UnixMillis,
    ids: IdGenerator,
    targets: Targets<'a>,
    handler_retries: &'a [(&'a str, &'a RawValue)],
    takes_reserved_ids: bool,
    last_callback: Option<(&'a str, CheckedCallback<'a>)>,
    last_retry: Option<&'a str>,
    last_tags: Option<&'a str>,
}

impl<'a> Validator<'a> {
    /// `now` is what delays count from; `random` 16 fresh random bytes for generated ids.
    pub fn new(now: UnixMillis, random: [u8; 16], targets: Targets<'a>) -> Self {
        Self {
            now,
            ids: IdGenerator::new(now, random),
            targets,
            handler_retries: &[],
            takes_reserved_ids: false,
            last_callback: None,
            last_retry: None,
            last_tags: None,
        }
    }

    /// Generates the ids with this.
    #[must_use]
    pub fn with_ids(mut self, ids: IdGenerator) -> Self {
        self.ids = ids;
        self
    }

    /// Gives the retry policies of handlers, as JSON, that have one of their own: tasks that name such a handler and no policy get
    /// the handler's.
    #[must_use]
    pub fn with_handler_retries(self, handler_retries: &'a [(&'a str, &'a RawValue)]) -> Self {
        Self { handler_retries, ..self }
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
    pub fn check(&mut self, task: NewTask<'a>) -> Result<ValidTask<'a>, FieldError> {
        let id = match task.id {
            Some(id) => {
                check_task_id(&id.0).map_err(|problem| FieldError::new("id", problem.to_string()))?;
                if !self.takes_reserved_ids {
                    check_not_reserved(&id.0)?;
                }
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
        }
        if let Some(retry) = task.retry {
            self.check_retry(retry.get())?;
        }
        let callback = task.callback.ok_or_else(|| {
            FieldError::new("callback", r#"is missing; say what to run, like {"type":"webhook","url":"https://…"}"#)
        })?;
        let CheckedCallback { to_queue, handler_retry } = self.check_callback(callback.get())?;
        let (due, recurring) = self.due(&task.r#type, &task.time, task.delay_in_seconds, &task.cron, &task.timezone)?;
        let valid = ValidTask {
            id,
            due,
            recurring,
            to_queue,
            paused: task.paused.unwrap_or(false),
            cron: task.cron,
            timezone: task.timezone,
            description: task.description,
            tags: task.tags,
            callback,
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
        let tags: Vec<Cow<'a, str>> = parse_naming_the_field(text, "tags")?;
        if tags.len() > MAX_TAGS {
            return Err(FieldError::new("tags", format!("has {} tags; the limit is {MAX_TAGS}", tags.len())));
        }
        for (at, tag) in tags.iter().enumerate() {
            if tag.is_empty() || tag.len() > MAX_TAG_BYTES {
                return Err(FieldError::new(
                    format!("tags[{at}]"),
                    format!("is {} bytes long; must be 1 to {MAX_TAG_BYTES}", tag.len()),
                ));
            }
        }
        self.last_tags = Some(text);
        Ok(())
    }

    fn check_retry(&mut self, text: &'a str) -> Result<(), FieldError> {
        if self.last_retry != Some(text) {
            let input: RetryInput = parse_naming_the_field(text, "retry")?;
            RetryPolicy::try_from(input).map_err(|problem| FieldError::new(problem.field, problem.detail))?;
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
        let callback = Callback::parse(text)?;
        callback.check(text, self.targets)?;
        let retry_of = |name: &str| self.handler_retries.iter().find(|(known, _)| *known == name).map(|(_, retry)| *retry);
        let handler_retry = if let Callback::Handler { name } = &callback { retry_of(name) } else { None };
        let checked = CheckedCallback { to_queue: callback.is_queue(), handler_retry };
        self.last_callback = Some((text, checked));
        Ok(checked)
    }

    /// When the task is first due, and whether it recurs.
    fn due(
        &self,
        kind: &Option<Kind>,
        time: &Option<TimeInput<'_>>,
        delay: Option<f64>,
        cron: &Option<Text<'_>>,
        timezone: &Option<Text<'_>>,
    ) -> Result<(UnixMillis, bool), FieldError> {
        let given = match (time.is_some(), delay.is_some(), cron.is_some()) {
            (true, false, false) => Kind::Scheduled,
            (false, true, false) => Kind::Delayed,
            (false, false, true) => Kind::Cron,
            (false, false, false) if *kind == Some(Kind::NoSchedule) => Kind::NoSchedule,
            (false, false, false) => {
                return Err(FieldError::new(
                    "time",
                    r#"is missing; give one of time, delayInSeconds and cron, or "type":"no-schedule""#,
                ));
            }
            _ => return Err(FieldError::new("time", "is one of several; give only one of time, delayInSeconds and cron")),
        };
        if kind.is_some_and(|kind| kind != given) {
            return Err(FieldError::new("type", "does not agree with which of time, delayInSeconds and cron is given"));
        }
        if timezone.is_some() && given != Kind::Cron {
            return Err(FieldError::new("timezone", "belongs to cron only; write the offset into time instead"));
        }
        let due = match given {
            Kind::NoSchedule => return Ok((UnixMillis::NEVER, false)),
            Kind::Scheduled => parse_time(time)?,
            Kind::Delayed => parse_delay(delay.unwrap_or_default(), self.now)?,
            Kind::Cron => {
                let expression = cron.as_ref().map_or("", |cron| cron.0.as_ref());
                let zone = timezone.as_ref().map(|timezone| timezone.0.as_ref());
                let schedule = CronSchedule::parse(expression, zone)
                    .map_err(|problem| FieldError::new(problem.field(), problem.to_string()))?;
                schedule
                    .next_after(self.now)
                    .ok_or_else(|| FieldError::new("cron", "never comes again; give an expression with a future"))?
            }
        };
        Ok((due, given == Kind::Cron))
    }
}

impl ValidTask<'_> {
    /// That the record fits a queue message. Only escapes and headers can bring it over the limit, so it is written and measured
    /// only when its parts come near.
    fn check_size(&self) -> Result<(), FieldError> {
        let raw = |value: Option<&RawValue>| value.map_or(0, |value| value.get().len());
        let parts = self.id.as_str().len()
            + self.description.as_ref().map_or(0, |text| text.0.len())
            + raw(self.tags)
            + raw(Some(self.callback))
            + raw(self.retry)
            + raw(self.payload);
        if parts < MAX_RECORD_BYTES / 2 {
            return Ok(());
        }
        let mut record = Vec::with_capacity(parts + 256);
        self.write_record(&mut record);
        at_most("body", record.len(), MAX_RECORD_BYTES)
    }
}

fn at_most(field: &'static str, bytes: usize, limit: usize) -> Result<(), FieldError> {
    if bytes > limit {
        return Err(FieldError::new(field, format!("is {bytes} bytes long; the limit is {limit}")));
    }
    Ok(())
}

pub(super) fn parse_time(time: &Option<TimeInput<'_>>) -> Result<UnixMillis, FieldError> {
    match time {
        Some(TimeInput::Millis(millis)) => UnixMillis::checked(*millis),
        Some(TimeInput::Text(text)) => UnixMillis::parse(text),
        Some(TimeInput::Fraction(_)) | None => {
            Err("has a fraction or is too large; give whole milliseconds since 1970, or RFC 3339".to_owned())
        }
    }
    .map_err(|problem| FieldError::new("time", problem))
}

pub(super) fn parse_delay(seconds: f64, now: UnixMillis) -> Result<UnixMillis, FieldError> {
    let most = (UnixMillis::LAST.since(now) / 1_000).max(0);
    if !(0.0..=most as f64).contains(&seconds) {
        return Err(FieldError::new("delayInSeconds", format!("is {seconds}; must be 0 to {most}")));
    }
    // Rounded up to whole milliseconds: never early.
    Ok(now.plus((seconds * 1_000.0).ceil() as i64))
}

#[cfg(test)]
#[path = "new_task_tests.rs"]
mod tests;
