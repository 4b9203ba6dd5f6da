//! The parts of a phrase that say when, as the grammar finds them.

use crate::Span;
use crate::words::{DayPart, Unit};

/// Days of the week as bits, Monday the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Weekdays(pub(crate) u8);

impl Weekdays {
    pub(crate) const WORKING: Self = Self(0b001_1111);
    pub(crate) const WEEKEND: Self = Self(0b110_0000);
    pub(crate) const ALL: Self = Self(0b111_1111);

    pub(crate) fn one(day: u8) -> Self {
        Self(1 << (day % 7))
    }

    /// Returns the days from `first` to `last`, across the end of the week if necessary.
    pub(crate) fn range(first: u8, last: u8) -> Self {
        let length = (last + 7 - first) % 7;
        (0..=length).map(|step| Self::one(first + step)).fold(Self::default(), Self::with)
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn days(self) -> impl Iterator<Item = u8> {
        (0..7).filter(move |day| self.0 >> day & 1 == 1)
    }

    pub(crate) fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

/// Months as bits: bit 1 is January.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Months(pub(crate) u16);

impl Months {
    pub(crate) const ALL: Self = Self(0b1_1111_1111_1110);
    /// The first month of each quarter.
    pub(crate) const QUARTERLY: Self = Self(0b100_1001_0010);

    pub(crate) fn one(month: u8) -> Self {
        Self(1 << (month.clamp(1, 12)))
    }

    pub(crate) fn range(first: u8, last: u8) -> Self {
        let length = (last + 12 - first) % 12;
        (0..=length)
            .map(|step| Self::one((first - 1 + step) % 12 + 1))
            .fold(Self::default(), Self::with)
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn months(self) -> impl Iterator<Item = u8> {
        (1..=12).filter(move |month| self.0 >> month & 1 == 1)
    }
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cycle {
    Seconds(u32),
    Days(u32),
    Weeks(u32),
    Months(u32),
    /// The first month of each quarter.
    Quarterly,
    Years(u32),
}

/// A length of time in months, days and seconds, which the calendar adds in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Amount {
    pub(crate) months: u32,
    pub(crate) days: u32,
    pub(crate) seconds: u32,
}

/// A time of day as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Clock {
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    pub(crate) kind: ClockKind,
}

/// How certain the hour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ClockKind {
    /// `5pm`, `noon`.
    Sure,
    /// `9:30`: in the morning unless the phrase says otherwise.
    Plain,
    /// `17`, `05:00`: on the 24-hour clock, which then also applies to the other times in the list.
    Of24,
    /// `5`, `5:30`: an hour from 1 to 12 without am or pm.
    Half,
    /// `midnight`: the start or the end of a day.
    Midnight,
    /// `2 at night`: in the night between two days. The phrase names one of them.
    SmallHours,
}

/// Which day with this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// "friday"
    Coming,
    /// "this friday"
    This,
    /// "next friday"
    Next,
    /// "friday next week"
    NextWeek,
}

/// A day, relative or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// This many days from today.
    In(u32),
    Date {
        day: u8,
        month: u8,
        year: Option<i32>,
    },
    /// Two numbers with slashes or dots: day and month, or month and day.
    Numeric {
        first: u8,
        second: u8,
        year: Option<i32>,
    },
    Weekday(u8, Which),
    /// This many days from the coming day of the week: "two weeks from friday".
    FromWeekday {
        weekday: u8,
        days: u32,
    },
    /// A date in the next year.
    NextYear {
        day: u8,
        month: u8,
    },
    /// "the 15th"
    OfMonth(u8),
    /// "the 15th of next month": a day in the month this many months ahead.
    OfMonthAhead {
        day: u8,
        months: u32,
    },
    /// "the first monday of next month"
    Nth {
        which: i8,
        of: Counted,
        month: NthMonth,
    },
    /// The last day of the month this many months ahead.
    LastOfAhead(u32),
    /// The last day of a month, or of this month.
    LastOf {
        month: Option<u8>,
        year: Option<i32>,
    },
    /// The first day of a month: "in march", only as a bound.
    Month {
        month: u8,
        year: Option<i32>,
    },
    /// The last day of this week, from Monday, or year.
    EndOfWeek,
    /// "the end of the quarter" may be that of each quarter, and "of this quarter" is not.
    EndOfQuarter {
        may_recur: bool,
    },
    EndOfYear,
    /// The first day of the next week, month or year.
    StartOfNext(Unit),
}

/// A point on the calendar: where a recurring schedule starts or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Point {
    pub(crate) day: Option<Day>,
    /// The day of the week next to a date.
    pub(crate) weekday: Option<u8>,
    pub(crate) time: Option<Clock>,
    /// An instant, which needs no zone, milliseconds since 1970.
    pub(crate) instant: Option<i64>,
}

/// A week, a month or a year in which a schedule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    /// This many units ahead: "this week", "next month".
    Ahead(Unit, u32),
    /// "july 2027"
    Month { month: u8, year: i32 },
    /// "2027"
    Year(i32),
}

/// The month of a day that is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NthMonth {
    /// This many months ahead.
    Ahead(u32),
    /// The next one with this name, or that of the year.
    In { month: u8, year: Option<i32> },
}

/// What is counted in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    Weekdays(Weekdays),
    WorkingDay,
}

/// When an exception ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Until(Point),
    For(Amount),
}

/// A part of what is left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Exception {
    Weekdays(Weekdays),
    /// "mondays until 20 december", if only the exception ends then.
    WeekdaysUntil(Weekdays, Ending),
    /// "fridays in december"
    WeekdaysIn(Weekdays, Months),
    Months(Months),
    /// "the 1st". `has_month` says that "of the month" follows.
    MonthDay {
        day: u8,
        has_month: bool,
    },
    /// "the first and third friday of the month", "the last day of march"
    Nth {
        which: Vec<i8>,
        /// The day of the week that is counted; all days without it.
        weekday: Option<u8>,
        months: Option<Months>,
    },
    /// "24 december", "24 december to 2 january"
    Dates {
        first: LeftOut,
        last: LeftOut,
        yearly: YearlyOrNot,
        /// The day of the week next to a single date: "monday, 30 november".
        weekday: Option<u8>,
    },
    /// "25/12/2026": two numbers that are day and month, or month and day.
    Numeric {
        first: u8,
        second: u8,
        year: Option<i32>,
    },
    /// "between 12:00 and 13:00"
    Times(Clock, Clock),
    /// "at noon"
    At(Clock),
    /// `calendar "de-holidays"`
    Calendar(String),
    /// Items in the notation of the API: "12-24, SAT".
    Quoted(String),
    /// "moved to the next day", as the API names it.
    Instead(&'static str),
}

impl Exception {
    /// Returns whether both name days of the week, or both are of the same kind otherwise.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let is_week = |one: &Self| matches!(one, Self::Weekdays(_) | Self::WeekdaysIn(..));
        std::mem::discriminant(self) == std::mem::discriminant(other)
            || is_week(self) && is_week(other)
    }

    /// Returns whether it is a place in the year or in the month, from which a range can go on.
    pub(crate) fn may_begin_range(&self) -> bool {
        !matches!(self, Self::Weekdays(_) | Self::Times(..) | Self::At(_) | Self::Instead(_))
    }
}

/// A date that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) day: u8,
    pub(crate) month: u8,
    pub(crate) year: Option<i32>,
}

/// Whether a date comes in every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum YearlyOrNot {
    /// It has a year.
    Once,
    /// The phrase says so.
    Every,
    /// It has no year.
    Assumed,
}

/// A part of the phrase.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Clause {
    /// "every 15 minutes", "daily". `is_adjective` if a noun follows: "the weekly report".
    Cycle {
        cycle: Cycle,
        is_adjective: bool,
    },
    /// "twice a week"
    Frequency {
        times: u32,
        cycle: Cycle,
    },
    /// "mondays", "every monday", "monday to friday"
    Weekdays {
        days: Weekdays,
        is_sure: bool,
    },
    /// "every second tuesday", which may also be the second one of each month.
    OrdinalWeekday {
        number: u32,
        days: Weekdays,
    },
    /// "the first and third monday of each month". Negative numbers count from the end.
    Nth {
        which: Vec<i8>,
        of: Counted,
        is_sure: bool,
    },
    /// "the 1st and 15th of each month". Negative numbers count from the end.
    MonthDays {
        days: Vec<i8>,
        is_sure: bool,
    },
    /// "in january and july"
    Months {
        months: Months,
    },
    /// "tomorrow", "3 march"
    Day(Day),
    /// "in 20 minutes"
    In(Amount),
    /// "at 9 and 17"
    At(Vec<Clock>),
    /// "at 15 minutes past every hour"
    PastHour(Vec<u8>),
    /// "at :15". The hour must come from another part.
    Minutes(Vec<u8>),
    /// "in the morning", "tonight"
    Part(DayPart),
    /// The plural of a part of the day, which may say that it recurs: "mornings".
    Habit,
    /// "jan 1 and jul 1": day and month of each.
    Dates(Vec<(u8, u8)>),
    /// "next week", "in july 2027": all runs are within this period.
    Within(Period),
    /// "between 9 and 5"
    Window(Clock, Clock),
    From(Point),
    /// "counted from": the anchor of an interval.
    Anchor(Point),
    Until(Point),
    /// "for ten days"
    For(Amount),
    /// "10 times"
    Count(u32),
    Except(Vec<Exception>),
    /// The zones that the words may mean.
    Zone(Vec<String>),
    /// The caller's zone: "local time".
    LocalZone,
    /// `cron "0 9 * * *"`
    Cron(Vec<String>),
    /// `rule "FREQ=DAILY"`
    Rule(String),
    /// "2027-03-03T09:30:00Z"
    Instant(i64),
    /// "every 90 seconds" with thousandths, in milliseconds.
    Millis(u64),
}

impl Clause {
    /// Returns the name under which the answer shows this part.
    pub(crate) fn says(&self) -> &'static str {
        match self {
            Self::Cycle { .. } | Self::Frequency { .. } | Self::Millis(_) => "cycle",
            Self::Weekdays { .. }
            | Self::OrdinalWeekday { .. }
            | Self::Nth { .. }
            | Self::MonthDays { .. } => "days",
            Self::Months { .. } => "months",
            Self::Within(_) => "period",
            Self::Day(_) | Self::Dates(_) => "day",
            Self::In(_) => "delay",
            Self::At(_) | Self::PastHour(_) | Self::Minutes(_) | Self::Part(_) | Self::Habit => {
                "time"
            }
            Self::Window(..) => "window",
            Self::From(_) | Self::Anchor(_) => "start",
            Self::Until(_) | Self::For(_) => "end",
            Self::Count(_) => "runs",
            Self::Except(_) => "exception",
            Self::Zone(_) => "zone",
            Self::LocalZone => "callerZone",
            Self::Cron(_) => "cron",
            Self::Rule(_) => "rrule",
            Self::Instant(_) => "instant",
        }
    }
}

/// A part and its place in the phrase.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) clause: Clause,
    pub(crate) span: Span,
    /// The numbers of its first token and of the token after its last.
    pub(crate) tokens: (usize, usize),
}
