//! Two epochs of the shard map, and a coordinator that repeats requests without an answer.
//!
//! A request by id must mean what it would mean for a single shard (`docs/changes.md`). So the same
//! requests go to a *twin*: one shard that holds everything and never loses an answer. After every
//! request that was carried out, both hold the same, have dispatched the same, and have answered
//! the same. The coordinator's own code decides which request goes to which shard, in which order
//! ([`scheduler_model::epochs`]).
//!
//! The seed of a case determines the shards of both epochs, the requests, which tries and which
//! answers are lost, what fires between two tries, how attempts end, and restarts.

mod coordinator;
mod place;

use crate::clients::record_of;
use crate::invariants::violated;
use crate::model::{Firing, Schedule, Version, What};
use crate::random::Random;
use crate::regressions::NOW;
use crate::schedules::{PutOff, Recurring};
use crate::world_cases::plain;
use place::Place;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing;
use scheduler_engine::{Effects, EngineError};
use scheduler_model::protocol::{Append, CancelRequest, Cancelled, Change, ChangeRequest, Changed};
use scheduler_model::routing::{ShardId, ShardMap};
use scheduler_model::task::Record;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The milliseconds between two moments at which something is due.
const TICK: i64 = 1_000;
const RETRIES: [&str; 3] = [
    r#"{"maxAttempts":1}"#,
    r#"{"maxAttempts":2,"minBackoffSeconds":1,"factor":1,"jitter":0}"#,
    r#"{"maxAttempts":4,"minBackoffSeconds":3,"factor":1,"jitter":0}"#,
];

/// A request as the twin carries it out.
#[derive(Clone)]
enum Asked {
    Append(Box<Append>),
    Cancel(Vec<String>),
    Change(Vec<String>, Change),
}

/// The answer of the coordinator to its client.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reply {
    Done,
    Refused,
    Cancelled(Vec<Cancelled>),
    Changed(Vec<Changed>),
    /// The answer was lost.
    Unknown,
}

/// The counts of the cases.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    requests: u64,
    /// Requests for an id with a task, an attempt or a dead letter in an older epoch.
    in_old: u64,
    /// Requests for ids with something in both epochs.
    in_both: u64,
    second_tries: u64,
    /// Second tries of requests that were carried out before.
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
    /// The part of the current request that the twin has not done yet.
    asked: Option<Asked>,
    reply: Option<Reply>,
    /// Whether tasks that are due between two tries fire.
    fires_between: bool,
    /// What is lost of the next tries, instead of what is drawn: the request, or its answer.
    lost: Option<VecDeque<Option<bool>>>,
    /// Ids for which the twin gets no more requests. Of several dead letters, the coordinator moves
    /// that of the newest epoch, not the newest one.
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
            reply: None,
            fires_between: false,
            lost: None,
            apart: Vec::new(),
            counts: Counts::default(),
            traced: false,
        }
    }

    /// Adds an epoch to the shard map.
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

    /// Fires what is due. Attempts do not fail here, because a second try would move the further
    /// attempt of one that has failed.
    fn fire(&mut self) {
        let now = self.now;
        for place in self.shards.values_mut().chain([&mut self.twin]) {
            while place.wake(now, 0) {}
        }
        self.leave_the_moment();
    }

    fn tick(&mut self) {
        self.now = UnixMillis::new((self.now.get() / TICK + 1) * TICK);
        let runs_for = *self.random.pick(&[0, 0, TICK, 4 * TICK]);
        self.live(runs_for);
        self.leave_the_moment();
    }

    /// Ends a moment at which shards have fired something. In the same moment, a shard that has
    /// fired and one that has not give a new run different times.
    fn leave_the_moment(&mut self) {
        self.now = self.now.plus(1);
    }

    /// Lets the twin carry out the current request, unless it has done so.
    fn act(&mut self, again: bool) {
        let Some(asked) = self.asked.take() else { return };
        let (twin, now) = (&mut self.twin, self.now);
        let (reply, effects) = match asked {
            Asked::Append(mut append) => {
                append.terms.again |= again && !append.schedules.is_empty();
                match twin.engine.append(*append, now, &twin.storage) {
                    Ok((_, effects)) => (Reply::Done, effects),
                    Err(EngineError::Conflict(_)) => (Reply::Refused, Effects::default()),
                    Err(problem) => violated("no-unexpected-errors", problem.to_string()),
                }
            }
            Asked::Cancel(ids) => {
                let request = CancelRequest { ids, if_match: None };
                let (reply, effects) = twin.engine.cancel(&request, now, &twin.storage).unwrap();
                (Reply::Cancelled(reply.outcomes), effects)
            }
            Asked::Change(ids, change) => {
                let request = ChangeRequest { ids, change, if_match: None, pause: None };
                let (reply, effects) = twin.engine.change(&request, now, &twin.storage).unwrap();
                (Reply::Changed(reply.outcomes), effects)
            }
        };
        self.trace(|| format!("twin: {reply:?}, {effects:?}"));
        self.twin.commit(effects);
        self.reply = Some(reply);
    }

    /// Defines an id, with another schedule or with the schedule of the last definition.
    fn definition(&mut self, id: &str) -> Append {
        let n = self.versions.len() as u64;
        let last = self
            .versions
            .iter()
            .rev()
            .find(|version| version.id == id)
            .map(|version| version.schedule);
        let now = self.now.get();
        let drawn = match self.random.below(6) {
            0..2 => Schedule::Once(now + TICK * self.random.range(0, 8), PutOff::default()),
            2 => Schedule::Once(now + 1_000_000_000, PutOff::default()),
            3 => Schedule::None,
            _ => {
                let max_runs = *self.random.pick(&[None, Some(1), Some(3)]);
                Schedule::Recurring(Recurring::each_seconds(
                    *self.random.pick(&[1, 2, 3_600]),
                    NOW.get(),
                    max_runs,
                ))
            }
        };
        // A one-shot task starts again in the newest epoch, even if its definition is the same.
        let may_continue =
            self.counts_of(id).1 == 0 || matches!(last, Some(Schedule::Recurring(_)));
        let schedule = last.filter(|_| self.random.chance(500)).unwrap_or(drawn);
        let schedule = if may_continue {
            schedule
        } else {
            Schedule::Once(now + 2_000_000_000 + n.cast_signed(), PutOff::default())
        };
        let retry = *self.random.pick(&RETRIES);
        let version = Version {
            id: id.to_owned(),
            retry,
            description: format!("No. {n}"),
            ..plain(schedule)
        };
        let record = record_of(&version, n, self.now, 0);
        self.versions.push(version);
        append_of(id, &record)
    }

    /// Returns the number of entries under an id in the newest epoch, and in older ones.
    fn counts_of(&self, id: &str) -> (usize, usize) {
        let home = self.map.home(id);
        let of = |place: &Place| place.holds().iter().filter(|(of, ..)| of == id).count();
        let older =
            self.map.homes(id).filter(|shard| *shard != home).map(|shard| of(&self.shards[&shard]));
        (of(&self.shards[&home]), older.sum())
    }

    /// Returns whether at most one entry lives under an id. If one of several is moved and fires
    /// before a second try, that try moves another one.
    fn is_one_thing(&self, id: &str) -> bool {
        self.twin.lives(id) <= 1
    }

    /// Returns whether several shards have live entries of an id. Then the newest epoch comes
    /// first, while on one shard the newest run does.
    fn lives_apart(&self, id: &str) -> bool {
        self.map.homes(id).filter(|shard| self.shards[shard].lives(id) > 0).count() > 1
    }

    /// Returns whether several epochs have dead letters of an id, and nothing of it lives.
    fn has_dead_letters_apart(&self, id: &str) -> bool {
        let homes: Vec<&Place> = self.map.homes(id).map(|shard| &self.shards[&shard]).collect();
        let has_some =
            homes.iter().filter(|place| place.holds().iter().any(|(of, ..)| of == id)).count();
        has_some > 1 && homes.iter().all(|place| place.lives(id) == 0)
    }

    fn request(&mut self) {
        let names: Vec<String> =
            (0..5).map(|n| format!("task-{n}")).filter(|id| !self.apart.contains(id)).collect();
        let Some(id) = names.get(self.random.below(names.len() as u64) as usize).cloned() else {
            return;
        };
        self.counts.requests += 1;
        let (newest, older) = self.counts_of(&id);
        self.counts.in_old += u64::from(older > 0 && !self.map.is_single());
        self.counts.in_both += u64::from(older > 0 && newest > 0);
        (self.fires_between, self.reply) = (false, None);
        let reply = match self.random.below(20) {
            0..7 => {
                let append = self.definition(&id);
                self.asked =
                    Some(Asked::Append(Box::new(Append::decode(&append.encode()).unwrap())));
                Some(self.put(&id, &append))
            }
            7..10 => {
                let ids = if self.random.chance(300) { names } else { vec![id.clone()] };
                // The state of some of several ids may be unknown, so the losses are drawn for a
                // single id only.
                self.lost = (ids.len() > 1).then(VecDeque::new);
                self.asked = Some(Asked::Cancel(ids.clone()));
                let reply = self.cancel(&ids);
                self.lost = None;
                Some(reply)
            }
            10..17 => {
                let change = match self.random.below(8) {
                    0 => Change::Pause,
                    1..3 => Change::Resume,
                    3..5 => Change::Run,
                    _ => Change::Reschedule(
                        self.now.plus(*self.random.pick(&[0, 0, TICK, 20 * TICK])).into(),
                    ),
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
                let shown =
                    self.find(&id).map(|(_, item)| (item.status, item.record.get().to_owned()));
                let of_twin = self.twin.engine.get(&id, &self.twin.storage).unwrap();
                let of_twin = of_twin.map(|item| (item.status, item.record.get().to_owned()));
                if shown.as_ref().map(|(status, _)| *status)
                    != of_twin.as_ref().map(|(status, _)| *status)
                {
                    violated(
                        "means-what-one-shard-means",
                        format!("get of {id} shows {shown:?}, one shard {of_twin:?}"),
                    );
                }
                None
            }
        };
        let Some(reply) = reply else { return };
        self.trace(|| {
            format!(
                "request for {id}: {reply:?}; the twin still has to do it: {}",
                self.asked.is_some()
            )
        });
        // A run that was cancelled in flight prevents a change of dead letters. Then nothing is
        // done.
        let is_in_the_way = matches!(&reply, Reply::Changed(outcomes) if *outcomes == [Changed::AlreadyFired])
            && self.asked.is_some();
        if reply == Reply::Unknown || is_in_the_way {
            self.counts.unknown += 1;
            self.asked = None;
        } else {
            self.act(false);
            let of_twin = self.reply.take();
            if of_twin.as_ref() != Some(&reply) {
                violated(
                    "means-what-one-shard-means",
                    format!("{reply:?}, but {of_twin:?} by one shard, for {id}"),
                );
            }
        }
        self.compare();
    }

    /// Moves one of the dead letters of several epochs.
    fn move_apart(&mut self, id: &str, change: Change) {
        let count = |case: &Self| {
            let (newest, older) = case.counts_of(id);
            let dead = case
                .shards
                .values()
                .flat_map(Place::holds)
                .filter(|(of, what, _)| of == id && *what == What::Dead);
            (newest + older, dead.count())
        };
        let (all, dead) = count(self);
        self.change(std::slice::from_ref(&id.to_owned()), change);
        let (all_now, dead_now) = count(self);
        if all_now > all || dead_now + 1 < dead {
            violated(
                "means-what-one-shard-means",
                format!("a reschedule has moved {} dead letters of {id}", dead - dead_now),
            );
        }
        self.apart.push(id.to_owned());
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if self.traced {
            println!("{:>9} {}", self.now.since(NOW), text());
        }
    }

    /// `means-what-one-shard-means`: all shards together hold what the twin holds, and have
    /// dispatched the same.
    fn compare(&self) {
        let is_selected = |id: &String| !self.apart.contains(id);
        let mut held: Vec<_> = self
            .shards
            .values()
            .flat_map(Place::holds)
            .filter(|(id, ..)| is_selected(id))
            .collect();
        let mut expected: Vec<_> =
            self.twin.holds().into_iter().filter(|(id, ..)| is_selected(id)).collect();
        held.sort();
        expected.sort();
        if held != expected {
            let extra: Vec<_> = held.iter().filter(|of| !expected.contains(of)).collect();
            let lost: Vec<_> = expected.iter().filter(|of| !held.contains(of)).collect();
            violated(
                "means-what-one-shard-means",
                format!(
                    "too much: {extra:?}; lost: {lost:?}; of {} {}",
                    held.len(),
                    expected.len()
                ),
            );
        }
        let mut fired: HashMap<Firing, u32> = HashMap::new();
        for (firing, times) in self.shards.values().flat_map(|place| &place.fired) {
            *fired.entry(*firing).or_default() += times;
        }
        for firing in fired.keys().chain(self.twin.fired.keys()) {
            let (times, expected) = (fired.get(firing), self.twin.fired.get(firing));
            if times != expected && is_selected(&self.versions[firing.version as usize].id) {
                violated(
                    "means-what-one-shard-means",
                    format!(
                        "{firing:?} was dispatched {times:?} times, but {expected:?} by one shard"
                    ),
                );
            }
        }
    }
}

/// Returns what the coordinator would send for this record.
fn append_of(id: &str, record: &[u8]) -> Append {
    let read = Record::parse(record).unwrap();
    if read.is_recurring() {
        return Append { schedules: vec![record.to_vec()], ..Append::default() };
    }
    let due = read.time.map_or(UnixMillis::NEVER, |_| read.due());
    testing::append([(id, due, record)])
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
    let (from, seeds) =
        (number("SIM_FROM").unwrap_or(0), number("SIM_EPOCH_SEEDS").unwrap_or(2_000));
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
        "cases of two epochs failed: {failed:?}; SIM_FROM and SIM_EPOCH_SEEDS=1 run a single one"
    );
    println!("{seeds} cases of two epochs: {sum:?}");
    assert!(
        sum.in_old > seeds * 2,
        "hardly any request finds something in an older epoch: {sum:?}"
    );
    assert!(sum.in_both > seeds / 4, "hardly any request finds something in both epochs: {sum:?}");
    assert!(
        sum.repeated > seeds,
        "hardly any request is repeated after it was carried out: {sum:?}"
    );
    assert!(sum.went_on > seeds / 10, "hardly any task continues in an older epoch: {sum:?}");
    assert!(sum.fired > seeds * 10, "hardly anything fires: {sum:?}");
}
