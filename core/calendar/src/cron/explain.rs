//! What a change of the clock does to an occurrence, for people who ask.

use super::CronSchedule;
use super::fields::Month;
use crate::clock_change::{ClockChange, Jump};
use crate::local_clock;
use crate::tz::Reading;

/// How far before an occurrence a gap is looked for whose runs are absent, seconds: the longest gap
/// there has been is a day (Apia, 2011).
const LOOK_BACK: i64 = 86_400;

impl CronSchedule {
    /// Returns what a change of the clock does to the occurrence at `at`, where `previous` is the
    /// one before, or where the caller began to look; both Unix seconds.
    pub(crate) fn clock_change(&self, at: i64, previous: i64) -> Option<ClockChange> {
        let tz = self.timezone;
        if let Reading::Twice { first, second } = tz.read(local_clock::clock_at(tz, at)) {
            let jump = Jump::between(tz, first, second)?;
            return Some(match (self.repeats, at == first) {
                (false, _) => ClockChange::FirstOfTwo { jump },
                (true, true) => ClockChange::FirstPass { jump },
                (true, false) => ClockChange::SecondPass { jump },
            });
        }
        let before = if self.repeats { previous.max(at - LOOK_BACK) } else { at - 1 };
        let jump = Jump::between(tz, before, at).filter(|jump| jump.is_gap())?;
        let asked = self
            .fields
            .next_at_or_after(jump.from, &mut Month::default())
            .filter(|local| *local < jump.to)?;
        Some(if self.repeats {
            ClockChange::Absent { jump, asked }
        } else {
            ClockChange::Moved { jump, asked }
        })
    }
}
