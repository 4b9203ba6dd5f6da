//! Phrases with several schedules: "weekdays at 9 and saturdays at 11".

use super::Picks;
use super::context::{Built, Context};
use super::sentence::{Growing, Sentence, conflict};
use crate::clause::{Cycle, Day, Found, Weekdays, Which};
use crate::limits::{MAX_EXPRESSIONS, MAX_UNITED};
use crate::{Cron, Reason, Refusal, Schedule};

/// Sorts the parts into sentences. If a part contradicts those before it, a new sentence begins
/// after the last joint that follows a complete sentence.
///
/// # Errors
/// Returns an error if two parts of one sentence contradict each other.
pub(crate) fn sentences(
    found: &[Found],
    left_over: &[usize],
    is_joint: impl Fn(usize) -> bool,
) -> Result<Vec<Sentence>, Refusal> {
    let chunks: Vec<&[Found]> = found.chunk_by(|one, other| one.tokens == other.tokens).collect();
    let tokens = |at: usize| chunks.get(at).and_then(|chunk| chunk.first()).map(|part| part.tokens);
    let is_joined = |at: usize| {
        let before = at.checked_sub(1).and_then(tokens);
        before.zip(tokens(at)).is_some_and(|(before, this)| {
            let mut between = before.1..this.0;
            !between.is_empty() && between.all(&is_joint)
        })
    };
    let grown = |from: usize, to: usize| {
        let mut growing = Growing::default();
        let mut parts = chunks.get(from..to).unwrap_or_default().iter().copied().flatten();
        parts.try_for_each(|part| growing.add(part, left_over)).map(|()| growing)
    };
    let mut whole: Vec<Sentence> = Vec::new();
    let mut start = 0;
    let mut growing = Growing::default();
    for (at, chunk) in chunks.iter().enumerate() {
        let Err(refusal) = chunk.iter().try_for_each(|part| growing.add(part, left_over)) else {
            continue;
        };
        let is_complete_before =
            |at: &usize| grown(start, *at).is_ok_and(|growing| is_complete(&growing.sentence));
        let split = (start + 1..=at).rev().find(|at| is_joined(*at) && is_complete_before(at));
        let Some(split) = split.filter(|_| whole.len() + 1 < MAX_UNITED) else {
            return Err(refusal);
        };
        whole.push(grown(start, split)?.finish()?);
        start = split;
        growing = grown(start, at + 1)?;
    }
    let mut last = growing.finish()?;
    if let Some(before) = whole.last() {
        go_on(&mut last, before);
    }
    share_habit(&mut whole, &mut last);
    if !whole.is_empty() && !is_complete(&last) {
        let span = found.last().map(|part| part.span);
        return Err(conflict(span.unwrap_or(crate::Span { start: 0, end: 0 })));
    }
    whole.push(last);
    let first = found.first().map_or(0, |part| part.span.start);
    share(&mut whole, first)?;
    Ok(whole)
}

/// Completes a second window: "every 15 minutes between 9 and 11 and between 14 and 16" has the
/// interval and the days of the first in both.
fn go_on(last: &mut Sentence, before: &Sentence) {
    let names_days = last.weekdays.is_some()
        || last.nth.is_some()
        || last.month_days.is_some()
        || last.day.is_some()
        || last.months.is_some();
    // In "between 9 and 11 in december and between 14 and 16", December may be of the first only.
    let of_first = [
        before.weekdays.map(|(.., span)| span),
        before.month_days.as_ref().map(|(.., span)| *span),
        before.months.map(|(_, span)| span),
    ];
    let is_behind = before.window.is_some_and(|(.., window)| {
        of_first.into_iter().flatten().any(|span| span.start > window.start)
    });
    let is_window = last.window.is_some() && last.cycle.is_none() && last.at.is_none();
    if is_window && before.window.is_some() && !names_days && !is_behind {
        last.cycle = before.cycle;
        last.weekdays = before.weekdays;
        last.month_days.clone_from(&before.month_days);
        last.months = before.months;
    }
}

/// Gives parts of the day in the plural the days of the first of them: "weekdays in the mornings at 8
/// and in the evenings at 6". Without days, they are those of every day.
fn share_habit(whole: &mut [Sentence], last: &mut Sentence) {
    let names_day = |sentence: &Sentence| {
        sentence.cycle.is_some()
            || sentence.weekdays.is_some()
            || sentence.nth.is_some()
            || sentence.month_days.is_some()
            || sentence.day.is_some()
            || sentence.dates.is_some()
            || sentence.delay.is_some()
    };
    let Some((first, others)) = whole.split_first_mut() else { return };
    let mut rest = others.iter().chain(std::iter::once(&*last));
    let is_habit = |sentence: &Sentence| sentence.habit.is_some() && sentence.at.is_some();
    if !is_habit(first) || rest.any(|sentence| !is_habit(sentence) || names_day(sentence)) {
        return;
    }
    if !names_day(first) {
        first.cycle = first.habit.map(|span| (Cycle::Days(1), span));
    }
    for sentence in others.iter_mut().chain(std::iter::once(last)) {
        (sentence.cycle, sentence.weekdays) = (first.cycle, first.weekdays);
    }
}

/// Returns whether both are the same interval in two windows.
fn are_windows(one: &Sentence, other: &Sentence) -> bool {
    let cycle = |sentence: &Sentence| sentence.cycle.map(|(cycle, _)| cycle);
    one.window.is_some() && other.window.is_some() && cycle(one) == cycle(other)
}

/// Returns whether a sentence has both days and a time.
fn is_complete(sentence: &Sentence) -> bool {
    let has_days = sentence.says_how_often()
        || sentence.weekdays.is_some()
        || sentence.nth.is_some()
        || sentence.month_days.is_some()
        || sentence.habit.is_some()
        || matches!(sentence.day, Some((Day::Weekday(_, Which::Coming), _)));
    let has_time = sentence.at.is_some()
        || sentence.past_hour.is_some()
        || matches!(sentence.cycle, Some((Cycle::Seconds(_), _)));
    has_days && has_time
}

/// Copies the zone and the bounds of one sentence to all others. They count for all of them only if
/// they come first, at the place `first`, or last: "weekdays at 9 until friday and saturdays at 11"
/// is refused.
fn share(sentences: &mut [Sentence], first: usize) -> Result<(), Refusal> {
    if sentences.len() < 2 {
        return Ok(());
    }
    check_places(sentences)?;
    let end = sentences.len() - 1;
    macro_rules! share {
        ($($field:ident),*) => {$(
            let mut given = sentences
                .iter()
                .enumerate()
                .filter_map(|(at, sentence)| Some((at, sentence.$field.clone()?)));
            if let Some((at, value)) = given.next() {
                if let Some((_, other)) = given.next() {
                    return Err(conflict(other.1));
                }
                if at != end && value.1.start != first {
                    return Err(conflict(value.1));
                }
                sentences.iter_mut().for_each(|sentence| sentence.$field = Some(value.clone()));
            }
        )*};
    }
    // "mondays at 9am UTC and fridays at 5pm UTC"
    let zone = |sentence: &Sentence| sentence.zone.as_ref().map(|(zone, _)| zone.clone());
    let has_one_zone = sentences.windows(2).all(|pair| match pair {
        [one, other] => zone(one).is_some() && zone(one) == zone(other),
        _ => true,
    });
    if !has_one_zone {
        share!(zone);
    }
    share!(from, until, lasting, within);
    // "monday at 9 and friday at 4pm every week"
    let is_each_week = |sentence: &Sentence| matches!(sentence.cycle, Some((Cycle::Weeks(1), _)));
    let names_day =
        |sentence: &Sentence| matches!(sentence.day, Some((Day::Weekday(_, Which::Coming), _)));
    let edges = [sentences.first(), sentences.last()];
    let weekly = edges.into_iter().flatten().find(|sentence| is_each_week(sentence));
    if let Some(cycle) = weekly.and_then(|sentence| sentence.cycle) {
        let others = sentences.iter_mut().filter(|sentence| sentence.cycle.is_none());
        others
            .filter(|sentence| names_day(sentence))
            .for_each(|sentence| sentence.cycle = Some(cycle));
    }
    // "on the 1st at 9 and on the 15th at 10 every month"
    let is_monthly = |cycle: &(Cycle, crate::Span)| matches!(cycle.0, Cycle::Months(1));
    if let Some(cycle) = sentences.iter().find_map(|sentence| sentence.cycle.filter(is_monthly)) {
        let counts = |sentence: &&mut Sentence| {
            sentence.cycle.is_none() && (sentence.month_days.is_some() || sentence.nth.is_some())
        };
        sentences.iter_mut().filter(counts).for_each(|sentence| sentence.cycle = Some(cycle));
    }
    if let Some((_, span)) = sentences.iter().find_map(|sentence| sentence.count) {
        return Err(conflict(span));
    }
    let is_weekly =
        sentences.iter().any(|sentence| sentence.weekdays.is_some_and(|(_, is_sure, _)| is_sure));
    for sentence in sentences {
        // "every monday at 9 and friday at 10"
        if let (true, Some((Day::Weekday(day, Which::Coming), span))) = (is_weekly, sentence.day) {
            sentence.day = None;
            sentence.weekdays = Some((Weekdays::one(day), true, span));
        }
        if let Some((_, is_sure, _)) = sentence.weekdays.as_mut().filter(|_| is_weekly) {
            *is_sure = true;
        }
        if !sentence.says_how_often() {
            let span = sentence.at.as_ref().map(|(_, span)| *span);
            return Err(conflict(span.unwrap_or(crate::Span { start: 0, end: 0 })));
        }
    }
    Ok(())
}

/// Refuses months or exceptions of some sentences only. In "weekdays at 9 and saturdays at 11
/// except in august", August may be left out of both schedules.
fn check_places(sentences: &[Sentence]) -> Result<(), Refusal> {
    let months = |sentence: &Sentence| sentence.months.map(|(_, span)| span);
    let except = |sentence: &Sentence| sentence.except.as_ref().map(|(_, span)| *span);
    let spans: [Vec<crate::Span>; 2] = [
        sentences.iter().filter_map(months).collect(),
        sentences.iter().filter_map(except).collect(),
    ];
    let mut partial = spans.iter().filter(|spans| spans.len() < sentences.len());
    partial.find_map(|spans| spans.last()).map_or(Ok(()), |span| Err(conflict(*span)))
}

/// Builds the one schedule of all sentences from their expressions.
pub(super) fn build(
    sentences: &[Sentence],
    context: &Context,
    picks: &mut Picks,
) -> Result<Built, Refusal> {
    check_days(sentences)?;
    let mut united: Option<Built> = None;
    for sentence in sentences {
        let built = super::build_one(sentence, context, picks)?;
        united = Some(match united {
            None => built,
            Some(all) => unite(all, built, context)?,
        });
    }
    picks.assume(5, "All of these times belong to one task.");
    united.ok_or_else(|| conflict(context.whole))
}

fn unite(mut all: Built, other: Built, context: &Context) -> Result<Built, Refusal> {
    let refuse = || {
        Refusal::new(
            Reason::Unsupported,
            context.whole,
            "No single schedule says this: write one schedule in one sentence.",
        )
    };
    let without = |schedule: &Schedule| Schedule { cron: None, ..schedule.clone() };
    if without(&all.schedule) != without(&other.schedule) {
        return Err(refuse());
    }
    let (Some(cron), Some(more)) = (&all.schedule.cron, &other.schedule.cron) else {
        return Err(refuse());
    };
    let mut expressions = cron.expressions().to_vec();
    expressions.extend(more.expressions().iter().cloned());
    if expressions.len() > MAX_EXPRESSIONS {
        return Err(refuse());
    }
    all.schedule.cron = Some(Cron::of(expressions));
    all.unused.extend(other.unused);
    all.assumes_time |= other.assumes_time;
    all.assumes_day |= other.assumes_day;
    all.assumes_anchor |= other.assumes_anchor;
    Ok(all)
}

/// Refuses "every day at 9 and on sundays at 11", because the second part may or may not replace
/// the first.
fn check_days(sentences: &[Sentence]) -> Result<(), Refusal> {
    for (at, one) in sentences.iter().enumerate() {
        for other in sentences.get(at + 1..).unwrap_or_default() {
            let (Some(days), Some(others)) = (week(one), week(other)) else { continue };
            let is_interval =
                |sentence: &Sentence| matches!(sentence.cycle, Some((Cycle::Seconds(_), _)));
            let is_same = days == others
                && (are_windows(one, other) || !is_interval(one) && !is_interval(other));
            if days.0 & others.0 != 0 && !is_same {
                let span = other.weekdays.map(|(.., span)| span);
                let span = span.or(other.cycle.map(|(_, span)| span));
                return Err(conflict(span.unwrap_or(crate::Span { start: 0, end: 0 })));
            }
        }
    }
    Ok(())
}

/// Returns the days of the week of a sentence that does not count days of a month.
fn week(sentence: &Sentence) -> Option<Weekdays> {
    let is_within_week =
        sentence.nth.is_none() && sentence.month_days.is_none() && sentence.day.is_none();
    is_within_week.then(|| sentence.weekdays.map_or(Weekdays::ALL, |(days, ..)| days))
}
