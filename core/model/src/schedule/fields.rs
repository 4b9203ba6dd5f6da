//! The schedule of a stored record.

use super::Overlap;
use super::exclude::exclusions;
use crate::bounds::{
    MAX_CRON_EXPRESSIONS, MAX_DELAY_SECONDS, MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS,
};
use crate::input::{Bounded, FieldError, Text, parse_naming_the_field};
use crate::schedule::LocalTimes;
use scheduler_calendar::cron::{CronList, CronSchedule};
use scheduler_calendar::delay::Delay;
use scheduler_calendar::every::Every;
use scheduler_calendar::exclude::Instead;
use scheduler_calendar::excluding::Excluding;
use scheduler_calendar::local_time::LocalTime;
use scheduler_calendar::rrule::{RRule, TooLong};
use scheduler_calendar::schedule::{Occurrence, Rule, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The fields of a record's schedule, as they are stored.
#[derive(Debug, Clone, Default)]
pub struct ScheduleFields<'a> {
    /// A cron expression, or an array of several.
    pub cron: Option<&'a RawValue>,
    /// The IANA zone of `cron`, `rrule` and local times. `None` means UTC.
    pub timezone: Option<Cow<'a, str>>,
    /// The times that were given as local times. The other fields contain their instants, as
    /// computed when the task was accepted.
    pub local: Option<LocalTimes>,
    /// An interval.
    pub every_seconds: Option<f64>,
    /// The first run of the interval, from which the others are computed. Always present with an
    /// interval.
    pub anchor: Option<UnixMillis>,
    /// An RFC 5545 rule, whose DTSTART is `start_at`.
    pub rrule: Option<Cow<'a, str>>,
    /// There is no occurrence before this time.
    pub start_at: Option<UnixMillis>,
    /// There is no occurrence after this time.
    pub end_at: Option<UnixMillis>,
    /// What the schedule leaves out: see [`super::ExcludeInput`].
    pub exclude: Option<&'a RawValue>,
    /// The most runs. The first one is `first_run`.
    pub max_runs: Option<u32>,
    /// The nominal time of the first run, if runs are counted.
    pub first_run: Option<UnixMillis>,
    /// The nominal time of the last run, if `max_runs` or COUNT sets one.
    pub final_run: Option<UnixMillis>,
    /// The longest random delay of each occurrence, in seconds.
    pub jitter_seconds: Option<f64>,
    /// By how much later an occurrence may fire to share a firing with others, in seconds.
    pub window_seconds: Option<f64>,
    /// What happens to missed runs: see [`super::MisfireInput`].
    pub misfire: Option<&'a RawValue>,
    /// What happens to a run that is due before the previous run has ended.
    pub overlap: Option<Overlap>,
    /// How long after its due time a run may start, in seconds.
    pub expire_after_seconds: Option<f64>,
    /// The sentence that the schedule was given in.
    pub words: Option<Cow<'a, str>>,
}

/// The most by which a law moves a zone's clock, in milliseconds: two hours.
const LAW_MOVES_BY: i64 = 7_200_000;

/// The runs that are searched for the one that a law has moved: one per minute within twice that
/// time.
const MAX_NEAR: usize = 240;

impl ScheduleFields<'_> {
    /// Returns whether there is a recurring schedule.
    pub fn is_recurring(&self) -> bool {
        self.cron.is_some() || self.every_seconds.is_some() || self.rrule.is_some()
    }

    /// Returns the name of the field that says when a recurring task fires.
    pub(super) fn way(&self) -> &'static str {
        match (self.cron, self.every_seconds) {
            (Some(_), _) => "cron",
            (None, Some(_)) => "everySeconds",
            (None, None) => "rrule",
        }
    }

    /// Returns the schedule of the task with this [hash](crate::routing::id_hash) of its id.
    ///
    /// If the last run is stored, this needs no search. If a rule's COUNT sets it and it is not
    /// stored yet, this counts the runs.
    ///
    /// # Errors
    /// Returns an error if a field is invalid. The error names it.
    pub fn schedule(&self, id_hash: u64) -> Result<Schedule, FieldError> {
        let mut rule = self.rule()?;
        let counted = match self.final_run {
            Some(_) => None,
            None => last_by_count(&rule)?,
        };
        let first = self.start_at().unwrap_or(UnixMillis::ZERO);
        let mut last = self.end_at().unwrap_or(UnixMillis::LAST);
        if let Some(exclude) = self.exclude {
            rule = self.excluding(rule, exclude.get(), first, last)?;
        }
        last = last.min(counted.unwrap_or(UnixMillis::LAST));
        if let Some(run) = self.final_run {
            last = last.min(self.last_by_law(&rule, run));
        }
        Ok(Schedule::new(rule, first, last, self.delay(id_hash)?))
    }

    /// Returns the runs of a rule from `first` to `last` that `exclude` leaves.
    fn excluding(
        &self,
        rule: Rule,
        exclude: &str,
        first: UnixMillis,
        last: UnixMillis,
    ) -> Result<Rule, FieldError> {
        let timezone = self.timezone.as_deref().map_or(Ok(Tz::UTC), str::parse);
        let timezone =
            timezone.map_err(|problem| FieldError::new("timezone", format!("is {problem}")))?;
        let exclusions = exclusions(exclude, timezone, self.start_at())?;
        if exclusions.instead() != Instead::Skip && count_of(&rule).is_some() {
            return Err(FieldError::new(
                "rrule",
                "has COUNT, which counts the runs of the rule before exclude moves them; give maxRuns, endAt or UNTIL instead",
            ));
        }
        Ok(Rule::Excluding(Box::new(Excluding::new(rule, first, last, exclusions))))
    }

    /// Computes where the schedule ends if its first run is the first one due after `since`, and
    /// stores the end in the fields. Returns the schedule with its first run, or `None` if there is
    /// no run.
    ///
    /// # Errors
    /// Returns an error if a field is invalid. The error names it.
    pub fn settle(
        &mut self,
        id_hash: u64,
        since: UnixMillis,
    ) -> Result<Option<(Schedule, Occurrence)>, FieldError> {
        (self.first_run, self.final_run) = (None, None);
        let mut schedule = self.schedule(id_hash)?;
        let Some(first) = schedule.next_after(since) else { return Ok(None) };
        if let Some(runs) = self.max_runs {
            self.first_run = Some(first.time);
            let counted = schedule.end_with_run(first.time, runs);
            counted.map_err(|TooLong| too_long(self.way()))?;
        }
        if self.max_runs.is_some() || count_of(schedule.rule()).is_some() {
            self.final_run = Some(schedule.last_time(first.time));
        }
        Ok(Some((schedule, first)))
    }

    /// Returns how many runs [`Self::settle`] counts one by one.
    ///
    /// # Errors
    /// Returns an error if a field is invalid. The error names it.
    pub fn counted_runs(&self) -> Result<u32, FieldError> {
        Ok(match self.rule()? {
            Rule::Every(_) if self.exclude.is_none() => 0,
            rule => count_of(&rule).unwrap_or(0).saturating_add(self.max_runs.unwrap_or(0)),
        })
    }

    pub(super) fn rule(&self) -> Result<Rule, FieldError> {
        let timezone = self.timezone.as_deref();
        if let Some(cron) = self.cron {
            return cron_rule(cron.get(), timezone);
        }
        if let Some(seconds) = self.every_seconds {
            let millis =
                millis("everySeconds", seconds, MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)?;
            let local = self
                .local_now(|local| local.anchor)
                .and_then(|(anchor, zone)| Every::from_local(anchor, zone, millis));
            let stored = || self.anchor.map(|anchor| Every::new(anchor, millis));
            return local
                .or_else(stored)
                .map(Rule::Every)
                .ok_or_else(|| FieldError::new("anchor", "is missing"));
        }
        let rule = self
            .rrule
            .as_deref()
            .ok_or_else(|| FieldError::new("cron", "is missing; the task does not recur"))?;
        let start = self.start_at().ok_or_else(|| {
            FieldError::new("startAt", "is missing; a rule starts there (its DTSTART), and has its time of day unless the rule names one")
        })?;
        let read = match self.local_now(|local| local.start_at) {
            Some((start, _)) => RRule::parse_local(rule, start, timezone),
            None => RRule::parse(rule, start, timezone),
        };
        read.map(|rule| Rule::Ical(Box::new(rule)))
            .map_err(|problem| FieldError::new(problem.field(), problem.to_string()))
    }

    /// Returns where the runs end, by the current law. The stored end was computed when the task
    /// was accepted. If there is no run at that time any more, the law has moved it slightly, and
    /// the nearest run is the last one.
    fn last_by_law(&self, rule: &Rule, last: UnixMillis) -> UnixMillis {
        if self.timezone.is_none() || rule.next_after(last.plus(-1)) == Some(last) {
            return last;
        }
        let near = std::iter::successors(rule.next_after(last.plus(-LAW_MOVES_BY)), |run| {
            rule.next_after(*run)
        });
        let near = near.take_while(|run| run.since(last) <= LAW_MOVES_BY).take(MAX_NEAR);
        near.min_by_key(|run| run.since(last).abs()).unwrap_or(last)
    }

    /// Returns a bound. If it was given as a local time, returns its instant by the current law.
    fn now_at(
        &self,
        stored: Option<UnixMillis>,
        local: impl Fn(&LocalTimes) -> Option<LocalTime>,
    ) -> Option<UnixMillis> {
        self.local_now(local).and_then(|(local, timezone)| local.instant(timezone)).or(stored)
    }

    /// Returns a time that was given as a local time, and its zone.
    fn local_now(
        &self,
        local: impl Fn(&LocalTimes) -> Option<LocalTime>,
    ) -> Option<(LocalTime, Tz)> {
        Some((self.local.as_ref().and_then(local)?, self.timezone.as_deref()?.parse().ok()?))
    }

    /// Returns the anchor. If it was given as a local time, returns its instant by the current law.
    fn anchor(&self) -> Option<UnixMillis> {
        self.local_now(|local| local.anchor)
            .and_then(|(local, timezone)| local.instant_after_gap(timezone))
            .or(self.anchor)
    }

    /// Returns `startAt` and `endAt`, by the current law.
    pub fn bounds(&self) -> (Option<UnixMillis>, Option<UnixMillis>) {
        (self.start_at(), self.end_at())
    }

    /// Returns `startAt`, `endAt` and `anchor`, by the current law.
    pub(crate) fn instants(&self) -> [Option<UnixMillis>; 3] {
        [self.start_at(), self.end_at(), self.anchor()]
    }

    fn start_at(&self) -> Option<UnixMillis> {
        self.now_at(self.start_at, |local| local.start_at)
    }

    fn end_at(&self) -> Option<UnixMillis> {
        self.now_at(self.end_at, |local| local.end_at)
    }

    /// Returns the delay of occurrences.
    ///
    /// # Errors
    /// Returns an error if a field is invalid. The error names it.
    pub fn delay(&self, id_hash: u64) -> Result<Delay, FieldError> {
        let millis = |field, seconds: Option<f64>| {
            seconds.map_or(Ok(0), |seconds| {
                millis(field, seconds, 0.0, MAX_DELAY_SECONDS).map(|millis| millis as u32)
            })
        };
        let jitter = millis("jitterSeconds", self.jitter_seconds)?;
        Ok(Delay::new(id_hash, jitter, millis("windowSeconds", self.window_seconds)?))
    }
}

/// Returns seconds as whole milliseconds.
pub(super) fn millis(
    field: &'static str,
    seconds: f64,
    least: f64,
    most: f64,
) -> Result<i64, FieldError> {
    if (least..=most).contains(&seconds) {
        Ok((seconds * 1_000.0).round() as i64)
    } else {
        Err(FieldError::new(field, format!("is {seconds}; must be {least} to {most}")))
    }
}

fn cron_rule(json: &str, timezone: Option<&str>) -> Result<Rule, FieldError> {
    let read = |expression: &str, field: Option<usize>| {
        CronSchedule::parse(expression, timezone).map_err(|problem| {
            let field = match field {
                Some(at) if problem.field() == "cron" => Cow::Owned(format!("cron[{at}]")),
                _ => Cow::Borrowed(problem.field()),
            };
            FieldError::new(field, problem.to_string())
        })
    };
    if !json.starts_with('[') {
        let expression: Text<'_> = parse_naming_the_field(json, "cron")?;
        return read(&expression.0, None).map(Rule::Cron);
    }
    let Bounded(expressions): Bounded<Text<'_>, MAX_CRON_EXPRESSIONS> =
        parse_naming_the_field(json, "cron")?;
    if expressions.is_empty() {
        return Err(FieldError::new(
            "cron",
            format!("has no expression; give 1 to {MAX_CRON_EXPRESSIONS}"),
        ));
    }
    let crons =
        expressions.iter().enumerate().map(|(at, expression)| read(&expression.0, Some(at)));
    crons.collect::<Result<Vec<_>, _>>().map(|crons| Rule::Crons(CronList::new(crons)))
}

/// Returns the COUNT of a rule.
pub(super) fn count_of(rule: &Rule) -> Option<u32> {
    match rule {
        Rule::Ical(rule) => rule.count(),
        Rule::Excluding(rule) => count_of(rule.rule()),
        _ => None,
    }
}

/// Returns the last run of a rule with COUNT, by counting.
fn last_by_count(rule: &Rule) -> Result<Option<UnixMillis>, FieldError> {
    let Rule::Ical(rule) = rule else { return Ok(None) };
    let Some(count) = rule.count() else { return Ok(None) };
    // A rule without any run has ended before time began.
    let last =
        rule.nth_after(UnixMillis::new(i64::MIN), count).map_err(|TooLong| too_long("rrule"))?;
    Ok(Some(last.unwrap_or(UnixMillis::new(-1))))
}

pub(super) fn too_long(field: &'static str) -> FieldError {
    FieldError::new(
        field,
        "has runs that are too far apart to be counted; give endAt or UNTIL instead",
    )
}
