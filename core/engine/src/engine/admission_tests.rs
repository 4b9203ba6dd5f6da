use super::*;
use crate::Config;
use crate::testing::{Memory, append, record};
use scheduler_model::access::{MemoryUse, Quota};
use scheduler_model::idempotency::RequestSeed;
use scheduler_model::protocol::{Among, Append, Change, ChangeReply, ChangeRequest};
use std::collections::BTreeSet;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// A shard and its storage.
struct Shard {
    engine: Engine,
    stored: Memory,
}

impl Shard {
    fn new() -> Self {
        let stored = Memory::default();
        Self { engine: stored.load("1-0", Config::default()), stored }
    }

    fn append(&mut self, append: Append, now: UnixMillis) -> Result<AppendReply, EngineError> {
        let (reply, effects) = self.engine.append(append, now, &self.stored)?;
        self.commit(effects);
        Ok(reply)
    }

    fn commit(&mut self, effects: Effects) {
        self.stored.apply(&effects.writes);
    }

    /// Restarts the engine from the stored keys and state. The pages are dropped.
    fn restart(&mut self) {
        self.stored.pages.clear();
        self.engine = self.stored.load("1-0", Config::default());
    }

    fn pending(&self) -> u64 {
        self.engine.stats(NOW).pending
    }
}

fn tasks(ids: impl IntoIterator<Item = u32>) -> Append {
    append(ids.into_iter().map(|n| {
        let id = format!("task-{n}");
        let record = record(&id, UnixMillis::new(5), "");
        (id, NOW.plus(90_000), record)
    }))
}

fn made(n: u8) -> RequestSeed {
    RequestSeed { at: NOW.plus(i64::from(n)), random: [n; 16] }
}

fn once(append: Append, key: &str, body: &str, by: u8) -> Append {
    let once = IdempotencyKey::new(key, "", body, made(by)).unwrap();
    Append { terms: Terms { once: Some(once), ..Terms::default() }, ..append }
}

fn within(append: Append, quota: Quota) -> Append {
    Append { terms: Terms { share: quota.share(1), ..Terms::default() }, ..append }
}

#[test]
fn a_repeat_changes_nothing_and_gets_the_first_answer() {
    let mut shard = Shard::new();
    shard.append(tasks([1]), NOW).unwrap();
    let first = shard.append(once(tasks([1, 2]), "k", "body", 1), NOW).unwrap();
    assert_eq!(first, AppendReply { created: 2, replaced: 1, ..AppendReply::default() });
    for _ in 0..2 {
        let again = shard
            .append(once(tasks([8, 9]), "k", "body", 7), NOW.plus(REMEMBER_MILLIS - 1))
            .unwrap();
        assert_eq!(again, AppendReply { done_before: Some(made(1)), ..first });
        assert_eq!(
            shard.append(once(tasks([8, 9]), "k", "other", 7), NOW),
            Err(EngineError::KeyReused)
        );
        assert_eq!(shard.stored.remembered.len(), 1);
        // A restarted engine answers the same from storage.
        shard.restart();
    }
    assert_eq!(shard.engine.stats(NOW).counters.created, 0, "the restart dropped the tasks");
    assert_eq!(
        shard
            .append(once(tasks([3]), "k", "other", 7), NOW.plus(REMEMBER_MILLIS))
            .unwrap()
            .done_before,
        None
    );
}

#[test]
fn a_question_about_a_key_does_nothing() {
    let mut shard = Shard::new();
    let ask = |body: &str| {
        let mut append = once(Append::default(), "k", body, 7);
        append.terms.recall_only = true;
        append
    };
    assert_eq!(shard.append(ask("body"), NOW).unwrap(), AppendReply::default());
    assert_eq!(shard.stored.remembered.len(), 0, "the key is free");
    let first = shard.append(once(tasks([1]), "k", "body", 1), NOW).unwrap();
    let again = shard.append(ask("body"), NOW).unwrap();
    assert_eq!(again, AppendReply { done_before: Some(made(1)), ..first });
    assert_eq!(shard.append(ask("other"), NOW), Err(EngineError::KeyReused));
    assert_eq!(shard.pending(), 1);
}

#[test]
fn a_refused_request_is_not_remembered() {
    let mut shard = Shard::new();
    let quota = Quota { pending_tasks: Some(1), ..Quota::default() };
    let mut request = once(tasks([1, 2]), "k", "body", 1);
    request.terms.share = quota.share(1);
    assert!(matches!(shard.append(request.clone(), NOW), Err(EngineError::LargerThanShare { .. })));
    request.terms.share = None;
    assert_eq!(shard.append(request, NOW).unwrap().created, 2);
}

#[test]
fn two_requests_with_the_same_key_do_not_share_a_commit() {
    let mut gathering = crate::Gathering::default();
    assert_eq!(gathering.add(once(tasks([1]), "k", "body", 1)), None);
    assert_eq!(gathering.add(once(tasks([2]), "l", "body", 1)), None);
    assert!(gathering.add(once(tasks([3]), "k", "body", 1)).is_some());
}

#[test]
fn a_refused_key_does_not_affect_other_requests_of_its_commit() {
    let mut shard = Shard::new();
    shard.append(once(tasks([1]), "k", "body", 1), NOW).unwrap();
    let requests =
        vec![tasks([2]), once(tasks([3]), "k", "other", 1), once(tasks([4]), "k2", "body", 1)];
    let (replies, _) = shard.engine.append_all(requests, NOW, &shard.stored).unwrap();
    assert_eq!(replies.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(shard.pending(), 3);
}

#[test]
fn new_keys_push_out_keys_of_past_periods() {
    let mut shard = Shard::new();
    for n in 0..40 {
        shard.append(once(tasks([]), &format!("old-{n}"), "", 1), NOW).unwrap();
    }
    let later = NOW.plus(2 * REMEMBER_MILLIS);
    for n in 0..5 {
        shard.append(once(tasks([]), &format!("new-{n}"), "", 1), later).unwrap();
    }
    assert_eq!(shard.stored.remembered.len(), 40 - 20 + 5);
    shard.restart();
    for n in 5..10 {
        shard.append(once(tasks([]), &format!("new-{n}"), "", 1), later).unwrap();
    }
    assert_eq!(
        shard.stored.remembered.keys().map(|(at, _)| *at).collect::<BTreeSet<_>>(),
        [period(later)].into()
    );
    assert_eq!(shard.engine.remembered, [(period(later), 10)].into());
}

#[test]
fn a_shard_refuses_keys_beyond_its_limit() {
    let mut shard = Shard::new();
    shard.engine.remembered.insert(period(NOW), MAX_REMEMBERED_PER_SHARD);
    assert_eq!(shard.append(once(tasks([1]), "k", "", 1), NOW), Err(EngineError::TooManyKeys));
    assert_eq!(shard.append(tasks([1]), NOW).unwrap().created, 1);
}

#[test]
fn requests_of_one_commit_share_the_quota_of_pending_tasks() {
    let quota = Quota { pending_tasks: Some(5), ..Quota::default() };
    let mut shard = Shard::new();
    let requests =
        vec![within(tasks(0..3), quota), within(tasks(3..6), quota), within(tasks([7]), quota)];
    let (replies, effects) = shard.engine.append_all(requests, NOW, &shard.stored).unwrap();
    shard.commit(effects);
    assert_eq!(replies.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let problem = shard.append(within(tasks([8, 9]), quota), NOW).unwrap_err();
    assert!(
        problem.to_string().contains("pendingTasks")
            && problem
                .to_string()
                .contains("tasks held: 4, dead letters among them: 0, tasks to add: 2;"),
        "{problem}"
    );
    assert_eq!(problem.retry_after_seconds(), Some(90), "when the next task is due");
    assert_eq!(shard.append(within(tasks([8]), quota), NOW).map(|reply| reply.created), Ok(1));
    // A replacement adds no task, so even a lowered quota admits it.
    let lower = Quota { pending_tasks: Some(1), ..Quota::default() };
    let replaced = shard.append(within(tasks([0, 1]), lower), NOW).unwrap();
    assert_eq!((replaced.replaced, shard.pending()), (2, 5));
    assert!(shard.append(within(tasks([9]), lower), NOW).is_err());
}

/// Such a request was advised to wait an hour, although no wait makes room for it.
#[test]
fn a_request_larger_than_the_share_is_advised_to_split_not_to_wait() {
    let quota = Quota { pending_tasks: Some(160), ..Quota::default() };
    let request = |ids: std::ops::Range<u32>| Append {
        terms: Terms { share: quota.share(16), ..Terms::default() },
        ..tasks(ids)
    };
    let mut shard = Shard::new();
    let problem = shard.append(request(0..11), NOW).unwrap_err();
    assert_eq!(problem, EngineError::LargerThanShare { quota: 160, share: 10, asked: 11 });
    assert_eq!(problem.retry_after_seconds(), None, "no wait makes room for it");
    let text = problem.to_string();
    assert!(
        text.contains("pendingTasks is 160") && text.contains("requests of at most 10,"),
        "{text}"
    );
    assert_eq!(
        shard.append(request(0..10), NOW).map(|reply| reply.created),
        Ok(10),
        "a request of the advised size"
    );
    // A request of the same size that adds a single task waits for room.
    let waits = shard.append(request(0..11), NOW).unwrap_err();
    assert!(
        matches!(
            waits,
            EngineError::PendingQuota { quota: 160, share: 10, waiting: 10, asked: 1, .. }
        ),
        "{waits}"
    );
    assert_eq!(waits.retry_after_seconds(), Some(90));
}

/// Makes tasks without a schedule, which stay after a requested run.
fn without_schedule(ids: impl IntoIterator<Item = u32>) -> Append {
    append(ids.into_iter().map(|n| {
        let id = format!("task-{n}");
        let record = format!(r#"{{"id":"{id}","callback":{{"type":"handler","name":"log"}}}}"#);
        (id, UnixMillis::NEVER, record)
    }))
}

fn run(shard: &mut Shard, ids: &[u32], quota: Quota) -> Result<ChangeReply, EngineError> {
    let ids = ids.iter().map(|n| format!("task-{n}")).collect();
    let request = ChangeRequest { ids, change: Change::Run, if_match: None, pause: None };
    let (reply, effects) =
        shard.engine.change_among(&request, Among::All, quota.share(1), NOW, &shard.stored)?;
    shard.commit(effects);
    Ok(reply)
}

#[test]
fn requested_runs_stay_within_the_share() {
    let quota = Quota { pending_tasks: Some(4), ..Quota::default() };
    let mut shard = Shard::new();
    shard.append(within(without_schedule([0, 1]), quota), NOW).unwrap();
    assert!(run(&mut shard, &[0], quota).is_ok());
    let problem = run(&mut shard, &[0, 1], quota).unwrap_err();
    assert!(
        problem
            .to_string()
            .contains("is 4, and 4 of it is this shard's share; tasks held: 3, dead letters among them: 0, tasks to add: 2;"),
        "{problem}"
    );
    assert_eq!(shard.pending(), 1, "a refused request changes nothing");
    assert!(run(&mut shard, &[1], quota).is_ok());
    assert!(matches!(run(&mut shard, &[1], quota), Err(EngineError::PendingQuota { .. })));
    // A requested run of a scheduled one-shot task adds nothing: the task runs now instead of
    // later.
    let mut shard = Shard::new();
    let full = Quota { pending_tasks: Some(1), ..Quota::default() };
    shard.append(within(tasks([0]), full), NOW).unwrap();
    assert!(run(&mut shard, &[0], full).is_ok());
}

#[test]
fn requested_runs_stay_within_the_rate() {
    let quota = Quota { creates_per_second: Some(2), ..Quota::default() };
    let mut shard = Shard::new();
    shard.append(without_schedule([0, 1, 2, 3]), NOW).unwrap();
    assert!(run(&mut shard, &[0, 1, 2, 3], quota).is_ok());
    let problem = run(&mut shard, &[0], quota).unwrap_err();
    assert!(matches!(problem, EngineError::RateQuota { .. }), "{problem}");
    assert!(
        shard.append(within(tasks([9]), quota), NOW).is_err(),
        "creates and runs use up the same rate"
    );
}

#[test]
fn a_full_isolate_accepts_requests_that_add_nothing() {
    let mut shard = Shard::new();
    shard.append(once(tasks([1, 2]), "k", "body", 1), NOW).unwrap();
    shard.append(without_schedule([3]), NOW).unwrap();
    let held = MemoryUse { all: 10, own: 1, most: 10 };
    shard.engine.observe_isolate(held);
    let full = EngineError::IsolateFull(held);
    assert_eq!(shard.append(tasks([4]), NOW), Err(full.clone()));
    assert_eq!(run(&mut shard, &[3], Quota::default()).err(), Some(full));
    assert_eq!(shard.append(tasks([1]), NOW).map(|reply| reply.replaced), Ok(1));
    assert!(shard.append(once(tasks([1, 2]), "k", "body", 7), NOW).unwrap().done_before.is_some());
    assert!(run(&mut shard, &[1], Quota::default()).is_ok());
    shard.engine.observe_isolate(MemoryUse { all: 9, own: 5, most: 10 });
    assert!(shard.append(tasks([4]), NOW).is_err(), "the isolate is full");
    shard.engine.observe_isolate(MemoryUse { all: 9, own: 4, most: 10 });
    assert!(shard.append(tasks([4]), NOW).is_ok());
}

#[test]
fn creates_stay_within_the_rate_and_its_use_survives_a_restart() {
    let quota = Quota { creates_per_second: Some(10), ..Quota::default() };
    let mut shard = Shard::new();
    // A batch passes as a whole and is charged afterwards: 100 creates at 10 per second, one second
    // of which is free.
    assert_eq!(shard.append(within(tasks(0..100), quota), NOW).unwrap().created, 100);
    let problem = shard.append(within(tasks([100]), quota), NOW).unwrap_err();
    assert_eq!(problem.retry_after_seconds(), Some(10), "{problem}");
    assert!(problem.to_string().contains("createsPerSecond is 10 over all shards"), "{problem}");
    let effects = shard.engine.save();
    shard.commit(effects);
    shard.restart();
    assert!(shard.append(within(tasks([100]), quota), NOW.plus(9_000)).is_err());
    assert!(shard.append(within(tasks([100]), quota), NOW.plus(9_001)).is_ok());
    // Without a quota, the shard counts nothing and admits everything.
    assert!(shard.append(tasks([101]), NOW).is_ok());
}

/// Dead letters did not count, so a task that always fails could fill the shard beyond its quota.
#[test]
fn dead_letters_count_towards_the_quota_and_replays_do_not() {
    use crate::engine::lanes::pair::Pair;
    let mut pair = Pair::new(usize::MAX);
    let quota = Quota { pending_tasks: Some(3), ..Quota::default() };
    for n in 0..3 {
        pair.create("", &format!("failed-{n}"), Some(pair.now), "");
    }
    pair.now = pair.now.plus(1_000);
    for (seq, ..) in pair.wake() {
        pair.fail(seq, true, "no");
    }
    let refused =
        pair.engine.append(within(tasks([1]), quota), pair.now, &Memory::default()).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("is 3, and 3 of it is this shard's share; tasks held: 3, dead letters among them: 3, tasks to add: 1;"),
        "{text}"
    );
    assert!(text.contains("discard dead letters"), "{text}");
    // A replay adds nothing, because the run takes the place of its dead letter. So a used-up quota
    // admits it.
    let ids = (0..3).map(|n| format!("failed-{n}")).collect();
    let reply = pair
        .change_within(
            &ChangeRequest { ids, change: Change::Run, if_match: None, pause: None },
            quota.share(1),
        )
        .unwrap();
    assert_eq!(reply.outcomes, [scheduler_model::protocol::Changed::Changed; 3]);
    for (seq, ..) in pair.wake() {
        pair.fail(seq, true, "no");
    }
    assert_eq!((pair.engine.entries(), pair.engine.stats(pair.now).dead_letters), (3, 3));
    pair.discard("failed-0");
    assert!(pair.engine.append(within(tasks([1]), quota), pair.now, &Memory::default()).is_ok());
}
