//! Schedules that a request gives in words.
//!
//! The grammar is a separate crate, which depends on this one. So this crate calls it through a
//! trait. The fields that it returns live as long as the text of the request, and tasks borrow from
//! both.

use super::{Budget, GivenKind, Recurrence, ScheduleInput, read_recurrence};
use crate::bounds::MAX_SENTENCE_BYTES;
use crate::input::{FieldError, GivenTime, Text, TimeInput, at_most, parse_naming_the_field};
use scheduler_calendar::time::UnixMillis;
use std::borrow::Cow;
use std::cell::OnceCell;

/// The meaning of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// The fields of a task that say when, as a JSON object.
    pub schedule: String,
    /// The description of the task: the words that do not say when.
    pub description: Option<String>,
}

/// A reader of schedules in words.
pub trait ReadsSentences {
    /// Reads a sentence at `now`. Local times are in `timezone`, or UTC if absent.
    ///
    /// # Errors
    /// In the field `schedule`: what is unclear, with the choices, or why the sentence is refused.
    fn read(
        &self,
        sentence: &str,
        timezone: Option<&str>,
        now: UnixMillis,
    ) -> Result<Said, FieldError>;
}

/// The meanings of the sentences of one request. It keeps them as long as the request's text. If a
/// request is planned twice, its sentences are read twice, each time with a new budget.
pub struct Sentences<'r> {
    reader: &'r dyn ReadsSentences,
    /// The meanings, in order. It is a linked list, so its entries never move.
    first: OnceCell<Box<Kept>>,
}

#[derive(Default)]
struct Kept {
    said: Said,
    next: OnceCell<Box<Self>>,
}

impl std::fmt::Debug for Sentences<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sentences").finish_non_exhaustive()
    }
}

/// The fields of a sentence.
#[derive(Default)]
struct SaidFields<'a> {
    time: Option<TimeInput<'a>>,
    recurrence: Option<Box<Recurrence<'a>>>,
}

read_recurrence!(SaidFields, "a schedule", ignoring |_: &str| false, { "time" => time });

impl<'r> Sentences<'r> {
    /// Returns an empty collection that reads sentences with `reader`.
    pub fn new(reader: &'r dyn ReadsSentences) -> Self {
        Self { reader, first: OnceCell::new() }
    }

    /// Returns whether a sentence of the request has been read.
    pub fn are_given(&self) -> bool {
        self.first.get().is_some()
    }

    fn said(
        &self,
        sentence: &str,
        timezone: Option<&str>,
        now: UnixMillis,
    ) -> Result<&Said, FieldError> {
        at_most("schedule", sentence.len(), MAX_SENTENCE_BYTES)?;
        let said = self.reader.read(sentence, timezone, now)?;
        let mut place = &self.first;
        while let Some(kept) = place.get() {
            place = &kept.next;
        }
        Ok(&place.get_or_init(|| Box::new(Kept { said, next: OnceCell::new() })).said)
    }
}

/// Returns a member of the request that the sentence would replace.
fn given_with(input: &ScheduleInput<'_>, rest: &Recurrence<'_>) -> Option<&'static str> {
    let replaced = [
        ("time", input.time.is_some()),
        ("delayInSeconds", input.delay_in_seconds.is_some()),
        ("cron", rest.cron.is_some()),
        ("everySeconds", rest.every_seconds.is_some()),
        ("rrule", rest.rrule.is_some()),
        ("anchor", rest.anchor.is_some()),
        ("words", rest.words.is_some()),
    ];
    replaced.into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
}

impl<'a> ScheduleInput<'a> {
    /// Replaces a sentence by the fields that it means, and puts the sentence into `words`. Returns
    /// the description from the sentence. Does nothing without a sentence. `budget` is the rest of
    /// the budget for the request's schedules.
    ///
    /// # Errors
    /// Returns an error if the sentence is refused or ambiguous, or if a field says what the
    /// sentence also says.
    pub(crate) fn read_sentence(
        &mut self,
        sentences: Option<&'a Sentences<'a>>,
        now: UnixMillis,
        budget: &mut Budget,
    ) -> Result<Option<Text<'a>>, FieldError> {
        let Some(mut rest) = self.recurrence.take() else { return Ok(None) };
        let Some(sentence) = rest.sentence.take() else {
            self.recurrence = Some(rest);
            return Ok(None);
        };
        if let Some(name) = given_with(self, &rest) {
            return Err(FieldError::new(
                name,
                "is given together with schedule, which says it in words; give only one of them",
            ));
        }
        if self.kind.take().is_some_and(|kind| kind != GivenKind::Words) {
            return Err(FieldError::new(
                "type",
                "does not agree with schedule; leave it out, or give \"words\"",
            ));
        }
        let sentences = sentences.ok_or_else(|| {
            FieldError::new("schedule", "is not read here; give the fields that say when")
        })?;
        let given_zone = rest.zone()?;
        let zone = rest.timezone.as_ref().map(|zone| zone.0.as_ref());
        // Reading a sentence computes some runs of its schedule.
        let Said { schedule, description } = budget.draw("schedule", |budget| {
            budget.count_sentence()?;
            sentences.said(&sentence.0, zone, now)
        })?;
        let said: SaidFields<'a> = parse_naming_the_field(schedule, "schedule")?;
        self.time = said.time;
        let of_sentence = *said.recurrence.unwrap_or_default();
        for (name, is_given, is_said) in [
            ("startAt", rest.start_at.is_some(), of_sentence.start_at.is_some()),
            ("endAt", rest.end_at.is_some(), of_sentence.end_at.is_some()),
            ("maxRuns", rest.max_runs.is_some(), of_sentence.max_runs.is_some()),
            ("exclude", rest.exclude.is_some(), of_sentence.exclude.is_some()),
        ] {
            if is_given && is_said {
                return Err(FieldError::new(
                    name,
                    "is given together with schedule, which says it, too; say it only once",
                ));
            }
        }
        rest.words = Some(sentence);
        // The sentence may name another zone than the one in which it was read, or need none.
        let local = [("startAt", &rest.start_at), ("endAt", &rest.end_at)]
            .into_iter()
            .filter_map(|(name, time)| Some((name, time.as_ref()?)))
            .find(|(name, time)| matches!(time.read(name, true), Ok(GivenTime::Local(_))))
            .map(|(name, _)| name);
        let of_zone = of_sentence.zone()?;
        if let (Some(name), Some(given), Some(said)) = (local, given_zone, of_zone)
            && given != said
        {
            let detail = format!(
                "is {}, and the sentence names another time zone, {}; give {name} with an offset",
                given.name(),
                said.name()
            );
            return Err(FieldError::new("timezone", detail));
        }
        let has_local = local.is_some() || rest.exclude.is_some();
        rest.timezone = of_sentence.timezone.or(rest.timezone.take().filter(|_| has_local));
        rest.cron = of_sentence.cron;
        rest.every_seconds = of_sentence.every_seconds;
        rest.anchor = of_sentence.anchor;
        rest.rrule = of_sentence.rrule;
        rest.start_at = rest.start_at.take().or(of_sentence.start_at);
        rest.end_at = rest.end_at.take().or(of_sentence.end_at);
        rest.max_runs = rest.max_runs.or(of_sentence.max_runs);
        rest.exclude = rest.exclude.or(of_sentence.exclude);
        rest.local = None;
        self.recurrence = Some(rest);
        Ok(description.as_deref().map(|text| Text(Cow::Borrowed(text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::MAX_SENTENCES;
    use crate::task::{
        Origin, Record, Targets, Validator, changes_schedule, lost_timezone, merge_patch, parse_one,
    };

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    /// A reader that knows three sentences.
    struct Parrot;

    impl ReadsSentences for Parrot {
        fn read(
            &self,
            sentence: &str,
            timezone: Option<&str>,
            now: UnixMillis,
        ) -> Result<Said, FieldError> {
            assert_eq!(now, NOW);
            let zone = timezone.unwrap_or("UTC");
            let schedule = match sentence {
                "mondays" => format!(r#"{{"cron":"0 10 * * MON","timezone":"{zone}"}}"#),
                "in London" => r#"{"cron":"0 9 * * *","timezone":"Europe/London"}"#.to_owned(),
                "often" => r#"{"everySeconds":90,"anchor":"2025-11-24T16:01:30Z"}"#.to_owned(),
                "soon" => r#"{"time":"2099-07-01T09:00:00","timezone":"Europe/London"}"#.to_owned(),
                "until" => format!(
                    r#"{{"cron":"0 10 * * *","timezone":"{zone}","endAt":"2099-01-01T00:00:00"}}"#
                ),
                _ => return Err(FieldError::new("schedule", "is not understood")),
            };
            let description = (sentence == "mondays").then(|| "call".to_owned());
            Ok(Said { schedule, description })
        }
    }

    fn record(fields: &str) -> Result<String, FieldError> {
        let body = format!(r#"{{"id":"a",{fields},"callback":{{"type":"handler","name":"log"}}}}"#);
        checked(&body)
    }

    fn checked(body: &str) -> Result<String, FieldError> {
        let sentences = Sentences::new(&Parrot);
        let targets = Targets { handlers: &["log"], ..Targets::default() };
        let mut validator = Validator::new(NOW, [7; 16], targets).with_sentences(&sentences);
        let task = validator.check(parse_one(body)?)?;
        let mut out = Vec::new();
        task.write_record(&Origin::default(), &mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_sentence_becomes_its_fields_and_stays_as_words() {
        let text = record(r#""schedule":"mondays","timezone":"Europe/Berlin""#).unwrap();
        let expected = r#"{"id":"a","cron":"0 10 * * MON","timezone":"Europe/Berlin","words":"mondays","description":"call","callback":{"type":"handler","name":"log"}}"#;
        assert_eq!(text, expected);
        // The fields of an answer can be sent again.
        assert_eq!(checked(expected).unwrap(), expected);
        for (fields, parts) in [
            (r#""schedule":"in London","timezone":"Asia/Tokyo""#, r#""timezone":"Europe/London""#),
            (r#""schedule":"mondays","description":"mine""#, r#""description":"mine""#),
            (r#""schedule":"mondays","maxRuns":3"#, r#""maxRuns":3"#),
            (
                r#""schedule":"soon","timezone":"Asia/Tokyo""#,
                r#""local":{"time":"2099-07-01T09:00:00"}"#,
            ),
            (r#""type":"words","schedule":"mondays""#, r#""timezone":"UTC""#),
        ] {
            let text = record(fields).unwrap();
            assert!(text.contains(parts) && text.contains("\"words\":"), "{text}");
        }
        // Only a local time that could be in either zone is refused.
        for fields in [
            r#""schedule":"in London","timezone":"Asia/Tokyo","startAt":"2099-01-01T00:00:00Z""#,
            r#""schedule":"in London","timezone":"Europe/London","startAt":"2099-01-01T00:00:00""#,
            r#""schedule":"in London","startAt":"2099-01-01T00:00:00""#,
        ] {
            let text = record(fields).unwrap();
            assert!(text.contains(r#""startAt":4070908800000"#), "{text}");
        }
        let text = record(r#""schedule":"often","timezone":"Asia/Tokyo""#).unwrap();
        assert!(!text.contains("timezone"), "{text}");
    }

    #[test]
    fn errors_name_the_field() {
        for (fields, field, words) in [
            (r#""schedule":"never""#, "schedule", "not understood"),
            (r#""schedule":"mondays","cron":"* * * * *""#, "cron", "together with schedule"),
            (
                r#""schedule":"mondays","time":"2099-01-01T00:00:00Z""#,
                "time",
                "together with schedule",
            ),
            (r#""schedule":"mondays","words":"mondays""#, "words", "together with schedule"),
            (r#""schedule":"until","endAt":"2099-01-01T00:00:00Z""#, "endAt", "only once"),
            (r#""schedule":"mondays","timezone":"Nowhere""#, "timezone", "not a known time zone"),
            (r#""schedule":"soon","maxRuns":3"#, "maxRuns", "recurring"),
            (
                r#""schedule":"in London","timezone":"Asia/Tokyo","startAt":"2099-01-01T00:00:00""#,
                "timezone",
                "names another time zone, Europe/London; give startAt with an offset",
            ),
            (
                r#""schedule":"in London","timezone":"Asia/Tokyo","endAt":"2099-01-01T00:00:00""#,
                "timezone",
                "give endAt with an offset",
            ),
            (r#""type":"cron","schedule":"mondays""#, "type", "does not agree"),
            (r#""type":"words","cron":"@daily""#, "type", "does not fit the schedule"),
            (r#""type":"no-schedule","words":"mondays""#, "words", "no schedule"),
            (r#""schedule":7"#, "schedule", "expected a string"),
        ] {
            let problem = record(fields).expect_err(fields);
            assert_eq!(problem.field, field, "{problem}");
            assert!(problem.detail.contains(words), "{problem}");
        }
        let long = format!(r#""schedule":"{}""#, "x".repeat(MAX_SENTENCE_BYTES + 1));
        assert!(record(&long).unwrap_err().detail.contains("limit"), "a long sentence");
        let long = format!(r#""cron":"@daily","words":"{}""#, "x".repeat(MAX_SENTENCE_BYTES + 1));
        assert_eq!(record(&long).unwrap_err().field, "words");
    }

    #[test]
    fn a_request_has_so_many_sentences_at_most() {
        let sentences = Sentences::new(&Parrot);
        let body = r#"{"schedule":"mondays","callback":{"type":"handler","name":"log"}}"#;
        // A request that is planned again because it was carried out before is not another request.
        for _ in 0..2 {
            let targets = Targets { handlers: &["log"], ..Targets::default() };
            let mut validator = Validator::new(NOW, [7; 16], targets).with_sentences(&sentences);
            let mut check = || validator.check(parse_one(body).unwrap()).map(drop);
            for at in 0..MAX_SENTENCES {
                assert_eq!(check(), Ok(()), "{at}");
            }
            let problem = check().unwrap_err();
            assert!(problem.detail.contains("limit of a request"), "{problem}");
        }
    }

    /// A reader that returns a rule whose runs take long to compute.
    struct Slow;

    impl ReadsSentences for Slow {
        fn read(&self, _: &str, _: Option<&str>, now: UnixMillis) -> Result<Said, FieldError> {
            let rule = r#"{"rrule":"FREQ=MONTHLY;INTERVAL=11;BYMONTHDAY=31;BYDAY=MO;COUNT=900","startAt":"2000-01-01T00:00:00Z"}"#;
            crate::schedule::preview(rule, now).map(|_| Said::default())?;
            Ok(Said { schedule: r#"{"cron":"@daily"}"#.to_owned(), description: None })
        }
    }

    #[test]
    fn the_work_of_sentences_counts_as_that_of_schedules_does() {
        let sentences = Sentences::new(&Slow);
        let targets = Targets { handlers: &["log"], ..Targets::default() };
        let mut validator = Validator::new(NOW, [7; 16], targets).with_sentences(&sentences);
        let body = r#"{"schedule":"slowly","callback":{"type":"handler","name":"log"}}"#;
        let refused = (0..MAX_SENTENCES)
            .find_map(|_| validator.check(parse_one(body).unwrap()).err())
            .unwrap();
        assert!(refused.detail.contains("steps to compute"), "{refused}");
    }

    #[test]
    fn a_patch_of_the_schedule_replaces_or_drops_the_words() {
        let stored = r#"{"id":"a","cron":"0 10 * * MON","timezone":"Europe/Berlin","startAt":4000000000000,"maxRuns":3,"firstRun":4000000000000,"finalRun":4000000000000,"words":"mondays from then, 3 times","description":"call","callback":{"type":"handler","name":"log"}}"#;
        let patched = |patch: &str| merge_patch(stored, false, patch).unwrap();
        for patch in [r#"{"tags":["t"]}"#, r#"{"overlap":"skip"}"#, "{}"] {
            assert!(patched(patch).contains("\"words\":\"mondays from"), "{patch}");
        }
        for patch in [
            r#"{"cron":"@daily"}"#,
            r#"{"timezone":"Asia/Tokyo"}"#,
            r#"{"maxRuns":null}"#,
            r#"{"time":4000000000000}"#,
            r#"{"type":"no-schedule"}"#,
            r#"{"words":null}"#,
        ] {
            assert!(!patched(patch).contains("words"), "{patch}");
        }
        assert!(patched(r#"{"cron":"@daily","words":"daily"}"#).contains("\"words\":\"daily\""));
        // The sentence is read in the zone of the task, and replaces everything that says when.
        let text = patched(r#"{"schedule":"mondays"}"#);
        assert!(changes_schedule(r#"{"schedule":"mondays"}"#));
        assert!(!text.contains("startAt") && !text.contains("maxRuns"), "{text}");
        let expected = r#"{"id":"a","cron":"0 10 * * MON","timezone":"Europe/Berlin","words":"mondays","description":"call","callback":{"type":"handler","name":"log"}}"#;
        assert_eq!(checked(&text).unwrap(), expected);
        let text = patched(r#"{"schedule":"in London","maxRuns":5}"#);
        assert!(checked(&text).unwrap().contains(r#""maxRuns":5"#), "{text}");
        // Only the checked record shows whether a schedule in words has a zone.
        let before = Record::parse(stored.as_bytes()).unwrap();
        for (patch, lost) in [
            (r#"{"schedule":"often"}"#, Some("Europe/Berlin")),
            (r#"{"everySeconds":60}"#, Some("Europe/Berlin")),
            (r#"{"schedule":"often","timezone":"Asia/Tokyo"}"#, None),
            (r#"{"schedule":"in London"}"#, None),
            (r#"{"schedule":"mondays"}"#, None),
            (r#"{"tags":["t"]}"#, None),
        ] {
            let after = checked(&patched(patch)).unwrap();
            let after = Record::parse(after.as_bytes()).unwrap();
            assert_eq!(lost_timezone(patch, &before, &after), lost, "{patch}");
        }
        let once = r#"{"id":"a","time":4000000000000,"callback":{"type":"handler","name":"log"}}"#;
        let text = merge_patch(once, false, r#"{"schedule":"often"}"#).unwrap();
        assert!(checked(&text).unwrap().contains(r#""everySeconds":90"#), "{text}");
    }
}
