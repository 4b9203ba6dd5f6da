//! Many large patches of the tasks of one envelope.

use super::PART_BYTES;
use crate::large::id;
use crate::regressions::{NOW, Pair, record};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::EngineError;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::protocol::{Append, Change, Expected};
use scheduler_model::routing::id_hash;
use scheduler_model::task::{Record, version_of};

/// Returns a task for a user's queue. An envelope holds many of these, and each can be patched to a
/// large one.
fn to_queue(id: &str, bytes: usize) -> String {
    record(id, NOW, bytes).replace("handler\",\"name\":\"log", "queue\",\"queue\":\"MINE")
}

/// Patches a task in flight. Returns whether the patch was accepted.
fn patch(pair: &mut Pair, id: &str, bytes: usize) -> bool {
    let item = pair.engine.get(id, &pair.storage).unwrap().unwrap();
    let expected = Some(Expected::Version(version_of(item.record.get().as_bytes())));
    let mut builder = PageBuilder::default();
    let text = to_queue(id, bytes);
    assert!(builder.push(id_hash(id), UnixMillis::PAUSED, Flags::TO_QUEUE, |out| {
        out.extend_from_slice(text.as_bytes())
    }));
    match pair.engine.append(
        Append { pages: builder.finish(), expected, ..Append::default() },
        NOW,
        &pair.storage,
    ) {
        Ok((reply, effects)) => {
            assert!(reply.patched.is_some());
            pair.commit(effects);
            true
        }
        Err(problem) => {
            assert!(matches!(problem, EngineError::Conflict(_)), "{problem}");
            false
        }
    }
}

/// Each task of an envelope for a user's queue may be patched while that queue refuses it. 2,048
/// records of 116 KB were 237 MB, read and written at once when the envelope ended.
#[test]
fn the_patched_records_of_an_envelope_have_a_joint_bound() {
    let mut pair = Pair::new();
    let names: Vec<String> = (0..1_200).map(|n| id(n, 5)).collect();
    pair.append_flagged(names.iter().map(|id| (id.clone(), NOW, to_queue(id, 0))), Flags::TO_QUEUE);
    let sent = pair.wake(NOW).sends;
    assert!(sent.len() >= 2);
    for envelope in &sent {
        let effects = pair.engine.send_failed(envelope.seq, NOW);
        pair.commit(effects);
    }
    let mut patched = vec![0; sent.len()];
    for (envelope, patched) in sent.iter().zip(&mut patched) {
        let tasks = Envelope::parse(std::str::from_utf8(&envelope.text).unwrap()).unwrap().tasks;
        let ids: Vec<String> = tasks
            .iter()
            .map(|task| Record::parse(task.get().as_bytes()).unwrap().id.into_owned())
            .collect();
        *patched = ids.iter().take_while(|id| patch(&mut pair, id, 110_000)).count();
        assert!((35..=36).contains(patched), "{patched}");
        pair.restart();
        assert!(!patch(&mut pair, &ids[*patched], 110_000), "a restarted shard knows the sizes");
        assert!(patch(&mut pair, &ids[0], 110_000), "a record that replaces another adds nothing");
        assert!(
            patch(&mut pair, &ids[0], 0) && patch(&mut pair, &ids[*patched], 100_000),
            "a smaller record makes room"
        );
    }
    // Every run is paused, so nothing is left to send, and each envelope ends in a wake-up.
    pair.change_in_parts(names, Change::Pause, NOW, PART_BYTES);
    let mut wakes = 0;
    while !pair.storage.patches.is_empty() {
        pair.wake(NOW.plus(600_000));
        pair.restart();
        wakes += 1;
        assert!(wakes < 100, "the wake-ups do not end");
    }
    assert!(
        wakes >= sent.len(),
        "each wake-up ends one envelope with many patches: {wakes} wake-ups"
    );
    assert_eq!(pair.engine.stats(NOW).paused, 1_200);
}
