//! Schedules that recur daily or less often, and the common parts of all recurring schedules.

use super::bounds::{Bound, Bounds, bounds, local_text};
use super::context::{Built, Local};
use super::days::{DayCycle, DaySpec, day_cycle};
use super::exceptions::{check_times, except};
use super::time_of_day::{TimeOfDay, times};
use super::write::{self, Every};
use super::{Picks, Sentence, interval};
use crate::clause::{Cycle, Months};
use crate::{Cron, Reason, Refusal, Schedule, Span, calendar};
use chrono::Datelike;

const NO_TIME: &str = "No time of day is given: 00:00.";

/// Builds the schedule of a sentence that recurs.
pub(super) fn build(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Built, Refusal> {
    let misfit = sentence.delay.map(|(_, span)| span).or(sentence.instant.map(|(_, span)| span));
    if let Some(span) = misfit {
        return local.refuse(Reason::Conflict, span, "Once, or again and again?");
    }
    let mut built = if sentence.cron.is_some() || sentence.rule.is_some() {
        literal(sentence, local, picks)?
    } else if let Some((dates, span)) = &sentence.dates {
        by_dates(sentence, dates, *span, local, picks)?
    } else if let Some((number, days, span)) = sentence.ordinal_weekday {
        let sentence = ordinal_weekday(sentence, number, days, span, picks)?;
        by_day(&sentence, local, picks)?
    } else if interval::is_interval(sentence) {
        interval::build(sentence, local, picks)?
    } else {
        by_day(sentence, local, picks)?
    };
    if let Some((count, _)) = sentence.count {
        built.schedule.max_runs = Some(count);
    }
    Ok(built)
}

/// "every year on jan 1 and jul 1"
fn by_dates(
    sentence: &Sentence,
    dates: &[(u8, u8)],
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Built, Refusal> {
    let is_yearly = match sentence.cycle {
        None | Some((Cycle::Years(1), _)) => true,
        Some((Cycle::Months(months), _)) => dates.len() * months as usize == 12,
        Some((Cycle::Quarterly, _)) => dates.len() == 4,
        Some(_) => false,
    };
    if !is_yearly {
        return local.refuse(Reason::Conflict, span, "How often, or on these dates of a year?");
    }
    if dates.contains(&(29, 2)) {
        return local.refuse(
            Reason::Missing,
            span,
            "Most years have no 29 February: write 28 February.",
        );
    }
    let recurs = sentence.cycle.is_some() || {
        let options = vec![(true, "every year".to_owned()), (false, "once each".to_owned())];
        picks.choose(span, "Once, or again and again?", options)?
    };
    let given = times(sentence, local, picks)?;
    let assumes_time = given.is_none();
    if assumes_time {
        picks.assume(25, NO_TIME);
    }
    let times = given.unwrap_or_else(|| vec![TimeOfDay(0)]);
    let bounds = bounds(sentence, local, picks, false)?;
    let mut days: Vec<u8> = dates.iter().map(|(day, _)| *day).collect();
    calendar::sort(&mut days);
    days.dedup();
    let mut expressions = Vec::new();
    for day in days {
        let months = dates.iter().filter(|(known, _)| *known == day);
        let months =
            months.fold(Months::default(), |all, (_, month)| all.with(Months::one(*month)));
        let spec = DaySpec {
            month_days: vec![i8::try_from(day).unwrap_or(1)],
            months: Some(months),
            ..DaySpec::default()
        };
        expressions.extend(write::cron(&spec, &write::time_fields(&times)).unwrap_or_default());
    }
    if expressions.is_empty() || expressions.len() > crate::limits::MAX_EXPRESSIONS {
        return local.refuse(Reason::Unsupported, span, "These are too many dates and times.");
    }
    let exclude = except(sentence, &mut DaySpec::default(), None, local, picks)?.unless_empty();
    let cron = Some(Cron::of(expressions));
    let mut schedule = Schedule { cron, exclude, ..Schedule::default() };
    bounds.put(&mut schedule);
    if !recurs {
        schedule.max_runs = u32::try_from(dates.len() * times.len()).ok();
    }
    Ok(Built { assumes_time, ..Built::new(schedule) })
}

/// "every second tuesday": every other week, or the second of each month.
fn ordinal_weekday(
    sentence: &Sentence,
    number: u32,
    days: crate::clause::Weekdays,
    span: Span,
    picks: &mut Picks,
) -> Result<Sentence, Refusal> {
    let ordinal = match number {
        2 => "2nd".to_owned(),
        3 => "3rd".to_owned(),
        number => format!("{number}th"),
    };
    let weeks = (true, format!("every {} week", if number == 2 { "other" } else { &ordinal }));
    let month = (false, format!("the {ordinal} of each month"));
    let options = if number == 2 { vec![weeks, month] } else { vec![month, weeks] };
    let by_weeks = picks.choose(span, "Counted in weeks, or within each month?", options)?;
    let mut read = Sentence { ordinal_weekday: None, ..sentence.clone() };
    if by_weeks {
        read.weekdays = Some((days, true, span));
        read.cycle = Some((Cycle::Weeks(number), span));
    } else {
        let number = i8::try_from(number).unwrap_or(i8::MAX);
        if number > 5 {
            return Err(Refusal::new(
                Reason::Impossible,
                span,
                "A month has at most five of each day of the week.",
            ));
        }
        read.nth = Some((vec![number], crate::clause::Counted::Weekdays(days), true, span));
        read.cycle = Some((Cycle::Months(1), span));
    }
    Ok(read)
}

/// Returns a cron expression or a rule unchanged.
fn literal(sentence: &Sentence, local: &Local<'_>, picks: &mut Picks) -> Result<Built, Refusal> {
    let strangers = [
        sentence.at.as_ref().map(|(_, span)| *span),
        sentence.cycle.map(|(_, span)| span),
        sentence.window.map(|(.., span)| span),
        sentence.part.map(|(_, span)| span),
    ];
    if let Some(span) = strangers.into_iter().flatten().next() {
        return local.refuse(
            Reason::Conflict,
            span,
            "Beside an expression, only a start, an end, exceptions and a time zone are allowed.",
        );
    }
    let bounds = bounds(sentence, local, picks, false)?;
    let exclude = except(sentence, &mut DaySpec::default(), None, local, picks)?;
    let mut schedule = Schedule { exclude: exclude.unless_empty(), ..Schedule::default() };
    bounds.put(&mut schedule);
    if let Some((expressions, _)) = &sentence.cron {
        schedule.cron = Some(Cron::of(expressions.clone()));
    } else if let Some((rule, _)) = &sentence.rule {
        schedule.rrule = Some(rule.clone());
        schedule.start_at = Some(bounds.start.map_or_else(|| local_text(local.now), Bound::text));
    }
    Ok(Built::new(schedule))
}

fn by_day(sentence: &Sentence, local: &Local<'_>, picks: &mut Picks) -> Result<Built, Refusal> {
    if let Some((.., span)) = sentence.window {
        return local.refuse(
            Reason::Missing,
            span,
            "How often within these hours? Write, say, \"every hour between 9:00 and 17:00\".",
        );
    }
    if let Some((_, span)) = sentence.past_hour {
        return local.refuse(Reason::Conflict, span, "Every hour, or on these days?");
    }
    if let Some((.., span)) =
        sentence.weekdays.filter(|(_, is_sure, _)| !is_sure && sentence.cycle.is_none())
    {
        return coming_days(sentence, local, picks, span);
    }
    let days = sentence.month_days.as_ref().map(|(days, is_sure, span)| (days, *is_sure, *span));
    let counted = sentence.nth.as_ref().map(|(which, _, is_sure, span)| (which, *is_sure, *span));
    let months = sentence.months.map_or(0, |(months, _)| months.months().count());
    let dates = days.or(counted).filter(|(days, is_sure, _)| {
        !is_sure && sentence.cycle.is_none() && months > 0 && months * days.len() > 1
    });
    if let Some((.., span)) = dates {
        return coming_dates(sentence, local, picks, span);
    }
    let DayCycle { spec, cycle, is_assumed, exclude } = day_cycle(sentence, local, picks)?;
    check_frequency(sentence, &spec, cycle, local)?;
    let given = times(sentence, local, picks)?;
    let assumes_time = given.is_none();
    if assumes_time {
        picks.assume(25, NO_TIME);
    }
    let times = given.unwrap_or_else(|| vec![TimeOfDay(0)]);
    check_times(sentence, &exclude, &times, local)?;
    if let Some((count, span)) = sentence.frequency.filter(|_| matches!(cycle, Cycle::Days(_)))
        && (times.len() != count as usize || assumes_time && count > 1)
    {
        return local.refuse(
            Reason::Missing,
            span,
            "At which times? Write, say, \"twice a day at 8:00 and 20:00\".",
        );
    }
    let ignores_length = is_length_of_task(sentence, cycle, local)?;
    let bounds = bounds(sentence, local, picks, ignores_length)?;
    check_range(sentence, cycle, bounds, local)?;
    let mut schedule = schedule(&spec, cycle, &times, bounds, sentence, local, picks)?;
    schedule.exclude = exclude.unless_empty();
    let mut built = Built { assumes_time, assumes_day: is_assumed, ..Built::new(schedule) };
    built.unused.extend(sentence.lasting.filter(|_| ignores_length).map(|(_, span)| span));
    Ok(built)
}

/// Refuses "every month from 24 to 31 december", which may be every day in this range.
fn check_range(
    sentence: &Sentence,
    cycle: Cycle,
    bounds: Bounds,
    local: &Local<'_>,
) -> Result<(), Refusal> {
    let days = match cycle {
        Cycle::Months(months) => i64::from(months) * 28,
        Cycle::Years(years) => i64::from(years) * 360,
        _ => return Ok(()),
    };
    let (Some((_, span)), Some(_)) = (sentence.from, sentence.until) else { return Ok(()) };
    match (bounds.start, bounds.end) {
        (Some(Bound::Local(start)), Some(Bound::Local(end))) if (end - start).num_days() < days => {
            local.refuse(
                Reason::NotUnderstood,
                span,
                "Every day in this range? Write \"every day\".",
            )
        }
        _ => Ok(()),
    }
}

/// This many days of the week without "every" mean every week: "mon, wed, fri at 6am".
const HABITUAL_DAYS: usize = 3;

/// "on monday and thursday at 9": each week, or once each.
fn coming_days(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
    span: Span,
) -> Result<Built, Refusal> {
    let days = sentence.weekdays.map_or(0, |(days, ..)| days.len());
    let recurs = if days >= HABITUAL_DAYS {
        picks.assume(15, "These days recur every week.");
        true
    } else if sentence.at.is_none() && sentence.part.is_none() && !local.context.is_reminder {
        // Without a time, "once each" has no meaning, so there would be no question.
        return local.refuse(Reason::Missing, span, "Write \"every\" before the days, or a time.");
    } else {
        let options = vec![(true, "every week".to_owned()), (false, "once each".to_owned())];
        picks.choose(span, "Once, or again and again?", options)?
    };
    let mut read = sentence.clone();
    if let Some((_, is_sure, _)) = &mut read.weekdays {
        *is_sure = true;
    }
    let mut built = by_day(&read, local, picks)?;
    if !recurs {
        if sentence.count.is_some() || sentence.until.is_some() || built.assumes_time {
            return local.refuse(Reason::Missing, span, "Write \"every\" before the days.");
        }
        let times = read.at.as_ref().map_or(1, |(times, _)| times.len());
        built.schedule.max_runs = u32::try_from(days * times).ok();
    }
    Ok(built)
}

/// "on the 1st of may and june at 9": each year, or once each.
fn coming_dates(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
    span: Span,
) -> Result<Built, Refusal> {
    let options = vec![(true, "every year".to_owned()), (false, "once each".to_owned())];
    let recurs = picks.choose(span, "Once, or again and again?", options)?;
    let mut read = sentence.clone();
    let months = read.months.map_or(1, |(months, _)| months.months().count());
    let days = read.month_days.as_ref().map(|(days, ..)| days.len());
    let days = days.or(read.nth.as_ref().map(|(which, ..)| which.len())).unwrap_or(1);
    let times = read.at.as_ref().map_or(1, |(times, _)| times.len());
    read.cycle = Some((Cycle::Years(1), span));
    let mut built = by_day(&read, local, picks)?;
    if !recurs {
        built.schedule.max_runs =
            sentence.count.map(|(count, _)| count).or(u32::try_from(months * days * times).ok());
    }
    Ok(built)
}

/// Checks that there are as many days as the sentence says: "twice a week on monday and thursday".
fn check_frequency(
    sentence: &Sentence,
    spec: &DaySpec,
    cycle: Cycle,
    local: &Local<'_>,
) -> Result<(), Refusal> {
    let Some((count, span)) = sentence.frequency else { return Ok(()) };
    let days = match cycle {
        Cycle::Days(_) => return Ok(()),
        Cycle::Weeks(_) => spec.weekdays.map_or(0, |days| days.len()),
        _ => {
            spec.nth.as_ref().map_or(spec.month_days.len(), |(which, _)| which.len())
                * spec
                    .months
                    .filter(|_| matches!(cycle, Cycle::Years(_)))
                    .map_or(1, |months| months.months().count())
        }
    };
    if days == count as usize {
        return Ok(());
    }
    local.refuse(
        Reason::Missing,
        span,
        "On which days? Write, say, \"every monday and thursday at 9:00\".",
    )
}

/// "for 30 minutes" is the length of a daily meeting, and "for 10 days" that of the schedule.
fn is_length_of_task(
    sentence: &Sentence,
    cycle: Cycle,
    local: &Local<'_>,
) -> Result<bool, Refusal> {
    let Some((amount, span)) = sentence.lasting else { return Ok(false) };
    let days = amount.months * 30 + amount.days;
    if days == 0 {
        return Ok(true);
    }
    let period = match cycle {
        Cycle::Days(days) => days,
        Cycle::Weeks(weeks) => weeks * 7,
        Cycle::Months(months) => months * 28,
        Cycle::Years(years) => years * 360,
        Cycle::Seconds(_) | Cycle::Quarterly => 1,
    };
    if days < period || days == period && amount.months == 0 && !matches!(cycle, Cycle::Days(1)) {
        return local.refuse(
            Reason::NotUnderstood,
            span,
            "Is this the length of the task or of the schedule? Give the last day instead.",
        );
    }
    Ok(false)
}

fn schedule(
    spec: &DaySpec,
    cycle: Cycle,
    times: &[TimeOfDay],
    bounds: Bounds,
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Schedule, Refusal> {
    let (name, interval) = match cycle {
        Cycle::Days(days) => ("DAILY", days),
        Cycle::Weeks(weeks) => ("WEEKLY", weeks),
        Cycle::Months(months) => ("MONTHLY", months),
        Cycle::Years(years) => ("YEARLY", years),
        Cycle::Seconds(_) | Cycle::Quarterly => ("DAILY", 1),
    };
    if interval == 1 {
        return plain(spec, name, times, bounds, local);
    }
    let span = sentence.cycle.map_or(local.context.whole, |(_, span)| span);
    let aligned = matches!(cycle, Cycle::Months(2 | 3 | 4 | 6))
        && bounds.start.is_none()
        && spec.months.is_none();
    // The phase follows from the first run.
    let first = plain(spec, name, times, Bounds { end: None, ..bounds }, local)?;
    let first = Schedule { timezone: Some(local.zone.name().to_owned()), ..first };
    // The phase follows from the start, even if the start has passed.
    let from = bounds.start.map_or(local.context.now, |start| {
        start.instant(local).saturating_sub(1).min(local.context.now)
    });
    let run = calendar::runs(&first, from, 1).ok().and_then(|runs| runs.first().copied());
    let Some(start) = run.and_then(|run| calendar::local(run, local.zone)) else {
        return local.refuse(Reason::Impossible, span, "There is no such day.");
    };
    let by_phase = Schedule {
        rrule: write::rule(spec, Every { name, interval }, times),
        start_at: Some(local_text(start)),
        end_at: bounds.end.map(Bound::text),
        ..Schedule::default()
    };
    if by_phase.rrule.is_none() {
        return local.refuse(
            Reason::Unsupported,
            span,
            "No schedule has these times in periods of this length: use one time of day.",
        );
    }
    if aligned {
        let months = (0..12 / interval).fold(Months::default(), |all, step| {
            all.with(Months::one((1 + step * interval) as u8))
        });
        let is_same = months.months().any(|month| u32::from(month) == start.month());
        let by_year =
            plain(&DaySpec { months: Some(months), ..spec.clone() }, name, times, bounds, local)?;
        if !is_same {
            let options = vec![
                (by_phase, format!("from {} on", start.date())),
                (by_year, "counted from January".to_owned()),
            ];
            return picks.choose(span, "Counted from when?", options);
        }
        return Ok(by_year);
    }
    if bounds.start.is_none() {
        picks.assume(15, format!("It is counted from {}.", start.date()));
    }
    Ok(by_phase)
}

/// Returns a cron expression if cron can express it, otherwise a rule.
fn plain(
    spec: &DaySpec,
    name: &'static str,
    times: &[TimeOfDay],
    bounds: Bounds,
    local: &Local<'_>,
) -> Result<Schedule, Refusal> {
    let mut schedule = Schedule::default();
    bounds.put(&mut schedule);
    if let Some(expressions) = write::cron(spec, &write::time_fields(times)) {
        schedule.cron = Some(Cron::of(expressions));
        return Ok(schedule);
    }
    // Days of the week and of the month together need a monthly rule.
    let name =
        if spec.weekdays.is_some() && !spec.month_days.is_empty() { "MONTHLY" } else { name };
    let rule = write::rule(spec, Every { name, interval: 1 }, times);
    let Some(rule) = rule else {
        return local.refuse(
            Reason::Unsupported,
            local.context.whole,
            "No single schedule says this: use one time of day, or fewer days.",
        );
    };
    schedule.rrule = Some(rule);
    let first = times.first().copied().unwrap_or(TimeOfDay(0)).naive();
    let day = match bounds.start {
        Some(Bound::Local(start)) if start.time() <= first => start.date(),
        Some(Bound::Local(start)) => start.date().succ_opt().unwrap_or(start.date()),
        Some(Bound::Instant(_)) => {
            return local.refuse(
                Reason::Unsupported,
                local.context.whole,
                "Give the start as a day.",
            );
        }
        None => local.today(),
    };
    schedule.start_at = Some(local_text(day.and_time(first)));
    Ok(schedule)
}
