//! Checks that hold for any bytes given as a row of the history. The fuzz target and the ordinary
//! tests share them.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::history::{ChunkBuilder, newest_first};

/// Input: the body of a row.
pub(crate) fn check(data: &[u8]) {
    let Ok(all) = newest_first(data, None, u32::MAX, UnixMillis::new(i64::MIN), usize::MAX) else {
        return;
    };
    assert!(all.is_sorted_by(|a, b| a.0 > b.0), "newest first, and no place twice");
    for (place, past) in &all {
        // What was read can be written and read again.
        let mut chunk = ChunkBuilder::new(past.fired_at, past.reported_at);
        chunk.push(&past.run);
        let chunk = chunk.finish().expect("the chunk has a run");
        let again = newest_first(&chunk, Some(&past.run.id), 1, past.reported_at, 1)
            .expect("the chunk is well-formed");
        // Times at the ends of their range change, because they are stored as differences.
        let is_near = |time: UnixMillis| time.get().unsigned_abs() < 1 << 60;
        if is_near(past.fired_at)
            && past.run.time.is_none_or(is_near)
            && past.run.ran.is_none_or(|ran| is_near(ran.started_at))
        {
            assert_eq!(again.first().map(|(_, again)| again), Some(past));
        }
        // The run is found by its id, unless the stored hash belongs to another id.
        let found = newest_first(data, Some(&past.run.id), *place + 1, past.reported_at, 1)
            .expect("the row was read before");
        assert!(found.iter().all(|(_, found)| found.run.id == past.run.id));
    }
}
