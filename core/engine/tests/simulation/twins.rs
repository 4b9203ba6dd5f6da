//! Twin runs: a request that does not change when a task fires must not affect when it fires.
//!
//! A script, drawn from a seed, contains definitions, changes, restarts and a limiter. It runs
//! twice: as it is, and with further requests in between. Each of these leaves the schedule of a
//! task as it is: a patch of its description, or a repeated definition. Both runs must fire the
//! same attempts at the same times, and end alike. The requests are merged, checked and planned as
//! the coordinator does it.

use crate::random::Random;
use crate::storage::Storage;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::limiter::Limiter;
use scheduler_engine::{Config, Effects, Engine, Outgoing};
use scheduler_model::batch::plan;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::limit::Limit;
use scheduler_model::protocol::limiter::{LimiterRequest, Named};
use scheduler_model::protocol::{Append, Change, ChangeRequest, Expected, Failure, Report, Status};
use scheduler_model::routing::id_hash;
use scheduler_model::task::{
    Record, Targets, Validator, changes_schedule, merge_patch, parse_one, version_of,
};
use std::collections::{BTreeMap, BTreeSet};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
/// The length of a script, in milliseconds.
const SCRIPT: i64 = 40_000;
const END: i64 = 150_000;
/// The time that some rounds of requests to a limiter may take, in milliseconds.
const ROUNDS: i64 = 1_000;
const SEEDS: u64 = 500;

/// A step of the script.
#[derive(Debug, Clone)]
enum Act {
    /// A definition arrives, for the first time or as a changed definition of its task.
    Define(String),
    Change(String, Change),
    Restart,
    /// In the second twin only: a patch of the description.
    Describe(String),
    /// In the second twin only: the last definition of the task is repeated.
    Repeat(String),
    Report(Report),
}

#[derive(Debug)]
struct Script {
    acts: Vec<(i64, Act)>,
    extra: Vec<(i64, Act)>,
    /// The share of attempts that fail, permille.
    fails: u64,
    config: Config,
    limit: Limit,
}

/// The record of one twin.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fired {
    /// When each attempt of each run fired.
    attempts: BTreeSet<(i64, String, u32)>,
    /// What waits at the end.
    left: Vec<(String, Status)>,
    /// When runs with a limit key were due: one-shot tasks, and recurring ones.
    due: [BTreeSet<(i64, String)>; 2],
}

impl Fired {
    /// Returns whether the same attempts fired at the same times. The number of requests to a
    /// limiter may differ. So with a limiter, times may differ by some rounds of requests.
    fn is_like(&self, other: &Self, script: &Script) -> bool {
        let is_limited = script
            .acts
            .iter()
            .any(|(_, act)| matches!(act, Act::Define(text) if text.contains("limitKey")));
        if !is_limited {
            return (&self.attempts, &self.left) == (&other.attempts, &other.left);
        }
        let by_name = |fired: &Self| -> Vec<(String, u32, i64)> {
            let mut attempts: Vec<_> = fired
                .attempts
                .iter()
                .map(|(at, key, attempt)| (key.clone(), *attempt, *at))
                .collect();
            attempts.sort();
            attempts
        };
        let (mine, others) = (by_name(self), by_name(other));
        let is_near =
            |((key, attempt, at), (other, others, then)): (
                &(String, u32, i64),
                &(String, u32, i64),
            )| { (key, attempt) == (other, others) && (at - then).abs() <= ROUNDS };
        mine.len() == others.len()
            && mine.iter().zip(&others).all(is_near)
            && self.left == other.left
    }
}

/// Returns whether a one-shot task was due at the same instant as another task of the limit. A
/// patch then makes it the later one.
fn has_tie(alone: &Fired, twin: &Fired) -> bool {
    let due = |of: usize| alone.due[of].union(&twin.due[of]);
    let is_other =
        |(at, id): &(i64, String)| due(0).chain(due(1)).any(|(other, of)| other == at && of != id);
    due(0).any(is_other)
}

struct Twin<'s> {
    script: &'s Script,
    engine: Engine,
    storage: Storage,
    limiter: Limiter,
    now: UnixMillis,
    /// By time, then in the order of planning.
    agenda: BTreeMap<(i64, u64), Act>,
    planned: u64,
    /// The last definition of each task.
    given: BTreeMap<String, String>,
    fired: Fired,
    /// The number of extra requests that were carried out.
    carried_out: u64,
}

fn definition(random: &mut Random, n: u64) -> String {
    let mut fields = Vec::new();
    let instant = |random: &mut Random, from: i64, to: i64| NOW.plus(random.range(from, to)).get();
    let recurs = random.chance(600);
    if recurs {
        match random.below(4) {
            0 => fields.push(r#""cron":"*/5 * * * * *""#.to_owned()),
            1 => {
                let start = instant(random, -20_000, 10_000);
                let count = if random.chance(500) {
                    format!(";COUNT={}", random.range(3, 30))
                } else {
                    String::new()
                };
                fields.push(format!(
                    r#""rrule":"FREQ=SECONDLY;INTERVAL={}{count}","startAt":{start}"#,
                    random.range(1, 7)
                ));
            }
            _ => {
                fields.push(format!(
                    r#""everySeconds":{}"#,
                    random.pick(&["1", "1.5", "5", "7.777"])
                ));
                if random.chance(500) {
                    fields.push(format!(r#""anchor":{}"#, instant(random, -10_000, 10_000)));
                }
            }
        }
        if random.chance(300) {
            fields.push(format!(r#""maxRuns":{}"#, random.range(1, 6)));
        }
        if random.chance(200) {
            fields.push(format!(r#""endAt":{}"#, instant(random, 15_000, 60_000)));
        }
        if random.chance(500) {
            fields.push(format!(r#""overlap":"{}""#, random.pick(&["allow", "skip", "queue-one"])));
        }
    } else if random.chance(150) {
        fields.push(r#""type":"no-schedule""#.to_owned());
    } else {
        // No two tasks are due at the same instant, because a patch would change whose turn is
        // first.
        fields.push(format!(r#""time":{}"#, instant(random, 1_000, SCRIPT) / 64 * 64 + n as i64));
    }
    if !fields[0].contains("no-schedule") {
        if random.chance(300) {
            let policy = *random.pick(&["fire", "fire-once", "skip", "dead-letter"]);
            fields.push(format!(
                r#""misfire":{{"policy":"{policy}","graceSeconds":{}}}"#,
                random.pick(&["0", "1", "3"])
            ));
        }
        if random.chance(200) {
            fields.push(format!(r#""expireAfterSeconds":{}"#, random.pick(&["0.5", "5"])));
        }
        if recurs && random.chance(200) {
            fields.push(format!(r#""jitterSeconds":{}"#, random.pick(&["0.4", "3"])));
        }
    }
    if random.chance(300) {
        fields.push(r#""limitKey":"k""#.to_owned());
    }
    if random.chance(300) {
        fields.push(r#""retry":{"maxAttempts":3,"minBackoffSeconds":0.5}"#.to_owned());
    }
    if random.chance(200) {
        fields.push(r#""onSuccess":{"type":"handler","name":"log"},"onFailure":{"type":"handler","name":"log"}"#.to_owned());
    }
    if random.chance(100) {
        fields.push(r#""paused":true"#.to_owned());
    }
    format!(r#"{{"id":"t{n}",{},"callback":{{"type":"handler","name":"log"}}}}"#, fields.join(","))
}

fn script(seed: u64) -> Script {
    let mut random = Random::new(seed);
    let tasks = 1 + random.below(7);
    let mut acts = Vec::new();
    for n in 0..tasks {
        acts.push((random.range(0, 5_000), Act::Define(definition(&mut random, n))));
        if random.chance(150) {
            acts.push((random.range(5_000, SCRIPT), Act::Define(definition(&mut random, n))));
        }
    }
    for _ in 0..random.below(25) {
        let id = format!("t{}", random.below(tasks));
        let change = match random.below(7) {
            0 | 1 => Change::Pause,
            2 | 3 => Change::Resume,
            4 | 5 => Change::Run,
            _ => Change::Reschedule(NOW.plus(random.range(0, SCRIPT)).into()),
        };
        acts.push((random.range(0, SCRIPT), Act::Change(id, change)));
    }
    for _ in 0..random.below(4) {
        acts.push((random.range(0, SCRIPT), Act::Restart));
    }
    let mut extra = Vec::new();
    for _ in 0..1 + random.below(30) {
        let id = format!("t{}", random.below(tasks));
        let act = if random.chance(600) { Act::Describe(id) } else { Act::Repeat(id) };
        extra.push((random.range(0, SCRIPT + 20_000), act));
    }
    let limit = match random.below(3) {
        0 => Limit { concurrency: Some(1 + random.below(3) as u32), per_second: None },
        1 => Limit { concurrency: None, per_second: Some(*random.pick(&[0.5, 2.0])) },
        _ => Limit { concurrency: Some(1), per_second: Some(1.0) },
    };
    let config = Config { fire_gap_millis: *random.pick(&[0, 100, 1_000]), ..Config::default() };
    Script { acts, extra, fails: *random.pick(&[0, 300, 700]), config, limit }
}

impl<'s> Twin<'s> {
    fn new(script: &'s Script, with_extra: bool) -> Self {
        let storage = Storage::default();
        let engine = Engine::load("1-0", script.config, storage.snapshot()).unwrap();
        let mut limiter = Limiter::default();
        limiter.put(Named { key: "k".to_owned(), limit: script.limit }, NOW).unwrap();
        let mut agenda = BTreeMap::new();
        for (place, (at, act)) in (0..).zip(&script.acts) {
            agenda.insert((*at, place), act.clone());
        }
        if with_extra {
            for (place, (at, act)) in (10_000..).zip(&script.extra) {
                agenda.insert((*at, place), act.clone());
            }
        }
        Self {
            script,
            engine,
            storage,
            limiter,
            now: NOW,
            agenda,
            planned: 100_000,
            given: BTreeMap::new(),
            fired: Fired::default(),
            carried_out: 0,
        }
    }

    fn run(mut self) -> (Fired, u64) {
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 50_000, "work is left at {}", self.now.since(NOW));
            let wakes = self.engine.next_wakeup().map(|at| at.max(self.now).since(NOW));
            let planned = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let next = wakes.into_iter().chain(planned).min().filter(|at| *at <= END);
            let Some(next) = next else { break };
            self.now = NOW.plus(next.max(self.now.since(NOW)));
            if wakes == Some(next) {
                let effects = self.engine.wake(self.now, &self.storage).unwrap();
                let has_fired = !effects.sends.is_empty();
                self.commit(effects);
                // Time passes while the shard waits for its limiter.
                if !has_fired && self.engine.next_wakeup().is_some_and(|at| at <= self.now) {
                    self.now = self.now.plus(20);
                }
            } else if let Some((_, act)) = self.agenda.pop_first() {
                self.act(act);
            }
        }
        let all = scheduler_model::protocol::ListRequest { limit: 1_000, ..Default::default() };
        let items = self.engine.list(&all, &self.storage).unwrap().items;
        let id = |text: &str| Record::parse(text.as_bytes()).unwrap().id.into_owned();
        self.fired.left = items.iter().map(|item| (id(item.record.get()), item.status)).collect();
        self.fired.left.sort_by_key(|(id, status)| (id.clone(), format!("{status:?}")));
        (self.fired, self.carried_out)
    }

    fn commit(&mut self, effects: Effects) {
        self.storage.apply(&effects.writes);
        for outgoing in &effects.sends {
            self.deliver(outgoing);
        }
        for ask in effects.asks {
            let asked =
                LimiterRequest { key: ask.key.clone(), shard: "1-0".to_owned(), ask: ask.request };
            let (answer, _) = self.limiter.ask(&asked, self.now);
            self.engine.limit_answered(&ask.key, ask.request.number, answer.as_ref(), self.now);
        }
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if std::env::var_os("SIM_SEED").is_some() {
            println!("{:>6} {}", self.now.since(NOW), text());
        }
    }

    /// Delivers an envelope. The outcome of an attempt, and how long it takes, follow from its
    /// name.
    fn deliver(&mut self, outgoing: &Outgoing) {
        let envelope = Envelope::parse(std::str::from_utf8(&outgoing.text).unwrap()).unwrap();
        let mut report = Report { seq: envelope.seq, ..Report::default() };
        let mut millis = 0;
        for (index, task) in (0..).zip(&envelope.tasks) {
            let record = Record::parse(task.get().as_bytes()).unwrap();
            let (key, attempt) = (record.occurrence_key().to_string(), record.attempt_number());
            let draw = id_hash(&format!("{key} {attempt}"));
            if record.expires_at().is_some_and(|end| self.now > end) {
                report.expired.push(index);
            } else if draw % 1_000 < self.script.fails {
                report.failed.push(Failure {
                    index,
                    error: "no".to_owned(),
                    permanent: draw.is_multiple_of(7),
                    ..Failure::default()
                });
            }
            self.trace(|| format!("fires {key}, attempt {attempt}"));
            if record.limit_key.is_some() {
                self.fired.due[usize::from(record.is_recurring())]
                    .insert((record.due().get(), record.id.clone().into_owned()));
            }
            millis = millis.max((draw >> 20) as i64 % 4_000);
            self.fired.attempts.insert((self.now.since(NOW), key, attempt));
        }
        self.planned += 1;
        self.agenda.insert((self.now.since(NOW) + 1 + millis, self.planned), Act::Report(report));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Define(text) => {
                let id = parse_id(&text);
                if let Some(append) = planned(&text, self.now, |_| {}) {
                    self.given.insert(id, text);
                    let (_, effects) = self.engine.append(append, self.now, &self.storage).unwrap();
                    self.commit(effects);
                }
            }
            Act::Change(id, change) => {
                let request = ChangeRequest { ids: vec![id], change, if_match: None, pause: None };
                let (reply, effects) =
                    self.engine.change(&request, self.now, &self.storage).unwrap();
                self.trace(|| format!("{request:?}: {reply:?}"));
                self.commit(effects);
            }
            Act::Restart => {
                self.engine =
                    Engine::load("1-0", self.script.config, self.storage.snapshot()).unwrap();
            }
            Act::Report(report) => {
                self.trace(|| format!("{report:?}"));
                let effects = self.engine.report(&report, self.now, &self.storage).unwrap();
                self.commit(effects);
            }
            Act::Describe(id) => self.describe(&id),
            Act::Repeat(id) => self.repeat(&id),
        }
    }

    /// Patches the description of a task, as the coordinator does.
    fn describe(&mut self, id: &str) {
        let Some(item) = self.engine.get(id, &self.storage).unwrap() else { return };
        let is_task =
            matches!(item.status, Status::Scheduled | Status::Paused | Status::Unscheduled)
                && !item.is_attempt;
        if !is_task {
            return;
        }
        let (stored, patch) =
            (item.record.get(), format!(r#"{{"description":"patched at {}"}}"#, self.now));
        assert!(!changes_schedule(&patch));
        let text = merge_patch(stored, item.status == Status::Paused, &patch).unwrap();
        let record = Record::parse(stored.as_bytes()).unwrap();
        let append = planned(&text, self.now, |task| {
            if record.is_recurring() {
                task.go_on(record.final_run);
            }
        });
        let mut append = append.expect("a patch of a description is never refused");
        append.expected = Some(Expected::Version(version_of(stored.as_bytes())));
        append.fresh = false;
        append.terms.tasks_only = true;
        let (reply, effects) = self.engine.append(append, self.now, &self.storage).unwrap();
        assert_eq!((reply.created, reply.replaced), (1, 1));
        self.commit(effects);
        self.carried_out += 1;
        let after = self.engine.get(id, &self.storage).unwrap().expect("the patched task exists");
        assert!(after.record.get().contains("patched at"));
        assert_eq!((after.status, after.is_attempt), (item.status, false));
    }

    /// Repeats the definition of a task, as a deploy does. Skips a task that is gone, or a one-shot
    /// task that has fired, because then the definition would create another task.
    fn repeat(&mut self, id: &str) {
        let Some(text) = self.given.get(id).cloned() else { return };
        let Some(item) = self.engine.get(id, &self.storage).unwrap() else { return };
        let is_task =
            matches!(item.status, Status::Scheduled | Status::Paused | Status::Unscheduled)
                && !item.is_attempt;
        // A definition that says whether the task is paused begins or ends a pause. A one-shot task
        // that was moved has another schedule.
        let stored = Record::parse(item.record.get().as_bytes()).unwrap();
        let was_moved =
            stored.time.is_some_and(|time| !text.contains(&format!(r#""time":{time}"#)));
        if !is_task || text.contains(r#""paused""#) || was_moved {
            return;
        }
        let Some(append) = planned(&text, self.now, |_| {}) else { return };
        let (reply, effects) = self.engine.append(append, self.now, &self.storage).unwrap();
        assert_eq!((reply.created, reply.replaced), (1, 1));
        self.commit(effects);
        self.carried_out += 1;
    }
}

fn parse_id(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).unwrap()["id"].as_str().unwrap().to_owned()
}

/// Returns what the coordinator sends for a task. Returns `None` if the coordinator refuses the
/// task because it has no future run.
fn planned(
    text: &str,
    now: UnixMillis,
    prepare: impl FnOnce(&mut scheduler_model::task::NewTask<'_>),
) -> Option<Append> {
    let mut task = parse_one(text).unwrap();
    prepare(&mut task);
    let mut validator =
        Validator::new(now, [7; 16], Targets { handlers: &["log"], ..Targets::default() });
    let plan = plan(vec![Ok(task)], &mut validator, &"1".parse().unwrap());
    plan.items[0].as_ref().ok()?;
    let append = plan.appends.into_iter().next()?.append;
    Some(Append::decode(&append.encode()).unwrap())
}

/// Compares the twins of a seed. Returns the number of extra requests that were carried out, or
/// `None` if the order of the runs is undefined.
fn compare(seed: u64) -> Option<u64> {
    let script = script(seed);
    let (alone, _) = Twin::new(&script, false).run();
    let (twin, carried_out) = Twin::new(&script, true).run();
    if has_tie(&alone, &twin) {
        return None;
    }
    if !alone.is_like(&twin, &script) {
        let only = |one: &Fired, other: &Fired| {
            one.attempts.difference(&other.attempts).cloned().collect::<Vec<_>>()
        };
        panic!(
            "twins of seed {seed} differ: only the first fired {:?}, only the second {:?}; left {:?} and {:?}\n{script:?}",
            only(&alone, &twin),
            only(&twin, &alone),
            alone.left,
            twin.left
        );
    }
    Some(carried_out)
}

#[test]
fn a_patched_description_and_a_repeated_definition_do_not_affect_firings() {
    let seeds = std::env::var("SIM_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let compared: Vec<u64> = (0..seeds).filter_map(compare).collect();
    let carried_out: u64 = compared.iter().sum();
    assert!(carried_out > seeds * 2, "hardly any request reaches a task: {carried_out}");
    assert!(
        compared.len() as u64 > seeds / 10 * 9,
        "hardly any twins are compared: {}",
        compared.len()
    );
}

/// Replays one seed: `SIM_SEED=123 cargo test -p scheduler-engine --test simulation twin_seed`.
#[test]
fn twin_seed() {
    if let Some(seed) = std::env::var("SIM_SEED").ok().and_then(|text| text.parse().ok()) {
        compare(seed);
    }
}
