//! Errors of rules.

use super::bounds::{MAX_COUNTED_RUNS, MAX_INTERVAL, MAX_RULE_BYTES};
use crate::excerpt::Excerpt;

/// Why a rule is refused. The caller can correct each of these. The text follows the name of the
/// [`field`](Self::field).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RRuleError {
    /// The rule is too long.
    #[error("is {0} bytes long; the limit is {MAX_RULE_BYTES}")]
    TooLong(usize),
    /// A part is not `NAME=VALUE` between semicolons.
    #[error("has {0}, which is not NAME=VALUE; write the rule as FREQ=WEEKLY;BYDAY=MO,FR")]
    NotAPart(Excerpt),
    /// A part occurs twice.
    #[error("has {0} twice; give each part once, with its values separated by commas")]
    Twice(&'static str),
    /// There is a DTSTART, or more than the one line of the rule.
    #[error("has {0}; give the rule alone, and its start as startAt and its time zone as timezone")]
    NotTheRule(Excerpt),
    /// There is an EXDATE or a similar property.
    #[error(
        "has {0}, which is not supported in a rule; leave out days with exclude beside it, and create additional runs as tasks with a time"
    )]
    NotThereYet(&'static str),
    /// A part of RFC 5545 that is not supported.
    #[error("has {0}, which is not supported; use BYMONTH, BYMONTHDAY or BYDAY")]
    Unsupported(&'static str),
    /// A part that RFC 5545 does not have.
    #[error(
        "has the part {0}, which RFC 5545 does not have; there are FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, \
         BYHOUR, BYMINUTE, BYSECOND, BYSETPOS and WKST"
    )]
    Unknown(Excerpt),
    /// A part has an invalid value.
    #[error("has {value} in {part}, which takes {}", accepts(.part))]
    Value {
        /// The part.
        part: &'static str,
        /// The value.
        value: Excerpt,
    },
    /// There is no frequency.
    #[error(
        "has no FREQ; write one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY and SECONDLY"
    )]
    NoFrequency,
    /// There are both COUNT and UNTIL.
    #[error("has both COUNT and UNTIL, but RFC 5545 allows only one of them")]
    TwoEnds,
    /// There is an ordinal such as `2MO`, but no month or year in which it counts.
    #[error("has an ordinal in BYDAY, which only MONTHLY and YEARLY rules may have")]
    Ordinal,
    /// A weekly rule has `BYMONTHDAY`.
    #[error("has BYMONTHDAY, which a WEEKLY rule may not have; use BYDAY, or FREQ=MONTHLY")]
    MonthDayOfWeek,
    /// There is `BYSETPOS` without anything to choose from.
    #[error("has BYSETPOS without another part that it could choose from; add BYDAY or another")]
    PositionOfNothing,
    /// The start has a fraction of a second.
    #[error("has a fraction of a second, which a rule's start may not have; give whole seconds")]
    StartFraction,
    /// The start is outside of the range of a task's instants.
    #[error("is out of range: must be 1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z")]
    StartRange,
    /// The time zone is unknown.
    #[error("{0}")]
    Timezone(crate::cron::CronError),
}

impl RRuleError {
    /// Returns the invalid field of the task: `rrule`, `startAt` or `timezone`.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Timezone(_) => "timezone",
            Self::StartFraction | Self::StartRange => "startAt",
            _ => "rrule",
        }
    }
}

fn accepts(part: &str) -> String {
    match part {
        "FREQ" => "YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY or SECONDLY".to_owned(),
        "INTERVAL" => format!("1 to {MAX_INTERVAL}"),
        "COUNT" => format!("1 to {MAX_COUNTED_RUNS}"),
        "UNTIL" => "a time in UTC, like 20261224T180000Z".to_owned(),
        "BYMONTH" => "months from 1 to 12, separated by commas".to_owned(),
        "BYMONTHDAY" => "days from 1 to 31 or from -1 (the last) to -31, separated by commas".to_owned(),
        "BYDAY" => "MO, TU, WE, TH, FR, SA and SU, with an ordinal as 2TU or -1FR (1 to 53), separated by commas".to_owned(),
        "BYHOUR" => "hours from 0 to 23, separated by commas".to_owned(),
        "BYMINUTE" => "minutes from 0 to 59, separated by commas".to_owned(),
        "BYSECOND" => "seconds from 0 to 59, separated by commas (there are no leap seconds in Unix time)".to_owned(),
        "BYSETPOS" => "positions from 1 to 366 or from -1 (the last) to -366, separated by commas".to_owned(),
        _ => "one of MO, TU, WE, TH, FR, SA and SU".to_owned(),
    }
}
