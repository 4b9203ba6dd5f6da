//! The oracle: what the users have asked for, and what must therefore wait, be on its way, or be
//! done.
//!
//! It is told of every committed input and knows nothing of pages, watermarks or timers.

use crate::changes::Step;
use crate::circuits::Circuits;
use crate::clients::tag_of;
use crate::definitions::{Going, Moment, Owed, SaysPaused};
use crate::follow_ups::{FollowUps, Stage};
use crate::in_flight::{Decided, Decisions, Stop};
use crate::invariants::violated;
use crate::late::{Due, Fate, Late, firing_due};
use crate::room::Room;
use crate::schedules::{PutOff, Recurring};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Keep;
use scheduler_model::format::history::Outcome;
use scheduler_model::format::page::Flags;
use scheduler_model::protocol::{
    AppendReply, Cancelled, Failure, FeedPosition, Filter, Kind, Report, Status,
};
use scheduler_model::retry::{RetryInput, RetryPolicy};
use scheduler_model::task::Record;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A task as a request gave it. Its payload holds its number, so every record that comes out
/// anywhere names it.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) shard: usize,
    pub(crate) id: String,
    pub(crate) schedule: Schedule,
    pub(crate) late: Late,
    pub(crate) queue: Option<&'static str>,
    pub(crate) key: Option<&'static str>,
    /// Of [`crate::circuits::DESTINATIONS`], which one answers it.
    pub(crate) destination: Option<usize>,
    pub(crate) follow_ups: FollowUps,
    pub(crate) description: String,
    pub(crate) retry: &'static str,
    /// How often an attempt fails, permille.
    pub(crate) fails: u64,
    /// Whether the request names no anchor.
    pub(crate) open_anchor: bool,
    /// What the request says of a pause.
    pub(crate) says_paused: SaysPaused,
    pub(crate) record: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Schedule {
    Once(i64, PutOff),
    Recurring(Recurring),
    None,
}

impl Version {
    /// Returns when the run at `time` fires.
    pub(crate) fn due(&self, time: i64) -> i64 {
        match self.schedule {
            Schedule::Once(_, put_off) => put_off.due(&self.id, time, None),
            Schedule::Recurring(recurring) => recurring.due(&self.id, time),
            Schedule::None => time,
        }
    }
}

/// One attempt of one occurrence of one version, or of a follow-up of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Firing {
    pub(crate) version: u64,
    pub(crate) time: i64,
    pub(crate) attempt: u32,
    pub(crate) stage: Stage,
}

/// As what a version waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum What {
    First,
    Again,
    Recurring,
    Unscheduled,
    Dead,
    Paused,
    PausedAgain,
    PausedRecurring,
    Held,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    /// By shard and key, the requests that were to be done once and are done: when, and with what
    /// answer.
    pub(crate) taken: HashMap<(usize, [u8; 16]), (UnixMillis, AppendReply)>,
    pub(crate) versions: Vec<Version>,
    pub(crate) by_id: HashMap<String, Vec<u64>>,
    /// What waits, and how many of it (more than one only after repeated requests).
    pub(crate) waiting: BTreeMap<(Firing, What), u32>,
    /// The earliest time of further attempts.
    not_before: HashMap<Firing, i64>,
    /// Those that were told to run before their time.
    pub(crate) early: BTreeSet<Firing>,
    /// How often each was put where it waits by a change: so often it may run beyond the first.
    pub(crate) asked: HashMap<Firing, u32>,
    /// Of recurring versions, the time and the due time of the run that is next, and how many there
    /// have been. A paused one whose last run was missed has none.
    pub(crate) next_run: HashMap<u64, (i64, i64, u32)>,
    /// Runs of recurring versions that the wake-up at hand must hand on.
    passed: BTreeSet<Firing>,
    /// Of each follow-up's first attempt, the ends of runs that it follows.
    pub(crate) causes: HashMap<Firing, Vec<Kept>>,
    /// By shard and number of envelope.
    pub(crate) in_flight: BTreeMap<(usize, u64), Flight>,
    /// How often each was handed on.
    pub(crate) handed_on: HashMap<Firing, u32>,
    /// How often each was run by a dispatcher or taken by a consumer.
    pub(crate) ran: HashMap<Firing, u32>,
    /// Those whose outcome is known: they must have run.
    pub(crate) done: BTreeSet<Firing>,
    /// Versions that came, or were changed, while the clock of their shard was ahead; and those
    /// that have taken their places since.
    pub(crate) brought_ahead: BTreeSet<u64>,
    /// Whether clocks step in this run.
    pub(crate) clocks_step: bool,
    /// By the first attempt, from when the time of its retries may count: starts of first attempts,
    /// and ends of pauses.
    pub(crate) first_attempts: HashMap<Firing, BTreeSet<i64>>,
    /// When each was last replayed as a dead letter.
    pub(crate) replayed: HashMap<Firing, i64>,
    /// What the history must hold, by shard, as it was reported.
    pub(crate) history: HashMap<usize, Vec<Kept>>,
    pub(crate) circuits: Circuits,
    /// Why a version does not wait any more, for messages.
    pub(crate) gone: HashMap<u64, &'static str>,
    /// Up to where the events of each shard were read.
    pub(crate) watched: HashMap<usize, FeedPosition>,
    /// Recurring versions that the definition at hand has resumed.
    pub(crate) resumed: Vec<Firing>,
    /// How often a wake-up left tasks that were due, because the dispatchers had as many as they
    /// may have.
    pub(crate) held_up: u64,
    /// How often something was decided about a run in flight.
    pub(crate) decisions: Decisions,
    pub(crate) room: Room,
}

#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) queue: bool,
    pub(crate) fired_at: i64,
    /// Whether it was sent again after a send that the queue may have taken.
    pub(crate) sent_again: bool,
    pub(crate) last_send: Send,
    /// When it was sent last, or not taken, by the shard's clock; no later than that shows since it
    /// has gone back.
    pub(crate) since: i64,
    pub(crate) tasks: Vec<Firing>,
    /// When each was replayed, as its record says.
    pub(crate) replayed: Vec<Option<i64>>,
    /// From when on the lateness of each counts at the earliest: of a follow-up, when its run was
    /// reported. As its record says.
    pub(crate) late_since: Vec<Option<i64>>,
    /// When the first attempt of each began, as its record says.
    pub(crate) first_at: Vec<Option<i64>>,
    /// What was decided about its tasks since.
    pub(crate) decided: Decided,
    /// Of those that were patched since, the runs as which they go on.
    pub(crate) patched: BTreeMap<usize, Firing>,
}

/// What the shard knows of the last send of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Send {
    /// It was taken, or nobody knows; so many sends before it were refused in a row.
    Unanswered { after: u32 },
    /// It was refused, and so were those before it.
    Refused { times: u32, at: i64 },
    /// The queue of the dispatchers did not answer, and has not answered since; the shard gave it
    /// up, or sent it again, at this time.
    Hung { at: i64 },
}

impl Send {
    pub(crate) fn refusals(self) -> u32 {
        match self {
            Self::Hung { .. } => 0,
            Self::Unanswered { after } => after,
            Self::Refused { times, .. } => times,
        }
    }
}

/// An attempt as the history must tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) due: i64,
    pub(crate) attempt: u32,
    pub(crate) fired_at: i64,
    pub(crate) reported_at: i64,
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<u16>,
    pub(crate) millis: Option<u32>,
    pub(crate) stage: String,
    pub(crate) was_dispatched: bool,
    /// What was called: a type and a name.
    pub(crate) target: String,
    pub(crate) tags: Vec<String>,
}

/// Returns which firing a record is of, by its own words.
pub(crate) fn firing_of(record: &Record<'_>) -> Firing {
    let payload = record.payload.expect("every record has a payload").get();
    let digits = payload.strip_prefix("{\"n\":").expect("the payload begins with its number");
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap();
    Firing {
        version: digits[..end].parse().unwrap(),
        time: record.time.map_or(0, UnixMillis::get),
        attempt: record.attempt_number(),
        stage: Stage::of(record),
    }
}

impl Model {
    pub(crate) fn with(room: Room) -> Self {
        Self { room, ..Self::default() }
    }

    pub(crate) fn version(&self, n: u64) -> &Version {
        &self.versions[n as usize]
    }

    pub(crate) fn put(&mut self, firing: Firing, what: What) {
        *self.waiting.entry((firing, what)).or_default() += 1;
    }

    fn take(&mut self, firing: Firing, what: What) -> bool {
        let Some(count) = self.waiting.get_mut(&(firing, what)) else { return false };
        *count -= 1;
        if *count == 0 {
            self.waiting.remove(&(firing, what));
        }
        true
    }

    /// Returns whether a task of this id was taken in, now or before.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Returns whether an attempt of a task of this id was ever handed on.
    pub(crate) fn has_fired(&self, id: &str) -> bool {
        self.handed_on.keys().any(|firing| self.version(firing.version).id == id)
    }

    /// Returns what waits under an id.
    pub(crate) fn waiting_of(&self, id: &str) -> Vec<((Firing, What), u32)> {
        let least =
            |version| (Firing { version, time: 0, attempt: 0, stage: Stage::Run }, What::First);
        self.by_id
            .get(id)
            .into_iter()
            .flatten()
            .flat_map(|n| {
                self.waiting.range(least(*n)..least(*n + 1)).map(|(key, count)| (*key, *count))
            })
            .collect()
    }

    pub(crate) fn in_flight_of(&self, id: &str) -> Vec<Firing> {
        let tasks = self.in_flight.values().flat_map(Flight::as_patched);
        tasks.filter(|firing| self.version(firing.version).id == id).collect()
    }

    /// Applies a committed append. Says how many tasks were replaced, how many attempts in flight
    /// were of these, of which nothing comes, and which runs are owed.
    pub(crate) fn append(
        &mut self,
        shard: usize,
        versions: &[u64],
        (fresh, is_version): (bool, bool),
        moment: Moment,
    ) -> (u64, u64, Vec<Owed>) {
        let (mut replaced, mut running, mut owed, mut kept) = (0, 0, Vec::new(), BTreeSet::new());
        for n in versions {
            let id = self.version(*n).id.clone();
            if fresh {
                continue;
            }
            match self.go_on(*n, is_version, moment) {
                Going::On(owes) => {
                    replaced += 1;
                    owed.extend(owes);
                    kept.insert(*n);
                    continue;
                }
                Going::Replaced => {
                    replaced += 1;
                    continue;
                }
                Going::No => {}
            }
            let (mut tasks, mut is_left) = (0, false);
            for ((firing, what), count) in self.waiting_of(&id) {
                if what != What::Dead {
                    self.waiting.remove(&(firing, what));
                    self.gone.insert(firing.version, "was overwritten");
                    is_left = true;
                    tasks += if matches!(what, What::Again | What::PausedAgain | What::Held) {
                        0
                    } else {
                        u64::from(count)
                    };
                }
            }
            for flight in self.flights_of(shard, &id) {
                self.decide(shard, flight, Some(Stop::Cancelled));
                is_left = true;
                running += 1;
            }
            // What is left of a task that has fired is that task.
            replaced += if is_left { tasks.max(1) } else { 0 };
        }
        for n in versions {
            let version = self.version(*n).clone();
            let known = self.by_id.entry(version.id).or_default();
            if !known.contains(n) {
                known.push(*n);
            }
            if kept.contains(n) {
                continue;
            }
            self.gone.remove(n);
            let firing = |time, attempt| Firing { version: *n, time, attempt, stage: Stage::Run };
            match version.schedule {
                Schedule::Once(time, _) if version.says_paused == Some(true) => {
                    self.put(firing(time, 1), What::Paused)
                }
                Schedule::Once(time, _) => self.put(firing(time, 1), What::First),
                Schedule::None => self.put(firing(0, 1), What::Unscheduled),
                Schedule::Recurring(recurring) => {
                    match recurring.first(&self.version(*n).id, moment.start) {
                        Some((time, due)) => {
                            self.next_run.insert(*n, (time, due, 0));
                            let is_paused = version.says_paused == Some(true);
                            self.put(
                                firing(0, 1),
                                if is_paused { What::PausedRecurring } else { What::Recurring },
                            );
                        }
                        // Its end has passed.
                        None => drop(self.gone.insert(*n, "has fired")),
                    }
                }
            }
        }
        (replaced, running, owed)
    }

    /// Returns what a cancel by ids must answer: and of which of them an attempt is in flight.
    pub(crate) fn cancel_outcomes(&self, ids: &[String]) -> (Vec<Cancelled>, Vec<u32>) {
        let is_running = |id: &String| !self.in_flight_of(id).is_empty();
        let is_there = |id: &String| is_running(id) || !self.waiting_of(id).is_empty();
        let outcome = |id| if is_there(id) { Cancelled::Cancelled } else { Cancelled::NotFound };
        let running = (0..).zip(ids).filter(|(_, id)| is_running(id)).map(|(place, _)| place);
        (ids.iter().map(outcome).collect(), running.collect())
    }

    /// A committed cancel, as it was answered.
    pub(crate) fn cancel(&mut self, shard: usize, ids: &[String], outcomes: &[Cancelled]) {
        // An id that stands twice is looked at as it was before the request, as each other is.
        let mut seen = BTreeSet::new();
        for (id, outcome) in ids.iter().zip(outcomes) {
            if *outcome != Cancelled::Cancelled || !seen.insert(id) {
                continue;
            }
            let waiting = self.waiting_of(id);
            let only_dead = waiting.iter().all(|((_, what), _)| *what == What::Dead)
                && self.in_flight_of(id).is_empty();
            for (key, _) in
                waiting.into_iter().filter(|((_, what), _)| only_dead || *what != What::Dead)
            {
                self.waiting.remove(&key);
                self.gone.insert(key.0.version, "was cancelled");
            }
            for flight in self.flights_of(shard, id) {
                self.decide(shard, flight, Some(Stop::Cancelled));
            }
        }
    }

    /// A committed cancel of one waiting thing.
    pub(crate) fn cancel_one(&mut self, key: (Firing, What)) {
        if !self.take(key.0, key.1) {
            violated(
                "list-and-cancel",
                format!("{key:?} was cancelled by a filter, but does not wait"),
            );
        }
        self.gone.insert(key.0.version, "was cancelled");
    }

    /// A committed change of one waiting thing.
    pub(crate) fn step(&mut self, step: &Step) {
        if let Some((firing, what)) = step.take
            && !self.take(firing, what)
        {
            violated(
                "change-answers",
                format!("{firing:?} was changed, but does not wait as {what:?}"),
            );
        }
        let Some((firing, what)) = step.put else { return };
        self.put(firing, what);
        *self.asked.entry(Firing { attempt: 1, ..firing }).or_default() += 1;
        if let Some(until) = step.not_before {
            // This is what it waits for now, also where it waited for something later.
            self.not_before.insert(firing, until);
        }
        if let Some(now) = step.replays {
            self.replayed.insert(Firing { attempt: 1, ..firing }, now);
        }
        if let Some(now) = step.resumes {
            self.first_attempts.entry(Firing { attempt: 1, ..firing }).or_default().insert(now);
        }
        if step.early {
            self.early.insert(Firing { attempt: 1, ..firing });
        }
        if matches!(what, What::First | What::Paused)
            && let Some(version) = self.versions.get_mut(firing.version as usize)
            && !matches!(version.schedule, Schedule::Once(time, _) if time == firing.time)
        {
            let put_off = if let Schedule::Once(_, put_off) = version.schedule {
                put_off
            } else {
                PutOff::default()
            };
            version.schedule = Schedule::Once(firing.time, put_off);
            let given = version.record.clone();
            version.record.clear();
            Record { time: Some(UnixMillis::new(firing.time)), ..Record::parse(&given).unwrap() }
                .write(&mut version.record);
        }
    }

    /// A recurring version goes on after a pause: runs that are due by `start` were missed.
    pub(crate) fn restart(&mut self, n: u64, start: i64) {
        self.miss(n, start);
        if !self.next_run.contains_key(&n) {
            self.take(
                Firing { version: n, time: 0, attempt: 1, stage: Stage::Run },
                What::Recurring,
            );
            self.gone.insert(n, "has fired");
        }
    }

    /// Leaves out the runs of a recurring version that are due by `until`. They count.
    fn miss(&mut self, n: u64, until: i64) {
        let version = self.version(n).clone();
        let Schedule::Recurring(recurring) = version.schedule else { return };
        while let Some((time, _, runs)) = self.next_run.get(&n).copied() {
            let due = recurring.due(&version.id, time);
            if due > until {
                self.next_run.insert(n, (time, due, runs));
                return;
            }
            let following = recurring
                .following(&version.id, time)
                .filter(|_| recurring.max_runs.is_none_or(|most| runs + 1 < most));
            match following {
                Some((time, due)) => drop(self.next_run.insert(n, (time, due, runs + 1))),
                None => drop(self.next_run.remove(&n)),
            }
        }
    }

    /// A committed firing of one task.
    pub(crate) fn fire(&mut self, firing: Firing, now: i64) {
        let version = self.version(firing.version).clone();
        let is_early = now < firing.time || now < version.due(firing.time);
        // What came due by a clock that was ahead, and was held or not started, comes at once when
        // it may.
        let came_due = self.clocks_step && self.waiting.contains_key(&(firing, What::Again));
        let is_early = is_early && !came_due;
        if firing.attempt == 1
            && firing.stage == Stage::Run
            && is_early
            && !self.early.contains(&firing)
        {
            violated("nothing-early", format!("{firing:?} of {} fired at {now}", version.id));
        }
        if self.passed.remove(&firing) {
            // Its schedule has gone on already.
        } else if self.take(firing, What::Again) {
            let least = self.not_before.get(&firing).copied().unwrap_or_default();
            if now < least {
                violated(
                    "nothing-early",
                    format!("{firing:?} of {} tried again at {now}, before {least}", version.id),
                );
            }
        } else if !self.take(firing, What::First) {
            self.why_not(firing);
        }
        self.gone.insert(firing.version, "has fired");
        *self.handed_on.entry(firing).or_default() += 1;
    }

    /// A recurring version has come to this run, which fires or not.
    pub(crate) fn pass(&mut self, due: &Due) {
        let firing = firing_due(due);
        if !self.waiting.contains_key(&(recurring_of(firing), What::Recurring)) {
            self.why_not(firing);
        }
        let next = self.next_run.get(&firing.version).copied();
        if next.is_none_or(|(time, ..)| time != firing.time) {
            let schedule = self.version(firing.version).schedule;
            violated(
                "nothing-lost",
                format!("{firing:?} of {schedule:?} is due; next was {next:?}"),
            );
        }
        self.advance(firing);
        due.passed_over.iter().for_each(|time| self.advance(Firing { time: *time, ..firing }));
        if due.fate == Fate::Fires {
            self.passed.insert(firing);
        }
    }

    /// A run of a recurring version that found no slot waits for one.
    pub(crate) fn wait_for_slot(&mut self, firing: Firing) {
        if !self.passed.remove(&firing) {
            violated(
                "fires-what-waits",
                format!("{firing:?} of a key neither fired nor was it next"),
            );
        }
        self.put(firing, What::Again);
    }

    /// What was due waits until then, as a further attempt does.
    pub(crate) fn defer(&mut self, firing: Firing, what: Option<What>, until: i64) {
        let is_known = match what {
            None => self.passed.remove(&firing),
            Some(what) => self.take(firing, what),
        };
        if !is_known {
            violated(
                "fires-what-waits",
                format!("{firing:?} was put off, but does not wait as {what:?}"),
            );
        }
        if !self.waiting.contains_key(&(firing, What::Again)) {
            self.not_before.remove(&firing);
        }
        self.put(firing, What::Again);
        self.put_off(firing, until);
    }

    /// A recurring version goes on to the run after this one.
    pub(crate) fn advance(&mut self, firing: Firing) {
        let version = self.version(firing.version).clone();
        let Schedule::Recurring(recurring) = version.schedule else { return };
        let runs = self.next_run.get(&firing.version).map_or(0, |(_, _, runs)| *runs) + 1;
        let following = recurring
            .following(&version.id, firing.time)
            .filter(|_| recurring.max_runs.is_none_or(|most| runs < most));
        match following {
            Some((time, due)) => drop(self.next_run.insert(firing.version, (time, due, runs))),
            None => {
                self.next_run.remove(&firing.version);
                self.take(recurring_of(firing), What::Recurring);
            }
        }
    }

    /// Something due that a committed wake-up did not hand on.
    pub(crate) fn drop_late(&mut self, shard: usize, due: &Due, now: i64, keep: Keep) {
        let firing = firing_due(due);
        if let Fate::Waits(until) = due.fate {
            return self.wait_for_destination(due, until);
        }
        match due.waiting.entry {
            // Its schedule has gone on already.
            None => drop(self.passed.remove(&firing)),
            Some(entry) => {
                let what = if entry.flags.has(Flags::RETRY) { What::Again } else { What::First };
                if !self.take(firing, what) {
                    violated(
                        "fires-what-waits",
                        format!("{firing:?} was dropped, but does not wait as {what:?}"),
                    );
                }
            }
        }
        self.gone.insert(firing.version, "was dropped");
        self.end_late(shard, firing, due.fate, now, keep);
    }

    /// A run that does not fire, or not yet.
    pub(crate) fn end_late(
        &mut self,
        shard: usize,
        firing: Firing,
        fate: Fate,
        now: i64,
        keep: Keep,
    ) {
        let outcome = match fate {
            Fate::Fires | Fate::Waits(_) => return,
            Fate::Held => return self.put(firing, What::Held),
            Fate::Skipped => Outcome::Skipped,
            Fate::Expired => Outcome::Expired,
            Fate::Dead => {
                self.put(firing, What::Dead);
                Outcome::DeadLettered
            }
        };
        let kept = Kept {
            id: self.version(firing.version).id.clone(),
            due: firing.time,
            attempt: firing.attempt,
            fired_at: now,
            reported_at: now,
            outcome,
            status: None,
            millis: None,
            stage: firing.stage.name().to_owned(),
            was_dispatched: false,
            target: self.target_of(firing),
            tags: tags_of(firing),
        };
        self.room.ended.push((firing, kept.clone(), false));
        if keep != Keep::Off {
            self.history.entry(shard).or_default().push(kept);
        }
    }

    /// A recurring version is paused. What is due by then and has not fired is made up for with the
    /// rest, if anything is; else it was missed.
    pub(crate) fn pause(&mut self, n: u64, at: i64) {
        let makes_up = Record::parse(&self.version(n).record).unwrap().policies().catches_up;
        if !makes_up {
            self.miss(n, at);
        }
    }

    /// Returns whether a run of this id goes on.
    pub(crate) fn is_running(&self, id: &str) -> bool {
        let again = |what| matches!(what, What::Again | What::PausedAgain);
        !self.in_flight_of(id).is_empty()
            || self.waiting_of(id).iter().any(|((_, what), _)| again(*what))
    }

    /// What waits for the end of a run of this id is let go, if none goes on.
    pub(crate) fn release(&mut self, id: &str, now: i64) {
        if self.is_running(id) {
            return;
        }
        let held = self.waiting_of(id).into_iter().find(|((_, what), _)| *what == What::Held);
        if let Some(((firing, what), _)) = held {
            self.take(firing, what);
            let is_paused =
                self.waiting_of(id).iter().any(|((_, what), _)| *what == What::PausedRecurring);
            if is_paused {
                return self.put(firing, What::PausedAgain);
            }
            self.put(firing, What::Again);
            self.put_off(firing, now);
        }
    }

    fn why_not(&self, firing: Firing) -> ! {
        let id = &self.version(firing.version).id;
        if firing.stage != Stage::Run && !self.causes.contains_key(&Firing { attempt: 1, ..firing })
        {
            violated(
                "follow-ups-have-a-cause",
                format!("{firing:?} of {id} fired, but no run has ended so"),
            );
        }
        match self.gone.get(&firing.version).copied().unwrap_or("was never taken in") {
            "has fired" => violated(
                "duplicates-explained",
                format!("{firing:?} of {id} fired anew, but has fired"),
            ),
            "was cancelled" => violated(
                "cancelled-never-fires",
                format!("{firing:?} of {id} fired after its cancel was committed"),
            ),
            "was overwritten" => violated(
                "overwritten-never-fires",
                format!("{firing:?} of {id} fired after it was overwritten"),
            ),
            other => violated("fires-what-waits", format!("{firing:?} of {id} fired, but {other}")),
        }
    }

    /// A committed report, or a queue's taking of an envelope (with an empty report).
    pub(crate) fn finish(&mut self, shard: usize, report: &Report, now: i64, keep: Keep) {
        self.hear(shard, report, now);
        let Some(flight) = self.in_flight.remove(&(shard, report.seq)) else { return };
        // What ends is what was dispatched; what follows it is as it was patched meanwhile.
        let dispatched = flight.tasks.clone();
        let flight = Flight { tasks: flight.as_patched().collect(), ..flight };
        let mut seen = vec![false; flight.tasks.len()];
        let mut first = |index: u32| {
            seen.get_mut(index as usize).is_some_and(|seen| !std::mem::replace(seen, true))
        };
        let good = if flight.queue { Outcome::HandedOver } else { Outcome::Succeeded };
        let mut outcomes = vec![Some(good); flight.tasks.len()];
        for index in flight.decided.left_out() {
            outcomes[index] = None;
            match flight.decided.stop(index) {
                Some(Stop::Cancelled) => {}
                Some(Stop::Paused) => self.put(flight.tasks[index], What::PausedAgain),
                None => {
                    self.put(flight.tasks[index], What::Again);
                    self.put_off(flight.tasks[index], now);
                }
            }
        }
        for failure in report.failed.iter().filter(|failure| first(failure.index)) {
            let index = failure.index as usize;
            if flight.decided.stop(index) == Some(Stop::Cancelled) {
                // It ends with this attempt.
                outcomes[index] = Some(Outcome::Failed);
                continue;
            }
            let is_paused = flight.decided.stop(index) == Some(Stop::Paused);
            let began = (flight.replayed[index], flight.late_since[index]);
            let firing = flight.tasks[index];
            let detail = report.details.iter().find(|detail| detail.index == failure.index);
            let started =
                detail.map_or(now, |detail| detail.started_at.get().max(flight.fired_at).min(now));
            let first = flight.first_at[index].unwrap_or(started);
            self.first_attempts.entry(Firing { attempt: 1, ..firing }).or_default().insert(first);
            let dead = self.failed(firing, began, first, failure, is_paused, now);
            outcomes[index] = Some(if dead { Outcome::DeadLettered } else { Outcome::Failed });
        }
        let not_started: Vec<u32> =
            report.not_started.iter().copied().filter(|index| first(*index)).collect();
        for index in &not_started {
            let firing = flight.tasks[*index as usize];
            outcomes[*index as usize] = None;
            match flight.decided.stop(*index as usize) {
                Some(Stop::Cancelled) => {}
                Some(Stop::Paused) => self.put(firing, What::PausedAgain),
                None => {
                    self.put(firing, What::Again);
                    self.put_off(firing, now);
                }
            }
        }
        // What was handed on before may have been started.
        let is_repeat = flight.sent_again;
        let expired: Vec<u32> =
            report.expired.iter().copied().filter(|index| first(*index)).collect();
        for index in &expired {
            let firing = flight.tasks[*index as usize];
            let is_cancelled = flight.decided.stop(*index as usize) == Some(Stop::Cancelled);
            let is_dead = (firing.attempt > 1 || is_repeat) && !is_cancelled;
            outcomes[*index as usize] =
                Some(if is_dead { Outcome::DeadLettered } else { Outcome::Expired });
            if is_dead {
                self.put(firing, What::Dead);
            }
        }
        self.keep(shard, &flight, &outcomes, report, now, keep);
        self.follow_ended(shard, now, keep);
        let left_out = flight.decided.left_out();
        let is_started = |index: &usize| {
            !not_started.contains(&(*index as u32))
                && !expired.contains(&(*index as u32))
                && !left_out.contains(index)
        };
        for firing in &flight.tasks {
            self.release(&self.version(firing.version).id.clone(), now);
        }
        self.done.extend(
            dispatched
                .iter()
                .enumerate()
                .filter(|(index, _)| is_started(index))
                .map(|(_, firing)| *firing),
        );
    }

    /// Returns from when on a further attempt that is resumed `now` may start: the wait before it
    /// goes on while it is paused. A first attempt has no wait, but the time at which it came to
    /// wait, by a clock that may have gone back since.
    pub(crate) fn start_of_resumed(&self, firing: Firing, now: i64) -> i64 {
        if firing.attempt == 1 && self.clocks_step {
            return now;
        }
        self.not_before.get(&firing).map_or(now, |until| now.max(*until))
    }

    pub(crate) fn put_off(&mut self, firing: Firing, until: i64) {
        // The same may wait twice after a repeated request: the earlier counts.
        self.not_before
            .entry(firing)
            .and_modify(|least| *least = until.min(*least))
            .or_insert(until);
    }

    /// What the history must gain, and what must follow.
    fn keep(
        &mut self,
        shard: usize,
        flight: &Flight,
        outcomes: &[Option<Outcome>],
        report: &Report,
        now: i64,
        keep: Keep,
    ) {
        for (index, (firing, outcome)) in flight.tasks.iter().zip(outcomes).enumerate() {
            let Some(outcome) = *outcome else { continue };
            let is_good = matches!(outcome, Outcome::Succeeded | Outcome::HandedOver);
            let done = report.done.iter().find(|done| is_good && done.index as usize == index);
            let detail =
                report.details.iter().find(|detail| !is_good && detail.index as usize == index);
            let kept = Kept {
                id: self.version(firing.version).id.clone(),
                due: firing.time,
                attempt: firing.attempt,
                fired_at: flight.fired_at,
                reported_at: now,
                outcome,
                status: done
                    .and_then(|done| done.status)
                    .or(detail.and_then(|detail| detail.status)),
                millis: done.map(|done| done.millis).or(detail.map(|detail| detail.millis)),
                stage: firing.stage.name().to_owned(),
                was_dispatched: outcome.has_run(),
                target: self.target_of(*firing),
                tags: tags_of(*firing),
            };
            match flight.decided.stop(index) {
                Some(Stop::Cancelled) => {}
                stop => self.room.ended.push((*firing, kept.clone(), stop.is_some())),
            }
            if keep == Keep::All || keep == Keep::Failures && !is_good {
                self.history.entry(shard).or_default().push(kept);
            }
        }
    }

    /// Says whether it is dead. `began` is when its run was requested, and when the run that it
    /// follows ended; `first` when its first attempt began.
    fn failed(
        &mut self,
        firing: Firing,
        (requested, late_since): (Option<i64>, Option<i64>),
        first: i64,
        failure: &Failure,
        is_paused: bool,
        now: i64,
    ) -> bool {
        let version = self.version(firing.version);
        let input: RetryInput = serde_json::from_str(version.retry).unwrap();
        let policy = RetryPolicy::try_from(input).unwrap();
        let stage = if firing.stage == Stage::Run { "" } else { "/" };
        let key = format!("{}@{}{stage}{}", version.id, firing.time, firing.stage.name());
        let due = version.due(firing.time);
        let start = UnixMillis::new(late_since.unwrap_or(i64::MIN).max(requested.unwrap_or(due)));
        let first = UnixMillis::new(first);
        let next = policy.next_attempt(
            &key,
            firing.attempt,
            first,
            UnixMillis::new(now),
            failure.not_before,
        );
        let end = version
            .late
            .expire
            .filter(|_| firing.stage == Stage::Run)
            .map(|millis| start.plus(millis));
        let next = next.filter(|next| !failure.permanent && end.is_none_or(|end| *next <= end));
        match next.filter(|_| self.has_room_to_wait(firing)) {
            Some(at) => {
                let again = Firing { attempt: firing.attempt + 1, ..firing };
                self.put(again, if is_paused { What::PausedAgain } else { What::Again });
                self.put_off(again, at.get());
                false
            }
            None => {
                self.put(firing, What::Dead);
                true
            }
        }
    }

    /// Returns whether a filter means what waits, by the filter's description.
    pub(crate) fn matches(
        &self,
        filter: &Filter,
        firing: Firing,
        what: What,
        due: UnixMillis,
    ) -> bool {
        let version = self.version(firing.version);
        let kind = match version.schedule {
            Schedule::Once(..) => Kind::Once,
            Schedule::Recurring(recurring) => recurring.kind(),
            // What was told to run is a run of its own.
            Schedule::None if firing.time > 0 => Kind::Once,
            Schedule::None => Kind::NoSchedule,
        };
        let recurs = matches!(version.schedule, Schedule::Recurring(_));
        filter.kind.is_none_or(|wanted| wanted == kind || wanted == Kind::Recurring && recurs)
            && filter.status.is_none_or(|wanted| wanted == status_of(what))
            && filter.prefix.as_ref().is_none_or(|prefix| version.id.starts_with(prefix.as_str()))
            && filter.text.as_ref().is_none_or(|text| {
                version.description.to_lowercase().contains(&text.to_lowercase())
            })
            && filter.from.is_none_or(|from| due >= from)
            && filter.to.is_none_or(|to| due < to)
    }
}

/// The tags of the version that a firing is of.
fn tags_of(firing: Firing) -> Vec<String> {
    let tag = tag_of(firing.version);
    tag.map_or(Vec::new(), |tag| vec!["all".to_owned(), tag.to_owned()])
}

/// As which a recurring version waits, whatever run is next.
fn recurring_of(firing: Firing) -> Firing {
    Firing { time: 0, ..firing }
}

pub(crate) fn status_of(what: What) -> Status {
    match what {
        What::First | What::Recurring => Status::Scheduled,
        What::Again => Status::Retrying,
        What::Held => Status::Held,
        What::Unscheduled => Status::Unscheduled,
        What::Paused | What::PausedAgain | What::PausedRecurring => Status::Paused,
        What::Dead => Status::Dead,
    }
}
