//! Limits, requests and tokens of a limiter, one case each.

use super::*;
use crate::limiter::Lease;
use scheduler_model::bounds::{MAX_CONCURRENCY, MAX_LIMIT_KEY_BYTES, MAX_LIST_BYTES};
use scheduler_model::protocol::limiter::{Conversation, LIMITERS, LeaseRequest, RequestNumber};
use std::collections::BTreeMap;

const START: UnixMillis = UnixMillis::new(1_764_000_000_000);
const KEY: &str = "stripe";

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
    limiter.put(Named { key: KEY.to_owned(), limit }, START).unwrap();
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
    forgetful.put(Named { key: KEY.to_owned(), limit }, START).unwrap();
    grants_nothing(&mut forgetful, "after a restart");
    limiter.ask(
        &LimiterRequest { key: "other".to_owned(), ..of_shard(question(9, 0, None)) },
        START.plus(3 * SWEEP_MILLIS),
    );
    grants_nothing(&mut limiter, "after an hour");
    limiter.clear();
    limiter.put(Named { key: KEY.to_owned(), limit }, START).unwrap();
    grants_nothing(&mut limiter, "after the namespace was deleted");
}

/// A shard whose storage was restored sends requests with numbers that the limiter has already
/// seen. The limiter did not answer until these numbers were used up.
#[test]
fn a_shard_with_restored_storage_gets_answers() {
    let mut limiter = Limiter::default();
    limiter
        .put(
            Named { key: KEY.to_owned(), limit: Limit { concurrency: Some(3), per_second: None } },
            START,
        )
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
    limiter.put(named(), START).unwrap();
    let seen = limiter.seen();
    assert_eq!(limiter.clear_as_seen(seen), Some(Write::Clear));
    assert_eq!(limiter.clear_as_seen(seen), None, "the clear arrives twice");
    // The namespace is created again: with a limit, with a noted slot, or with another incarnation
    // of the limiter.
    limiter.put(named(), START).unwrap();
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
            limiter.put(Named { key: KEY.to_owned(), limit }, START).unwrap()
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
            let limit = Limit { per_second: Some(per_second), ..limit };
            limiter.put(Named { key: KEY.to_owned(), limit }, START.plus(9_000_001)).unwrap();
            assert_eq!(tokens(&mut limiter, &mut rows, START.plus(9_000_001)), 0);
        }
    }
}

/// A new rate started with an empty bucket, so tasks waited for as long as the rate was changed more
/// often than it granted runs.
#[test]
fn a_rate_that_changes_all_the_time_grants_runs() {
    let mut rows = BTreeMap::new();
    let mut limiter = Limiter::load(None, 1).unwrap();
    for (per_second, expected) in [(1.0, 60..=62), (0.05, 3..=5)] {
        let mut granted = 0;
        for n in 0..120 {
            let now = START.plus(n * 500);
            let limit =
                Limit { concurrency: None, per_second: Some(per_second + (n % 2) as f64 / 1e3) };
            limiter.put(Named { key: KEY.to_owned(), limit }, now).unwrap();
            granted += tokens(&mut limiter, &mut rows, now);
        }
        assert!(expected.contains(&granted), "{granted} runs in a minute at {per_second}");
        limiter.delete(KEY).unwrap();
    }
}

/// The buckets of higher rates are not stored, so a restart must not grant tokens twice.
#[test]
fn a_restart_grants_no_token_twice() {
    let limit = Limit { concurrency: None, per_second: Some(0.2) };
    let mut limiter = Limiter::load(None, 1).unwrap();
    let (_, Write::Put { name, record }) =
        limiter.put(Named { key: KEY.to_owned(), limit }, START).unwrap()
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
    assert!(limiter.put(named(KEY), START).unwrap().0);
    assert!(!limiter.put(named(KEY), START).unwrap().0);
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
        limiter.put(named(&n.to_string()), START).unwrap();
    }
    assert!(limiter.put(named("one-more"), START).unwrap_err().detail.contains("500 limits"));
    assert!(limiter.put(named("7"), START).is_ok());
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
        limiter.put(Named { key: key_of(n), limit }, START).unwrap();
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

/// The limiter granted nothing to a request and then a slot to its copy. The shard already had its
/// answer, so it ignored the slot. It had no reason for a further request, so the slot stayed noted
/// forever.
#[test]
fn slots_granted_to_a_copy_of_a_request_are_returned() {
    let mut limiter = Limiter::default();
    limiter
        .put(
            Named { key: KEY.to_owned(), limit: Limit { concurrency: Some(1), per_second: None } },
            START,
        )
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
