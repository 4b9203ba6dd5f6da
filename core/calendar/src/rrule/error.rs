//! Why a rule is refused.

use super::bounds::{MAX_COUNTED_RUNS, MAX_INTERVAL, MAX_RULE_BYTES};

/// Why a rule is refused. All are the caller's to mend; the text is to be read after the name of
/// the [`field`](Self::field).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RRuleError {
    /// The rule is longer than any sensible one.
    #[error("is {0} bytes long; the limit is {MAX_RULE_BYTES}")]
    TooLong(usize),
    /// Not `NAME=VALUE` between semicolons.
    #[error("has {0:?}, which is not NAME=VALUE; write the rule as FREQ=WEEKLY;BYDAY=MO,FR")]
    NotAPart(String),
    /// A part that is there twice.
    #[error("has {0} twice; give each part once, with its values separated by commas")]
    Twice(&'static str),
    /// DTSTART, or more than the one line of the rule.
    #[error(
        "has {0:?}; give the rule alone, and its start as startAt and its time zone as timezone"
    )]
    NotTheRule(String),
    /// EXDATE and the like.
    #[error(
        "has {0}, which is not there yet; give a rule without it, leave out single runs in what they call, and make further ones as tasks with a time"
    )]
    NotThereYet(&'static str),
    /// A part of RFC 5545 that is not supported.
    #[error("has {0}, which is not supported; say it with BYMONTH, BYMONTHDAY or BYDAY")]
    Unsupported(&'static str),
    /// A part that RFC 5545 does not have.
    #[error(
        "has the part {0:?}, which RFC 5545 does not have; there are FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, \
         BYHOUR, BYMINUTE, BYSECOND, BYSETPOS and WKST"
    )]
    Unknown(String),
    /// A value is not accepted.
    #[error("has {value:?} in {part}, which takes {}", accepts(.part))]
    Value {
        /// The part.
        part: &'static str,
        /// The value, shortened.
        value: String,
    },
    /// Without a frequency.
    #[error(
        "has no FREQ; write one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY and SECONDLY"
    )]
    NoFrequency,
    /// COUNT and UNTIL.
    #[error("has both COUNT and UNTIL, of which RFC 5545 allows one")]
    TwoEnds,
    /// `2MO` where there is no month or year.
    #[error("has an ordinal in BYDAY, which only MONTHLY and YEARLY rules may have")]
    Ordinal,
    /// `BYMONTHDAY` in a weekly rule.
    #[error("has BYMONTHDAY, which a WEEKLY rule may not have; use BYDAY, or FREQ=MONTHLY")]
    MonthDayOfWeek,
    /// `BYSETPOS` of nothing.
    #[error("has BYSETPOS without another part that it could choose from; add BYDAY or another")]
    PositionOfNothing,
    /// The start has a fraction of a second.
    #[error("has a fraction of a second, which a rule's start may not have; give whole seconds")]
    StartFraction,
    /// The start is no instant that a task may ask for.
    #[error("is out of range: must be 1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z")]
    StartRange,
    /// The name of the time zone is not known.
    #[error("{0}")]
    Timezone(crate::cron::CronError),
}

impl RRuleError {
    /// Returns the field of the task that is at fault: `rrule`, `startAt` or `timezone`.
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
