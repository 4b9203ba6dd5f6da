//! Other items of a task's calendar, by the reference, as `docs/calendars.md` says.

use crate::definitions::Moment;
use crate::invariants::key_of;
use crate::model::{Model, Schedule, Version, What};
use crate::random::Random;
use crate::schedules::{Exclude, Recurring};
use crate::storage::{Storage, Waiting};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::task::Record;

/// The next run of a recurring version: its time, its due time, and its number.
pub(crate) type NextRun = (i64, i64, u32);

impl Recurring {
    /// Returns whether only the items of a calendar differ from those of another definition.
    pub(crate) fn differs_in_items(&self, other: &Self, open_anchor: bool) -> bool {
        let Self { exclude, .. } = *other;
        self.is_in_calendar
            && other.is_in_calendar
            && Self { exclude, ..*self }.is_same(other, open_anchor)
    }

    fn will_end(&self) -> bool {
        self.end.is_some() || self.max_runs.is_some()
    }

    /// Returns other items for the calendar of a definition at `now`. Returns `None` if it has none.
    fn with_other_items(self, random: &mut Random, now: i64) -> Option<Self> {
        self.is_in_calendar
            .then(|| Self { exclude: Some(Exclude::drawn_minutes(random, now)), ..self })
    }
}

/// Sometimes gives a version other items, as a change of its calendar does.
pub(crate) fn draw_items(random: &mut Random, version: &mut Version, now: i64) {
    let Schedule::Recurring(recurring) = version.schedule else { return };
    if let Some(renewed) = recurring.with_other_items(random, now)
        && random.chance(600)
        // The update leaves the former items to a task that would have no run.
        && renewed.first(&version.id, now).is_some()
    {
        version.schedule = Schedule::Recurring(renewed);
    }
}

/// Chooses what a client defines again: more often a task with a calendar, or one that will end, than
/// any other.
pub(crate) fn chosen<'w>(
    random: &mut Random,
    waiting: &'w [Waiting],
    model: &Model,
) -> &'w Waiting {
    let mut own = random.fork();
    let wants_calendar = own.chance(500);
    let is_wanted = |waiting: &&Waiting| {
        let (firing, what) = key_of(waiting);
        match model.version(firing.version).schedule {
            Schedule::Recurring(of) if wants_calendar => of.is_in_calendar,
            Schedule::Recurring(of) => of.will_end() && what == What::PausedRecurring,
            _ => false,
        }
    };
    let wanted: Vec<&Waiting> = waiting.iter().filter(is_wanted).collect();
    if !wanted.is_empty() && own.chance(600) {
        return wanted[own.below(wanted.len() as u64) as usize];
    }
    random.pick(waiting)
}

/// Returns a schedule with few runs, near `now`.
pub(crate) fn short(random: &mut Random, now: i64) -> Recurring {
    let (seconds, runs) = (random.range(1, 4), random.range(1, 4));
    Recurring::each_seconds(seconds, now + 1_000 * seconds, Some(runs as u32))
}

/// Often pauses a task that will end, and ends its pause later.
pub(crate) fn draw_pause(random: &mut Random, version: &mut Version, is_paused: bool) {
    let Schedule::Recurring(recurring) = version.schedule else { return };
    if recurring.will_end() && random.chance(600) {
        version.says_paused = Some(!is_paused);
    }
}

/// Returns where the pause of each paused recurring task began, by its id.
pub(crate) fn pauses(storage: &Storage) -> Vec<(String, i64)> {
    let read = |row: &scheduler_engine::testing::ScheduleRow| {
        let record = Record::parse(&row.record).unwrap();
        record.is_paused().then(|| (record.id.to_string(), row.since.get()))
    };
    storage.schedules.values().filter_map(read).collect()
}

impl Model {
    /// Returns the first run of a task that is left by the new items, if the task has come to nothing
    /// from `next` on by its former schedule.
    pub(crate) fn renewed(
        &self,
        id: &str,
        (new, former): (&Recurring, &Recurring),
        next: Option<NextRun>,
        moment: Moment,
    ) -> Option<NextRun> {
        let is_paused = self.pauses.iter().find(|(paused, _)| paused == id);
        let (next_time, next_due, runs) = next.unwrap_or((i64::MAX, i64::MAX, 0));
        let begin = match is_paused {
            Some((_, since)) => *since,
            // If the clock was ahead, runs have fired whose time is still to come.
            None if next.is_some()
                && former.first(id, moment.start) != Some((next_time, next_due)) =>
            {
                next_due - 1
            }
            None => moment.start,
        };
        if next.is_none() && new.max_runs.is_some() {
            return None;
        }
        // Runs at these times have fired or were left out, and their time has passed.
        let passed = next_time.min(begin + 1) - 1;
        let mut run = new.following(id, passed)?;
        while run.1 <= begin && run.0 != next_time {
            run = new.following(id, run.0)?;
        }
        let count_left = |most: u32| {
            let later = |run: &(i64, i64)| former.following(id, run.0);
            let later = std::iter::successors(former.following(id, next_time), later);
            (1..most - runs).zip(later).count() as u32 + 1
        };
        // As many runs are left as by the former items, also if these reach the end before they
        // reach the number of runs.
        let runs = new.max_runs.map_or(runs, |most| most - count_left(most));
        Some((run.0, run.1, runs))
    }

    /// Returns whether a definition has made a run of new items due, outside of its order.
    pub(crate) fn is_owed(was: NextRun, is: NextRun, moment: Moment) -> bool {
        let is_other = (was.0, was.1) != (is.0, is.1);
        is_other && is.1 <= moment.watermark
            || is.0 == was.0 && is.1 <= moment.start && was.1 > moment.start
    }

    /// Notes where the runs of a version end, counted from its next run on.
    pub(crate) fn count_again(&mut self, n: u64) {
        let version = self.version(n);
        let (Schedule::Recurring(recurring), Some((mut last, _, runs))) =
            (version.schedule, self.next_run.get(&n).copied())
        else {
            return;
        };
        let Some(most) = recurring.max_runs else { return };
        for _ in runs + 1..most {
            let Some((later, _)) = recurring.following(&version.id, last) else { break };
            last = later;
        }
        self.final_runs.insert(n, UnixMillis::new(last));
    }

    /// Returns the record of a version with the end of its runs that [`Self::count_again`] has noted.
    pub(crate) fn with_final_run<'r>(&self, n: u64, record: Record<'r>) -> Record<'r> {
        match self.final_runs.get(&n) {
            Some(last) => Record { first_run: None, final_run: Some(*last), ..record },
            None => record,
        }
    }
}
