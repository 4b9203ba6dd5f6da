//! Changes of a local clock, and what they do to an occurrence.

use crate::local_clock::{self, date, time};
use crate::local_time::LocalTime;
use crate::tz::{Reading, Tz};

/// A change of a zone's clock: daylight saving begins or ends, or the zone is moved. Local times
/// are seconds since 1970-01-01T00:00:00 as the clock shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// What the clock would have shown, had it gone on.
    pub from: i64,
    /// What it shows instead.
    pub to: i64,
}

impl Jump {
    /// Returns the change within `(before, after]`, Unix seconds, where there is one.
    pub(crate) fn between(tz: Tz, before: i64, after: i64) -> Option<Self> {
        let (old, new) = (tz.offset_at(before), tz.offset_at(after));
        if old == new {
            return None;
        }
        let at = local_clock::change_between(tz, before, after);
        Some(Self { from: at + old, to: at + new })
    }

    /// Returns whether the clock goes forward, so that the times between are not shown at all.
    pub(crate) fn is_gap(self) -> bool {
        self.to > self.from
    }
}

/// What a change of the clock does to an occurrence. `asked` is the local time that the schedule
/// names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// The clock jumps over the run: it is moved to the first instant after the gap. (cron at fixed
    /// times)
    Moved {
        /// The change.
        jump: Jump,
        /// The local time that is jumped over.
        asked: i64,
    },
    /// The clock jumps over the run: it comes as much later as the jump is wide. (RFC 5545)
    Shifted {
        /// The change.
        jump: Jump,
        /// The local time that is jumped over.
        asked: i64,
    },
    /// The clock has jumped over one run or more before this one, which are left out. (cron that
    /// repeats)
    Absent {
        /// The change.
        jump: Jump,
        /// The first local time that is jumped over.
        asked: i64,
    },
    /// The clock shows the run's time twice, and this is the first; it does not fire in the second.
    FirstOfTwo {
        /// The change.
        jump: Jump,
    },
    /// The clock shows the run's time twice, and it fires both times: this is the first.
    FirstPass {
        /// The change.
        jump: Jump,
    },
    /// The second of these.
    SecondPass {
        /// The change.
        jump: Jump,
    },
}

impl ClockChange {
    /// Returns what a change of the clock does to the one run of a task at a local time.
    pub fn of_one(local: LocalTime, tz: Tz) -> Option<Self> {
        let asked = local.seconds();
        match tz.read(asked) {
            Reading::Once(_) => None,
            Reading::Twice { first, second } => {
                Some(Self::FirstOfTwo { jump: Jump::between(tz, first, second)? })
            }
            Reading::Gap { end } => {
                Some(Self::Moved { jump: Jump::between(tz, end - 1, end)?, asked })
            }
        }
    }

    /// Returns what a change of the clock does to the run at an anchor, which was given as a local
    /// time.
    pub fn of_anchor(local: LocalTime, tz: Tz) -> Option<Self> {
        Some(match Self::of_one(local, tz)? {
            Self::Moved { jump, asked } => Self::Shifted { jump, asked },
            other => other,
        })
    }

    /// Returns a stable name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Moved { .. } => "gap-moved",
            Self::Shifted { .. } => "gap-shifted",
            Self::Absent { .. } => "gap-absent",
            Self::FirstOfTwo { .. } => "first-of-two",
            Self::FirstPass { .. } => "first-pass",
            Self::SecondPass { .. } => "second-pass",
        }
    }

    /// Returns the decision in words.
    pub fn explain(self, tz: Tz) -> String {
        let zone = tz.name();
        match self {
            Self::Moved { jump, asked } => format!(
                "{} does not exist in {zone}: the clock jumps from {} to {}. A run at a fixed time fires at the first instant after the gap, {}.",
                moment(asked),
                time(jump.from),
                time(jump.to),
                time(jump.to)
            ),
            Self::Shifted { jump, asked } => format!(
                "{} does not exist in {zone}: the clock jumps from {} to {}. As RFC 5545 says, it is read with the offset before the jump, so it fires at {}.",
                moment(asked),
                time(jump.from),
                time(jump.to),
                time(asked + jump.to - jump.from)
            ),
            Self::Absent { jump, asked } => format!(
                "Before this run the clock jumps from {} to {} in {zone}. A schedule that repeats leaves out what lies between, from {} on.",
                moment(jump.from),
                time(jump.to),
                time(asked)
            ),
            Self::FirstOfTwo { jump } => {
                format!(
                    "{} A run at a fixed time fires in the first pass only, which this is.",
                    twice(jump, zone)
                )
            }
            Self::FirstPass { jump } => {
                format!(
                    "{} A schedule that repeats fires in both passes; this is the first.",
                    twice(jump, zone)
                )
            }
            Self::SecondPass { jump } => {
                format!(
                    "{} A schedule that repeats fires in both passes; this is the second.",
                    twice(jump, zone)
                )
            }
        }
    }
}

fn twice(jump: Jump, zone: &str) -> String {
    format!(
        "The clock goes back from {} to {} in {zone} and shows this time twice.",
        moment(jump.from),
        time(jump.to)
    )
}

/// Returns the date and the time of day of a local time. By hand: the general formatter is some
/// kilobytes of wasm.
fn moment(local: i64) -> String {
    format!("{} {}", date(local), time(local))
}
