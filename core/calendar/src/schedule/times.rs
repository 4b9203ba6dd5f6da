//! The days and the times of day of a rule, as far as they are known without a search.

use super::Rule;
use crate::cron::CronSchedule;
use chrono::NaiveDate;

impl Rule {
    /// Returns the number of times of day that the rule names, at most, or `None` if it is finer
    /// than a day: an interval shorter than a day, or an RFC 5545 rule whose frequency is finer
    /// than daily.
    pub fn times_of_day(&self) -> Option<u32> {
        match self {
            Self::Cron(_) | Self::Crons(_) => {
                Some(self.crons()?.iter().map(CronSchedule::times_of_day).sum())
            }
            Self::Every(every) => (!every.is_finer_than_a_day()).then_some(1),
            Self::Ical(rule) => rule.times_of_day(),
            Self::Excluding(rule) => rule.rule().times_of_day(),
        }
    }

    /// Returns whether the rule is finer than a day and has other times of day on each day.
    pub(crate) fn drifts(&self) -> bool {
        match self {
            Self::Cron(_) | Self::Crons(_) => false,
            Self::Every(every) => every.drifts(),
            Self::Ical(rule) => rule.drifts(),
            Self::Excluding(rule) => rule.rule().drifts(),
        }
    }

    /// Returns the days of a month, from bit 1, on which the rule may have runs while the clock
    /// does not change. `first` is the first day of the month, and `known` is a day with a run, as
    /// a number since 1970-01-01.
    pub(crate) fn days_of(&self, first: NaiveDate, known: i64) -> u32 {
        match self {
            Self::Cron(_) | Self::Crons(_) => self
                .crons()
                .unwrap_or_default()
                .iter()
                .fold(0, |days, cron| days | cron.days_of(first)),
            Self::Every(every) => every.days_of(first, known),
            Self::Ical(rule) => rule.allowed_days_of(first),
            Self::Excluding(rule) => rule.rule().days_of(first, known),
        }
    }

    /// Returns the first time of day at or after `from`, both in milliseconds, at which the rule
    /// may have a run while the clock does not change. `known` is the time of day of a run.
    pub(crate) fn time_from(&self, from: i64, known: i64) -> Option<i64> {
        // The first whole second.
        let second = from.div_euclid(1_000) + i64::from(from.rem_euclid(1_000) > 0);
        let found = match self {
            Self::Cron(_) | Self::Crons(_) => {
                self.crons()?.iter().filter_map(|cron| cron.time_from(second)).min()
            }
            Self::Every(every) => return Some(every.time_from(from, known)),
            Self::Ical(rule) => rule.time_from(second),
            Self::Excluding(rule) => return rule.rule().time_from(from, known),
        };
        found.map(|second| second * 1_000)
    }

    /// Returns what [`Self::time_from`] depends on besides `from`.
    pub(crate) fn phase_of(&self, known: i64) -> i64 {
        match self {
            Self::Every(every) => every.time_from(0, known),
            _ => 0,
        }
    }
}
