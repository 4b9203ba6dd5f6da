//! What continues when a definition replaces a task, by the reference, as `docs/changes.md` says.

use crate::changes::Step;
use crate::in_flight::Stop;
use crate::late::Fate;
use crate::model::{Firing, Model, Schedule, Version, What};
use crate::renewals::NextRun;
use crate::schedules::{Recurring, Rule};
use crate::world::World;
use scheduler_model::schedule::Overlap;
use scheduler_model::task::Record;

/// What a definition says about the pause of the task.
pub(crate) type SaysPaused = Option<bool>;

/// The task that a definition replaces: its version, and how it waits.
#[derive(Debug, Clone, Copy)]
struct Former {
    firing: Firing,
    what: What,
}

/// A run that has lost its place in the order because its delay has changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owed(pub(crate) Firing);

/// What a definition does to the task that waits under its id.
pub(crate) enum Going {
    /// It defines another task.
    No,
    /// It is the same task with another schedule. Pending runs stay.
    Replaced,
    /// It is the same task, which continues and may owe a run.
    On(Option<Owed>),
}

/// When a request is committed: by the clock, after everything that was dispatched, and how far the
/// main order has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) start: i64,
    pub(crate) watermark: i64,
    /// The clock of the shard.
    pub(crate) clock: i64,
}

impl Recurring {
    /// Returns whether another definition has the same schedule. Delays do not matter.
    pub(crate) fn is_same(&self, other: &Self, open_anchor: bool) -> bool {
        let rules = match (self.rule, other.rule) {
            (Rule::Every { millis, .. }, Rule::Every { millis: others, .. }) if open_anchor => {
                millis == others
            }
            (rule, other) => rule == other,
        };
        rules && self.bounds() == other.bounds()
    }
}

impl Model {
    /// Returns the task that waits under the id of a version, but no attempt.
    fn former(&self, n: u64) -> Option<Former> {
        let is_task = |what: &What| {
            matches!(
                what,
                What::First
                    | What::Recurring
                    | What::Unscheduled
                    | What::Paused
                    | What::PausedRecurring
            )
        };
        let waiting = self.waiting_of(&self.version(n).id);
        waiting
            .into_iter()
            .find(|((_, what), _)| is_task(what))
            .map(|((firing, what), _)| Former { firing, what })
    }

    /// Continues the task by a definition if the definition means that task.
    pub(crate) fn go_on(&mut self, n: u64, is_version: bool, moment: Moment) -> Going {
        let Some(Former { firing: was, what }) = self.former(n) else { return Going::No };
        let (new, old) = (self.version(n).clone(), self.version(was.version).clone());
        let is_equal = match (new.schedule, old.schedule) {
            (Schedule::None, Schedule::None) => true,
            (Schedule::Once(time, _), Schedule::Once(other, _)) => time == other,
            (Schedule::Recurring(new_one), Schedule::Recurring(old_one)) => {
                new_one.is_same(&old_one, new.open_anchor)
            }
            _ => false,
        };
        // The task continues with other items of its calendar.
        let renews = match (new.schedule, old.schedule) {
            (Schedule::Recurring(new_one), Schedule::Recurring(old_one)) if !is_equal => {
                new_one.differs_in_items(&old_one, new.open_anchor)
            }
            _ => false,
        };
        let was_paused = matches!(what, What::Paused | What::PausedRecurring);
        if !is_equal && !renews && !is_version || self.would_end(n, moment) {
            return Going::No;
        }
        if !is_equal && !renews {
            self.waiting.remove(&(was, what));
            self.gone.insert(was.version, "was overwritten");
            self.change_attempts(
                &new.id,
                was_paused,
                new.says_paused == Some(true),
                new.says_paused,
                (moment, false),
            );
            return Going::Replaced;
        }
        let firing = Firing { version: n, ..was };
        self.waiting.remove(&(was, what));
        if was.version != n {
            self.gone.insert(was.version, "was overwritten");
        }
        self.gone.remove(&n);
        if self.brought_ahead.contains(&was.version) {
            self.brought_ahead.insert(n);
        }
        if self.early.contains(&was) {
            self.early.insert(firing);
        }
        if let Some(at) = self.replayed.get(&was).copied() {
            self.replayed.insert(firing, at);
            // It was due when it was requested, and stays due, even if the definition pauses it
            // and gives it a longer delay.
            self.early.insert(firing);
        }
        let is_paused = new.says_paused.unwrap_or(was_paused);
        let keeps_schedule = matches!(new.schedule, Schedule::Recurring(_));
        let moment_of = (moment, keeps_schedule);
        self.change_attempts(&new.id, was_paused, is_paused, new.says_paused, moment_of);
        let Schedule::Recurring(of_new) = new.schedule else {
            let then = match what {
                What::First | What::Paused if is_paused => What::Paused,
                What::First | What::Paused => What::First,
                other => other,
            };
            if what == What::First && then == What::First {
                self.stay_due(was, firing, &old, moment);
            }
            self.put(firing, then);
            return Going::On(None);
        };
        self.keep_rule(n, was.version);
        // The next run stays the same, whatever its delay.
        let former = self.next_run.remove(&was.version);
        let next = match old.schedule {
            Schedule::Recurring(of_old) if renews => {
                let of_new = Recurring { rule: of_old.rule, ..of_new };
                self.renewed(&new.id, (&of_new, &of_old), former, moment)
            }
            _ => former,
        };
        self.next_run.extend(next.map(|next| (n, next)));
        self.renewals += u64::from(renews);
        self.count_again(n);
        self.put(firing, if is_paused { What::PausedRecurring } else { What::Recurring });
        match (was_paused, is_paused) {
            (true, true) => Going::On(None),
            (true, false) => {
                self.resumed.push(firing);
                Going::On(None)
            }
            (false, true) => {
                self.set_due(n);
                self.pause(n, moment.start);
                Going::On(None)
            }
            (false, false) if renews => Going::On(self.bring_ahead(firing, former, moment)),
            (false, false) => {
                let (time, due, _) = next.expect("a recurring version has a next run");
                let Recurring { put_off, .. } = of_new;
                let Schedule::Recurring(of_old) = old.schedule else { return Going::On(None) };
                self.set_due(n);
                let now_due = self.next_run[&n].1;
                let is_owed =
                    now_due <= moment.watermark || due > moment.start && now_due <= moment.start;
                if put_off == of_old.put_off || !is_owed {
                    return Going::On(None);
                }
                let owed = Firing { time, ..firing };
                self.advance(owed);
                if !self.next_run.contains_key(&n) {
                    self.gone.insert(n, "has fired");
                }
                Going::On(Some(Owed(owed)))
            }
        }
    }

    /// Returns the run that new items have brought out of its order.
    fn bring_ahead(
        &mut self,
        firing: Firing,
        former: Option<NextRun>,
        moment: Moment,
    ) -> Option<Owed> {
        let n = firing.version;
        let Some(next) = self.next_run.get(&n).copied() else {
            self.restart(n, moment.watermark);
            return None;
        };
        let was = former.expect("a recurring version has a next run");
        let owed =
            Self::is_owed(was, next, moment).then_some(Owed(Firing { time: next.0, ..firing }))?;
        self.advance(owed.0);
        if self.next_run.contains_key(&n) {
            self.restart(n, moment.watermark);
        } else {
            self.gone.insert(n, "has fired");
        }
        Some(owed)
    }

    /// A one-shot run that is due stays due, whatever its delay is from now on.
    fn stay_due(&mut self, was: Firing, firing: Firing, old: &Version, moment: Moment) {
        if old.due(was.time) <= moment.start || self.early.contains(&was) {
            self.early.insert(firing);
        }
    }

    /// Pauses and resumes further attempts together with their task.
    pub(crate) fn change_attempts(
        &mut self,
        id: &str,
        was_paused: bool,
        is_paused: bool,
        says: SaysPaused,
        (moment, keeps_schedule): (Moment, bool),
    ) {
        let pauses = !was_paused && is_paused;
        let resumes = !is_paused && (was_paused || says.is_some());
        let shards: std::collections::BTreeSet<usize> =
            self.in_flight.keys().map(|(shard, _)| *shard).collect();
        for shard in shards {
            // The same happens to those of runs in flight.
            for flight in self.flights_of(shard, id) {
                if pauses || resumes {
                    self.decide(shard, flight, pauses.then_some(Stop::Paused));
                }
            }
        }
        for ((firing, what), count) in self.waiting_of(id) {
            let then = match what {
                What::Held if pauses && !keeps_schedule => What::PausedAgain,
                What::PausedAgain if resumes && self.was_held(firing) => {
                    self.hold_again(firing);
                    continue;
                }
                What::Again if pauses => What::PausedAgain,
                What::PausedAgain if resumes => What::Again,
                _ => continue,
            };
            self.waiting.remove(&(firing, what));
            self.note_held(firing, what, then);
            for _ in 0..count {
                let not_before = resumes.then(|| self.start_of_resumed(firing, moment.now()));
                let resumes = resumes.then_some(moment.now()).filter(|_| firing.attempt > 1);
                self.step(&Step {
                    take: None,
                    put: Some((firing, then)),
                    not_before,
                    early: false,
                    replays: None,
                    resumes,
                });
            }
        }
    }

    /// Keeps the anchor of the task if the definition leaves it open.
    fn keep_rule(&mut self, n: u64, was: u64) {
        let old = self.version(was).clone();
        let version = &mut self.versions[n as usize];
        let (Schedule::Recurring(of_new), Schedule::Recurring(of_old)) =
            (&mut version.schedule, old.schedule)
        else {
            return;
        };
        of_new.rule = of_old.rule;
        if let Rule::Every { anchor, .. } = of_new.rule {
            let given = version.record.clone();
            let mut record = Record::parse(&given).unwrap();
            record.anchor = Some(scheduler_calendar::time::UnixMillis::new(anchor));
            version.record.clear();
            record.write(&mut version.record);
        }
    }

    /// Sets the due time of a version's next run by the delay of the version.
    fn set_due(&mut self, n: u64) {
        let version = self.version(n).clone();
        let Schedule::Recurring(recurring) = version.schedule else { return };
        if let Some((time, due, _)) = self.next_run.get_mut(&n) {
            *due = recurring.due(&version.id, *time);
        }
    }
}

impl Moment {
    /// Returns the moment of a request that a shard carries out now.
    pub(crate) fn of(world: &World, at: usize) -> Self {
        let watermark = world.shards[at].storage.watermark.due;
        let clock = world.now.get();
        Self { start: world.now.max(watermark).get(), watermark: watermark.get(), clock }
    }

    fn now(self) -> i64 {
        self.start
    }
}

impl World {
    /// Settles the runs that a definition has brought out of their order, and those that came due
    /// in a pause.
    pub(crate) fn settle_definitions(&mut self, at: usize, owed: &[Owed], start: i64) {
        for Owed(firing) in owed {
            let version = self.model.version(firing.version).clone();
            let record = Record::parse(&version.record).unwrap();
            let replays = record.is_conditional().then_some(self.now.get());
            let fate = self.fate_beside(&version.id, record.policies().overlap, Fate::Fires);
            self.run_all_beside(at, [(*firing, fate)], replays);
        }
        for firing in std::mem::take(&mut self.model.resumed) {
            self.make_up(at, firing);
            self.model.restart(firing.version, start);
        }
        self.model.release_again(self.now.get());
    }

    /// Returns what happens to a run that comes outside of the order, by the runs in progress.
    pub(crate) fn fate_beside(&self, id: &str, overlap: Overlap, fate: Fate) -> Fate {
        let is_held = self.model.waiting_of(id).iter().any(|((_, what), _)| *what == What::Held);
        match overlap {
            Overlap::Skip | Overlap::QueueOne
                if fate == Fate::Fires && self.model.is_running(id) =>
            {
                if overlap == Overlap::QueueOne && !is_held { Fate::Held } else { Fate::Skipped }
            }
            _ => fate,
        }
    }

    pub(crate) fn run_beside(
        &mut self,
        at: usize,
        firing: Firing,
        fate: Fate,
        replays: Option<i64>,
    ) {
        if fate == Fate::Fires {
            let put = Some((firing, What::Again));
            let now = Some(self.now.get());
            self.model.step(&Step {
                take: None,
                put,
                not_before: now,
                early: false,
                replays,
                resumes: None,
            });
        } else {
            self.model.end_late(at, firing, fate, self.now.get(), self.config.history);
        }
    }
}
