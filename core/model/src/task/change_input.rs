//! The body of a change of tasks: which tasks, and the new time or the reason.

use super::filter_input::FilterInput;
use crate::bounds::{MAX_CANCEL_IDS, MAX_PAUSE_NOTE_BYTES};
use crate::input::{
    Bounded, FieldError, Text, TimeInput, at_most, check_beside_ids, check_ids, parse_object_taking,
};
use crate::protocol::NewTime;
use crate::schedule::delayed;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::Deserialize;

/// The tasks to change, by id or by filter. A reschedule also has the new time, as one of `time`
/// and `delayInSeconds`, and a pause the reason.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeInput<'a> {
    /// The ids of the tasks; a repeated id counts once. Absent if the path names the task.
    #[schemars(inner(length(min = 1)))]
    pub ids: Option<Bounded<String, MAX_CANCEL_IDS>>,
    /// Selects the tasks that match every part of the filter. Absent if the path names the task.
    #[serde(borrow, default, deserialize_with = "crate::input::optional_object")]
    pub filter: Option<FilterInput<'a>>,
    /// Selects every task, in place of `ids` and `filter`. Absent if the path names the task.
    #[schemars(extend("const" = true))]
    pub all: Option<bool>,
    /// The new time; for a reschedule only.
    #[serde(borrow)]
    time: Option<TimeInput<'a>>,
    /// The IANA time zone of a local `time`; for a reschedule only.
    #[serde(borrow)]
    timezone: Option<Text<'a>>,
    /// The new delay, in seconds from now; for a reschedule only.
    #[schemars(range(min = 0))]
    delay_in_seconds: Option<f64>,
    /// Why they are paused; for a pause only. If a paused task is paused again with a note, the new
    /// note replaces the former one.
    #[serde(borrow)]
    #[schemars(length(min = 1), extend("x-maxBytes" = MAX_PAUSE_NOTE_BYTES))]
    note: Option<Text<'a>>,
    /// Changes nothing. The answer says how many tasks the request would change, and shows the
    /// first of them. Not with `ids`, and not if the path names the task.
    dry_run: Option<bool>,
}

impl<'a> ChangeInput<'a> {
    /// The members of a resume of one task.
    pub const NOTHING: &'static [&'static str] = &[];
    /// The members of a pause of one task.
    pub const PAUSE: &'static [&'static str] = &["note"];
    /// The members of a pause of many tasks.
    pub const PAUSE_MANY: &'static [&'static str] = &["ids", "filter", "all", "note", "dryRun"];
    /// The members of any change of many tasks other than a pause and a reschedule.
    pub const SELECTION: &'static [&'static str] = &["ids", "filter", "all", "dryRun"];
    /// The members of a reschedule of one task.
    pub const RESCHEDULE: &'static [&'static str] = &["time", "timezone", "delayInSeconds"];
    /// The members of a reschedule of many tasks.
    pub const RESCHEDULE_MANY: &'static [&'static str] =
        &["ids", "filter", "all", "time", "timezone", "delayInSeconds", "dryRun"];

    /// Reads a body. An empty body sets no member. The error of an unknown member suggests those in
    /// `takes`.
    ///
    /// # Errors
    /// Returns an error that names the field that cannot be read.
    pub fn parse(text: &'a str, takes: &'static [&'static str]) -> Result<Self, FieldError> {
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        check_beside_ids(text)?;
        let input: Self = parse_object_taking(text, "", &|| Some(takes))?;
        check_ids(input.ids.as_ref())?;
        Ok(input)
    }

    /// Refuses members that select tasks, and a dry run, in a request whose path names the task.
    ///
    /// # Errors
    /// Returns an error if the request has such a member.
    pub fn check_single(&self) -> Result<(), FieldError> {
        if self.ids.is_some() || self.filter.is_some() || self.all.is_some() {
            return Err(FieldError::new(
                "body",
                "names tasks, but the path does already; leave out ids, filter and all",
            ));
        }
        if self.dry_run.is_some() {
            return Err(FieldError::new(
                "dryRun",
                "belongs to a request for many tasks, by filter or all; leave it out",
            ));
        }
        Ok(())
    }

    /// Returns whether the request only counts.
    ///
    /// # Errors
    /// Returns an error if the request has a dry run and names ids, whose number is known.
    pub fn is_dry_run(&self) -> Result<bool, FieldError> {
        match (self.dry_run, &self.ids) {
            (Some(_), Some(_)) => Err(FieldError::new(
                "dryRun",
                "counts what filter or all selects, so it has no use beside ids; leave out one of them",
            )),
            (dry_run, _) => Ok(dry_run == Some(true)),
        }
    }

    /// Returns the note of a pause.
    ///
    /// # Errors
    /// Returns an error if it is empty, too long, or has a control character.
    pub fn note(&self) -> Result<Option<String>, FieldError> {
        let Some(Text(note)) = &self.note else { return Ok(None) };
        if note.is_empty() {
            return Err(FieldError::new("note", "is empty; leave it out"));
        }
        at_most("note", note.len(), MAX_PAUSE_NOTE_BYTES)?;
        if note.chars().any(char::is_control) {
            return Err(FieldError::new("note", "has a control character, such as a line break"));
        }
        Ok(Some(note.clone().into_owned()))
    }

    /// Refuses a note in a request that is not a pause.
    ///
    /// # Errors
    /// Returns an error if the request has a note.
    pub fn check_without_note(&self) -> Result<(), FieldError> {
        match &self.note {
            None => Ok(()),
            Some(_) => Err(FieldError::new("note", "belongs to a pause only; leave it out")),
        }
    }

    /// Refuses a time in a request that is not a reschedule.
    ///
    /// # Errors
    /// Returns an error if the request has a time, a delay or a time zone.
    pub fn check_untimed(&self) -> Result<(), FieldError> {
        if self.timezone.is_some() {
            return Err(FieldError::new("timezone", "belongs to a reschedule only; leave it out"));
        }
        match (&self.time, self.delay_in_seconds) {
            (None, None) => Ok(()),
            (Some(_), _) => {
                Err(FieldError::new("time", "belongs to a reschedule only; leave it out"))
            }
            (None, Some(_)) => {
                Err(FieldError::new("delayInSeconds", "belongs to a reschedule only; leave it out"))
            }
        }
    }

    /// Returns the new time; delays count from `now`.
    ///
    /// # Errors
    /// Returns an error if there is no time, or it is invalid.
    pub fn new_time(&self, now: UnixMillis) -> Result<NewTime, FieldError> {
        match (&self.time, self.delay_in_seconds) {
            (Some(_), Some(_)) => Err(FieldError::new(
                "time",
                "is given beside delayInSeconds; give only one of them",
            )),
            (Some(time), None) => {
                let timezone = self
                    .timezone
                    .as_ref()
                    .map(|name| scheduler_calendar::cron::timezone(Some(&name.0)))
                    .transpose();
                let timezone =
                    timezone.map_err(|problem| FieldError::new("timezone", problem.to_string()))?;
                let (at, local) = time.in_zone("time", timezone)?;
                if local.is_none() && timezone.is_some() {
                    let detail = format!("belongs to a local time only; {}", time.without_zone());
                    return Err(FieldError::new("timezone", detail));
                }
                Ok(NewTime { at, local: local.zip(timezone) })
            }
            (None, Some(_)) if self.timezone.is_some() => {
                Err(FieldError::new("timezone", "belongs to a local time only; leave it out"))
            }
            (None, Some(seconds)) => delayed(seconds, now).map(NewTime::from),
            (None, None) => Err(FieldError::new("time", "is missing; give time or delayInSeconds")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_and_times_checked() {
        let now = UnixMillis::new(1_000);
        let time = |text| {
            ChangeInput::parse(text, ChangeInput::RESCHEDULE_MANY)
                .and_then(|input| input.new_time(now))
        };
        assert_eq!(time(r#"{"time":"1970-01-01T00:00:05Z"}"#), Ok(UnixMillis::new(5_000).into()));
        assert_eq!(time(r#"{"delayInSeconds":1.5}"#), Ok(UnixMillis::new(2_500).into()));
        let text = r#"{"time":"2026-12-01T09:00","timezone":"America/Vancouver"}"#;
        let local =
            Some(("2026-12-01T09:00".parse().unwrap(), "America/Vancouver".parse().unwrap()));
        assert_eq!(time(text), Ok(NewTime { at: UnixMillis::new(1_796_140_800_000), local }));
        assert!(time(r#"{"time":"2026-12-01T09:00"}"#).unwrap_err().detail.contains("timezone"));
        for (text, field) in [
            ("", "time"),
            ("{}", "time"),
            (r#"{"time":5,"delayInSeconds":1}"#, "time"),
            (r#"{"time":-5}"#, "time"),
            (r#"{"delayInSeconds":-1}"#, "delayInSeconds"),
            (r#"{"delayInSeconds":1,"timezone":"Asia/Tokyo"}"#, "timezone"),
            (r#"{"time":"2026-12-01T09:00:00Z","timezone":"Asia/Tokyo"}"#, "timezone"),
            (r#"{"time":"2026-12-01T09:00","timezone":"Mars"}"#, "timezone"),
            (r#"{"when":5}"#, "when"),
            (r#"{"ids":[""]}"#, "ids[0]"),
            ("[]", "body"),
        ] {
            assert_eq!(time(text).unwrap_err().field, field, "{text}");
        }
        let untimed = |text| {
            ChangeInput::parse(text, ChangeInput::RESCHEDULE_MANY)
                .and_then(|input| input.check_untimed())
        };
        assert_eq!(untimed(r#"{"ids":["a"]}"#), Ok(()));
        assert_eq!(untimed(r#"{"delayInSeconds":1}"#).unwrap_err().field, "delayInSeconds");
    }

    #[test]
    fn a_note_is_a_line_of_text_and_belongs_to_a_pause() {
        let note = |text: &str| {
            let body = format!(r#"{{"note":{text}}}"#);
            ChangeInput::parse(&body, ChangeInput::PAUSE).and_then(|input| input.note())
        };
        assert_eq!(note("\"until Monday\""), Ok(Some("until Monday".to_owned())));
        assert_eq!(ChangeInput::default().note(), Ok(None));
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
        assert!(note(&text(MAX_PAUSE_NOTE_BYTES)).is_ok());
        for wrong in [&text(MAX_PAUSE_NOTE_BYTES + 1), "\"\"", r#""a\nb""#, "5"] {
            assert_eq!(note(wrong).unwrap_err().field, "note", "{wrong}");
        }
        let input = ChangeInput::parse(r#"{"note":"a"}"#, ChangeInput::SELECTION).unwrap();
        assert_eq!(input.check_without_note().unwrap_err().field, "note");
    }

    #[test]
    fn a_dry_run_is_of_many_by_filter() {
        let read = |text| ChangeInput::parse(text, ChangeInput::SELECTION).unwrap();
        let filtered = |dry_run| format!(r#"{{"filter":{{"tag":"a"}}{dry_run}}}"#);
        for (dry_run, is) in
            [("", false), (r#","dryRun":false"#, false), (r#","dryRun":true"#, true)]
        {
            let text = filtered(dry_run);
            assert_eq!(
                ChangeInput::parse(&text, ChangeInput::SELECTION).unwrap().is_dry_run(),
                Ok(is)
            );
        }
        assert_eq!(read(r#"{"all":true,"dryRun":true}"#).is_dry_run(), Ok(true));
        let by_ids = read(r#"{"ids":["a"],"dryRun":true}"#);
        assert_eq!(by_ids.is_dry_run().unwrap_err().field, "dryRun");
        assert_eq!(read(r#"{"dryRun":true}"#).check_single().unwrap_err().field, "dryRun");
        assert_eq!(read(r#"{"all":true}"#).check_single().unwrap_err().field, "body");
    }

    #[test]
    fn an_unknown_member_is_answered_with_those_that_the_request_takes() {
        for (takes, offered) in [
            (ChangeInput::NOTHING, "is not a member of this object: there are none"),
            (
                ChangeInput::SELECTION,
                "is not a member of this object; did you mean `ids`? There are: ids, filter, all, dryRun",
            ),
            (
                ChangeInput::RESCHEDULE,
                "is not a member of this object; there are: time, timezone, delayInSeconds",
            ),
        ] {
            let problem = ChangeInput::parse(r#"{"idz":["a"]}"#, takes).unwrap_err();
            assert_eq!((problem.field.as_ref(), problem.detail.as_str()), ("idz", offered));
        }
        // The members of a filter are not those of the body.
        let text = r#"{"filter":{"prefiks":"a"}}"#;
        let problem = ChangeInput::parse(text, ChangeInput::SELECTION).unwrap_err();
        assert_eq!(problem.field, "filter.prefiks");
        assert!(problem.detail.contains("did you mean `prefix`? There are: all, prefix, text"));
    }
}
