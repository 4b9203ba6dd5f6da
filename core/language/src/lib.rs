//! Schedules in words: `every monday at 10:00` or `jeden Montag um 10 Uhr` to the fields of a task,
//! and back.
//!
//! [`parse`] reads a phrase at a given time in a given time zone. It returns a whole schedule, or
//! several schedules with a question, or a refusal that says which words it did not understand.
//! [`sentence`] writes any schedule as one sentence, which [`parse`] reads as the same schedule.
//! `docs/words.md` says what is understood, assumed, asked and refused.
//!
//! The guiding rule: a wrong schedule is far worse than a question. If words that may say something
//! about time belong to no part, the whole phrase is refused.
//!
//! ```
//! use scheduler_language::{Outcome, parse, sentence, zone};
//!
//! let now = 1_795_598_100_000; // 2026-11-25T09:15:00Z
//! let berlin = zone("Europe/Berlin").ok_or("no such zone")?;
//! let outcome = parse("remind me to call my friend every monday at 10:00", now, berlin);
//! let Outcome::Understood(reading) = outcome else { return Err("not understood") };
//! assert_eq!(reading.description.as_deref(), Some("call my friend"));
//! let cron = reading.schedule.cron.as_ref().ok_or("no cron")?;
//! assert_eq!(cron.expressions(), ["0 10 * * MON"]);
//! assert_eq!(sentence(&reading.schedule, now), "every Monday at 10:00 in Europe/Berlin");
//! # Ok::<(), &str>(())
//! ```
//!
//! # How it works
//! | step | module |
//! |---|---|
//! | the phrase becomes tokens | `token` |
//! | numbers that belong to a name in the task are set apart | `names` |
//! | tokens become parts that say when: recursive descent | `grammar`, with the tables in `words` |
//! | the parts are put together, and read once for each combination of their meanings | `meaning` |
//! | parts after an exception that may belong to it are refused | `attachment` |
//! | the rest becomes the description, or a reason to refuse | `leftover` |
//! | the scheduler's own calendar checks the result | `calendar` |
//!
//! In scope: phrases in English and German, and the fields of a task that say when it fires
//! ([`Schedule`]). Not in scope: the other fields, requests, and when a schedule runs, which the
//! scheduler's calendar computes. Nothing here reads a clock, and nothing panics. Every phrase ends
//! within [`limits`].

mod attachment;
mod calendar;
mod clause;
mod clock_text;
mod description;
mod grammar;
mod language;
mod leftover;
mod letters;
mod lexicon;
pub mod limits;
mod meaning;
mod names;
mod near;
mod reading;
mod say;
mod schedule;
mod shorthand;
mod token;
mod words;

pub use calendar::{Zone, runs, schedule_of, zone};
pub use language::Language;
pub use near::{HOLIDAYS, near};
pub use reading::{
    Ambiguity, Assumption, Choice, Difference, Outcome, Part, Reading, Reason, Refusal, Span,
};
pub use say::{sentence, sentence_in};
pub use schedule::{Cron, Exclude, Schedule, Time};

use limits::{MAX_CHOICES, MAX_PHRASE_BYTES, MAX_PHRASE_CHARS};
use meaning::{Built, Context, Made, Picks};
use token::{Kind, Token};

/// The number of runs by which two readings are compared.
const COMPARED_RUNS: usize = 20;

/// Reads a phrase. `now` is in milliseconds since 1970, and `zone` is the zone of its local times.
/// The language is detected from the words.
pub fn parse(phrase: &str, now: i64, zone: Zone) -> Outcome {
    read(phrase, now, zone, None).0
}

/// Returns the language of a phrase, detected from its words.
pub fn language_of(phrase: &str) -> Language {
    if phrase.len() > MAX_PHRASE_BYTES {
        return Language::default();
    }
    lexicon::language_of(&token::tokens(phrase))
}

/// Returns the names of the calendars that a phrase may name, whether or not it is understood: what
/// is in double quotes, if the phrase has a word for calendars.
pub fn calendars_in(phrase: &str) -> Vec<String> {
    let is_near = |word: &str| word.starts_with("calendar") || word.starts_with("kalender");
    if phrase.len() > MAX_PHRASE_BYTES || !phrase.to_ascii_lowercase().contains("alend") {
        return Vec::new();
    }
    let tokens = token::tokens(phrase);
    if !tokens.iter().any(|token| token.kind == Kind::Word && is_near(&token.text)) {
        return Vec::new();
    }
    let quoted = tokens.into_iter().filter(|token| token.kind == Kind::Quoted);
    quoted.map(|token| token.text).take(limits::MAX_LIST).collect()
}

/// Reads a phrase in this language. Also returns the number of steps of the grammar, which is at
/// most [`limits::MAX_STEPS`] plus one.
pub fn read(phrase: &str, now: i64, zone: Zone, language: Option<Language>) -> (Outcome, u32) {
    let tokens = if phrase.len() <= MAX_PHRASE_BYTES { token::tokens(phrase) } else { Vec::new() };
    let quoted: usize = tokens
        .iter()
        .filter(|token| token.kind == Kind::Quoted)
        .map(|token| token.text.chars().count())
        .sum();
    if phrase.len() > MAX_PHRASE_BYTES || phrase.chars().count() - quoted > MAX_PHRASE_CHARS {
        let message =
            format!("The sentence is too long: the limit is {MAX_PHRASE_CHARS} characters.");
        return (
            Outcome::Refused(Refusal::new(
                Reason::TooLong,
                Span { start: 0, end: phrase.len() },
                message,
            )),
            0,
        );
    }
    let language = language.unwrap_or_else(|| lexicon::language_of(&tokens));
    let whole = grammar::whole(&tokens);
    let lexicon::Terms { tokens, mut assumptions } = match shorthand::tokens(phrase) {
        Some(tokens) => lexicon::Terms { tokens, assumptions: Vec::new() },
        None => language.lexicon().terms(tokens),
    };
    let is_reminder = leftover::is_reminder(&tokens);
    let (parts, steps) = grammar::parts(&tokens, language.lexicon().habits, is_reminder);
    let parts = match parts {
        Ok(parts) => parts,
        Err(refusal) => return (Outcome::Refused(refusal), steps),
    };
    let open_end = match attachment::check(&tokens, &parts.left_over, &parts.found) {
        Ok(attached) => {
            assumptions.extend(attached.assumptions);
            attached.open_end
        }
        Err(refusal) => return (Outcome::Refused(refusal), steps),
    };
    let is_waking = leftover::is_waking(&tokens);
    let context =
        Context { now, zone, whole, is_reminder, is_waking, language, assumptions, open_end };
    let outcome = outcome(phrase, &tokens, &parts, &context);
    (outcome.unwrap_or_else(Outcome::Refused), steps)
}

fn outcome(
    phrase: &str,
    tokens: &[Token],
    parts: &grammar::Parts,
    context: &Context,
) -> Result<Outcome, Refusal> {
    leftover::check(phrase, tokens, parts, context.language)?;
    let is_joint = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|token| matches!(token.text.as_str(), "and" | "," | ";" | "&" | "+"))
    };
    let sentences = meaning::sentences(&parts.found, &parts.left_over, is_joint)?;
    // The words that join several schedules count as parts that say when.
    let joints: Vec<usize> = (0..tokens.len())
        .filter(|at| {
            sentences.len() > 1
                && is_joint(*at)
                && parts.found.iter().any(|found| found.tokens.1 == *at)
                && parts.found.iter().any(|found| found.tokens.0 == *at + 1)
        })
        .collect();
    let mut readings: Vec<Candidate> = Vec::new();
    let mut first_refusal = None;
    let mut next = Some(Vec::new());
    while let Some(wanted) = next {
        let mut picks = Picks::new(wanted, context.assumptions.clone());
        let built = meaning::build(&sentences, context, &mut picks);
        if picks.made.iter().map(|made| made.options).product::<usize>() > MAX_CHOICES {
            return Err(Refusal::new(
                Reason::TooAmbiguous,
                context.whole,
                "The sentence can be read in too many ways: be more exact.",
            ));
        }
        match built {
            Ok(built) => {
                leftover::check_assumed(tokens, &parts.left_over, &parts.found, &built)?;
                let first_run = built.first_run;
                let reading = reading(phrase, tokens, parts, &joints, built, &picks);
                readings.push(Candidate { reading, made: picks.made.clone(), first_run });
            }
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
        next = picks.next();
    }
    drop_equal(&mut readings, context.now);
    let only = readings.len() == 1;
    match (readings.pop(), first_refusal) {
        (Some(mut found), refused) if only => {
            if refused.is_some() {
                found.reading.assume_only();
            }
            Ok(Outcome::Understood(Box::new(found.reading)))
        }
        (Some(last), _) => {
            readings.push(last);
            Ok(Outcome::Ambiguous(ambiguity(readings)))
        }
        (None, Some(refusal)) => Err(refusal),
        (None, None) => {
            Err(Refusal::new(Reason::NothingFound, context.whole, "No time or interval was found."))
        }
    }
}

/// A reading with the decisions that lead to it.
struct Candidate {
    reading: Reading,
    made: Vec<Made>,
    /// Milliseconds since 1970.
    first_run: i64,
}

/// Keeps one of the readings that have the same runs. Schedules that go on may differ after the runs
/// that are compared, so of those, only equal ones have the same.
fn drop_equal(readings: &mut Vec<Candidate>, now: i64) {
    if readings.len() < 2 {
        return;
    }
    // Only schedules that end, and have the same first run, need all their runs compared.
    let ends: Vec<i64> = readings
        .iter()
        .filter(|candidate| candidate.reading.schedule.may_end())
        .map(|candidate| candidate.first_run)
        .collect();
    let mut seen: Vec<(Schedule, Option<Vec<i64>>)> = Vec::new();
    readings.retain(|Candidate { reading, first_run, .. }| {
        let schedule = &reading.schedule;
        if seen.iter().any(|(known, _)| known == schedule) {
            return false;
        }
        let is_compared =
            schedule.may_end() && ends.iter().filter(|first| *first == first_run).count() > 1;
        let runs = is_compared
            .then(|| calendar::runs(schedule, now, COMPARED_RUNS).unwrap_or_default())
            .filter(|runs| runs.len() < COMPARED_RUNS);
        let is_new = runs.is_none() || !seen.iter().any(|(_, known)| *known == runs);
        if is_new {
            seen.push((schedule.clone(), runs));
        }
        is_new
    });
}

fn ambiguity(readings: Vec<Candidate>) -> Ambiguity {
    let mut questions: Vec<String> = Vec::new();
    for made in readings.iter().flat_map(|candidate| &candidate.made) {
        if !questions.iter().any(|known| known == made.question) {
            questions.push(made.question.to_owned());
        }
    }
    let differs = |made: Vec<Made>| {
        made.into_iter().map(|made| Difference { span: made.span, means: made.means }).collect()
    };
    let choices = readings
        .into_iter()
        .map(|candidate| Choice { reading: candidate.reading, differs: differs(candidate.made) })
        .collect();
    Ambiguity { questions, choices }
}

fn reading(
    phrase: &str,
    tokens: &[Token],
    parts: &grammar::Parts,
    joints: &[usize],
    built: Built,
    picks: &Picks,
) -> Reading {
    let left_over: Vec<usize> =
        parts.left_over.iter().copied().filter(|at| !joints.contains(at)).collect();
    let adjectives = leftover::adjectives(tokens, &parts.left_over, &parts.found);
    let described: Vec<usize> = left_over.iter().copied().chain(adjectives).collect();
    let left = description::description(phrase, tokens, &described, &built.unused);
    let is_used = |span: &Span| !built.unused.contains(span);
    let mut used: Vec<Part> = parts
        .found
        .iter()
        .filter(|found| is_used(&found.span))
        .map(|found| Part { span: found.span, says: found.clause.says() })
        .collect();
    used.dedup();
    let mut ignored: Vec<Span> = left_over
        .iter()
        .filter_map(|at| tokens.get(*at))
        .map(|token| token.span)
        .chain(built.unused.iter().copied())
        .collect();
    calendar::sort(&mut ignored);
    ignored.dedup();
    let cost = picks
        .assumptions
        .iter()
        .fold(left.cost, |sum, assumption| sum.saturating_add(assumption.cost));
    Reading {
        assumes_anchor: built.assumes_anchor,
        schedule: built.schedule,
        description: left.description,
        used,
        ignored,
        assumptions: picks.assumptions.clone(),
        confidence: 100_u8.saturating_sub(cost).max(10),
    }
}
