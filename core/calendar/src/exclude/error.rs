//! Errors of exclusions.

use super::List;
use crate::excerpt::Excerpt;
use crate::rrule::{NotOfDays, RRuleError};

/// Why exclusions are refused. The text follows the name of the list and the number of the item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExcludeError {
    /// The text is not a date or a range.
    #[error(
        "is {0}; write a date as 2026-12-24, a yearly date as 12-24, and a range as 2026-12-24/2027-01-02 or 12-24/01-02"
    )]
    Date(Excerpt),
    /// The date does not exist, or is not in the years 1970 to 9999.
    #[error("is {0}, a date that does not exist in the years 1970 to 9999")]
    NoSuchDate(Excerpt),
    /// A range ends before it begins.
    #[error("is {0}, a range that ends before it begins")]
    Reversed(Excerpt),
    /// The text is not a day of the week.
    #[error("is {0}; write MON, TUE, WED, THU, FRI, SAT or SUN")]
    Weekday(Excerpt),
    /// The text is not a range of times of day.
    #[error(
        "is {0}; write a range of times as 12:00-13:00, whose end is not part of it; midnight at the end of a day is 24:00"
    )]
    Times(Excerpt),
    /// A range of times begins where it ends.
    #[error("is {0}, a range that ends where it begins")]
    NoTime(Excerpt),
    /// The rule is invalid.
    #[error("{0}")]
    Rule(RRuleError),
    /// The rule names times of day, or is finer than a day.
    #[error(
        "has a FREQ finer than DAILY, or BYHOUR, BYMINUTE or BYSECOND; a rule excludes whole days: give times of day in times"
    )]
    RuleOfTimes,
    /// The rule ends after a number of days.
    #[error("has COUNT, which a rule that excludes days may not have; give UNTIL")]
    RuleOfCount,
    /// What the rule says depends on where it begins.
    #[error(
        "has INTERVAL, or does not name its days, so its days depend on when it begins; give startAt, or name the days with BYDAY, BYMONTHDAY and BYMONTH"
    )]
    NoStart,
    /// Nothing is excluded.
    #[error("excludes nothing; give dates, weekdays, times or rules, or leave it out")]
    Nothing,
    /// All weekdays are excluded.
    #[error("has all seven days of the week, which leaves no day for a run")]
    AllDays,
    /// All times of day are excluded.
    #[error("covers the whole day, which leaves no time for a run")]
    AllTimes,
}

/// An invalid item of exclusions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadItem {
    /// The list, and the place of the item in it. `None` for all lists together, or for a whole
    /// list.
    pub at: Option<(List, Option<usize>)>,
    /// Why it is refused.
    pub problem: ExcludeError,
}

impl From<NotOfDays> for ExcludeError {
    fn from(problem: NotOfDays) -> Self {
        match problem {
            NotOfDays::Invalid(problem) => Self::Rule(problem),
            NotOfDays::Times => Self::RuleOfTimes,
            NotOfDays::Count => Self::RuleOfCount,
            NotOfDays::NoStart => Self::NoStart,
        }
    }
}
