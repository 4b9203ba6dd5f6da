//! Reads a sentence as a schedule, without creating a task.

use crate::clients::{calendars, model};
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_calendar::local_clock;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use scheduler_language::{
    Ambiguity, HOLIDAYS, Language, Outcome, Reading, Reason, Refusal, Schedule, Span, calendars_in,
    language_of, near, read, sentence_in,
};
use scheduler_model::calendars::Calendars;
use scheduler_model::input::FieldError;
use scheduler_model::schedule::{
    PARSED_RUNS, ParseInput, ParsedAssumption, ParsedByModel, ParsedChoice, ParsedDifference,
    ParsedPart, ParsedReading, ParsedRefusal, ParsedRun, ParsedSentence, Preview, ToParse,
    preview_with_calendars,
};
use scheduler_platform::settings::{self, Model, WORDS_MODEL};
use serde_json::value::RawValue;
use std::borrow::Cow;
use worker::Env;

/// How much less certain a reading is if the sentence needs a time zone and none is given.
const COST_OF_NO_ZONE: u8 = 20;

/// How much less certain a reading is if a language model has written the sentence.
const COST_OF_MODEL: u8 = 50;

/// `POST /v1/parse`. It asks no shard, and the registry only for calendars.
pub(crate) async fn parse(mut call: Call<'_>) -> Result<Answer, Problem> {
    let body = call.text().await?;
    let to_parse = ParseInput::parse(&body, call.now).map_err(Problem::invalid)?;
    let (asks, text) = (to_parse.model, to_parse.text.clone());
    let model = settings::model(call.env);
    if asks && model.is_none() {
        let problem = format!("must not be true: the deployment has no model ({WORDS_MODEL})");
        return Err(Problem::invalid(FieldError::new("model", problem)));
    }
    let sentence = Sentence::of(to_parse, &call.calendars).map_err(Problem::invalid)?;
    let names = calendars_in(&sentence.text).into_iter().collect();
    calendars::load(call.env, call.shards.namespace(), names, &call.calendars).await?;
    let mut answer = sentence.read();
    if let Some(refusal) =
        answer.refusal.as_mut().filter(|of| of.near.iter().any(|near| names_holidays(near)))
    {
        // A refusal does not need the registry. Without its answer, the usual name remains.
        let known = calendars::list(call.env, call.shards.namespace()).await.unwrap_or_default();
        let names: Vec<&str> =
            known.calendars.iter().map(|calendar| calendar.name.as_str()).collect();
        name_holidays(&mut refusal.near, &names);
    }
    // A model must not shorten a sentence that is too long.
    let is_open = answer.refusal.as_ref().is_some_and(|refusal| refusal.reason != TOO_LONG);
    if let Some(model) = model.filter(|_| is_open) {
        answer.model = Some(if asks {
            sentence.by_model(call.env, &model, &text).await
        } else {
            ParsedByModel { outcome: "available", text: None, reading: None, detail: None }
        });
    }
    Ok(Answer::of(200, &answer))
}

fn names_holidays(sentence: &str) -> bool {
    sentence.contains(&format!("alendar \"{HOLIDAYS}\""))
        || sentence.contains(&format!("alender \"{HOLIDAYS}\""))
}

/// Inserts the name of the calendar of holidays into the similar sentences: of the only calendar,
/// or of the only one whose name contains the word.
fn name_holidays(near: &mut [String], calendars: &[&str]) {
    let says_so = |name: &&&str| {
        let name = name.to_ascii_lowercase();
        ["holiday", "feiertag", "ferien"].iter().any(|word| name.contains(word))
    };
    let of_holidays: Vec<&&str> = calendars.iter().filter(says_so).collect();
    let name = match (calendars, of_holidays.as_slice()) {
        (_, [name]) => **name,
        ([name], []) => *name,
        _ => return,
    };
    for sentence in near.iter_mut().filter(|sentence| names_holidays(sentence)) {
        *sentence = sentence.replace(&format!("\"{HOLIDAYS}\""), &format!("\"{name}\""));
    }
}

/// The reason of a refusal of a sentence that exceeds a limit.
const TOO_LONG: &str = "tooLong";

/// A sentence, the zone and language of its author, and the time from which it counts.
struct Sentence<'a> {
    text: Cow<'a, str>,
    timezone: Option<Tz>,
    language: Language,
    from: UnixMillis,
    /// The calendars that it names.
    calendars: &'a Calendars,
}

impl<'a> Sentence<'a> {
    fn of(to_parse: ToParse<'a>, calendars: &'a Calendars) -> Result<Self, FieldError> {
        let ToParse { text, timezone, language, from, model: _ } = to_parse;
        let language = match language.as_deref() {
            Some(code) => Language::of_code(code).ok_or_else(|| {
                let codes = Language::ALL.map(Language::code).join(" or ");
                FieldError::new("language", format!("must be {codes}"))
            })?,
            None => language_of(&text),
        };
        Ok(Self { text, timezone, language, from, calendars })
    }
}

impl Sentence<'_> {
    /// Reads the sentence with the grammar.
    fn read(&self) -> ParsedSentence {
        self.answer(read(&self.text, self.from.get(), self.caller(), Some(self.language)).0)
    }

    /// Lets a model rewrite the sentence, and reads the result.
    async fn by_model(&self, env: &Env, model: &Model, text: &str) -> ParsedByModel {
        let without = |outcome, detail: String| ParsedByModel {
            outcome,
            text: None,
            reading: None,
            detail: Some(detail),
        };
        match model::rewritten(env, model, text).await {
            Err(problem) => without("failed", problem),
            Ok(None) => {
                without("none", "The model has found no sentence with this meaning.".to_owned())
            }
            Ok(Some(text)) => self.proposal(text),
        }
    }

    /// Returns the proposal of a sentence that a model has written.
    fn proposal(&self, text: String) -> ParsedByModel {
        // Calendars that only the model names are not looked up, so its sentence is refused.
        let (timezone, from, calendars) = (self.timezone, self.from, self.calendars);
        let written = Sentence {
            language: language_of(&text),
            text: Cow::Borrowed(&text),
            timezone,
            from,
            calendars,
        };
        let (outcome, detail, reading) = match written.read().reading {
            Some(mut reading) => {
                let text = "A language model has written the sentence.".to_owned();
                reading.assumptions.push(ParsedAssumption { text, cost: COST_OF_MODEL });
                reading.confidence = reading.confidence.saturating_sub(COST_OF_MODEL).max(10);
                ("proposal", None, Some(reading))
            }
            None => (
                "none",
                Some("The model has written a sentence that is not understood.".to_owned()),
                None,
            ),
        };
        let text = reading.is_some().then_some(text);
        ParsedByModel { outcome, text, reading, detail }
    }

    fn caller(&self) -> Tz {
        self.timezone.unwrap_or(Tz::UTC)
    }

    fn answer(&self, outcome: Outcome) -> ParsedSentence {
        let mut answer = ParsedSentence {
            outcome: "",
            language: self.language.code(),
            timezone: self.caller().name(),
            reading: None,
            questions: None,
            choices: None,
            refusal: None,
            model: None,
        };
        match outcome {
            Outcome::Understood(reading) => match self.runs(&reading.schedule) {
                Ok(preview) => {
                    answer.outcome = "understood";
                    answer.reading = Some(self.reading(*reading, preview));
                }
                Err(problem) => {
                    answer.outcome = "refused";
                    answer.refusal = Some(self.unscheduled(&reading, &problem));
                }
            },
            Outcome::Ambiguous(Ambiguity { questions, choices }) => {
                let preview =
                    |schedule: &Schedule| self.runs(schedule).unwrap_or_else(|_| no_runs());
                let choice = |choice: scheduler_language::Choice| ParsedChoice {
                    differs: choice
                        .differs
                        .into_iter()
                        .map(|of| ParsedDifference {
                            part: self.part(of.span, None),
                            means: of.means,
                        })
                        .collect(),
                    reading: {
                        let preview = preview(&choice.reading.schedule);
                        self.reading(choice.reading, preview)
                    },
                };
                answer.outcome = "ambiguous";
                answer.questions = Some(questions);
                answer.choices = Some(choices.into_iter().map(choice).collect());
            }
            Outcome::Refused(refusal) => {
                answer.outcome = "refused";
                answer.refusal = Some(self.refusal(refusal));
            }
        }
        answer
    }

    fn reading(&self, reading: Reading, preview: Preview) -> ParsedReading {
        let Preview { runs, more, .. } = preview;
        let caller = self.caller();
        let runs = runs
            .into_iter()
            .map(|run| ParsedRun { caller_local: local_clock::rfc3339(run.time, caller), run });
        let mut assumptions: Vec<ParsedAssumption> = reading
            .assumptions
            .into_iter()
            .map(|of| ParsedAssumption { text: of.text, cost: of.cost })
            .collect();
        let mut confidence = reading.confidence;
        let names_zone = reading.used.iter().any(|part| part.says == "zone");
        if self.timezone.is_none() && reading.schedule.timezone.is_some() && !names_zone {
            let text = "No time zone is given: UTC.".to_owned();
            assumptions.push(ParsedAssumption { text, cost: COST_OF_NO_ZONE });
            confidence = confidence.saturating_sub(COST_OF_NO_ZONE).max(10);
        }
        ParsedReading {
            sentence: sentence_in(self.language, &reading.schedule, self.from.get()),
            schedule: json(&reading.schedule),
            description: reading.description,
            confidence,
            assumptions,
            used: reading.used.iter().map(|of| self.part(of.span, Some(of.says))).collect(),
            ignored: reading.ignored.iter().map(|span| self.part(*span, None)).collect(),
            runs: runs.collect(),
            more,
        }
    }

    /// Returns the next runs. The grammar has already checked the schedule with the scheduler,
    /// except its calendars.
    ///
    /// # Errors
    /// Returns an error if the schedule names a calendar that does not exist, or if its calendars
    /// leave no run.
    fn runs(&self, schedule: &Schedule) -> Result<Preview, FieldError> {
        let mut body = json(schedule).get().to_owned();
        body.truncate(body.len().saturating_sub(1));
        body.push_str(&format!(",\"count\":{PARSED_RUNS}}}"));
        let preview = preview_with_calendars(&body, self.from, None, Some(self.calendars));
        preview.map(|(preview, _)| preview)
    }

    /// Returns the refusal of a sentence whose calendars do not fit.
    fn unscheduled(&self, reading: &Reading, problem: &FieldError) -> ParsedRefusal {
        let exception = reading.used.iter().find(|part| part.says == "exception");
        let whole = Span { start: 0, end: self.text.len() };
        let part = self.part(exception.map_or(whole, |part| part.span), None);
        ParsedRefusal {
            reason: "unsupported",
            part,
            message: problem.to_string(),
            near: Vec::new(),
        }
    }

    fn refusal(&self, refusal: Refusal) -> ParsedRefusal {
        let near = near(&self.text, &refusal, self.from.get(), self.caller(), self.language);
        let reason = match refusal.reason {
            Reason::TooLong => TOO_LONG,
            Reason::NothingFound => "nothingFound",
            Reason::NotUnderstood => "notUnderstood",
            Reason::Impossible => "impossible",
            Reason::Past => "past",
            Reason::Missing => "missing",
            Reason::Conflict => "conflict",
            Reason::Unsupported => "unsupported",
            Reason::TooAmbiguous => "tooAmbiguous",
        };
        let part = self.part(refusal.span, None);
        ParsedRefusal { reason, part, message: refusal.message, near }
    }

    fn part(&self, span: Span, says: Option<&'static str>) -> ParsedPart {
        let units = |end: usize| self.text.get(..end).unwrap_or_default().encode_utf16().count();
        let text = self.text.get(span.start..span.end).unwrap_or_default().to_owned();
        ParsedPart { start: units(span.start), end: units(span.end), text, says }
    }
}

fn no_runs() -> Preview {
    let runs = Vec::new();
    Preview { timezone: Tz::UTC.name(), runs, more: false, excluded: Vec::new(), sentence: None }
}

fn json(schedule: &Schedule) -> Box<RawValue> {
    // It has texts and numbers only, so writing it as JSON does not fail.
    serde_json::value::to_raw_value(schedule).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// 2026-11-25T09:15:00Z.
    const NOW: UnixMillis = UnixMillis::new(1_795_598_100_000);

    fn parsed(body: &str) -> Result<ParsedSentence, FieldError> {
        Ok(Sentence::of(ParseInput::parse(body, NOW)?, &Calendars::default())?.read())
    }

    fn answer(body: &Value) -> Value {
        serde_json::to_value(parsed(&body.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn what_a_model_writes_is_read_as_a_sentence_and_is_less_certain() {
        let body = r#"{"text":"wöchentlich","timezone":"Europe/Berlin"}"#;
        let calendars = Calendars::default();
        let to_parse = ParseInput::parse(body, NOW).unwrap();
        let sentence = Sentence::of(to_parse, &calendars).unwrap();
        let of = |text: &str| serde_json::to_value(sentence.proposal(text.to_owned())).unwrap();
        let proposal = of("\"call Ann\" every Monday at 10:00");
        assert_eq!(proposal["outcome"], "proposal");
        assert_eq!(proposal["text"], "\"call Ann\" every Monday at 10:00");
        let reading = &proposal["reading"];
        assert_eq!(reading["schedule"], json!({"cron":"0 10 * * MON","timezone":"Europe/Berlin"}));
        assert_eq!(
            (&reading["confidence"], &reading["description"]),
            (&json!(50), &json!("call Ann"))
        );
        // Refused, ambiguous, or no sentence at all.
        for text in ["every full moon", "tomorrow at 5", "{\"cron\":\"* * * * *\"}", "I am sorry."]
        {
            let answer = of(text);
            assert_eq!(
                (&answer["outcome"], answer.get("text"), answer.get("reading")),
                (&json!("none"), None, None),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_near_to_holidays_names_the_calendar_that_exists() {
        let near = |text: &str, calendars: &[&str]| {
            let body = json!({ "text": text }).to_string();
            let mut near = parsed(&body).unwrap().refusal.unwrap().near;
            name_holidays(&mut near, calendars);
            near
        };
        let english = "every day at 9am except on holidays";
        for (calendars, name) in [
            (&["de-holidays"][..], "de-holidays"),
            (&["office"], "office"),
            (&["office", "Feiertage-BY"], "Feiertage-BY"),
            (&["de-holidays", "us-holidays"], HOLIDAYS),
            (&["office", "weekends"], HOLIDAYS),
            (&[], HOLIDAYS),
        ] {
            let expected = format!("every day at 09:00 in UTC except calendar \"{name}\"");
            assert_eq!(near(english, calendars), [expected], "{calendars:?}");
        }
        let german = near("täglich um 9 Uhr außer an Feiertagen", &["feiertage"]);
        assert_eq!(german, ["jeden Tag um 09:00 Uhr in UTC außer Kalender \"feiertage\""]);
        // Other sentences stay.
        assert_eq!(near("every few hours", &["a"]), near("every few hours", &[]));
    }

    #[test]
    fn a_reading_has_runs_on_both_clocks() {
        let body = json!({ "text": "📞 remind me to call Ann every monday at 10:00 London time", "timezone": "Europe/Berlin" });
        let answer = answer(&body);
        let reading = &answer["reading"];
        assert_eq!((&answer["outcome"], &answer["language"]), (&json!("understood"), &json!("en")));
        assert_eq!(reading["schedule"], json!({"cron":"0 10 * * MON","timezone":"Europe/London"}));
        assert_eq!(reading["sentence"], "every Monday at 10:00 in Europe/London");
        assert_eq!(reading["runs"].as_array().unwrap().len(), PARSED_RUNS);
        assert_eq!(reading["runs"][0]["local"], "2026-11-30T10:00:00+00:00");
        assert_eq!(reading["runs"][0]["callerLocal"], "2026-11-30T11:00:00+01:00");
        assert_eq!(reading["more"], true);
        // The phone character is two UTF-16 units, and four bytes in UTF-8.
        let part = json!({"start":25,"end":37,"text":"every monday","says":"days"});
        assert_eq!(reading["used"][0], part);
        assert_eq!(reading["ignored"][1], json!({"start":3,"end":9,"text":"remind"}));
    }

    #[test]
    fn clock_changes_are_shown() {
        let body = json!({ "text": "every day at 1:30am", "timezone": "Europe/London", "from": "2027-03-27T12:00:00Z" });
        let answer = answer(&body);
        assert_eq!(answer["reading"]["runs"][0]["clockChange"], "gap-moved");
    }

    #[test]
    fn an_ambiguous_sentence_has_choices_and_a_refused_one_what_is_near() {
        let berlin = "Europe/Berlin";
        let asked = answer(&json!({ "text": "tomorrow at 5", "timezone": berlin }));
        assert_eq!(asked["outcome"], "ambiguous");
        assert_eq!(asked["questions"], json!(["In the morning or in the afternoon?"]));
        assert_eq!(asked["choices"][0]["differs"][0]["part"]["text"], "at 5");
        assert_eq!(asked["choices"][0]["reading"]["schedule"]["time"], "2026-11-26T17:00:00");
        assert_eq!(asked.get("reading"), None);
        let refused = answer(&json!({ "text": "every full moon", "timezone": berlin }));
        assert_eq!(refused["refusal"]["part"], json!({"start":11,"end":15,"text":"moon"}));
        assert_eq!(refused["refusal"]["reason"], "notUnderstood");
        assert!(refused["refusal"]["near"].as_array().is_some_and(|near| !near.is_empty()));
    }

    #[test]
    fn a_calendar_that_a_sentence_names_must_exist() {
        let text = "every day at 9am except calendar \"de-holidays\"";
        let body = json!({ "text": text, "timezone": "Europe/Berlin" }).to_string();
        let calendars = Calendars::of_record(
            r#"{"calendars":[{"name":"de-holidays","version":"00000000000000aa","items":{"dates":["11-26"]}}]}"#,
        );
        let of = |calendars| {
            let to_parse = ParseInput::parse(&body, NOW).unwrap();
            serde_json::to_value(Sentence::of(to_parse, calendars).unwrap().read()).unwrap()
        };
        let answer = of(&calendars);
        assert_eq!(answer["outcome"], "understood", "{answer}");
        let reading = &answer["reading"];
        assert_eq!(reading["schedule"]["exclude"], json!({"calendars":["de-holidays"]}));
        assert_eq!(reading["runs"][0]["local"], "2026-11-27T09:00:00+01:00");
        let sentence = format!("{text} ").replace("at 9am", "at 09:00 in Europe/Berlin");
        assert_eq!(reading["sentence"], sentence.trim());
        let answer = of(&Calendars::default());
        assert_eq!(answer["outcome"], "refused");
        assert_eq!(answer["refusal"]["part"]["text"], "except calendar \"de-holidays\"");
    }

    #[test]
    fn a_zone_that_nobody_names_is_an_assumption() {
        let without = answer(&json!({ "text": "every monday at 10:00" }));
        let assumed = &without["reading"]["assumptions"][0];
        assert_eq!(assumed, &json!({"text":"No time zone is given: UTC.","cost":20}));
        assert_eq!(without["reading"]["confidence"], 80);
        // "My time" and "local time" name no zone.
        for text in [
            "every day at 9am my time",
            "every day at 9am local time",
            "jeden Tag um 9 Uhr Ortszeit",
        ] {
            let reading = &answer(&json!({ "text": text }))["reading"];
            assert_eq!(&reading["assumptions"][0], assumed, "{text}");
            let reading = &answer(&json!({ "text": text, "timezone": "Asia/Tokyo" }))["reading"];
            assert_eq!(reading["assumptions"], json!([]), "{text}");
        }
        for text in ["every monday at 10:00 UTC", "in 20 minutes", "every 90 seconds"] {
            let reading = &answer(&json!({ "text": text }))["reading"];
            assert_eq!(reading["assumptions"], json!([]), "{text}");
        }
    }

    #[test]
    fn the_language_is_that_of_the_words_or_the_one_that_is_given() {
        let text = "jeden Montag um 10 Uhr";
        let read = answer(&json!({ "text": text, "timezone": "Europe/Berlin" }));
        assert_eq!(read["language"], "de");
        assert_eq!(read["reading"]["sentence"], "jeden Montag um 10:00 Uhr in Europe/Berlin");
        assert_eq!(answer(&json!({ "text": text, "language": "en" }))["outcome"], "refused");
    }

    #[test]
    fn errors_name_the_field() {
        for (body, field) in [
            (json!({}), "text"),
            (json!({ "text": 5 }), "text"),
            (json!({ "text": "daily", "timezone": "Berlin" }), "timezone"),
            (json!({ "text": "daily", "language": "fr" }), "language"),
            (json!({ "text": "daily", "from": "yesterday" }), "from"),
            (json!({ "text": "daily", "zone": "UTC" }), "zone"),
        ] {
            assert_eq!(parsed(&body.to_string()).unwrap_err().field, field, "{body}");
        }
        let long = answer(&json!({ "text": "x ".repeat(300) }));
        assert_eq!(long["refusal"]["reason"], "tooLong");
    }
}
