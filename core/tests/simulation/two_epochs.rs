//! Two epochs of the shard map, and a coordinator that sends what was not answered a second time.
//!
//! By id, a request means what one shard would mean by it (`docs/changes.md`). So the same requests go to a *twin*: one shard that holds
//! everything, where no answer is lost. After every request that was carried out both hold the same, have dispatched the same, and have
//! answered the same. What the coordinator asks of which shard, in which order, is its own code ([`scheduler_core::epochs`]).
//!
//! A case is decided by its seed: the shards of both epochs, the requests, which tries are lost on their way or on their way back, what
//! fires between two tries, how attempts end, and restarts.

use crate::clients::record_of;
use crate::invariants::{violated, what_of};
use crate::model::{Firing, Version};
use crate::model::{Schedule, What, firing_of};
use crate::random::Random;
use crate::regressions::NOW;
use crate::schedules::{PutOff, Recurring};
use crate::storage::Storage;
use crate::world_cases::plain;
use scheduler_core::batch::ShardAppend;
use scheduler_core::engine::{Config, Effects, Engine, EngineError, Outgoing};
use scheduler_core::envelope::Envelope;
use scheduler_core::epochs::{Best, CancelledId, ChangedId, GoingOn, Means, Search, is_sent_once, others};
use scheduler_core::page::{Flags, PageBuilder};
use scheduler_core::routing::{ShardId, ShardMap, id_hash};
use scheduler_core::task::{Record, version_of};
use scheduler_core::time::UnixMillis;
use scheduler_core::wire::{
    Among, Append, CancelRequest, Cancelled, Change, ChangeRequest, Changed, Expected, Failure, ListItem, Report, Status,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Between two moments at which something is due, milliseconds.
const TICK: i64 = 1_000;
/// The wait before a second try, milliseconds; doubled before each further one.
const FIRST_WAIT: i64 = 50;
/// Tries before the one that gets through.
const MOST_LOST: u64 = 3;
const RETRIES: [&str; 3] = [
    r#"{"maxAttempts":1}"#,
    r#"{"maxAttempts":2,"minBackoffSeconds":1,"factor":1,"jitter":0}"#,
    r#"{"maxAttempts":4,"minBackoffSeconds":3,"factor":1,"jitter":0}"#,
];

/// A shard with its storage.
struct Place {
    engine: Engine,
    storage: Storage,
    /// What is to be reported: when, with what it holds.
    running: Vec<(UnixMillis, Outgoing)>,
    fired: BTreeMap<Firing, u32>,
}

fn load(storage: &Storage) -> Engine {
    let config = Config { max_dispatched: usize::MAX, fire_gap_millis: 0, ..Config::default() };
    Engine::load("1-0", config, storage.snapshot()).unwrap()
}

/// How an attempt ends: the same on the twin.
fn fails(firing: Firing) -> bool {
    let drawn = Random::new(firing.version ^ firing.time.cast_unsigned() ^ u64::from(firing.attempt).rotate_left(32)).next();
    drawn % 5 < 2
}

impl Place {
    fn new() -> Self {
        let storage = Storage::default();
        Self { engine: load(&storage), storage, running: Vec::new(), fired: BTreeMap::new() }
    }

    fn commit(&mut self, effects: Effects) -> bool {
        let writes = !effects.writes.is_empty();
        self.storage.apply(&effects.writes);
        writes
    }

    /// Fires what is due, and reports what has run for `runs_for` milliseconds.
    fn live(&mut self, now: UnixMillis, runs_for: i64) {
        self.report(now);
        while self.wake(now, runs_for) {
            self.report(now);
        }
    }

    /// Reports what has ended by now.
    fn report(&mut self, now: UnixMillis) {
        for (_, sent) in self.running.extract_if(.., |(ends, _)| *ends <= now).collect::<Vec<_>>() {
            let envelope = Envelope::parse(std::str::from_utf8(&sent.text).unwrap()).unwrap();
            let is_failed = |task: &str| fails(firing_of(&Record::parse(task.as_bytes()).unwrap()));
            let failed = (0..).zip(&envelope.tasks).filter(|(_, task)| is_failed(task.get()));
            let failed = failed.map(|(index, _)| Failure { index, error: "no".to_owned(), ..Failure::default() }).collect();
            let report = Report { seq: sent.seq, failed, ..Report::default() };
            let effects = self.engine.report(&report, now, &self.storage).unwrap();
            self.commit(effects);
        }
    }

    /// Fires what is due, to be reported `runs_for` milliseconds later. Says whether anything was to be done.
    fn wake(&mut self, now: UnixMillis, runs_for: i64) -> bool {
        if self.engine.next_wakeup().is_none_or(|at| at > now) {
            return false;
        }
        let effects = self.engine.wake(now, &self.storage).unwrap();
        let sends = effects.sends.clone();
        self.commit(effects);
        for sent in sends {
            for task in Envelope::parse(std::str::from_utf8(&sent.text).unwrap()).unwrap().tasks {
                *self.fired.entry(firing_of(&Record::parse(task.get().as_bytes()).unwrap())).or_default() += 1;
            }
            self.running.push((now.plus(runs_for), sent));
        }
        true
    }

    /// How much waits or runs under an id, beside dead letters.
    fn lives(&self, id: &str) -> usize {
        let waiting = self.holds().into_iter().filter(|(of, what, _)| of == id && *what != What::Dead).count();
        let is_of_id = |task: &&serde_json::value::RawValue| Record::parse(task.get().as_bytes()).unwrap().id == id;
        let texts = self.running.iter().map(|(_, sent)| std::str::from_utf8(&sent.text).unwrap());
        waiting + texts.flat_map(|text| Envelope::parse(text).unwrap().tasks).filter(is_of_id).count()
    }

    /// What waits under each id.
    fn holds(&self) -> Vec<(String, What, String)> {
        let one = |waiting: &crate::storage::Waiting| {
            let text = String::from_utf8_lossy(&waiting.record).into_owned();
            (waiting.record.facts().id.to_string(), what_of(waiting), text)
        };
        self.storage.waiting().iter().map(one).collect()
    }
}

/// A request as the twin carries it out.
#[derive(Clone)]
enum Asked {
    Append(Append),
    Cancel(Vec<String>),
    Change(Vec<String>, Change),
}

/// What the coordinator tells its client.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Done,
    Refused,
    Cancelled(Vec<Cancelled>),
    Changed(Vec<Changed>),
    /// An answer was lost.
    Unknown,
}

impl Told {
    fn of_what_is_due(self) -> Self {
        let changed = |of| if of == Changed::Unchanged { Changed::Changed } else { of };
        match self {
            Self::Changed(outcomes) => Self::Changed(outcomes.into_iter().map(changed).collect()),
            other => other,
        }
    }
}

/// What the cases amounted to.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    requests: u64,
    /// Those of an id that an older epoch holds a task or an attempt of, or a dead letter.
    in_old: u64,
    /// Requests of ids of which both epochs hold something.
    in_both: u64,
    second_tries: u64,
    /// Second tries of what was carried out before.
    repeated: u64,
    went_on: u64,
    unknown: u64,
    fired: u64,
}

struct Case {
    random: Random,
    now: UnixMillis,
    map: ShardMap,
    shards: BTreeMap<ShardId, Place>,
    twin: Place,
    versions: Vec<Version>,
    /// What the twin has not done yet of the request at hand.
    asked: Option<Asked>,
    told: Option<Told>,
    /// Whether what is due between two tries fires.
    fires_between: bool,
    /// What is lost of the next tries, instead of what is drawn: before it is carried out, or after.
    lost: Option<VecDeque<Option<bool>>>,
    /// Ids that the twin is not asked of any more: of several dead letters the coordinator moves that of the newest epoch, not the newest.
    apart: Vec<String>,
    counts: Counts,
    traced: bool,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let map: ShardMap = random.pick(&["1", "2", "3"]).parse().unwrap();
        let shards = map.all().map(|shard| (shard, Place::new())).collect();
        let twin = Place::new();
        Self {
            random,
            now: NOW,
            map,
            shards,
            twin,
            versions: Vec::new(),
            asked: None,
            told: None,
            fires_between: false,
            lost: None,
            apart: Vec::new(),
            counts: Counts::default(),
            traced: false,
        }
    }

    /// The shard map gets another epoch.
    fn widen(&mut self, shards: &str) {
        let old = self.map.all().count();
        self.map = format!("{old},{shards}").parse().unwrap();
        for shard in self.map.all() {
            self.shards.entry(shard).or_insert_with(Place::new);
        }
    }

    fn live(&mut self, runs_for: i64) {
        self.twin.live(self.now, runs_for);
        self.shards.values_mut().for_each(|place| place.live(self.now, runs_for));
    }

    /// Fires what is due. An attempt that fails before a second try would be another matter: that moves the further attempt.
    fn fire(&mut self) {
        let now = self.now;
        for place in self.shards.values_mut().chain([&mut self.twin]) {
            while place.wake(now, 0) {}
        }
    }

    fn tick(&mut self) {
        self.now = UnixMillis::new((self.now.get() / TICK + 1) * TICK);
        let runs_for = *self.random.pick(&[0, 0, TICK, 4 * TICK]);
        self.live(runs_for);
    }

    /// The twin carries out the request at hand, if it has not.
    fn act(&mut self, again: bool) {
        let Some(asked) = self.asked.take() else { return };
        let (twin, now) = (&mut self.twin, self.now);
        let (told, effects) = match asked {
            Asked::Append(mut append) => {
                append.terms.again |= again && !append.schedules.is_empty();
                match twin.engine.append(append, now, &twin.storage) {
                    Ok((_, effects)) => (Told::Done, effects),
                    Err(EngineError::Conflict(_)) => (Told::Refused, Effects::default()),
                    Err(problem) => violated("no-unexpected-errors", problem.to_string()),
                }
            }
            Asked::Cancel(ids) => {
                let request = CancelRequest { ids, if_match: None };
                let (reply, effects) = twin.engine.cancel(&request, now, &twin.storage).unwrap();
                (Told::Cancelled(reply.outcomes), effects)
            }
            Asked::Change(ids, change) => {
                let request = ChangeRequest { ids, change, if_match: None };
                let (reply, effects) = twin.engine.change(&request, now, &twin.storage).unwrap();
                (Told::Changed(reply.outcomes), effects)
            }
        };
        self.trace(|| format!("twin: {told:?}, {effects:?}"));
        self.twin.commit(effects);
        self.told = Some(told);
    }

    /// Sends a request to a shard as the coordinator does: a try that is not answered is followed by another. Says whether there was one.
    fn send<T>(
        &mut self,
        shard: ShardId,
        most: u64,
        mut call: impl FnMut(&mut Engine, UnixMillis, &Storage, bool) -> Result<(T, Effects), EngineError>,
    ) -> Result<(T, bool), Told> {
        let lost = if most > 0 && self.lost.is_none() && self.random.chance(300) { 1 + self.random.below(most) } else { 0 };
        let (mut is_first, mut is_done, mut wait) = (true, false, FIRST_WAIT);
        for at in 0..=lost.max(self.lost.as_ref().map_or(0, |lost| lost.len() as u64)) {
            let drawn = if at < lost { Some(self.random.chance(600)) } else { None };
            let loses = self.lost.as_mut().map_or(drawn, |lost| lost.pop_front().flatten());
            self.trace(|| format!("{shard}: first {is_first}, loses {loses:?}"));
            self.counts.second_tries += u64::from(!is_first);
            self.counts.repeated += u64::from(!is_first && is_done);
            if loses != Some(false) {
                let place = self.shards.get_mut(&shard).expect("a shard of the map");
                let answer = call(&mut place.engine, self.now, &place.storage, is_first);
                let answer = answer.map(|(answer, effects)| (answer, place.commit(effects)));
                if answer.as_ref().is_ok_and(|(_, writes)| *writes) {
                    is_done = true;
                    self.act(!is_first);
                }
                if loses.is_none() {
                    return match answer {
                        Ok((answer, _)) => Ok((answer, !is_first)),
                        Err(EngineError::Conflict(_)) => Err(if is_first { Told::Refused } else { Told::Unknown }),
                        Err(problem) => violated("no-unexpected-errors", problem.to_string()),
                    };
                }
            }
            if most == 0 {
                return Err(Told::Unknown);
            }
            is_first = false;
            self.now = self.now.plus(wait);
            wait *= 2;
            if self.random.chance(200) {
                let place = self.shards.get_mut(&shard).expect("a shard of the map");
                place.engine = load(&place.storage);
            }
            if self.fires_between {
                self.fire();
            }
        }
        Err(Told::Unknown)
    }

    fn cancel(&mut self, ids: &[String]) -> Told {
        self.trace(|| format!("cancel {ids:?}"));
        let mut search: Search<CancelledId> = Search::new(&self.map, ids, Means::Everything);
        while let Some((among, by_shard)) = search.next_round() {
            for (shard, places) in by_shard {
                let request = CancelRequest { ids: places.iter().map(|at| ids[*at].clone()).collect(), if_match: None };
                let sent = self.send(shard, MOST_LOST, |engine, now, storage, first| {
                    engine.cancel_among(&request, if first { among } else { among.again() }, now, storage)
                });
                let (reply, is_repeat) = match sent {
                    Ok(answer) => answer,
                    Err(told) => return told,
                };
                let outcomes =
                    reply.outcomes.iter().map(|outcome| CancelledId { outcome: *outcome, is_running: false }).collect();
                search.answered(places, outcomes, is_repeat);
            }
        }
        let (outcomes, is_repeat) = search.finish();
        if is_repeat { Told::Unknown } else { Told::Cancelled(outcomes.into_iter().map(|of| of.outcome).collect()) }
    }

    fn change(&mut self, ids: &[String], change: Change) -> Told {
        self.trace(|| format!("{change:?} {ids:?}"));
        let means = Means::of(change);
        self.fires_between = means == Means::OneThing && ids.iter().all(|id| self.is_one_thing(id));
        let mut search: Search<ChangedId> = Search::new(&self.map, ids, means);
        while let Some((among, by_shard)) = search.next_round() {
            // Where one of several is lost that are sent once, nobody can tell what is done.
            let most = if is_sent_once(change, among) { 0 } else { MOST_LOST };
            let loses = most == 0 && by_shard.len() == 1 && self.random.chance(100);
            for (shard, places) in by_shard {
                let request = ChangeRequest { ids: places.iter().map(|at| ids[*at].clone()).collect(), change, if_match: None };
                if loses && self.lost.is_none() {
                    self.lost = Some(VecDeque::from([Some(self.random.chance(500))]));
                }
                let sent = self.send(shard, most, |engine, now, storage, first| {
                    engine.change_among(&request, if first { among } else { among.again() }, None, now, storage)
                });
                if loses {
                    self.lost = None;
                }
                let (reply, is_repeat) = match sent {
                    Ok(answer) => answer,
                    Err(told) => return told,
                };
                let outcomes = reply.outcomes.iter().map(|outcome| ChangedId { outcome: *outcome, is_running: false }).collect();
                search.answered(places, outcomes, is_repeat);
            }
        }
        let (outcomes, is_repeat) = search.finish();
        if is_repeat { Told::Unknown } else { Told::Changed(outcomes.into_iter().map(|of| of.outcome).collect()) }
    }

    /// A `PUT`.
    fn put(&mut self, id: &str, append: &Append) -> Told {
        self.trace(|| format!("put {:?}", self.versions.last()));
        let part = Append::decode(&append.encode()).unwrap();
        let mut parts = [ShardAppend { shard: self.map.home(id), append: part, items: vec![0], first_due: self.now }];
        let mut going_on = GoingOn::new(&self.map, &parts);
        self.fires_between = true;
        while let Some((shard, append)) = going_on.next_ask() {
            let sent = self.send(shard, MOST_LOST, |engine, now, storage, _| {
                let (reply, effects) = engine.go_on_here(Append::decode(&append.encode()).unwrap(), now, storage)?;
                Ok((reply?, effects))
            });
            match sent {
                Ok((reply, is_repeat)) => going_on.answered(reply.went_on, is_repeat),
                Err(told) => return told,
            }
        }
        let lives_on = going_on.finish(&mut parts).get(id).copied();
        // A task that is about to be dropped from another epoch may not fire meanwhile on the twin.
        self.fires_between = false;
        self.counts.went_on += u64::from(lives_on.is_some());
        let [ShardAppend { shard, append: mut part, .. }] = parts;
        if let Some(Asked::Append(of_twin)) = &mut self.asked {
            of_twin.terms.again = part.terms.again;
        }
        if lives_on.is_none() {
            let sent = self.send(shard, MOST_LOST, |engine, now, storage, first| {
                part.begin_try(first);
                engine.append(Append::decode(&part.encode()).unwrap(), now, storage)
            });
            if let Err(told) = sent {
                return told;
            }
        }
        for (shard, ids) in others(&self.map, std::iter::once((id, lives_on))) {
            let request = CancelRequest { ids, if_match: None };
            let sent =
                self.send(shard, MOST_LOST, |engine, now, storage, _| engine.cancel_among(&request, Among::Live, now, storage));
            if let Err(told) = sent {
                return told;
            }
        }
        Told::Done
    }

    fn find(&mut self, id: &str) -> Option<(ShardId, ListItem)> {
        let mut best = Best::default();
        for shard in self.map.homes(id) {
            let place = &self.shards[&shard];
            if best.answered(shard, place.engine.get(id, &place.storage).unwrap()) {
                break;
            }
        }
        best.finish()
    }

    /// A `PATCH` of the description.
    fn patch(&mut self, id: &str) -> Option<Told> {
        let (shard, item) = self.find(id)?;
        let is_task = item.status == Status::Scheduled && !item.is_attempt;
        if !is_task {
            return None;
        }
        let stored = Record::parse(item.record.get().as_bytes()).unwrap();
        let description = format!("patched at {}", self.now);
        let mut text = Vec::new();
        Record { description: Some(Cow::Borrowed(&description)), first_run: None, ..stored.clone() }.write(&mut text);
        let mut append = append_of(id, &text);
        append.expected = Some(Expected::Version(version_of(item.record.get().as_bytes())));
        append.terms.tasks_only = true;
        self.asked = Some(Asked::Append(Append::decode(&append.encode()).unwrap()));
        self.fires_between = true;
        let sent = self.send(shard, MOST_LOST, |engine, now, storage, first| {
            append.begin_try(first);
            engine.append(Append::decode(&append.encode()).unwrap(), now, storage)
        });
        Some(match sent {
            Ok(_) => Told::Done,
            Err(told) => told,
        })
    }

    /// Defines an id, with another schedule or with that of the last definition.
    fn definition(&mut self, id: &str) -> Append {
        let n = self.versions.len() as u64;
        let last = self.versions.iter().rev().find(|version| version.id == id).map(|version| version.schedule);
        let now = self.now.get();
        let drawn = match self.random.below(6) {
            0..2 => Schedule::Once(now + TICK * self.random.range(0, 8), PutOff::default()),
            2 => Schedule::Once(now + 1_000_000_000, PutOff::default()),
            3 => Schedule::None,
            _ => {
                let max_runs = *self.random.pick(&[None, Some(1), Some(3)]);
                Schedule::Recurring(Recurring::each_seconds(*self.random.pick(&[1, 2, 3_600]), NOW.get(), max_runs))
            }
        };
        // A task that does not recur begins anew in the newest epoch, also if it is defined as it was.
        let may_go_on = self.stands(id).1 == 0 || matches!(last, Some(Schedule::Recurring(_)));
        let schedule = last.filter(|_| self.random.chance(500)).unwrap_or(drawn);
        let schedule =
            if may_go_on { schedule } else { Schedule::Once(now + 2_000_000_000 + n.cast_signed(), PutOff::default()) };
        let retry = *self.random.pick(&RETRIES);
        let version = Version { id: id.to_owned(), retry, description: format!("No. {n}"), ..plain(schedule) };
        let record = record_of(&version, n, self.now, 0);
        self.versions.push(version);
        append_of(id, &record)
    }

    /// How much stands under an id in the newest epoch, and in older ones.
    fn stands(&self, id: &str) -> (usize, usize) {
        let home = self.map.home(id);
        let of = |place: &Place| place.holds().iter().filter(|(of, ..)| of == id).count();
        let older = self.map.homes(id).filter(|shard| *shard != home).map(|shard| of(&self.shards[&shard]));
        (of(&self.shards[&home]), older.sum())
    }

    /// Whether at most one thing lives under an id. If one of several is moved and fires before a second try, that moves another.
    fn is_one_thing(&self, id: &str) -> bool {
        self.twin.lives(id) <= 1
    }

    /// Whether something of an id lives on several shards: then the newest epoch comes first, on one shard the newest run.
    fn lives_apart(&self, id: &str) -> bool {
        self.map.homes(id).filter(|shard| self.shards[shard].lives(id) > 0).count() > 1
    }

    /// Whether several epochs hold dead letters of an id and nothing of it lives.
    fn has_dead_letters_apart(&self, id: &str) -> bool {
        let homes: Vec<&Place> = self.map.homes(id).map(|shard| &self.shards[&shard]).collect();
        let has_some = homes.iter().filter(|place| place.holds().iter().any(|(of, ..)| of == id)).count();
        has_some > 1 && homes.iter().all(|place| place.lives(id) == 0)
    }

    fn request(&mut self) {
        let names: Vec<String> = (0..5).map(|n| format!("task-{n}")).filter(|id| !self.apart.contains(id)).collect();
        let Some(id) = names.get(self.random.below(names.len() as u64) as usize).cloned() else { return };
        self.counts.requests += 1;
        let (newest, older) = self.stands(&id);
        self.counts.in_old += u64::from(older > 0 && !self.map.is_single());
        self.counts.in_both += u64::from(older > 0 && newest > 0);
        (self.fires_between, self.told) = (false, None);
        let told = match self.random.below(20) {
            0..7 => {
                let append = self.definition(&id);
                self.asked = Some(Asked::Append(Append::decode(&append.encode()).unwrap()));
                Some(self.put(&id, &append))
            }
            7..10 => {
                let ids = if self.random.chance(300) { names } else { vec![id.clone()] };
                // Of several ids some may be in doubt: what is lost is drawn for one.
                self.lost = (ids.len() > 1).then(VecDeque::new);
                self.asked = Some(Asked::Cancel(ids.clone()));
                let told = self.cancel(&ids);
                self.lost = None;
                Some(told)
            }
            10..17 => {
                let change = match self.random.below(8) {
                    0 => Change::Pause,
                    1..3 => Change::Resume,
                    3..5 => Change::Run,
                    _ => Change::Reschedule(self.now.plus(*self.random.pick(&[0, 0, TICK, 20 * TICK])).into()),
                };
                if matches!(change, Change::Reschedule(_)) && self.lives_apart(&id) {
                    return;
                }
                if matches!(change, Change::Reschedule(_)) && self.has_dead_letters_apart(&id) {
                    return self.move_apart(&id, change);
                }
                self.asked = Some(Asked::Change(vec![id.clone()], change));
                Some(self.change(std::slice::from_ref(&id), change))
            }
            17..19 => self.patch(&id),
            _ => {
                let shown = self.find(&id).map(|(_, item)| (item.status, item.record.get().to_owned()));
                let of_twin = self.twin.engine.get(&id, &self.twin.storage).unwrap();
                let of_twin = of_twin.map(|item| (item.status, item.record.get().to_owned()));
                if shown.as_ref().map(|(status, _)| *status) != of_twin.as_ref().map(|(status, _)| *status) {
                    violated("means-what-one-shard-means", format!("get of {id} shows {shown:?}, one shard {of_twin:?}"));
                }
                None
            }
        };
        let Some(told) = told else { return };
        self.trace(|| format!("request of {id}: {told:?}; the twin has it before it: {}", self.asked.is_some()));
        // What was cancelled in flight is in the way of dead letters: then nothing is done.
        let is_in_the_way =
            matches!(&told, Told::Changed(outcomes) if *outcomes == [Changed::AlreadyFired]) && self.asked.is_some();
        if told == Told::Unknown || is_in_the_way {
            self.counts.unknown += 1;
            self.asked = None;
        } else {
            self.act(false);
            let of_twin = self.told.take();
            // What is due now is due a moment later on a shard that has fired something else just now.
            let told = told.of_what_is_due();
            if of_twin.map(Told::of_what_is_due).as_ref() != Some(&told) {
                violated("means-what-one-shard-means", format!("{told:?}, not as one shard, for {id}"));
            }
        }
        self.compare();
    }

    /// Moves one of the dead letters of several epochs.
    fn move_apart(&mut self, id: &str, change: Change) {
        let count = |case: &Self| {
            let (newest, older) = case.stands(id);
            let dead = case.shards.values().flat_map(Place::holds).filter(|(of, what, _)| of == id && *what == What::Dead);
            (newest + older, dead.count())
        };
        let (all, dead) = count(self);
        self.change(std::slice::from_ref(&id.to_owned()), change);
        let (all_now, dead_now) = count(self);
        if all_now > all || dead_now + 1 < dead {
            violated("means-what-one-shard-means", format!("a reschedule has moved {} dead letters of {id}", dead - dead_now));
        }
        self.apart.push(id.to_owned());
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if self.traced {
            println!("{:>9} {}", self.now.since(NOW), text());
        }
    }

    /// `means-what-one-shard-means`: all shards together hold what the twin holds, and have dispatched the same.
    fn compare(&self) {
        let is_meant = |id: &String| !self.apart.contains(id);
        let mut held: Vec<_> = self.shards.values().flat_map(Place::holds).filter(|(id, ..)| is_meant(id)).collect();
        let mut expected: Vec<_> = self.twin.holds().into_iter().filter(|(id, ..)| is_meant(id)).collect();
        held.sort();
        expected.sort();
        if held != expected {
            let extra: Vec<_> = held.iter().filter(|of| !expected.contains(of)).collect();
            let lost: Vec<_> = expected.iter().filter(|of| !held.contains(of)).collect();
            violated(
                "means-what-one-shard-means",
                format!("too much: {extra:?}; lost: {lost:?}; of {} {}", held.len(), expected.len()),
            );
        }
        let mut fired: HashMap<Firing, u32> = HashMap::new();
        for (firing, times) in self.shards.values().flat_map(|place| &place.fired) {
            *fired.entry(*firing).or_default() += times;
        }
        for firing in fired.keys().chain(self.twin.fired.keys()) {
            let (times, expected) = (fired.get(firing), self.twin.fired.get(firing));
            if times != expected && is_meant(&self.versions[firing.version as usize].id) {
                violated(
                    "means-what-one-shard-means",
                    format!("{firing:?} was dispatched {times:?} times, by one shard {expected:?}"),
                );
            }
        }
    }
}

/// What the coordinator would send for this record.
fn append_of(id: &str, record: &[u8]) -> Append {
    let read = Record::parse(record).unwrap();
    if read.is_recurring() {
        return Append { schedules: vec![record.to_vec()], ..Append::default() };
    }
    let due = read.time.map_or(UnixMillis::NEVER, |_| read.due());
    let mut builder = PageBuilder::default();
    assert!(builder.push(id_hash(id), due, Flags::TASK, |out| out.extend_from_slice(record)));
    Append { pages: builder.finish(), ..Append::default() }
}

/// Runs the case of a seed.
fn run(seed: u64, traced: bool) -> Counts {
    let mut case = Case { traced, ..Case::new(seed) };
    for _ in 0..10 {
        case.request();
        case.tick();
        case.compare();
    }
    let shards = *case.random.pick(&["1", "2", "3"]);
    case.widen(shards);
    for _ in 0..30 {
        case.request();
        if case.random.chance(600) {
            case.tick();
            case.compare();
        }
    }
    case.counts.fired = case.twin.fired.values().map(|times| u64::from(*times)).sum();
    case.counts
}

#[test]
fn by_id_a_request_means_one_task_in_all_epochs() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (from, seeds) = (number("SIM_FROM").unwrap_or(0), number("SIM_EPOCH_SEEDS").unwrap_or(2_000));
    let mut sum = Counts::default();
    let mut failed = Vec::new();
    for seed in from..from + seeds {
        let Ok(counts) = std::panic::catch_unwind(|| run(seed, seeds == 1)) else {
            failed.push(seed);
            if failed.len() == 10 {
                break;
            }
            continue;
        };
        sum.requests += counts.requests;
        sum.in_old += counts.in_old;
        sum.in_both += counts.in_both;
        sum.second_tries += counts.second_tries;
        sum.repeated += counts.repeated;
        sum.went_on += counts.went_on;
        sum.unknown += counts.unknown;
        sum.fired += counts.fired;
    }
    assert!(
        failed.is_empty(),
        "of two epochs the cases {failed:?} failed, of which SIM_FROM and SIM_EPOCH_SEEDS run single ones"
    );
    println!("{seeds} cases of two epochs: {sum:?}");
    assert!(sum.in_old > seeds * 2, "hardly anything stands in an older epoch: {sum:?}");
    assert!(sum.in_both > seeds / 4, "hardly anything stands in both epochs: {sum:?}");
    assert!(sum.repeated > seeds, "hardly anything is sent again that was carried out: {sum:?}");
    assert!(sum.went_on > seeds / 10, "hardly anything goes on in an older epoch: {sum:?}");
    assert!(sum.fired > seeds * 10, "hardly anything fires: {sum:?}");
}
