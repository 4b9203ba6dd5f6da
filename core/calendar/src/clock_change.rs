//! Changes of a local clock, and their effect on an occurrence.

use crate::local_clock::{self, date, time};
use crate::local_time::LocalTime;
use crate::tz::{Reading, Tz};

/// A change of a zone's clock: daylight saving begins or ends, or the zone is moved. Local times
/// are seconds since 1970-01-01T00:00:00 as the clock shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// The local time that the clock would show without the change.
    pub from: i64,
    /// The local time that the clock shows instead.
    pub to: i64,
}

impl Jump {
    /// Returns the change of a zone's clock within `(before, after]`, in Unix seconds, if there is
    /// one.
    pub(crate) fn between(tz: Tz, before: i64, after: i64) -> Option<Self> {
        let (old, new) = (tz.offset_at(before), tz.offset_at(after));
        if old == new {
            return None;
        }
        let at = local_clock::change_between(tz, before, after);
        Some(Self { from: at + old, to: at + new })
    }

    /// Returns whether the clock goes forward, so that it never shows the times in between.
    pub(crate) fn is_gap(self) -> bool {
        self.to > self.from
    }
}

/// The effect of a clock change on an occurrence. `asked` is the local time that the schedule
/// names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// The clock jumps over the run, and the run is moved to the first instant after the gap. (cron
    /// at fixed times)
    Moved {
        /// The change.
        jump: Jump,
        /// The skipped local time.
        asked: i64,
    },
    /// The clock jumps over the run, and the run is delayed by the width of the gap. (RFC 5545)
    Shifted {
        /// The change.
        jump: Jump,
        /// The skipped local time.
        asked: i64,
    },
    /// The clock has jumped over one or more runs before this one, and they do not fire. (cron that
    /// repeats)
    Absent {
        /// The change.
        jump: Jump,
        /// The first skipped local time.
        asked: i64,
    },
    /// The clock shows the time of the run twice. This run is in the first pass, and none fires in
    /// the second.
    FirstOfTwo {
        /// The change.
        jump: Jump,
    },
    /// The clock shows the time of the run twice, and a run fires each time. This is the first.
    FirstPass {
        /// The change.
        jump: Jump,
    },
    /// The clock shows the time of the run twice, and a run fires each time. This is the second.
    SecondPass {
        /// The change.
        jump: Jump,
    },
}

impl ClockChange {
    /// Returns the effect of a clock change on the single run of a task at a local time.
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

    /// Returns the effect of a clock change on the run at an anchor that was given as a local time.
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

    /// Returns an explanation of the effect.
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
                    "{} A run at a fixed time fires in the first pass only; this is the first.",
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

/// Formats the date and the time of day of a local time. The general formatter would add some
/// kilobytes to the wasm.
fn moment(local: i64) -> String {
    format!("{} {}", date(local), time(local))
}
