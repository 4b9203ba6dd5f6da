//! Rules that name whole days.

use super::{DAY, Frequency, MAX_STEPS, RRule, RRuleError, Search, Start, parse};
use crate::local_time::LocalTime;
use crate::steps::count_steps;
use crate::tz::Tz;

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
    /// start, the days must not depend on it.
    pub(crate) fn of_days(text: &str, start: Option<i64>) -> Result<Self, NotOfDays> {
        let read = |day: i64| {
            let local = LocalTime::of_day(day.max(0));
            let at = local.instant(Tz::UTC).ok_or(RRuleError::StartRange)?;
            parse::rule(text, Start { at, local: Some(local) }, None)
        };
        let read = |day| read(day).map_err(NotOfDays::Invalid);
        let rule = read(start.unwrap_or(0))?;
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
        Ok(rule)
    }

    /// Returns whether the rule names the day with this number.
    pub(crate) fn has_day(&self, day: i64) -> bool {
        let at = day.saturating_mul(DAY);
        let mut search = Search { steps: MAX_STEPS, until: at };
        let found = self.next_local(at, &mut search);
        count_steps(1 + MAX_STEPS - search.steps);
        found == Some(at) && at <= self.until.unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixMillis;

    #[test]
    fn a_rule_names_whole_days() {
        let days = |text: &str, start| {
            let rule = RRule::of_days(text, start).unwrap();
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
        ] {
            let rule = RRule::of_days(text, None).unwrap();
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
                NotOfDays::Invalid(RRuleError::Value { part: "FREQ", value: "OFTEN".to_owned() }),
            ),
        ] {
            assert_eq!(RRule::of_days(text, start), Err(expected), "{text}");
        }
        for text in ["FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY;INTERVAL=2"] {
            assert!(RRule::of_days(text, Some(70)).is_ok(), "{text}");
        }
    }
}
