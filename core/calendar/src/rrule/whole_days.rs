//! Rules that name whole days.

use super::search::place;
use super::{DAY, Frequency, MAX_STEPS, RRule, RRuleError, Search, Start, parse};
use crate::local_time::LocalTime;
use crate::steps::count_steps;
use crate::tz::Tz;
use chrono::{Datelike, NaiveDate};

/// The number of a day whose month, day of the month and weekday all differ from those of day 0.
const ANOTHER_DAY: i64 = 397;

/// Why a rule does not name whole days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotOfDays {
    /// It is not a rule.
    Invalid(RRuleError),
    /// It is finer than a day, or names times of day.
    Times,
    /// It has a COUNT.
    Count,
    /// Its days depend on where it begins, and that is not given.
    NoStart,
}

impl RRule {
    /// Parses a rule that names whole days, from the day with the number `start` on. Without a
    /// start, the days must not depend on it. `last_day` returns the last day that begins by an
    /// instant in Unix seconds, which is the last one of a rule with an UNTIL.
    pub(crate) fn of_days(
        text: &str,
        start: Option<i64>,
        last_day: impl Fn(i64) -> i64,
    ) -> Result<Self, NotOfDays> {
        let read = |day: i64| {
            let local = LocalTime::of_day(day.max(0));
            let at = local.instant(Tz::UTC).ok_or(RRuleError::StartRange)?;
            parse::rule(text, Start { at, local: Some(local) }, None)
        };
        let read = |day| read(day).map_err(NotOfDays::Invalid);
        let mut rule = read(start.unwrap_or(0))?;
        let is_at_midnight = (rule.hours, rule.minutes, rule.seconds) == (1, 1, 1);
        if rule.frequency < Frequency::Daily || !is_at_midnight {
            return Err(NotOfDays::Times);
        }
        if rule.count.is_some() {
            return Err(NotOfDays::Count);
        }
        if start.is_none() {
            let other = read(ANOTHER_DAY)?;
            let same = Self { start: rule.start, start_at: rule.start_at, ..other };
            if rule.interval > 1 || same != rule {
                return Err(NotOfDays::NoStart);
            }
        }
        rule.until = rule.until.map(|until| last_day(until).saturating_mul(DAY));
        Ok(rule)
    }

    /// Returns the days of a month, from bit 1, that the rule names. `first` is the first day of
    /// the month.
    pub(crate) fn days_named_in(&self, first: NaiveDate) -> u32 {
        let begin = i64::from(first.to_epoch_days());
        let length = i64::from(first.num_days_in_month());
        // The days from the start to the end of the rule, counted within the month from 0.
        let from = (self.start.div_euclid(DAY) - begin).max(0);
        let last = self.until.map_or(length, |until| until.div_euclid(DAY) - begin).min(length - 1);
        let is_of_months = self.months == 0 || self.months >> first.month() & 1 == 1;
        if from > last || !is_of_months {
            count_steps(1);
            return 0;
        }
        let mut search = Search { steps: MAX_STEPS, until: (begin + length) * DAY };
        let days = if self.set_positions.is_empty() {
            self.allowed_days_of(first)
        } else {
            self.chosen_days(begin, begin + length, &mut search)
        };
        count_steps(MAX_STEPS - search.steps);
        days & u32::MAX << (from + 1) & u32::MAX >> (30 - last)
    }

    /// Returns the days from `begin` until before `end` that a rule with positions chooses. The day
    /// `begin` is bit 1. Assumes that the rule has one time of day.
    fn chosen_days(&self, begin: i64, end: i64, search: &mut Search) -> u32 {
        let mut chosen = 0;
        let mut day = begin;
        while day < end {
            let allowed =
                self.period_of(day).and_then(|(from, _)| self.day_at_or_after(from, search));
            let Some((from, to)) = allowed.and_then(|allowed| self.period_of(allowed)) else {
                break;
            };
            let Some(days) = self.days_between(from, to, search).filter(|_| from < end) else {
                break;
            };
            let count = days.len() as i64;
            let at = |position: &i16| days.get(usize::try_from(place(*position, count)?).ok()?);
            for day in self.set_positions.iter().filter_map(at) {
                if (begin..end).contains(day) {
                    chosen |= 1 << (day - begin + 1);
                }
            }
            day = to;
        }
        chosen
    }

    /// Returns whether the rule names the day with this number.
    #[cfg(test)]
    fn has_day(&self, day: i64) -> bool {
        let date = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days).unwrap();
        self.days_named_in(date.with_day(1).unwrap()) >> date.day() & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::excerpt::Excerpt;
    use crate::time::UnixMillis;

    /// Reads a rule in UTC.
    fn of_days(text: &str, start: Option<i64>) -> Result<RRule, NotOfDays> {
        RRule::of_days(text, start, |until| until.div_euclid(DAY))
    }

    #[test]
    fn a_rule_names_whole_days() {
        let days = |text: &str, start| {
            let rule = of_days(text, start).unwrap();
            (0..400).filter(|day| rule.has_day(*day)).collect::<Vec<i64>>()
        };
        // 1970-01-01 was a Thursday.
        assert_eq!(days("FREQ=WEEKLY;BYDAY=SA", None).get(..3), Some(&[2, 9, 16][..]));
        assert_eq!(days("FREQ=MONTHLY;BYMONTHDAY=-1", None).get(..3), Some(&[30, 58, 89][..]));
        assert_eq!(days("FREQ=WEEKLY;INTERVAL=2", Some(9)).get(..3), Some(&[9, 23, 37][..]));
        assert_eq!(days("FREQ=YEARLY;BYMONTH=2;BYDAY=1MO", None), [32, 396]);
        assert_eq!(days("FREQ=DAILY;UNTIL=19700103T235959Z", None), [0, 1, 2]);
        assert_eq!(days("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", None).first(), Some(&29));
    }

    /// The search for a day ended with the day, and so before the last month of a period whose
    /// days have positions. Such a rule named no day.
    #[test]
    fn a_rule_names_the_days_on_which_it_runs() {
        for text in [
            "FREQ=YEARLY;BYMONTH=1,7;BYDAY=MO;BYSETPOS=1",
            "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
            "FREQ=DAILY;BYMONTH=2;BYDAY=SU;BYSETPOS=1",
            "FREQ=YEARLY;BYDAY=-1FR",
            "FREQ=YEARLY;BYMONTHDAY=31,-30;BYSETPOS=2,-2",
            "FREQ=WEEKLY;WKST=WE;BYDAY=MO,FR,SU;BYSETPOS=2;UNTIL=19720301T120000Z",
            "FREQ=DAILY;BYMONTHDAY=1,-1",
        ] {
            let rule = of_days(text, None).unwrap();
            let found: Vec<i64> = (0..1_500).filter(|day| rule.has_day(*day)).collect();
            let mut runs = Vec::new();
            let mut after = UnixMillis::new(-1);
            while let Some(run) =
                rule.next_after(after).filter(|run| run.get() < 1_500 * DAY * 1_000)
            {
                runs.push(run.get() / 1_000 / DAY);
                // A search that ends with the run finds it too.
                assert_eq!(rule.next_until(after, run), Some(run), "{text}");
                after = run;
            }
            assert!(!runs.is_empty() && found == runs, "{text}: {found:?} instead of {runs:?}");
        }
    }

    #[test]
    fn the_days_of_a_rule_depend_on_its_start() {
        for text in [
            "FREQ=WEEKLY",
            "FREQ=DAILY;INTERVAL=17;BYMONTH=1,2,3,9",
            "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TU,SU;WKST=SU",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,SU;BYSETPOS=-1",
            "FREQ=MONTHLY;INTERVAL=5;BYDAY=MO,-1FR",
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,TU;BYSETPOS=1,-1",
            "FREQ=YEARLY;INTERVAL=3;BYMONTHDAY=4,-4;BYSETPOS=3,-1",
            "FREQ=YEARLY;INTERVAL=2",
        ] {
            for start in [0, 9, 58, 400] {
                let rule = of_days(text, Some(start)).unwrap();
                let found: Vec<i64> = (0..2_500).filter(|day| rule.has_day(*day)).collect();
                let runs = std::iter::successors(rule.next_after(UnixMillis::new(-1)), |run| {
                    rule.next_after(*run)
                });
                let runs: Vec<i64> = runs
                    .map(|run| run.get() / 1_000 / DAY)
                    .take_while(|day| *day < 2_500)
                    .collect();
                assert!(
                    !runs.is_empty() && found == runs,
                    "{text} from {start}: {found:?} instead of {runs:?}"
                );
            }
        }
    }

    #[test]
    fn other_rules_are_refused() {
        for (text, start, expected) in [
            ("FREQ=HOURLY", None, NotOfDays::Times),
            ("FREQ=DAILY;BYHOUR=9", None, NotOfDays::Times),
            ("FREQ=DAILY;BYSECOND=0,30", None, NotOfDays::Times),
            ("FREQ=DAILY;COUNT=3", None, NotOfDays::Count),
            ("FREQ=WEEKLY", None, NotOfDays::NoStart),
            ("FREQ=MONTHLY", None, NotOfDays::NoStart),
            ("FREQ=YEARLY", None, NotOfDays::NoStart),
            ("FREQ=YEARLY;BYMONTHDAY=3;INTERVAL=2", None, NotOfDays::NoStart),
            (
                "FREQ=OFTEN",
                Some(9),
                NotOfDays::Invalid(RRuleError::Value { part: "FREQ", value: Excerpt::of("OFTEN") }),
            ),
        ] {
            assert_eq!(of_days(text, start), Err(expected), "{text}");
        }
        for text in ["FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY;INTERVAL=2"] {
            assert!(of_days(text, Some(70)).is_ok(), "{text}");
        }
    }
}
