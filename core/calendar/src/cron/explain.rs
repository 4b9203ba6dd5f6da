//! The effect of a clock change on an occurrence of cron, for explanations.

use super::CronSchedule;
use super::fields::Month;
use crate::clock_change::{ClockChange, Jump};
use crate::local_clock;
use crate::tz::Reading;

/// How far before an occurrence to search for a gap whose runs are absent, in seconds. The longest
/// gap so far was a day (Apia, 2011).
const LOOK_BACK: i64 = 86_400;

impl CronSchedule {
    /// Returns the effect of a clock change on the occurrence at `at`. `previous` is the occurrence
    /// before it, or the start of the caller's search. Both are Unix seconds.
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
