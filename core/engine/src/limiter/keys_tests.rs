//! Shards and a limiter, with every kind of fault between them. The bounds must hold at every
//! moment.

use super::*;
use crate::limiter::Lease;
use proptest::prelude::*;
use scheduler_model::bounds::{MAX_CONCURRENCY, MAX_LIMIT_KEY_BYTES, MAX_LIST_BYTES};
use scheduler_model::protocol::limiter::{
    Conversation, LIMITERS, LeaseRequest, NO_LIMIT, RequestNumber,
};
use std::collections::BTreeMap;

const START: UnixMillis = UnixMillis::new(1_764_000_000_000);
const KEY: &str = "stripe";
const SHARDS: usize = 4;

/// What may happen. Numbers select among what exists at that moment.
#[derive(Debug, Clone)]
enum Step {
    /// The shard sends a request if it needs to.
    Ask(usize),
    /// The shard dispatches at most this many runs.
    Dispatch(usize, u32),
    /// This many runs of the shard end.
    End(usize, u32),
    /// This many tasks come due.
    Due(usize, u32),
    /// The shard restarts. Its runs in flight and the number of its restarts are stored.
    Crash(usize),
    /// The limiter restarts with what it has written.
    Restart,
    /// The limiter removes shards that hold nothing.
    Forget,
    /// The shard drops the key if it holds nothing of it.
    Drop(usize),
    /// The storage of the shard is restored to an earlier time, and with it the incarnation.
    SetBack(usize),
    /// A request arrives. With `true`, a copy stays in flight and arrives again.
    Request(usize, bool),
    /// An answer arrives. With `true`, a copy stays in flight and arrives again.
    Answer(usize, bool),
    LoseRequest(usize),
    LoseAnswer(usize),
    /// The request of the shard fails, although it may still be in flight.
    Fail(usize),
    Limit(Option<u32>),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let shard = 0..SHARDS;
    prop_oneof![
        8 => shard.clone().prop_map(Step::Ask),
        8 => (shard.clone(), 1..4_u32).prop_map(|(shard, runs)| Step::Dispatch(shard, runs)),
        6 => (shard.clone(), 1..3_u32).prop_map(|(shard, runs)| Step::End(shard, runs)),
        3 => (shard.clone(), 1..20_u32).prop_map(|(shard, tasks)| Step::Due(shard, tasks)),
        1 => shard.clone().prop_map(Step::Crash),
        1 => Just(Step::Restart),
        1 => Just(Step::Forget),
        3 => shard.clone().prop_map(Step::Drop),
        1 => shard.clone().prop_map(Step::SetBack),
        10 => (0..8_usize, prop::bool::weighted(0.2)).prop_map(|(at, stays)| Step::Request(at, stays)),
        10 => (0..8_usize, prop::bool::weighted(0.2)).prop_map(|(at, stays)| Step::Answer(at, stays)),
        1 => (0..8_usize).prop_map(Step::LoseRequest),
        1 => (0..8_usize).prop_map(Step::LoseAnswer),
        2 => shard.prop_map(Step::Fail),
        1 => prop_oneof![1 => Just(None), 5 => (1..6_u32).prop_map(Some)].prop_map(Step::Limit),
        6 => prop_oneof![Just(0), Just(1), Just(100), Just(1_100), Just(20_000)].prop_map(Step::Pass),
    ]
}

struct Shard {
    lease: Lease,
    incarnation: u32,
    waiting: u32,
    count: u32,
    asked: Option<RequestNumber>,
}

struct World {
    now: UnixMillis,
    limiter: Limiter,
    rows: BTreeMap<String, String>,
    lives: u64,
    shards: Vec<Shard>,
    requests: Vec<(usize, LeaseRequest)>,
    answers: Vec<(usize, Answer)>,
    per_second: Option<f64>,
    /// When runs were dispatched.
    dispatched: Vec<i64>,
    concurrency: Option<u32>,
}

impl World {
    fn new(concurrency: Option<u32>, per_second: Option<f64>) -> Self {
        let shard = |_| Shard {
            lease: Lease::new(0, false),
            incarnation: 1,
            waiting: 0,
            count: 0,
            asked: None,
        };
        let mut world = Self {
            now: START,
            limiter: Limiter::default(),
            rows: BTreeMap::new(),
            lives: 0,
            shards: (0..SHARDS).map(shard).collect(),
            requests: Vec::new(),
            answers: Vec::new(),
            per_second,
            dispatched: Vec::new(),
            concurrency: None,
        };
        world.limit(concurrency);
        world
    }

    fn limit(&mut self, concurrency: Option<u32>) {
        self.concurrency = concurrency;
        let limit = Limit { concurrency, per_second: self.per_second };
        let write = if limit == Limit::default() {
            self.limiter.delete(KEY)
        } else {
            Some(self.limiter.put(Named { key: KEY.to_owned(), limit }).unwrap().1)
        };
        self.store(write);
    }

    fn store(&mut self, writes: impl IntoIterator<Item = Write>) {
        for write in writes {
            match write {
                Write::Put { name, record } => drop(self.rows.insert(name, record)),
                Write::Delete { name } => drop(self.rows.remove(&name)),
                Write::Clear => self.rows.clear(),
            }
        }
    }

    fn ask(&mut self, at: usize) {
        let shard = &mut self.shards[at];
        let head = (shard.waiting > 0).then_some(UnixMillis::ZERO);
        if shard.lease.wants_to_ask(head, self.now) {
            shard.count += 1;
            let ask = shard.lease.ask(
                RequestNumber(shard.incarnation, shard.count),
                shard.waiting,
                self.now,
            );
            shard.asked = Some(ask.number);
            self.requests.push((at, ask));
        }
    }

    fn dispatch(&mut self, at: usize, runs: u32) {
        let shard = &mut self.shards[at];
        let runs = runs.min(shard.waiting).min(shard.lease.room(self.now));
        shard.lease.dispatch(runs, self.now);
        shard.waiting -= runs;
        self.dispatched.extend((0..runs).map(|_| self.now.get()));
    }

    fn end(&mut self, at: usize, runs: u32) {
        let lease = &mut self.shards[at].lease;
        lease.end(runs.min(lease.in_flight()), self.now);
    }

    fn request(&mut self, at: usize, stays: bool) {
        let Some(at) = at.checked_rem(self.requests.len()) else { return };
        let (shard, ask) = if stays { self.requests[at] } else { self.requests.remove(at) };
        let asked = LimiterRequest { key: KEY.to_owned(), shard: format!("1-{shard}"), ask };
        let (answer, writes) = self.limiter.ask(&asked, self.now);
        self.store(writes);
        self.answers.extend(answer.map(|answer| (shard, answer)));
    }

    fn answer(&mut self, at: usize, stays: bool) {
        let Some(at) = at.checked_rem(self.answers.len()) else { return };
        let (shard, answer) = if stays { self.answers[at] } else { self.answers.remove(at) };
        self.shards[shard].lease.answered(&answer, self.now);
    }

    fn forget(&mut self) {
        let later = self.now.plus(2 * SWEEP_MILLIS);
        let writes: Vec<Write> = self
            .limiter
            .keys
            .get_mut(KEY)
            .into_iter()
            .flat_map(|allocator| allocator.forget(later))
            .map(|shard| Write::Delete { name: name_of_share(KEY, &shard) })
            .collect();
        self.store(writes);
    }

    fn restart(&mut self) {
        self.lives += 1;
        self.limiter = Limiter::load(self.rows.values().cloned(), self.lives).unwrap();
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Ask(at) => self.ask(at),
            Step::Dispatch(at, runs) => self.dispatch(at, runs),
            Step::End(at, runs) => self.end(at, runs),
            Step::Due(at, tasks) => self.shards[at].waiting += tasks,
            Step::Crash(at) => {
                let shard = &mut self.shards[at];
                (shard.lease, shard.incarnation) =
                    (Lease::new(shard.lease.in_flight(), true), shard.incarnation + 1);
            }
            Step::Restart => self.restart(),
            Step::Forget => self.forget(),
            Step::Drop(at) => {
                let shard = &mut self.shards[at];
                if shard.waiting == 0 && shard.lease.is_over() {
                    shard.lease = Lease::new(0, false);
                }
            }
            Step::SetBack(at) => {
                let shard = &mut self.shards[at];
                shard.lease = Lease::new(shard.lease.in_flight(), true);
                (shard.incarnation, shard.count) = (shard.incarnation.saturating_sub(1).max(1), 0);
                // Earlier messages of this shard are dropped, because an operator restored its
                // storage.
                self.requests.retain(|(shard, _)| *shard != at);
                self.answers.retain(|(shard, _)| *shard != at);
            }
            Step::Request(at, stays) => self.request(at, stays),
            Step::Answer(at, stays) => self.answer(at, stays),
            Step::LoseRequest(at) if !self.requests.is_empty() => {
                self.requests.remove(at % self.requests.len());
            }
            Step::LoseAnswer(at) if !self.answers.is_empty() => {
                self.answers.remove(at % self.answers.len());
            }
            Step::LoseRequest(_) | Step::LoseAnswer(_) => {}
            Step::Fail(at) => {
                let shard = &mut self.shards[at];
                shard
                    .asked
                    .take()
                    .into_iter()
                    .for_each(|number| shard.lease.fail(number, self.now));
            }
            Step::Limit(concurrency) => self.limit(concurrency),
            Step::Pass(millis) => self.now = self.now.plus(millis),
        }
    }

    /// Returns the slots that the limiter has noted for a shard.
    fn noted(&self, at: usize) -> u32 {
        let name = format!("1-{at}");
        let allocator = self.limiter.keys.get(KEY);
        let held = allocator.into_iter().flat_map(Allocator::held).find(|held| held.shard == name);
        held.map_or(0, |held| held.slots.unwrap_or(NO_LIMIT))
    }

    fn check(&self, before: u64) -> Result<(), TestCaseError> {
        for (at, shard) in self.shards.iter().enumerate() {
            let (noted, slots) = (self.noted(at), shard.lease.slots());
            prop_assert!(
                noted >= slots,
                "shard {at} counts {slots} slots, but the limiter has noted {noted}"
            );
            prop_assert!(slots >= shard.lease.in_flight());
        }
        let slots = self.limiter.slots(KEY);
        if let Some(most) = self.concurrency {
            prop_assert!(
                slots <= u64::from(most).max(before),
                "{slots} of at most {most} slots, {before} before this step"
            );
        }
        Ok(())
    }

    /// Checks that no window of time has more dispatches than the rate allows.
    fn check_rate(&self) -> Result<(), TestCaseError> {
        let Some(rate) = self.per_second else { return Ok(()) };
        for (first, from) in self.dispatched.iter().enumerate() {
            for (last, to) in self.dispatched.iter().enumerate().skip(first) {
                let most = rate * ((to - from) as f64 / 1_000.0 + 1.0) + 1.0;
                let runs = last - first + 1;
                prop_assert!(
                    runs as f64 <= most,
                    "{runs} runs within {} ms at {rate} a second",
                    to - from
                );
            }
        }
        Ok(())
    }

    /// Delivers messages that were delayed until now. Nobody would return what the limiter granted
    /// to them.
    fn old_requests_come(
        &mut self,
        stale: Vec<(usize, LeaseRequest)>,
    ) -> Result<(), TestCaseError> {
        for change in [None, Some(Step::Forget), Some(Step::Restart)] {
            change.iter().for_each(|change| self.step(change));
            for (at, ask) in &stale {
                self.requests.push((*at, *ask));
                self.request(0, false);
                prop_assert_eq!(self.limiter.slots(KEY), 0, "after {:?}: {:?}", change, ask);
            }
        }
        Ok(())
    }

    /// Lets everything run without faults. All waiting tasks must run, and all slots must return.
    fn finish_all_work(&mut self) -> Result<(), TestCaseError> {
        let stale = std::mem::take(&mut self.requests);
        self.answers.clear();
        for _ in 0..20_000 {
            let is_over =
                self.shards.iter().all(|shard| shard.waiting == 0 && shard.lease.is_over());
            if is_over && self.requests.is_empty() {
                prop_assert_eq!(self.limiter.slots(KEY), 0);
                return self.old_requests_come(stale);
            }
            for at in 0..SHARDS {
                self.dispatch(at, u32::MAX);
                self.ask(at);
            }
            while !self.requests.is_empty() {
                let before = self.limiter.slots(KEY);
                self.request(0, false);
                self.check(before)?;
            }
            while !self.answers.is_empty() {
                self.answer(0, false);
            }
            (0..SHARDS).for_each(|at| self.dispatch(at, u32::MAX));
            let wakeups = self.shards.iter().filter_map(|shard| {
                let head = (shard.waiting > 0).then_some(UnixMillis::ZERO);
                shard.lease.fire_at(head).into_iter().chain(shard.lease.ask_at(head)).min()
            });
            let next = wakeups.min().unwrap_or(self.now).max(self.now.plus(1));
            let is_in_flight = self.shards.iter().any(|shard| shard.lease.in_flight() > 0);
            self.now = if is_in_flight { next.min(self.now.plus(50)) } else { next };
            (0..SHARDS).for_each(|at| self.end(at, 1));
        }
        let left: Vec<_> = self.shards.iter().map(|shard| (shard.waiting, &shard.lease)).collect();
        Err(TestCaseError::fail(format!("work is left: {left:?}")))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_bounds_hold_whatever_goes_wrong(
        concurrency in prop_oneof![1 => Just(None), 5 => (1..6_u32).prop_map(Some)],
        per_second in prop_oneof![2 => Just(None), 1 => Just(Some(0.7)), 1 => Just(Some(3.0)), 1 => Just(Some(200.0))],
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let mut world = World::new(concurrency, per_second);
        for step in &steps {
            let before = world.limiter.slots(KEY);
            world.step(step);
            world.check(before)?;
        }
        world.check_rate()?;
        world.finish_all_work()?;
        world.check_rate()?;
    }
}

fn question(count: u32, waiting: u32, conversation: Option<Conversation>) -> LeaseRequest {
    LeaseRequest { number: RequestNumber(1, count), slots: 0, in_flight: 0, waiting, conversation }
}

fn of_shard(ask: LeaseRequest) -> LimiterRequest {
    LimiterRequest { key: KEY.to_owned(), shard: "1-0".to_owned(), ask }
}

/// Sends a request as a shard that knows no conversation yet. Returns the conversation that the
/// limiter starts.
fn ask_in_turn(limiter: &mut Limiter, ask: LeaseRequest, now: UnixMillis) -> Option<Conversation> {
    let begun = limiter.ask(&of_shard(ask), now).0.unwrap().conversation;
    let number = RequestNumber(ask.number.0, ask.number.1 + 1);
    let (answer, _) =
        limiter.ask(&of_shard(LeaseRequest { number, conversation: begun, ..ask }), now);
    assert_eq!(answer.unwrap().conversation, None, "a request of the conversation is carried out");
    begun
}

/// A request of an earlier incarnation of the shard arrived after the limiter had forgotten the
/// shard. The limiter granted it a slot that nobody returned.
#[test]
fn a_request_of_an_earlier_conversation_is_granted_nothing() {
    let mut limiter = Limiter::default();
    let limit = Limit { concurrency: Some(1), per_second: Some(1.0) };
    limiter.put(Named { key: KEY.to_owned(), limit }).unwrap();
    let begun = ask_in_turn(&mut limiter, question(1, 0, None), START);
    // The shard waited, which is not stored. A later request has reported that nothing waits any
    // more.
    let late = of_shard(question(5, 1, begun));
    assert_eq!(limiter.ask(&of_shard(question(6, 0, begun)), START).0.unwrap().slots, 0);
    let grants_nothing = |limiter: &mut Limiter, why: &str| {
        for asked in [
            late.clone(),
            of_shard(question(7, 1, None)),
            of_shard(LeaseRequest { slots: 1, ..question(8, 1, begun) }),
        ] {
            limiter.ask(&asked, START.plus(5_000));
            assert_eq!(limiter.slots(KEY), 0, "{why}: {asked:?}");
        }
    };
    let mut forgetful = Limiter::load(None, 7).unwrap();
    forgetful.put(Named { key: KEY.to_owned(), limit }).unwrap();
    grants_nothing(&mut forgetful, "after a restart");
    limiter.ask(
        &LimiterRequest { key: "other".to_owned(), ..of_shard(question(9, 0, None)) },
        START.plus(3 * SWEEP_MILLIS),
    );
    grants_nothing(&mut limiter, "after an hour");
    limiter.clear();
    limiter.put(Named { key: KEY.to_owned(), limit }).unwrap();
    grants_nothing(&mut limiter, "after the namespace was deleted");
}

/// A shard whose storage was restored sends requests with numbers that the limiter has already
/// seen. The limiter did not answer until these numbers were used up.
#[test]
fn a_shard_with_restored_storage_gets_answers() {
    let mut limiter = Limiter::default();
    limiter
        .put(Named { key: KEY.to_owned(), limit: Limit { concurrency: Some(3), per_second: None } })
        .unwrap();
    ask_in_turn(
        &mut limiter,
        LeaseRequest { number: RequestNumber(9, 70), ..question(0, 2, None) },
        START,
    );
    assert_eq!(limiter.slots(KEY), 2);
    ask_in_turn(
        &mut limiter,
        LeaseRequest { number: RequestNumber(8, 1), ..question(0, 0, None) },
        START.plus(50),
    );
    assert_eq!(limiter.slots(KEY), 0, "the shard has reported that it has none");
}

/// Lost requests still counted as failures after the limiter had answered with a new conversation.
/// So the shard waited 15 s although all slots were free.
#[test]
fn a_limiter_that_answers_again_gets_the_next_request_soon() {
    let mut lease = Lease::new(0, false);
    let mut now = START;
    let ask = |lease: &mut Lease, now: UnixMillis, count: u32| {
        lease.ask(RequestNumber(1, count), 1, now).number
    };
    let begins = |number, incarnation| Answer {
        number,
        slots: 0,
        target: 0,
        tokens: Some(0),
        retry_after_millis: 0,
        conversation: Some(Conversation(incarnation, 1)),
    };
    let number = ask(&mut lease, now, 1);
    lease.answered(&begins(number, 1), now);
    for count in 2..10 {
        let lost = ask(&mut lease, now, count);
        lease.fail(lost, now);
        now = lease.ask_at(Some(START)).unwrap();
    }
    // The limiter has restarted in the meantime.
    let number = ask(&mut lease, now, 10);
    lease.answered(&begins(number, 2), now);
    let wait = lease.ask_at(Some(START)).unwrap().since(now);
    assert!((1..=1_000).contains(&wait), "the next request follows after {wait} ms");
    // If the limiter starts a new conversation each time, the shard pauses between its requests.
    for count in 11..30 {
        let number = ask(&mut lease, now, count);
        lease.answered(&begins(number, 2 + u64::from(count)), now);
        now = lease.ask_at(Some(START)).unwrap();
    }
    assert!(now.since(START) > 60_000);
}

/// A caller who named new keys again and again filled the limiter for an hour.
#[test]
fn a_crowded_limiter_removes_unused_keys_soon() {
    let mut limiter = Limiter::default();
    let mut rows = BTreeMap::new();
    let mut most = (0, 0);
    for n in 0..20 * MANY_KEYS {
        // A hundred keys per second. The second request for each key returns its slot.
        let now = START.plus(10 * n as i64);
        let asks = |number, slots, waiting| LimiterRequest {
            key: format!("key {n}"),
            ..of_shard(LeaseRequest { slots, ..question(number, waiting, None) })
        };
        for asked in [asks(1, 0, 1), asks(2, 0, 0)] {
            for write in limiter.ask(&asked, now).1 {
                match write {
                    Write::Put { name, record } => drop(rows.insert(name, record)),
                    Write::Delete { name } => drop(rows.remove(&name)),
                    Write::Clear => rows.clear(),
                }
            }
        }
        most = (most.0.max(limiter.keys.len()), most.1.max(rows.len()));
    }
    let bound = MANY_KEYS + 3 * CROWDED_SWEEP_MILLIS as usize / 10;
    assert!(
        most.0 <= bound && most.1 <= bound,
        "{most:?} keys and shares, but the bound is {bound}"
    );
    assert_eq!(most.0, MANY_KEYS, "fewer keys are kept for an hour");
}

/// A clear that arrived after the namespace was created again deleted the limits and slots of the
/// new one.
#[test]
fn a_late_clear_deletes_nothing_that_is_newer() {
    let named =
        || Named { key: KEY.to_owned(), limit: Limit { concurrency: Some(2), per_second: None } };
    let mut limiter = Limiter::load(None, 1).unwrap();
    limiter.put(named()).unwrap();
    let seen = limiter.seen();
    assert_eq!(limiter.clear_as_seen(seen), Some(Write::Clear));
    assert_eq!(limiter.clear_as_seen(seen), None, "the clear arrives twice");
    // The namespace is created again: with a limit, with a noted slot, or with another incarnation
    // of the limiter.
    limiter.put(named()).unwrap();
    assert_eq!(limiter.clear_as_seen(seen), None);
    let seen = limiter.seen();
    ask_in_turn(&mut limiter, question(1, 1, None), START);
    assert_eq!(limiter.clear_as_seen(seen), None);
    assert_eq!((limiter.list().len(), limiter.slots(KEY)), (1, 1));
    let seen = Limiter::load(None, 2).unwrap().seen();
    assert!(Limiter::load(None, 3).unwrap().clear_as_seen(seen).is_none());
    let seen = limiter.seen();
    limiter.delete(KEY);
    assert_eq!(limiter.clear_as_seen(seen), None);
    assert_eq!(
        limiter.clear_as_seen(limiter.seen()),
        Some(Write::Clear),
        "a sender that reads the new state can clear it"
    );
}

/// Returns how many tokens a shard gets with two requests at this time, and stores the writes.
fn tokens(limiter: &mut Limiter, rows: &mut BTreeMap<String, String>, now: UnixMillis) -> u32 {
    let mut store = |writes: Vec<Write>| {
        for write in writes {
            match write {
                Write::Put { name, record } => drop(rows.insert(name, record)),
                Write::Delete { name } => drop(rows.remove(&name)),
                Write::Clear => rows.clear(),
            }
        }
    };
    let (begun, writes) = limiter.ask(&of_shard(question(1, 10, None)), now);
    store(writes);
    let (answer, writes) =
        limiter.ask(&of_shard(question(2, 10, begun.unwrap().conversation)), now);
    store(writes);
    answer.unwrap().tokens.unwrap()
}

/// The first task behind a rate of 0.001 per second waited for 1,000 s, and again after each
/// restart of the limiter.
#[test]
fn the_first_run_of_a_slow_rate_does_not_wait() {
    let limit = Limit { concurrency: None, per_second: Some(0.001) };
    for restarts in [false, true] {
        let mut rows = BTreeMap::new();
        let mut limiter = Limiter::load(None, 1).unwrap();
        let (_, Write::Put { name, record }) =
            limiter.put(Named { key: KEY.to_owned(), limit }).unwrap()
        else {
            panic!()
        };
        rows.insert(name, record);
        for (n, (at, expected)) in
            [(0, 1), (1, 0), (999_999, 0), (1_000_000, 1), (1_000_001, 0), (9_000_000, 1)]
                .into_iter()
                .enumerate()
        {
            if restarts {
                limiter = Limiter::load(rows.values().cloned(), n as u64 + 2).unwrap();
            }
            assert_eq!(
                tokens(&mut limiter, &mut rows, START.plus(at)),
                expected,
                "at {at}, restarts: {restarts}"
            );
        }
        // Setting the same limit again saves no tokens, and neither does setting another rate.
        for per_second in [0.001, 0.002] {
            limiter
                .put(Named {
                    key: KEY.to_owned(),
                    limit: Limit { per_second: Some(per_second), ..limit },
                })
                .unwrap();
            assert_eq!(tokens(&mut limiter, &mut rows, START.plus(9_000_001)), 0);
        }
    }
}

/// The buckets of higher rates are not stored, so a restart must not grant tokens twice.
#[test]
fn a_restart_grants_no_token_twice() {
    let limit = Limit { concurrency: None, per_second: Some(0.2) };
    let mut limiter = Limiter::load(None, 1).unwrap();
    let (_, Write::Put { name, record }) =
        limiter.put(Named { key: KEY.to_owned(), limit }).unwrap()
    else {
        panic!()
    };
    let mut rows = BTreeMap::from([(name, record)]);
    assert_eq!(tokens(&mut limiter, &mut rows, START), 1);
    let mut limiter = Limiter::load(rows.values().cloned(), 2).unwrap();
    assert_eq!(tokens(&mut limiter, &mut rows, START.plus(1)), 0);
    // The record is as an earlier version stored it.
    let record = r#"{"limit":{"key":"stripe","limit":{"perSecond":0.001}}}"#.to_owned();
    let mut limiter = Limiter::load([record], 3).unwrap();
    assert_eq!(limiter.get(KEY).unwrap().per_second, Some(0.001));
    assert_eq!(tokens(&mut limiter, &mut BTreeMap::new(), START), 0);
}

#[test]
fn limits_are_set_shown_removed_and_counted() {
    let mut limiter = Limiter::default();
    let named = |key: &str| Named {
        key: key.to_owned(),
        limit: Limit { concurrency: Some(2), per_second: None },
    };
    assert_eq!(limiter.get(KEY), None);
    assert!(limiter.put(named(KEY)).unwrap().0);
    assert!(!limiter.put(named(KEY)).unwrap().0);
    let ask = LeaseRequest {
        number: RequestNumber(1, 1),
        slots: 0,
        in_flight: 0,
        waiting: 7,
        conversation: None,
    };
    ask_in_turn(&mut limiter, ask, START);
    let shown = limiter.get(KEY).unwrap();
    assert_eq!((shown.in_flight, shown.waiting, shown.in_effect), (0, 7, true));
    assert_eq!(
        shown.shards,
        [HeldBy { shard: "1-0".to_owned(), slots: Some(2), in_flight: 0, waiting: 7 }]
    );
    assert!(limiter.delete(KEY).is_some());
    assert_eq!((limiter.delete(KEY), limiter.get(KEY), limiter.list()), (None, None, Vec::new()));
    assert_eq!(limiter.slots(KEY), 2, "slots in use stay noted");
    for n in 0..MAX_LIMITS_PER_LIMITER {
        limiter.put(named(&n.to_string())).unwrap();
    }
    assert!(limiter.put(named("one-more")).unwrap_err().detail.contains("500 limits"));
    assert!(limiter.put(named("7")).is_ok());
    limiter.clear();
    assert_eq!((limiter.list(), limiter.slots(KEY)), (Vec::new(), 0));
}

/// There are as many limits as possible. Each has the longest key and the slots of many shards.
#[test]
fn a_list_of_limits_is_bounded() {
    let mut limiter = Limiter::default();
    let key_of = |n: usize| format!("{}{n:03}", "\"".repeat(MAX_LIMIT_KEY_BYTES - 3));
    for n in 0..MAX_LIMITS_PER_LIMITER {
        let limit = Limit { concurrency: Some(MAX_CONCURRENCY), per_second: Some(99_999.123_456) };
        limiter.put(Named { key: key_of(n), limit }).unwrap();
    }
    for (n, shard) in (0..80).flat_map(|n| (0..50).map(move |shard| (n, shard))) {
        let asked = |ask| LimiterRequest { key: key_of(n), shard: format!("8-{shard}"), ask };
        let begun =
            limiter.ask(&asked(question(1, u32::MAX - 1, None)), START).0.unwrap().conversation;
        limiter.ask(&asked(question(2, u32::MAX - 1, begun)), START);
    }
    let list = limiter.list();
    assert_eq!(list.len(), MAX_LIMITS_PER_LIMITER);
    let holders: usize = list.iter().map(|limit| limit.shards.len()).sum();
    assert_eq!(holders, MAX_LISTED_HOLDERS);
    assert_eq!(limiter.get(&key_of(79)).unwrap().shards.len(), 50);
    assert_eq!(list[79].waiting, 50 * u64::from(u32::MAX - 1), "the sums are over all shards");
    let written = serde_json::to_string(&list).unwrap().len();
    assert!(written <= MAX_LIST_BYTES / LIMITERS as usize, "{written}");
}

#[test]
fn shares_returned_long_ago_are_forgotten() {
    let mut limiter = Limiter::default();
    let begun = ask_in_turn(&mut limiter, question(1, 1, None), START);
    let asked = |count, waiting| of_shard(question(count, waiting, begun));
    assert_eq!(
        limiter.ask(&asked(3, 0), START.plus(5)).1.len(),
        1,
        "everything is returned, but the number stays"
    );
    assert!(
        limiter.ask(&asked(1, 1), START.plus(6)).0.is_none(),
        "so the limiter recognizes an old request"
    );
    let other = LimiterRequest { key: "other".to_owned(), ..asked(4, 1) };
    let (_, writes) = limiter.ask(&other, START.plus(2 * SWEEP_MILLIS));
    assert_eq!(writes[0], Write::Delete { name: "share/1-0/stripe".to_owned() });
}

/// Found by the property test: a request was not stored because it raised nothing, since the same
/// number was noted for an earlier incarnation of the shard. After a restart, the limiter took its
/// copy for a new request, and recorded slots of the shard as returned.
#[test]
fn a_repeated_request_after_a_restart_removes_no_slots() {
    let mut world = World::new(None, None);
    for step in [
        Step::Due(0, 1),
        Step::Ask(0),
        Step::Request(0, false),
        Step::Crash(0),
        Step::Ask(0),
        Step::Request(0, true),
        Step::Limit(Some(1)),
        Step::Restart,
        Step::Answer(1, false),
        Step::Request(0, false),
    ] {
        let before = world.limiter.slots(KEY);
        world.step(&step);
        world.check(before).unwrap();
    }
}

/// The limiter granted nothing to a request and then a slot to its copy. The shard already had its
/// answer, so it ignored the slot. It had no reason for a further request, so the slot stayed noted
/// forever.
#[test]
fn slots_granted_to_a_copy_of_a_request_are_returned() {
    let mut limiter = Limiter::default();
    limiter
        .put(Named { key: KEY.to_owned(), limit: Limit { concurrency: Some(1), per_second: None } })
        .unwrap();
    let (mut holder, mut other) = (Lease::new(0, false), Lease::new(0, false));
    let mut count = 0;
    let mut exchange = |limiter: &mut Limiter,
                        lease: &mut Lease,
                        shard: &str,
                        waiting: u32,
                        now: UnixMillis|
     -> LimiterRequest {
        count += 1;
        let asked = LimiterRequest {
            key: KEY.to_owned(),
            shard: shard.to_owned(),
            ask: lease.ask(RequestNumber(1, count), waiting, now),
        };
        let (answer, _) = limiter.ask(&asked, now);
        lease.answered(&answer.unwrap(), now);
        asked
    };
    for _ in 0..2 {
        exchange(&mut limiter, &mut holder, "1-0", 1, START);
    }
    exchange(&mut limiter, &mut other, "1-1", 1, START);
    let asked = exchange(&mut limiter, &mut other, "1-1", 1, START);
    assert_eq!((holder.slots(), other.slots(), limiter.slots(KEY)), (1, 0, 1));
    let later = START.plus(5_000);
    exchange(&mut limiter, &mut holder, "1-0", 0, later);
    assert_eq!(limiter.slots(KEY), 0);
    let (answer, _) = limiter.ask(&asked, later);
    other.answered(&answer.unwrap(), later);
    assert_eq!((other.slots(), limiter.slots(KEY)), (0, 1));
    // The tasks of the other shard are gone, or not due for a long time.
    for head in [None, Some(later.plus(86_400_000))] {
        let mut other = other.clone();
        let at = other.ask_at(head).unwrap().max(later);
        assert!(at <= later.plus(1_000) && other.wants_to_ask(head, at) && !other.is_over());
        exchange(&mut limiter, &mut other, "1-1", 0, at);
        assert!(other.is_over() && limiter.slots(KEY) == 0);
        assert!(other.ask_at(head).is_none_or(|next| next > at));
    }
}
