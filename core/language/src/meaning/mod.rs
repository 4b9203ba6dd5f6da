//! Builds a schedule from the parts of a phrase.
//!
//! [`sentences`] sorts the parts and refuses those that contradict each other. [`build`] then
//! builds a schedule from them. If a part is ambiguous, it asks [`Picks`] which meaning to use. The
//! caller builds once for every combination, and each resulting schedule is a choice.

mod bounds;
mod context;
mod days;
mod exceptions;
mod interval;
mod names;
mod once;
mod picks;
mod recurring;
mod sentence;
mod time_of_day;
mod union;
mod write;

pub(crate) use context::{Built, Context};
pub(crate) use picks::{Made, Picks};
pub(crate) use sentence::Sentence;
pub(crate) use union::sentences;

use crate::calendar;
use crate::clause::{Clause, Clock, ClockKind};
use crate::{Reason, Refusal, Schedule};
use context::Local;

/// Builds the schedule of a sentence, or of several together.
///
/// # Errors
/// Returns an error that says what is missing, contradictory or impossible.
pub(crate) fn build(
    sentences: &[Sentence],
    context: &Context,
    picks: &mut Picks,
) -> Result<Built, Refusal> {
    let built = match sentences {
        [sentence] => build_one(sentence, context, picks)?,
        several => union::build(several, context, picks)?,
    };
    let first_run = check(&built.schedule, context)?;
    Ok(Built { first_run, ..built })
}

fn build_one(sentence: &Sentence, context: &Context, picks: &mut Picks) -> Result<Built, Refusal> {
    let zone = match &sentence.zone {
        Some((Clause::Zone(names), span)) => {
            let zones = names
                .iter()
                .filter_map(|name| Some((calendar::zone(name)?, name.clone())))
                .collect();
            picks.choose(*span, "Which time zone do you mean?", zones)?
        }
        _ => context.zone,
    };
    let Some(now) = calendar::local(context.now, zone) else {
        return Err(Refusal::new(
            Reason::Impossible,
            context.whole,
            "The current time is out of range.",
        ));
    };
    let local = Local { context, zone, now };
    let awake = context.is_waking.then(|| in_the_morning(sentence, picks)).flatten();
    let sentence = awake.as_ref().unwrap_or(sentence);
    let ended = exceptions::with_end(sentence, context, picks)?;
    let sentence = ended.as_ref().unwrap_or(sentence);
    let mut built = if sentence.recurs(picks)? {
        recurring::build(sentence, &local, picks)?
    } else {
        once::build(sentence, &local, picks)?
    };
    let uses_zone = built.schedule.cron.is_some()
        || built.schedule.rrule.is_some()
        || built.schedule.exclude.is_some()
        || has_local(&built.schedule);
    built.schedule.timezone = uses_zone.then(|| zone.name().to_owned());
    if sentence.has_cycle_of_noun {
        picks.assume(15, "The word before the noun says how often it runs.");
    }
    built.unused.extend(sentence.adjectives.iter().copied());
    Ok(built)
}

/// Returns the sentence with the hours at which somebody wakes up in the morning; `None` if none is
/// without am or pm.
fn in_the_morning(sentence: &Sentence, picks: &mut Picks) -> Option<Sentence> {
    let is_early = |clock: &Clock| clock.kind == ClockKind::Half && (4..12).contains(&clock.hour);
    let mut sentence = sentence.clone();
    let (clocks, _) = sentence.at.as_mut().filter(|_| sentence.part.is_none())?;
    let mut early = clocks.iter_mut().filter(|clock| is_early(clock)).peekable();
    early.peek()?;
    early.for_each(|clock| clock.kind = ClockKind::Sure);
    picks.assume(10, "Waking up is in the morning.");
    Some(sentence)
}

fn has_local(schedule: &Schedule) -> bool {
    let times = [&schedule.time, &schedule.start_at, &schedule.end_at, &schedule.anchor];
    times
        .into_iter()
        .flatten()
        .any(|time| matches!(time, crate::Time::Text(text) if !text.ends_with('Z')))
}

/// Checks the schedule with the scheduler's own calendar. Returns its first run.
fn check(schedule: &Schedule, context: &Context) -> Result<i64, Refusal> {
    let runs = calendar::runs(schedule, context.now, 1);
    match runs.map(|runs| runs.first().copied().filter(|run| *run > context.now)) {
        Ok(Some(run)) => Ok(run),
        Ok(None) => Err(Refusal::new(Reason::Past, context.whole, "This time is past.")),
        Err(problem) => Err(Refusal::new(
            Reason::Impossible,
            context.whole,
            format!("There is no such schedule: {problem}."),
        )),
    }
}
