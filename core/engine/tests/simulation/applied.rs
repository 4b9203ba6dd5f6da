//! What a committed change of waiting entries does to the reference.

use crate::changes::Step;
use crate::late::made_up;
use crate::model::{Firing, Schedule, What};
use crate::world::World;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::routing::id_hash;
use scheduler_model::schedule::Overlap;
use scheduler_model::task::Record;

impl World {
    /// Applies what a committed change did to waiting entries.
    pub(crate) fn apply(&mut self, at: usize, steps: &[Step]) {
        let start = self.now.max(self.shards[at].storage.watermark.due);
        for step in steps {
            if let (Some((firing, What::PausedAgain)), Some((_, What::Held))) =
                (step.take, step.put)
            {
                self.model.hold_again(firing);
                continue;
            }
            self.model.step(step);
            match step.put {
                Some((firing, What::PausedRecurring)) => {
                    self.model.pause(firing.version, start.get())
                }
                Some((firing, What::Recurring)) => self.make_up(at, firing),
                _ => {}
            }
        }
        for (firing, what) in steps.iter().filter_map(|step| step.put) {
            if what == What::Recurring {
                self.model.restart(firing.version, start.get());
            }
        }
        self.model.release_again(self.now.get());
    }

    /// Settles the runs of a recurring version that came due in a pause.
    pub(crate) fn make_up(&mut self, at: usize, paused: Firing) {
        let version = self.model.version(paused.version).clone();
        let Schedule::Recurring(_) = version.schedule else { return };
        let record = Record::parse(&version.record).unwrap();
        let record = self.model.with_final_run(paused.version, record);
        let schedule = record.schedule().schedule(id_hash(&version.id)).unwrap();
        let next = self
            .model
            .next_run
            .get(&paused.version)
            .map(|(time, ..)| schedule.occurrence(UnixMillis::new(*time)));
        let overlap = record.policies().overlap;
        if overlap == Overlap::Allow {
            let runs = made_up(&schedule, record.policies(), next, self.now);
            let runs = runs.into_iter();
            let runs = runs.map(|(run, fate)| (Firing { time: run.time.get(), ..paused }, fate));
            return self.run_all_beside(at, runs, None);
        }
        for (run, fate) in made_up(&schedule, record.policies(), next, self.now) {
            let firing = Firing { time: run.time.get(), ..paused };
            let fate = self.fate_beside(&version.id, overlap, fate);
            self.run_all_beside(at, [(firing, fate)], None);
        }
    }
}
