//! Errors of expressions and time zones.

use super::bounds::{MAX_EXPRESSION_BYTES, MAX_TIMEZONE_BYTES};
use crate::excerpt::Excerpt;
use crate::tz::Tz;
use std::fmt;

/// What a writer of six fields may not expect.
const OF_SIX: &str =
    "; with six fields, the first is the second, and there is no field for the year";

/// Why a schedule is refused. The caller can correct each of these. The text follows the name of
/// the [`field`](Self::field).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// The expression is too long.
    #[error("is {length} bytes long; the limit is {MAX_EXPRESSION_BYTES}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// There are neither five nor six fields.
    #[error(
        "has {count} fields; write 5 (minute hour day-of-month month day-of-week), or 6 with the second first; there is no field for the year"
    )]
    FieldCount {
        /// The number of fields.
        count: usize,
    },
    /// An unknown name with `@`.
    #[error(
        "is {name}, which is not known; write @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, or fields"
    )]
    UnknownName {
        /// The name.
        name: Excerpt,
    },
    /// A field has an invalid value.
    #[error("has {item} in its {part} field, which {problem}; the field takes {}{note}", .part.accepts())]
    Item {
        /// The field of the expression.
        part: Part,
        /// The value.
        item: Excerpt,
        /// What is wrong with it.
        problem: Problem,
        /// An additional hint; usually empty.
        note: &'static str,
    },
    /// One day field has a step over all days, and the other a restriction. Crons disagree on what
    /// this means.
    #[error(
        "has a `*/n` in one day field and a restriction in the other, which some crons read as \"and\" and others as \"or\"; \
         write 1-31/n or 0-6/n instead of */n to fire when either matches"
    )]
    AmbiguousDays,
    /// No allowed month has an allowed day.
    #[error(
        "never fires: none of its months has any of its days (as with February 30); allow another day or month"
    )]
    NeverFires,
    /// The time zone is unknown.
    #[error("is {name}, which is not a known time zone; write {}", ZoneToWrite(.near))]
    UnknownTimezone {
        /// The name.
        name: Excerpt,
        /// The zones that the caller may mean: see [`Tz::near`].
        near: Vec<Tz>,
    },
}

/// The most zones that an error proposes.
const MAX_PROPOSED: usize = 3;

/// What to write instead of the name of an unknown zone.
struct ZoneToWrite<'a>(&'a [Tz]);

impl fmt::Display for ZoneToWrite<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().take(MAX_PROPOSED).map(|zone| zone.name()).collect();
        match names.split_last() {
            Some((last, [])) => f.write_str(last),
            Some((last, others)) => write!(f, "{} or {last}", others.join(", ")),
            None => write!(
                f,
                "an IANA name of at most {MAX_TIMEZONE_BYTES} bytes in its exact spelling, such as Europe/London or UTC"
            ),
        }
    }
}

impl CronError {
    /// Returns the same error for an expression with six fields.
    pub(super) fn of_six(self) -> Self {
        match self {
            Self::Item { part, item, problem, .. } => {
                Self::Item { part, item, problem, note: OF_SIX }
            }
            other => other,
        }
    }

    /// Returns the invalid field of the task: `cron` or `timezone`.
    pub fn field(&self) -> &'static str {
        match self {
            Self::UnknownTimezone { .. } => "timezone",
            _ => "cron",
        }
    }
}

/// A field of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// 0-59, the optional first field of six.
    Second,
    /// 0-59.
    Minute,
    /// 0-23.
    Hour,
    /// 1-31.
    DayOfMonth,
    /// 1-12.
    Month,
    /// 0-7, Sunday first and last.
    DayOfWeek,
}

impl Part {
    /// Returns the least and the greatest accepted value.
    pub(super) fn range(self) -> (u32, u32) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 7),
        }
    }

    /// Returns the number of different values, which is the longest useful step.
    pub(super) fn count(self) -> u32 {
        match self {
            Self::Second | Self::Minute => 60,
            Self::Hour => 24,
            Self::DayOfMonth => 31,
            Self::Month => 12,
            Self::DayOfWeek => 7,
        }
    }

    fn accepts(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => {
                "0-59, lists a,b, ranges a-b, and steps */n or a-b/n with n from 1 to 60"
            }
            Self::Hour => "0-23, lists a,b, ranges a-b, and steps */n or a-b/n with n from 1 to 24",
            Self::DayOfMonth => {
                "1-31, lists a,b, ranges a-b, steps */n or a-b/n with n from 1 to 31, ?, L (last day), L-3 (three before it), \
                 LW (last Monday-Friday) and 15W (Monday-Friday nearest to the 15th)"
            }
            Self::Month => {
                "1-12 or JAN-DEC, lists a,b, ranges a-b, and steps */n or a-b/n with n from 1 to 12"
            }
            Self::DayOfWeek => {
                "0-7 or SUN-SAT (0 and 7 are Sunday), lists a,b, ranges a-b, steps */n or a-b/n with n from 1 to 7, ?, \
                 FRI#2 (second Friday; 1 to 5) and FRIL (last Friday)"
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
        })
    }
}

/// What is wrong with a value in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Two commas in a row, or a comma at an end.
    #[error("is an empty entry of a list")]
    Empty,
    /// Not a number, a name or any other known form.
    #[error("is not understood")]
    NotUnderstood,
    /// A number outside of the field's range.
    #[error("is out of range")]
    OutOfRange,
    /// `22-2`.
    #[error(
        "is a range that runs backwards (write two ranges that meet at the end of the field, such as 22-23,0-2 for hours)"
    )]
    Backwards,
    /// `5/15`.
    #[error("has a step after a single value (write the range, as 5-59/15)")]
    StepWithoutRange,
    /// A step of 0, or one longer than the field.
    #[error("has a step that is out of range (steps start again at the field's first value)")]
    Step,
    /// `*` or `?` together with another value.
    #[error("already means every value, so the list may have no other entry")]
    NotAlone,
    /// `L` without a weekday in the day-of-week field.
    #[error("needs a weekday before it (FRIL is the last Friday; Saturday is SAT)")]
    LastOfWhat,
    /// `L-31` in the day-of-month field.
    #[error("is out of range (L-1 is the day before the last, L-30 the first of 31)")]
    BeforeLast,
    /// `FRI#6`.
    #[error("has an ordinal that is not 1 to 5 or L")]
    Ordinal,
}
