//! `parse_schedule`.

use super::answers::read;
use super::failure::Failure;
use super::job::{Job, done};
use super::parsed::{Parsed, ParsedOutcome, Reading};
use super::shapes::{NextRun, iso};
use super::zone::{self, Zone};
use crate::mcp::Outcome;
use scheduler_model::tools::ParseSchedule;
use serde::Deserialize;
use worker::Method;

const PATH: &str = "/v1/parse";

/// Returns the meaning of a sentence. If it has local times and nobody has named a time zone, asks
/// the user for one.
pub(super) async fn parse(job: &Job<'_>) -> Result<Outcome, Failure> {
    let arguments = ParseSchedule::parse(job.arguments())?;
    let text = job.send(Method::Post, PATH, &[], Some(&arguments.body(None))).await?;
    let answer: Answer<'_> = read(&text)?;
    let is_missing = !arguments.has_timezone() && answer.readings().any(of::lacks_timezone);
    match zone::of(job, is_missing)? {
        Zone::Given => done(&shown(answer)),
        Zone::Ask(question) => Ok(question),
        Zone::Answered(zone) => {
            let body = arguments.body(Some(&zone));
            let text = job.send(Method::Post, PATH, &[], Some(&body)).await?;
            done(&shown(read(&text)?))
        }
    }
}

/// An answer of the API.
#[derive(Debug, Deserialize)]
struct Answer<'a> {
    outcome: ParsedOutcome,
    /// The time zone of the caller.
    timezone: String,
    #[serde(borrow)]
    reading: Option<of::Reading<'a>>,
    #[serde(default)]
    questions: Vec<String>,
    #[serde(borrow, default)]
    choices: Vec<of::Choice<'a>>,
    refusal: Option<of::Refusal>,
}

impl Answer<'_> {
    fn readings(&self) -> impl Iterator<Item = &of::Reading<'_>> {
        self.reading.iter().chain(self.choices.iter().map(|choice| &choice.reading))
    }
}

/// The parts of an answer of the API.
mod of {
    use serde::Deserialize;
    use serde_json::value::RawValue;

    #[derive(Debug, Deserialize)]
    pub(super) struct Reading<'a> {
        #[serde(borrow)]
        pub(super) schedule: &'a RawValue,
        pub(super) sentence: String,
        pub(super) description: Option<String>,
        pub(super) confidence: u8,
        pub(super) assumptions: Vec<Assumption>,
        pub(super) used: Vec<Part>,
        pub(super) ignored: Vec<Part>,
        pub(super) runs: Vec<Run>,
    }

    #[derive(Debug, Deserialize)]
    pub(super) struct Assumption {
        pub(super) text: String,
    }

    #[derive(Debug, Deserialize)]
    pub(super) struct Part {
        pub(super) text: String,
        pub(super) says: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Run {
        pub(super) time: i64,
        pub(super) local: String,
        pub(super) caller_local: String,
        pub(super) explanation: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    pub(super) struct Choice<'a> {
        pub(super) differs: Vec<Difference>,
        #[serde(borrow)]
        pub(super) reading: Reading<'a>,
    }

    #[derive(Debug, Deserialize)]
    pub(super) struct Difference {
        pub(super) part: Part,
        pub(super) means: String,
    }

    #[derive(Debug, Deserialize)]
    pub(super) struct Refusal {
        pub(super) message: String,
        pub(super) part: Part,
        pub(super) near: Vec<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Zoned {
        timezone: Option<String>,
    }

    /// Returns the time zone of a schedule, if it has one.
    pub(super) fn timezone(schedule: &RawValue) -> Option<String> {
        serde_json::from_str::<Zoned>(schedule.get()).ok()?.timezone
    }

    /// Returns whether a sentence has local times and names no time zone.
    pub(super) fn lacks_timezone(reading: &Reading<'_>) -> bool {
        let names_zone = reading.used.iter().any(|part| part.says.as_deref() == Some("zone"));
        !names_zone && timezone(reading.schedule).is_some()
    }
}

fn shown(answer: Answer<'_>) -> Parsed {
    let Answer { outcome, timezone, reading, questions, choices, refusal } = answer;
    let caller = &timezone;
    let only = reading.map(|reading| reading_of(reading, Vec::new(), caller));
    let choices = choices.into_iter().map(|of::Choice { differs, reading }| {
        let means = |of: of::Difference| format!("\"{}\" means {}", of.part.text, of.means);
        reading_of(reading, differs.into_iter().map(means).collect(), caller)
    });
    let (refusal, near) = refusal.map_or((None, Vec::new()), |refused| {
        let reason = format!("\"{}\": {}", refused.part.text, refused.message);
        (Some(reason), refused.near)
    });
    let readings = only.into_iter().chain(choices).collect();
    Parsed { outcome, readings, questions, refusal, near, next: outcome.next() }
}

/// Returns a reading as the tool shows it. `caller` is the time zone of the user.
fn reading_of(reading: of::Reading<'_>, differs: Vec<String>, caller: &str) -> Reading {
    let zone = of::timezone(reading.schedule);
    // A delay has no time zone. Its runs are shown in the user's.
    let run = |run: of::Run| {
        let (local, timezone) = match &zone {
            Some(zone) => (run.local, zone.clone()),
            None => (run.caller_local, caller.to_owned()),
        };
        let time = iso(run.time);
        NextRun { time, local, timezone, fires_at: None, clock_change: run.explanation }
    };
    let texts = |parts: Vec<of::Part>| parts.into_iter().map(|part| part.text).collect();
    Reading {
        schedule: reading.schedule.to_owned(),
        sentence: reading.sentence,
        differs,
        description: reading.description,
        confidence: reading.confidence,
        assumptions: reading.assumptions.into_iter().map(|of| of.text).collect(),
        ignored: texts(reading.ignored),
        next_runs: reading.runs.into_iter().map(run).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn reading(schedule: &Value, used: &Value) -> Value {
        json!({
            "schedule": schedule, "sentence": "a sentence", "confidence": 90,
            "assumptions": [{ "text": "It is so.", "cost": 10 }], "used": used,
            "ignored": [{ "start": 0, "end": 6, "text": "remind" }],
            "runs": [{ "time": 1_796_029_200_000_i64, "due": 1_796_029_200_000_i64, "local": "2026-11-30T10:00:00+01:00", "callerLocal": "2026-11-30T18:00:00+09:00" }],
            "more": true,
        })
    }

    fn shown_of(answer: &Value) -> Value {
        serde_json::to_value(shown(read(&answer.to_string()).unwrap())).unwrap()
    }

    #[test]
    fn a_sentence_has_one_reading_or_several() {
        let of =
            reading(&json!({ "cron": "0 10 * * MON", "timezone": "Europe/Berlin" }), &json!([]));
        let one = json!({ "outcome": "understood", "timezone": "Asia/Tokyo", "reading": of });
        let one = shown_of(&one);
        let expected = json!({ "time": "2026-11-30T09:00:00Z", "local": "2026-11-30T10:00:00+01:00", "timezone": "Europe/Berlin" });
        assert_eq!(one["readings"][0]["nextRuns"], json!([expected]));
        assert_eq!(one["readings"][0]["assumptions"], json!(["It is so."]));
        assert!(one["next"].as_str().unwrap().contains("schedule_task"));
        let differs =
            json!([{ "part": { "start": 0, "end": 4, "text": "at 5" }, "means": "17:00" }]);
        let after = reading(&json!({ "time": "2026-11-30T09:00:00Z" }), &json!([]));
        let several = json!({
            "outcome": "ambiguous", "timezone": "Asia/Tokyo", "questions": ["When?"],
            "choices": [{ "differs": differs, "reading": after }],
        });
        let several = shown_of(&several);
        assert_eq!(several["readings"][0]["differs"], json!(["\"at 5\" means 17:00"]));
        let expected = json!({ "time": "2026-11-30T09:00:00Z", "local": "2026-11-30T18:00:00+09:00", "timezone": "Asia/Tokyo" });
        assert_eq!(several["readings"][0]["nextRuns"], json!([expected]));
        assert_eq!(several["questions"], json!(["When?"]));
        let refusal = json!({ "reason": "past", "message": "is past", "part": { "start": 0, "end": 1, "text": "a" }, "near": ["b"] });
        let none =
            shown_of(&json!({ "outcome": "refused", "timezone": "UTC", "refusal": refusal }));
        assert_eq!((&none["refusal"], &none["near"]), (&json!("\"a\": is past"), &json!(["b"])));
        assert_eq!(none["readings"], json!([]));
    }

    #[test]
    fn a_clock_needs_a_zone_from_somebody() {
        let berlin = json!({ "cron": "0 10 * * MON", "timezone": "Europe/Berlin" });
        let zone = json!([{ "start": 0, "end": 1, "text": "x", "says": "zone" }]);
        let own = json!([{ "start": 0, "end": 1, "text": "x", "says": "callerZone" }]);
        for (schedule, used, lacks) in [
            (&berlin, json!([]), true),
            (&berlin, zone, false),
            (&berlin, own, true),
            (&json!({ "everySeconds": 90 }), json!([]), false),
        ] {
            let text = reading(schedule, &used).to_string();
            let reading: of::Reading<'_> = read(&text).unwrap();
            assert_eq!(of::lacks_timezone(&reading), lacks, "{text}");
        }
    }
}
