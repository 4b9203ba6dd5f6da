use super::*;
use crate::{Config, Reader, Snapshot, StorageError, StoredHistory, Write};
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::idempotency::{Once, RequestSeed};
use scheduler_model::numbers::{PageNumber, ScheduleNumber};
use scheduler_model::protocol::{Append, CancelRequest, Report, RunsRequest, Terms};
use scheduler_model::routing::id_hash;
use std::collections::BTreeMap;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Pages, history and keys as they are stored.
#[derive(Default)]
struct Stored {
    bodies: BTreeMap<PageNumber, Vec<u8>>,
    envelopes: BTreeMap<u64, Vec<u8>>,
    history: BTreeMap<u64, (UnixMillis, Vec<u8>)>,
    keys: BTreeMap<(i64, [u8; 16]), Vec<u8>>,
    state: Option<Vec<u8>>,
}

impl Reader for Stored {
    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        Ok(self.bodies[&page][offset as usize..][..len as usize].to_vec())
    }
    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        Err(StorageError(format!("no schedule {number}")))
    }
    fn envelope(&self, seq: u64) -> Result<Vec<u8>, StorageError> {
        Ok(self.envelopes[&seq].clone())
    }
    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(periods.iter().find_map(|period| self.keys.get(&(*period, *key))).cloned())
    }
    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError> {
        Ok(self.history[&row].1.clone())
    }
}

impl Stored {
    fn apply(&mut self, effects: Effects) {
        for write in effects.writes {
            match write {
                Write::InsertPage { page, body, .. } => drop(self.bodies.insert(page, body)),
                Write::DeletePage { page, .. } => drop(self.bodies.remove(&page)),
                Write::Remember { period, key, value } => {
                    drop(self.keys.insert((period, key), value))
                }
                Write::Forget { period, count } => {
                    let gone: Vec<_> = self
                        .keys
                        .keys()
                        .filter(|(at, _)| *at == period)
                        .take(count as usize)
                        .copied()
                        .collect();
                    assert_eq!(gone.len() as u64, count);
                    gone.iter().for_each(|key| drop(self.keys.remove(key)));
                }
                Write::InsertEnvelope { seq, text, state, .. } => {
                    self.envelopes.insert(seq, text.to_vec());
                    self.state = state.or(self.state.take());
                }
                Write::ClearEnvelope { state, .. } | Write::SaveState { state, .. } => {
                    self.state = Some(state)
                }
                Write::DeleteEnvelope { seq } => drop(self.envelopes.remove(&seq)),
                Write::InsertHistory { row, newest, body } => {
                    assert!(self.history.last_key_value().is_none_or(|(last, _)| *last < row));
                    self.history.insert(row, (newest, body));
                }
                Write::ExtendHistory { row, newest, tail } => {
                    let stored = self.history.get_mut(&row).unwrap();
                    stored.0 = newest;
                    stored.1.extend(tail);
                }
                Write::DropHistory { up_to } => self.history.retain(|row, _| *row > up_to),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Returns an engine that starts from what is stored; pages are not, as none is left in these
    /// tests.
    fn load(&self) -> Engine {
        let mut remembered = BTreeMap::<i64, u64>::new();
        self.keys.keys().for_each(|(period, _)| *remembered.entry(*period).or_default() += 1);
        let history = self.history.iter().map(|(row, (newest, body))| StoredHistory {
            row: *row,
            newest: *newest,
            bytes: body.len() as u32,
        });
        let snapshot = Snapshot {
            history: history.collect(),
            remembered: remembered.into_iter().collect(),
            state: self.state.clone(),
            ..Snapshot::default()
        };
        Engine::load("a:1-0", Config::default(), snapshot).unwrap()
    }
}

/// Takes a task in under an `Idempotency-Key`, and says whether that was done before.
fn create(engine: &mut Engine, stored: &mut Stored, id: &str, due: UnixMillis, key: &str) -> bool {
    let mut builder = PageBuilder::default();
    let record =
        format!(r#"{{"time":{due},"id":"{id}","callback":{{"type":"handler","name":"log"}}}}"#);
    assert!(
        builder.push(id_hash(id), due, Flags::TASK, |out| out.extend_from_slice(record.as_bytes()))
    );
    let once = Once::new(key, "append", id, RequestSeed { at: NOW, random: [3; 16] }).unwrap();
    let terms = Terms { once: Some(once), ..Terms::default() };
    let append = Append { pages: builder.finish(), terms, ..Append::default() };
    let (reply, effects) = engine.append(append, NOW, stored).unwrap();
    stored.apply(effects);
    reply.done_before.is_some()
}

/// Fires and reports what is due.
fn fire(engine: &mut Engine, stored: &mut Stored, now: UnixMillis) {
    let effects = engine.wake(now, stored).unwrap();
    let seqs: Vec<u64> = effects.sends.iter().map(|outgoing| outgoing.seq).collect();
    stored.apply(effects);
    for seq in seqs {
        let effects = engine.report(&Report { seq, ..Report::default() }, now, stored).unwrap();
        stored.apply(effects);
    }
}

fn runs(engine: &Engine, stored: &Stored, id: &str) -> usize {
    let request = RunsRequest::of_task(id, None, 10);
    engine.runs(&request, NOW.plus(5_000), stored).unwrap().items.len()
}

fn purge(engine: &mut Engine, stored: &mut Stored) -> PurgeReply {
    let (reply, effects) = engine.purge();
    stored.apply(effects);
    reply
}

#[test]
fn a_shard_forgets_what_is_gone_and_goes_on_with_its_numbers() {
    let (mut stored, mut engine) = (Stored::default(), Stored::default().load());
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
            (stored.keys.len(), stored.history.values().map(|(_, body)| body.len()).sum::<usize>()),
            (0, 0)
        );
        assert_eq!(engine.watermark(), watermark);
        // And so it is after a start.
        engine = stored.load();
    }
    // Again is nothing, and costs nothing.
    let (reply, effects) = engine.purge();
    assert_eq!((reply, effects), (PurgeReply { tasks: 0, done: true }, Effects::default()));

    // The key opens anew, and what was given a number is not mistaken for what comes.
    assert!(!create(&mut engine, &mut stored, "a", NOW.plus(3_000), "k"));
    let late = Report { seq: 1, ..Report::default() };
    stored.apply(engine.report(&late, NOW.plus(3_000), &stored).unwrap());
    fire(&mut engine, &mut stored, NOW.plus(4_000));
    assert_eq!(stored.envelopes.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert!(stored.history.keys().copied().max() > rows);
    assert_eq!(runs(&engine, &stored, "a"), 1);
}

#[test]
fn a_shard_that_holds_a_task_forgets_nothing() {
    let (mut stored, mut engine) = (Stored::default(), Stored::default().load());
    create(&mut engine, &mut stored, "gone", NOW.plus(1_000), "k");
    fire(&mut engine, &mut stored, NOW.plus(2_000));
    create(&mut engine, &mut stored, "waits", NOW.plus(9_000), "l");
    let before = engine.stats(NOW);
    assert_eq!(engine.purge(), (PurgeReply { tasks: 1, done: false }, Effects::default()));
    // On its way counts as well.
    let effects = engine.wake(NOW.plus(9_000), &stored).unwrap();
    stored.apply(effects);
    assert_eq!(engine.purge(), (PurgeReply { tasks: 1, done: false }, Effects::default()));
    assert_eq!(engine.stats(NOW).counters.created, before.counters.created);
    assert_eq!((runs(&engine, &stored, "gone"), stored.keys.len()), (1, 2));
    assert!(create(&mut engine, &mut stored, "gone", NOW.plus(1_000), "k"));
}

/// A purge that came late, when the namespace had been made again, forgot the history of the new
/// one.
#[test]
fn a_purge_from_before_forgets_nothing_of_what_came_after() {
    let (mut stored, mut engine) = (Stored::default(), Stored::default().load());
    create(&mut engine, &mut stored, "a", NOW.plus(1_000), "k");
    fire(&mut engine, &mut stored, NOW.plus(2_000));
    let seen = Some(PurgeRequest { last_envelope: engine.stats(NOW).last_envelope });
    let (reply, effects) = engine.purge_as_seen(seen);
    stored.apply(effects);
    assert!(reply.done);
    // Made again: as many tasks were created as before.
    create(&mut engine, &mut stored, "a", NOW.plus(3_000), "l");
    fire(&mut engine, &mut stored, NOW.plus(4_000));
    for _ in 0..2 {
        assert_eq!(
            engine.purge_as_seen(seen),
            (PurgeReply { tasks: 0, done: false }, Effects::default())
        );
        assert_eq!((runs(&engine, &stored, "a"), stored.keys.len()), (1, 1));
        engine = stored.load();
    }
}

#[test]
fn a_shard_that_was_never_used_is_not_written_to() {
    let mut engine = Stored::default().load();
    engine.meter_mut().shard_requests += 1;
    assert_eq!(engine.purge(), (PurgeReply { tasks: 0, done: true }, Effects::default()));
}

#[test]
fn many_keys_are_forgotten_in_rounds() {
    let (mut stored, mut engine) = (Stored::default(), Stored::default().load());
    for n in 0..PURGED_KEYS + 5 {
        create(&mut engine, &mut stored, "a", NOW.plus(1_000), &n.to_string());
    }
    let request = CancelRequest { ids: vec!["a".to_owned()], if_match: None };
    let (_, effects) = engine.cancel(&request, NOW, &stored).unwrap();
    stored.apply(effects);
    assert_eq!(purge(&mut engine, &mut stored), PurgeReply { tasks: 0, done: false });
    assert_eq!(stored.keys.len(), 5);
    assert_eq!(purge(&mut engine, &mut stored), PurgeReply { tasks: 0, done: true });
    assert_eq!(stored.keys.len(), 0);
}
