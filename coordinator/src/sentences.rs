//! Connects the grammar of schedules in words to the API.

use scheduler_calendar::steps::steps_taken;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use scheduler_language::{
    Ambiguity, Language, Outcome, Reading, Refusal, language_of, near, parse, schedule_of,
    sentence, sentence_in, zone,
};
use scheduler_model::input::FieldError;
use scheduler_model::schedule::{ReadsSentences, Said};
use scheduler_model::task::Record;

/// The most steps of a preview whose schedule is also written as a sentence. Checking the sentence
/// computes up to 200 runs of the schedule, and a usual schedule takes some ten steps for each.
const MAX_STEPS_OF_SENTENCE: u64 = 20_000;

/// The grammar, for the tasks of a request.
pub(crate) struct Grammar;

impl ReadsSentences for Grammar {
    fn read(
        &self,
        text: &str,
        timezone: Option<&str>,
        now: UnixMillis,
    ) -> Result<Said, FieldError> {
        let caller = timezone.and_then(zone).unwrap_or(Tz::UTC);
        let now = now.get();
        match parse(text, now, caller) {
            Outcome::Understood(reading) => {
                let Reading { mut schedule, description, assumes_anchor, .. } = *reading;
                // The check of the task chooses the anchor, as it does for a schedule without
                // words. So the same sentence gives the same definition, whenever it is read.
                if assumes_anchor {
                    schedule.anchor = None;
                }
                // A schedule has texts and numbers only, so writing it as JSON does not fail.
                let schedule = serde_json::to_string(&schedule).unwrap_or_default();
                Ok(Said { schedule, description })
            }
            Outcome::Ambiguous(ambiguity) => Err(ambiguous(&ambiguity, language_of(text), now)),
            Outcome::Refused(refusal) => Err(refused(text, &refusal, now, caller)),
        }
    }
}

fn ambiguous(ambiguity: &Ambiguity, language: Language, now: i64) -> FieldError {
    let of = |choice: &scheduler_language::Choice| {
        format!("\"{}\"", sentence_in(language, &choice.reading.schedule, now))
    };
    let choices: Vec<String> = ambiguity.choices.iter().map(of).collect();
    let questions = ambiguity.questions.join(" ");
    FieldError::new("schedule", format!("is ambiguous: {questions} Write {}", choices.join(" or ")))
}

fn refused(text: &str, refusal: &Refusal, now: i64, caller: Tz) -> FieldError {
    let words = text.get(refusal.span.start..refusal.span.end).unwrap_or_default();
    let near: Vec<String> = near(text, refusal, now, caller, language_of(text))
        .iter()
        .map(|sentence| format!("\"{sentence}\""))
        .collect();
    let near =
        if near.is_empty() { String::new() } else { format!(" Near it: {}.", near.join(", ")) };
    FieldError::new("schedule", format!("is refused at \"{words}\": {}{near}", refusal.message))
}

/// Returns the schedule of a record as a sentence in English, or `None` if it has none. Also
/// returns the result of `work`, which computes runs of the schedule.
pub(crate) fn with_sentence<T>(
    now: UnixMillis,
    work: impl FnOnce() -> (T, Option<String>),
) -> (T, Option<String>) {
    let before = steps_taken();
    let (done, when) = work();
    let is_usual = steps_taken().wrapping_sub(before) <= MAX_STEPS_OF_SENTENCE;
    let said = when.filter(|_| is_usual).and_then(|when| sentence_of(&when, now));
    (done, said)
}

/// Returns the schedule of a record as a sentence in English. Returns `None` if it has none, or if
/// the sentence quotes so much text that the grammar would refuse it.
pub(crate) fn sentence_of(when: &str, now: UnixMillis) -> Option<String> {
    let record = Record::parse(when.as_bytes()).ok()?;
    let sentence = schedule_of(&record).map(|schedule| sentence(&schedule, now.get()));
    sentence.filter(|sentence| sentence.len() <= scheduler_language::limits::MAX_PHRASE_BYTES)
}

/// Returns the schedule of a record that was given in words as one sentence in their language, as
/// `POST /v1/parse` writes it. Returns `None` if the record has no words.
pub(crate) fn understood(record: &str, now: UnixMillis) -> Option<String> {
    let record = Record::parse(record.as_bytes()).ok()?;
    let language = language_of(record.words.as_deref()?);
    schedule_of(&record).map(|schedule| sentence_in(language, &schedule, now.get()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_language::calendars_in;
    use scheduler_model::calendars::Calendars;
    use scheduler_model::schedule::{Sentences, preview};
    use scheduler_model::task::{Origin, Targets, Validator, parse_one};
    use serde_json::{Value, json};

    /// 2026-11-25T09:15:00Z.
    const NOW: UnixMillis = UnixMillis::new(1_795_598_100_000);

    #[test]
    fn a_sentence_becomes_the_fields_of_a_task() {
        let read = |text: &str, zone| Grammar.read(text, zone, NOW);
        let said = read("remind me to call Ann every monday at 10:00", Some("Europe/Berlin"));
        assert_eq!(
            said,
            Ok(Said {
                schedule: r#"{"cron":"0 10 * * MON","timezone":"Europe/Berlin"}"#.to_owned(),
                description: Some("call Ann".to_owned()),
            })
        );
        for (text, words) in [
            (
                "tomorrow at 5",
                "is ambiguous: In the morning or in the afternoon? Write \"at 17:00 on 26 November 2026 in Europe/Berlin\" or \"at 05:00",
            ),
            ("morgen um halb drei", "or \"um 02:30 Uhr am 26. November 2026 in Europe/Berlin\""),
            ("every full moon", "is refused at \"moon\": "),
            ("every few hours", "Near it: \"every 2 hours in Europe/Berlin\", \"every 3 days"),
        ] {
            let problem = read(text, Some("Europe/Berlin")).unwrap_err();
            assert_eq!(problem.field, "schedule");
            assert!(problem.detail.contains(words), "{problem}");
        }
    }

    #[test]
    fn the_skill_writes_the_example_as_the_grammar_reads_it() {
        let skill = include_str!("../../dashboard/public/skills/durable-scheduler/SKILL.md");
        let sentence = "Every 15 minutes between 9 and 5 on weekdays";
        let (_, after) = skill.split_once(&format!("\"{sentence}\" is `")).unwrap();
        let (cron, _) = after.split_once('`').unwrap();
        let said = Grammar.read(sentence, None, NOW).unwrap();
        let of_sentence: Value = serde_json::from_str(&said.schedule).unwrap();
        // More than two days, each from 9:00 to 17:00.
        let runs = |cron: &str| {
            let body = format!(r#"{{"cron":{cron},"count":100}}"#);
            preview(&body, NOW).unwrap().runs
        };
        assert_eq!(runs(cron), runs(&of_sentence["cron"].to_string()));
    }

    /// Returns the task of these fields, created at `now`, and whether its anchor was left open.
    fn task(fields: &str, now: UnixMillis) -> (Value, bool) {
        let body = format!(r#"{{"id":"a",{fields},"callback":{{"type":"handler","name":"log"}}}}"#);
        let sentences = Sentences::new(&Grammar);
        let targets = Targets { handlers: &["log"], ..Targets::default() };
        let mut validator = Validator::new(now, [7; 16], targets).with_sentences(&sentences);
        let task = validator.check(parse_one(&body).unwrap()).unwrap();
        let mut record = Vec::new();
        task.write_record(&Origin::default(), &mut record);
        (serde_json::from_slice(&record).unwrap(), task.has_open_anchor())
    }

    #[test]
    fn what_was_understood_is_said_with_the_zone_in_the_language_of_the_words() {
        for (fields, expected) in [
            (r#""schedule":"every monday at 10:00""#, "every Monday at 10:00 in UTC"),
            (
                r#""schedule":"call Ann mondays at 10am","timezone":"Europe/Berlin""#,
                "every Monday at 10:00 in Europe/Berlin",
            ),
            (
                r#""schedule":"tomorrow at 9am London time""#,
                "at 09:00 on 26 November 2026 in Europe/London",
            ),
            (
                r#""schedule":"jeden Montag um 10 Uhr","timezone":"Europe/Berlin""#,
                "jeden Montag um 10:00 Uhr in Europe/Berlin",
            ),
            (
                r#""schedule":"every monday at 10:00","maxRuns":3"#,
                "every Monday at 10:00 in UTC, 3 times",
            ),
        ] {
            let (record, _) = task(fields, NOW);
            let said = understood(&record.to_string(), NOW).unwrap();
            assert_eq!(said, expected, "{fields}");
            // It is read as the same schedule, wherever its reader is.
            let again = json!({ "schedule": said, "timezone": "Asia/Tokyo" }).to_string();
            let (again, _) = task(again.trim_matches(['{', '}']), NOW);
            for name in ["cron", "time", "local", "timezone", "maxRuns"] {
                assert_eq!(again.get(name), record.get(name), "{name} of {said}");
            }
        }
        let (record, _) = task(r#""cron":"@daily""#, NOW);
        assert_eq!(understood(&record.to_string(), NOW), None);
    }

    #[test]
    fn an_interval_without_a_start_is_the_same_definition_whenever_it_is_read() {
        const HOUR: i64 = 3_600_000;
        for text in ["every 7 hours", "alle 7 Stunden", "every 7 hours until 2099-01-01"] {
            let said = |now| Grammar.read(text, None, now);
            assert_eq!(said(NOW), said(NOW.plus(HOUR)), "{text}");
            // A shard keeps its anchor if a definition leaves the anchor open.
            let (record, has_open_anchor) = task(&format!(r#""schedule":"{text}""#), NOW);
            assert!(has_open_anchor, "{text}");
            assert_eq!(record["anchor"], NOW.get() + 7 * HOUR, "{text}");
        }
        let fields = r#""schedule":"every 7 hours","startAt":"2027-01-01T00:00:00Z""#;
        let (record, has_open_anchor) = task(fields, NOW);
        let start = json!(1_798_761_600_000_i64);
        assert_eq!((&record["anchor"], &record["startAt"]), (&start, &start));
        assert!(has_open_anchor);
        // An interval that names its beginning has its anchor there.
        let fields = r#""schedule":"every 7 hours counted from 2027-01-01T00:00:00Z""#;
        let (record, has_open_anchor) = task(fields, NOW);
        assert_eq!((&record["anchor"], has_open_anchor), (&start, false));
    }

    #[test]
    fn a_sentence_names_calendars_that_are_looked_up() {
        let sentence = r#"every day at 9:00 except calendar \"de-holidays\""#;
        let body = format!(
            r#"{{"id":"a","schedule":"{sentence}","callback":{{"type":"handler","name":"log"}}}}"#
        );
        let named = parse_one(&body).unwrap().calendars(calendars_in);
        assert_eq!(named, ["de-holidays"]);
        let known = r#"{"calendars":[{"name":"de-holidays","version":"00000000000000aa","items":{"dates":["11-26"]}}]}"#;
        let record = |calendars: &Calendars| {
            let sentences = Sentences::new(&Grammar);
            let targets = Targets { handlers: &["log"], ..Targets::default() };
            let mut validator = Validator::new(NOW, [7; 16], targets)
                .with_sentences(&sentences)
                .with_calendars(calendars);
            let task = validator.check(parse_one(&body).unwrap())?;
            let mut record = Vec::new();
            task.write_record(&Origin::default(), &mut record);
            Ok::<Value, FieldError>(serde_json::from_slice(&record).unwrap())
        };
        let stored = record(&Calendars::of_record(known)).unwrap();
        assert_eq!(stored["exclude"]["calendars"][0]["items"], json!({"dates":["11-26"]}));
        let sentence = sentence_of(&stored.to_string(), NOW);
        let expected = "every day at 09:00 in UTC except calendar \"de-holidays\"";
        assert_eq!(sentence.as_deref(), Some(expected));
        let unknown = record(&Calendars::default()).unwrap_err();
        assert_eq!(unknown.field, "exclude.calendars[0]");
    }

    #[test]
    fn records_are_written_as_sentences() {
        for (fields, words) in [
            (
                r#""cron":"0 9 * * MON-FRI","timezone":"Europe/London""#,
                Some("every weekday at 09:00 in Europe/London"),
            ),
            (
                r#""rrule":"FREQ=WEEKLY;INTERVAL=2;BYDAY=FR","startAt":1795777200000,"timezone":"Europe/Berlin""#,
                Some("every 2 weeks on Friday at 12:00 starting 27 November 2026 in Europe/Berlin"),
            ),
            (
                r#""everySeconds":90,"anchor":1795598190000"#,
                Some("every 90 seconds counted from 2026-11-25T09:16:30Z"),
            ),
            (
                r#""timezone":"Europe/Berlin","local":{"time":"2026-12-01T09:00:00"}"#,
                Some("at 09:00 on 1 December 2026 in Europe/Berlin"),
            ),
            (r#""tags":[]"#, None),
        ] {
            let record = format!(r#"{{"id":"",{fields},"callback":{{}}}}"#);
            assert_eq!(sentence_of(&record, NOW).as_deref(), words, "{fields}");
        }
    }
}
