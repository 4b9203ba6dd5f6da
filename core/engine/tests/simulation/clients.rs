//! The requests of a run's clients, drawn from its seed.

use crate::circuits::DESTINATIONS;
use crate::follow_ups::{self, FollowUps};
use crate::late::Late;
use crate::limits::{self, KEYS};
use crate::model::{Schedule, Version};
use crate::operations::Request;
use crate::random::Random;
use crate::schedules::{PutOff, Recurring, Rule, note_put_off};
use crate::world::{Event, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::{CallbackType, Change, Filter, Kind, LastOutcome, Status};
use scheduler_model::routing::{ShardMap, id_hash};
use scheduler_model::schedule::ScheduleFields;
use scheduler_model::task::Record;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const RETRIES: [&str; 5] = [
    r#"{"maxAttempts":3,"minBackoffSeconds":0.5}"#,
    r#"{"maxAttempts":2,"minBackoffSeconds":0,"jitter":0}"#,
    r#"{"maxAttempts":4,"minBackoffSeconds":1,"factor":3,"maxBackoffSeconds":5,"jitter":1}"#,
    r#"{"maxAttempts":1}"#,
    r#"{"maxAttempts":100,"minBackoffSeconds":2,"factor":1,"maxDurationSeconds":9}"#,
];
pub(crate) const QUEUES: [&str; 2] = ["FIRED_TASKS", "OTHER"];

/// The habits of one run's clients.
#[derive(Debug)]
pub(crate) struct Clients {
    map: ShardMap,
    names: Vec<String>,
    /// The number of names for tasks that overwrite one another.
    ids: u64,
    /// How far ahead tasks are due at most.
    spread: i64,
    /// The share of tasks at the same instant as others, permille.
    ties: u64,
    big: u64,
    failing: u64,
    largest_bulk: u64,
    recurring: u64,
    /// The share of schedules with an interval, bounds, jitter and windows, permille.
    varied: u64,
    /// The share of tasks with a limit key, permille.
    keyed: u64,
    /// The number of keys that come and go, in addition to those with limits.
    keys: usize,
    /// The share of tasks with follow-ups, permille.
    followed: u64,
    /// The share of tasks for destinations that may stop answering, permille.
    hosted: u64,
    /// How often a client defines a task again, permille of its requests.
    redefining: u64,
}

impl Clients {
    pub(crate) fn new(random: &mut Random, map: ShardMap, names: Vec<String>) -> Self {
        Self {
            map,
            names,
            ids: 1 + random.below(30),
            spread: *random.pick(&[500, 5_000, 30_000, 60_000]),
            ties: *random.pick(&[0, 300, 1_000]),
            big: *random.pick(&[0, 0, 0, 20]),
            failing: *random.pick(&[0, 100, 500]),
            largest_bulk: if random.chance(40) { 260 } else { *random.pick(&[4, 12, 30, 60]) },
            recurring: *random.pick(&[0, 20, 200]),
            varied: *random.fork().pick(&[0, 500, 1_000]),
            keyed: *random.fork().pick(&[0, 0, 200, 800]),
            keys: if random.fork().chance(40) { *random.fork().pick(&[8, 40, 300]) } else { 0 },
            followed: *random.fork().pick(&[0, 300, 1_000]),
            hosted: *Random::new(random.fork().next()).pick(&[0, 500, 1_000]),
            redefining: *random.fork().fork_again().pick(&[0, 0, 300, 800]),
        }
    }

    /// Returns whether some tasks have a limit key.
    pub(crate) fn has_keys(&self) -> bool {
        self.keyed > 0
    }

    /// Returns whether there are so many keys that a shard that crashes at each tenth answer never
    /// completes its requests to limiters.
    pub(crate) fn has_many_keys(&self) -> bool {
        self.keys > 8
    }

    /// Plans one client's request to every shard that it concerns.
    pub(crate) fn plan(&self, world: &mut World, at: UnixMillis) {
        let requests = match world.random.below(100) {
            0..45 => self.add(world, at, 1),
            45..58 => {
                let n = 1 + world.random.below(self.largest_bulk);
                self.add(world, at, n)
            }
            58..66 => self.cancel(world),
            66..73 => self.change(world, at),
            73 => vec![Request::ChangeMatching {
                shard: self.shard(world),
                filter: self.filter(world, at),
                limit: limit(world),
                change: self.changed(world, at),
            }],
            74..77 => {
                vec![Request::CancelMatching {
                    shard: self.shard(world),
                    filter: self.filter(world, at),
                    limit: limit(world),
                }]
            }
            77..81 => {
                let (id, limit) = (self.id(world), limit(world));
                let shard = self.home(&id);
                // Drawn from the time, so that the other draws of recorded seeds stay as they were.
                let draw = Random::new(at.get().unsigned_abs()).next();
                vec![if draw.is_multiple_of(2) {
                    Request::AllRuns { shard, draw }
                } else {
                    Request::Runs { shard, id, limit }
                }]
            }
            // About one request in a hundred. It may find the shard not empty, so each run also
            // ends with such a request.
            81..88 if at.get() % 8 == 3 => vec![Request::Purge { shard: self.shard(world) }],
            81..88 => {
                let id = self.id(world);
                vec![Request::Get { shard: self.home(&id), id }]
            }
            _ => vec![Request::List {
                shard: self.shard(world),
                filter: self.filter(world, at),
                limit: limit(world),
            }],
        };
        let mut own = world.random.fork().fork_again();
        if own.chance(self.redefining) {
            let shard = own.below(self.names.len() as u64) as usize;
            world.plan(
                at,
                Event::Client { request: Request::Redefine { shard, draw: own.next() }, tries: 0 },
            );
        }
        let mut others = own.fork().fork_again();
        if others.chance(120) {
            let shard = others.below(self.names.len() as u64) as usize;
            let request = Request::DeadLetters { shard, draw: others.next() };
            world.plan(at, Event::Client { request, tries: 0 });
        }
        if own.chance(40) {
            let shard = own.below(self.names.len() as u64) as usize;
            world.plan(at, Event::Client { request: Request::Events { shard }, tries: 0 });
        }
        for request in requests {
            world.plan(at, Event::Client { request, tries: 0 });
        }
        if own.chance(20) {
            self.run_again_and_again(world, at, &mut own);
        }
    }

    /// Plans several requested runs of a task that stays, at once. An id may have no room for all
    /// of them.
    fn run_again_and_again(&self, world: &mut World, at: UnixMillis, own: &mut Random) {
        let stays = |version: &&Version| !matches!(version.schedule, Schedule::Once(..));
        let drawn = own.below(world.model.versions.len().max(1) as u64);
        let Some(id) = world
            .model
            .versions
            .iter()
            .skip(drawn as usize)
            .find(stays)
            .map(|version| version.id.clone())
        else {
            return;
        };
        for _ in 0..own.range(1, 8) {
            let request = Request::Change {
                shard: self.home(&id),
                ids: vec![id.clone()],
                change: Change::Run,
            };
            world.plan(at, Event::Client { request, tries: 0 });
        }
    }

    fn shard(&self, world: &mut World) -> usize {
        world.random.below(self.names.len() as u64) as usize
    }

    fn home(&self, id: &str) -> usize {
        let home = self.map.home(id).to_string();
        self.names.iter().position(|name| *name == home).expect("every shard of the map exists")
    }

    /// Returns one of the names that are used again, or one that was used once.
    fn id(&self, world: &mut World) -> String {
        let made = world.model.versions.len() as u64;
        if made > 0 && world.random.chance(300) {
            let n = world.random.below(made);
            return world.model.version(n).id.clone();
        }
        // Among plain names, one must be escaped in JSON and one is outside of ASCII.
        match world.random.below(self.ids) {
            0 => "a \"quoted\\ name\"".to_owned(),
            1 => "späť/{ž}".to_owned(),
            n => format!("name-{n}"),
        }
    }

    fn change(&self, world: &mut World, at: UnixMillis) -> Vec<Request> {
        let id = self.id(world);
        let change = self.changed(world, at);
        let ids =
            if world.random.chance(100) { vec![id.clone(), id.clone()] } else { vec![id.clone()] };
        vec![Request::Change { shard: self.home(&id), ids, change }]
    }

    fn changed(&self, world: &mut World, at: UnixMillis) -> Change {
        match world.random.below(4) {
            0 => Change::Pause,
            1 => Change::Resume,
            2 => Change::Run,
            _ => Change::Reschedule(UnixMillis::new(self.due(world, at).max(0)).into()),
        }
    }

    fn filter(&self, world: &mut World, now: UnixMillis) -> Filter {
        let mut own = world.random.fork();
        let random = &mut world.random;
        let of_recurring =
            own.chance(self.varied).then(|| *own.pick(&[Kind::Every, Kind::Recurring]));
        let moment = |random: &mut Random| now.plus(random.range(-5_000, 20_000));
        // Drawn from the time, so that the draws of kept seeds stay as they were.
        let mut by_time = Random::new(now.get().unsigned_abs() ^ 0x6669_6c74_6572);
        let text = *by_time.pick(&["mANY", "mANY", "NAME-1"]);
        let types = [CallbackType::Handler, CallbackType::Webhook, CallbackType::Queue];
        let outcomes = [
            LastOutcome::None,
            LastOutcome::Failed,
            LastOutcome::DeadLettered,
            LastOutcome::Succeeded,
            LastOutcome::Expired,
        ];
        Filter {
            prefix: random.chance(150).then(|| "na".to_owned()),
            text: random.chance(100).then(|| text.to_owned()),
            tag: None,
            other_tag: None,
            callback_host: None,
            callback_type: by_time.chance(100).then(|| *by_time.pick(&types)),
            error: own.chance(50).then(|| "5".to_owned()),
            last_outcome: by_time.chance(150).then(|| *by_time.pick(&outcomes)),
            paused: by_time.chance(150).then(|| by_time.chance(500)),
            kind: random
                .chance(200)
                .then(|| *random.pick(&[Kind::Once, Kind::Cron, Kind::NoSchedule]))
                .map(|kind| match of_recurring {
                    Some(other) if kind == Kind::Cron => other,
                    _ => kind,
                }),
            status: random
                .chance(200)
                .then(|| {
                    *random.pick(&[
                        Status::Scheduled,
                        Status::Retrying,
                        Status::Dead,
                        Status::Unscheduled,
                        Status::Paused,
                        Status::Held,
                    ])
                })
                .map(|status| if own.chance(200) { Status::Running } else { status }),
            from: random.chance(150).then(|| moment(random)),
            to: random.chance(150).then(|| moment(random)),
        }
    }

    fn cancel(&self, world: &mut World) -> Vec<Request> {
        let mut by_shard: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for _ in 0..=world.random.below(4) {
            let id = self.id(world);
            by_shard.entry(self.home(&id)).or_default().push(id);
        }
        by_shard.into_iter().map(|(shard, ids)| Request::Cancel { shard, ids }).collect()
    }

    fn add(&self, world: &mut World, at: UnixMillis, count: u64) -> Vec<Request> {
        let fresh = world.random.chance(400);
        let tie = self.due(world, at);
        let mut by_shard: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for _ in 0..count {
            let n = world.model.versions.len() as u64;
            let id = if fresh || count > 20 { format!("made-{n}") } else { self.id(world) };
            // No id occurs twice in a request.
            if !ids.insert(id.clone()) {
                continue;
            }
            let shard = self.home(&id);
            let version = self.version(world, shard, n, id, at, tie);
            world.model.versions.push(version);
            by_shard.entry(shard).or_default().push(n);
        }
        by_shard
            .into_iter()
            .map(|(shard, versions)| Request::Append { shard, versions, fresh })
            .collect()
    }

    fn due(&self, world: &mut World, at: UnixMillis) -> i64 {
        match world.random.below(10) {
            // Past due, by a moment or by a very long time.
            0 => at.get() - world.random.range(0, 3_000),
            1 if world.random.chance(200) => world.random.range(0, 1),
            _ => at.get() + world.random.range(0, self.spread),
        }
    }

    fn version(
        &self,
        world: &mut World,
        shard: usize,
        n: u64,
        id: String,
        at: UnixMillis,
        tie: i64,
    ) -> Version {
        let mut own = world.random.fork();
        let is_varied = own.chance(self.varied);
        let put_off =
            if is_varied && own.chance(300) { PutOff::drawn(&mut own) } else { PutOff::default() };
        let schedule = if world.random.chance(self.recurring) {
            let plain = Recurring::plain(&mut world.random);
            // A version without any future run is refused before it reaches a shard.
            let varied = is_varied.then(|| Recurring::varied(&mut own, at.get()));
            Schedule::Recurring(
                varied.filter(|varied| varied.first(&id, at.get()).is_some()).unwrap_or(plain),
            )
        } else if world.random.chance(50) {
            Schedule::None
        } else if world.random.chance(self.ties) {
            Schedule::Once(tie, put_off)
        } else {
            Schedule::Once(self.due(world, at), put_off)
        };
        let recurs = matches!(schedule, Schedule::Recurring(_));
        let is_late = is_varied && !matches!(schedule, Schedule::None);
        let late = if is_late { Late::drawn(&mut own, recurs) } else { Late::default() };
        let queue = world.random.chance(250).then(|| *world.random.pick(&QUEUES));
        let fails =
            if world.random.chance(self.failing) { *world.random.pick(&[300, 1_000]) } else { 0 };
        let retry = *world.random.pick(&RETRIES);
        let description =
            if world.random.chance(300) { format!("No. {n} of \"Many\"") } else { String::new() };
        let fill = if world.random.chance(self.big) {
            world.random.range(3_000, 60_000)
        } else {
            world.random.range(0, 60)
        };
        let keys: &[&'static str] =
            if self.keys > 0 { limits::many_keys(self.keys) } else { &KEYS };
        let key = (queue.is_none() && own.chance(self.keyed)).then(|| *own.pick(keys));
        let follows = queue.is_none() && own.chance(self.followed);
        let follow_ups = if follows { FollowUps::drawn(&mut own) } else { FollowUps::default() };
        let is_hosted = queue.is_none() && own.chance(self.hosted);
        let destination = is_hosted.then(|| own.below(DESTINATIONS.len() as u64) as usize);
        let mut version = Version {
            shard,
            id,
            schedule,
            late,
            queue,
            key,
            destination,
            follow_ups,
            description,
            retry,
            fails,
            open_anchor: false,
            says_paused: None,
            record: Vec::new(),
        };
        version.record = record_of(&version, n, at, fill as usize);
        version
    }
}

/// Returns the tag that a version has in addition to `all`. Some versions have no tags.
fn tag_of(n: u64) -> Option<&'static str> {
    ["one", "another"].get(n as usize % 3).copied()
}

pub(crate) fn record_of(version: &Version, n: u64, at: UnixMillis, fill: usize) -> Vec<u8> {
    let raw = |text: String| RawValue::from_string(text).expect("JSON");
    let callback = raw(match version.queue {
        Some(queue) => format!(r#"{{"type":"queue","queue":"{queue}"}}"#),
        None => version
            .destination
            .map_or(r#"{"type": "handler", "name":"log"}"#, |of| DESTINATIONS[of].1)
            .to_owned(),
    });
    let follow_up =
        |target: Option<follow_ups::Target>| target.map(|target| raw(follow_ups::callback(target)));
    let (on_success, on_failure) =
        (follow_up(version.follow_ups.on_success), follow_up(version.follow_ups.on_failure));
    let retry = raw(version.retry.to_owned());
    let tags = tag_of(n).map(|tag| raw(format!(r#"["all","{tag}"]"#)));
    let payload = raw(format!(r#"{{"n":{n},"fill":"{}"}}"#, "x".repeat(fill)));
    let mut fields = ScheduleFields::default();
    let cron = match version.schedule {
        Schedule::Recurring(Recurring { rule: Rule::Cron(cron), .. }) => {
            Some(raw(format!("\"{cron}\"")))
        }
        _ => None,
    };
    let exclude = match version.schedule {
        Schedule::Recurring(recurring) => recurring.exclude_json().map(raw),
        _ => None,
    };
    let time = match version.schedule {
        Schedule::Once(time, put_off) => {
            note_put_off(put_off, &mut fields);
            Some(UnixMillis::new(time))
        }
        Schedule::Recurring(recurring) => {
            recurring.note(&cron, &exclude, &mut fields);
            if recurring.max_runs.is_some() {
                assert!(
                    fields.settle(id_hash(&version.id), at).unwrap().is_some(),
                    "the clients request versions that have a run"
                );
            }
            None
        }
        Schedule::None => None,
    };
    let misfire = version.late.misfire();
    version.late.note(&misfire, &mut fields);
    let mut out = Vec::new();
    Record {
        time,
        id: Cow::Borrowed(&version.id),
        cron: fields.cron,
        timezone: None,
        local: None,
        every_seconds: fields.every_seconds,
        anchor: fields.anchor,
        rrule: fields.rrule.clone(),
        start_at: fields.start_at,
        end_at: fields.end_at,
        exclude: fields.exclude,
        max_runs: fields.max_runs,
        first_run: fields.first_run,
        final_run: fields.final_run,
        jitter_seconds: fields.jitter_seconds,
        window_seconds: fields.window_seconds,
        misfire: fields.misfire,
        overlap: fields.overlap,
        expire_after_seconds: fields.expire_after_seconds,
        words: (n % 7 == 3).then_some(Cow::Borrowed("as was said")),
        description: (!version.description.is_empty())
            .then_some(Cow::Borrowed(version.description.as_str())),
        tags: tags.as_deref(),
        callback: &callback,
        on_success: on_success.as_deref(),
        on_failure: on_failure.as_deref(),
        retry: Some(&retry),
        payload: Some(&payload),
        priority: n.is_multiple_of(5).then_some((n / 5 % 10) as u8),
        limit_key: version.key.map(Cow::Borrowed),
        paused: None,
        paused_at: None,
        paused_by: None,
        pause_note: None,
        unfinished_version: None,
        created_at: None,
        updated_at: None,
        created_by: None,
        stage: None,
        outcome: None,
        attempt: None,
        failed_at: None,
        error: None,
        first_attempt_at: None,
        replayed_at: None,
        late_since: None,
        not_before: None,
    }
    .write(&mut out);
    out
}

fn limit(world: &mut World) -> usize {
    *world.random.pick(&[1, 2, 7, 1_000])
}
