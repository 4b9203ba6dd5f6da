use super::*;
use crate::Config;
use crate::testing::{Memory, append, record};
use scheduler_model::idempotency::{IdempotencyKey, RequestSeed};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Append, CancelRequest, Report, RunsRequest, Terms};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

fn load(stored: &Memory) -> Engine {
    stored.load("a:1-0", Config::default())
}

/// Creates a task with an `Idempotency-Key`. Returns whether the request was carried out before.
fn create(engine: &mut Engine, stored: &mut Memory, id: &str, due: UnixMillis, key: &str) -> bool {
    let once =
        IdempotencyKey::new(key, "append", id, RequestSeed { at: NOW, random: [3; 16] }).unwrap();
    let terms = Terms { once: Some(once), ..Terms::default() };
    let append = Append { terms, ..append([(id, due, record(id, due, ""))]) };
    let (reply, effects) = engine.append(append, NOW, stored).unwrap();
    stored.apply(&effects.writes);
    reply.done_before.is_some()
}

/// Fires and reports what is due.
fn fire(engine: &mut Engine, stored: &mut Memory, now: UnixMillis) {
    let effects = engine.wake(now, stored).unwrap();
    let seqs: Vec<EnvelopeSeq> = effects.sends.iter().map(|outgoing| outgoing.seq).collect();
    stored.apply(&effects.writes);
    for seq in seqs {
        let effects = engine.report(&Report { seq, ..Report::default() }, now, stored).unwrap();
        stored.apply(&effects.writes);
    }
}

fn runs(engine: &Engine, stored: &Memory, id: &str) -> usize {
    let request = RunsRequest::of_task(id, None, 10);
    engine.runs(&request, NOW.plus(5_000), stored).unwrap().items.len()
}

fn purge(engine: &mut Engine, stored: &mut Memory) -> PurgeReply {
    let (reply, effects) = engine.purge();
    stored.apply(&effects.writes);
    reply
}

#[test]
fn a_purged_shard_keeps_its_numbers() {
    let (mut stored, mut engine) = (Memory::default(), load(&Memory::default()));
    assert!(!create(&mut engine, &mut stored, "a", NOW.plus(1_000), "k"));
    assert!(create(&mut engine, &mut stored, "a", NOW.plus(1_000), "k"));
    fire(&mut engine, &mut stored, NOW.plus(2_000));
    assert_eq!(runs(&engine, &stored, "a"), 1);
    let (watermark, rows) = (engine.watermark(), stored.history.keys().copied().max());

    assert_eq!(purge(&mut engine, &mut stored), PurgeReply { tasks: 0, done: true });
    for _ in 0..2 {
        assert_eq!(runs(&engine, &stored, "a"), 0);
        let stats = engine.stats(NOW);
        assert_eq!(
            (stats.counters.created, stats.counters.fired, stats.lateness.count()),
            (0, 0, 0)
        );
        assert_eq!(
            (
                stored.remembered.len(),
                stored.history.values().map(|row| row.body.len()).sum::<usize>()
            ),
            (0, 0)
        );
        assert_eq!(engine.watermark(), watermark);
        // A restarted shard has the same state.
        engine = load(&stored);
    }
    // A repeated purge changes nothing and writes nothing.
    let (reply, effects) = engine.purge();
    assert_eq!((reply, effects), (PurgeReply { tasks: 0, done: true }, Effects::default()));

    // The key can be used again, and late messages are not confused with new ones.
    assert!(!create(&mut engine, &mut stored, "a", NOW.plus(3_000), "k"));
    let late = Report { seq: EnvelopeSeq::new(1), ..Report::default() };
    let effects = engine.report(&late, NOW.plus(3_000), &stored).unwrap();
    stored.apply(&effects.writes);
    fire(&mut engine, &mut stored, NOW.plus(4_000));
    assert_eq!(stored.outbox.keys().copied().collect::<Vec<_>>(), [EnvelopeSeq::new(2)]);
    assert!(stored.history.keys().copied().max() > rows);
    assert_eq!(runs(&engine, &stored, "a"), 1);
}

#[test]
fn a_shard_that_holds_a_task_is_not_purged() {
    let (mut stored, mut engine) = (Memory::default(), load(&Memory::default()));
    create(&mut engine, &mut stored, "gone", NOW.plus(1_000), "k");
    fire(&mut engine, &mut stored, NOW.plus(2_000));
    create(&mut engine, &mut stored, "waits", NOW.plus(9_000), "l");
    let before = engine.stats(NOW);
    assert_eq!(engine.purge(), (PurgeReply { tasks: 1, done: false }, Effects::default()));
    // A task in flight counts, too.
    let effects = engine.wake(NOW.plus(9_000), &stored).unwrap();
    stored.apply(&effects.writes);
    assert_eq!(engine.purge(), (PurgeReply { tasks: 1, done: false }, Effects::default()));
    assert_eq!(engine.stats(NOW).counters.created, before.counters.created);
    assert_eq!((runs(&engine, &stored, "gone"), stored.remembered.len()), (1, 2));
    assert!(create(&mut engine, &mut stored, "gone", NOW.plus(1_000), "k"));
}

/// A purge that arrived after the namespace was created again deleted the history of the new one.
#[test]
fn a_late_purge_deletes_nothing_that_is_newer() {
    let (mut stored, mut engine) = (Memory::default(), load(&Memory::default()));
    create(&mut engine, &mut stored, "a", NOW.plus(1_000), "k");
    fire(&mut engine, &mut stored, NOW.plus(2_000));
    let seen = Some(PurgeRequest { last_envelope: engine.stats(NOW).last_envelope });
    let (reply, effects) = engine.purge_as_seen(seen);
    stored.apply(&effects.writes);
    assert!(reply.done);
    // In the new namespace, as many tasks were created as before.
    create(&mut engine, &mut stored, "a", NOW.plus(3_000), "l");
    fire(&mut engine, &mut stored, NOW.plus(4_000));
    for _ in 0..2 {
        assert_eq!(
            engine.purge_as_seen(seen),
            (PurgeReply { tasks: 0, done: false }, Effects::default())
        );
        assert_eq!((runs(&engine, &stored, "a"), stored.remembered.len()), (1, 1));
        engine = load(&stored);
    }
}

#[test]
fn a_shard_that_was_never_used_gets_no_write() {
    let mut engine = load(&Memory::default());
    engine.meter_mut().shard_requests += 1;
    assert_eq!(engine.purge(), (PurgeReply { tasks: 0, done: true }, Effects::default()));
}

#[test]
fn many_keys_are_deleted_in_rounds() {
    let (mut stored, mut engine) = (Memory::default(), load(&Memory::default()));
    for n in 0..PURGED_KEYS + 5 {
        create(&mut engine, &mut stored, "a", NOW.plus(1_000), &n.to_string());
    }
    let request = CancelRequest { ids: vec!["a".to_owned()], if_match: None };
    let (_, effects) = engine.cancel(&request, NOW, &stored).unwrap();
    stored.apply(&effects.writes);
    assert_eq!(purge(&mut engine, &mut stored), PurgeReply { tasks: 0, done: false });
    assert_eq!(stored.remembered.len(), 5);
    assert_eq!(purge(&mut engine, &mut stored), PurgeReply { tasks: 0, done: true });
    assert_eq!(stored.remembered.len(), 0);
}
