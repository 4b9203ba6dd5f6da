//! A shard at its limit: the memory of each task, the refusal of one more, and a start-up with all
//! of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption ends the test"
)]

use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing::{self, Memory};
use scheduler_engine::{Config, Engine, EngineError, Snapshot, StoredPage, Write};
use scheduler_model::bounds::MAX_PENDING_PER_SHARD;
use scheduler_model::protocol::Append;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
const PER_REQUEST: usize = 1_000;
/// The bytes that the design allows for each pending task.
const MAX_BYTES_PER_TASK: u64 = 64;

/// Returns tasks with records of about 150 bytes, due over one day.
fn append(first: usize, count: usize) -> Append {
    let tasks = (first..first + count).map(|n| {
        let due = NOW.plus((n as i64 * 7_919) % 86_400_000 + 1);
        let id = format!("task-{n}");
        let record = format!(r#"{{"time":{},"id":"{id}","payload":"{:x<100}"}}"#, due.get(), "");
        (id, due, record)
    });
    Append { fresh: true, ..testing::append(tasks) }
}

/// Returns the resident memory of this process in bytes, if the system reports it.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1_024)
}

/// This is a single test, because resident memory belongs to the whole process.
#[test]
fn a_full_shard() {
    let mut engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
    let mut stored = Vec::new();
    for request in 0..MAX_PENDING_PER_SHARD / PER_REQUEST {
        let (reply, effects) = engine
            .append(append(request * PER_REQUEST, PER_REQUEST), NOW, &Memory::default())
            .unwrap();
        assert_eq!(reply.created, PER_REQUEST as u64);
        for write in effects.writes {
            let Write::InsertPage { page, directory, body } = write else {
                panic!("{write:?} for a bulk append")
            };
            stored.push(StoredPage {
                page,
                directory,
                body_len: body.len() as u32,
                dead: Vec::new(),
            });
        }
    }
    let full = engine.stats(NOW);
    assert_eq!(full.pending, MAX_PENDING_PER_SHARD as u64);
    let per_task = full.memory_bytes as f64 / full.pending as f64;
    println!("{per_task:.1} bytes per task while adding");
    assert!(full.memory_bytes <= full.pending * MAX_BYTES_PER_TASK, "{per_task} bytes per task");

    // The shard refuses one more task, and nothing changes.
    let refused =
        engine.append(append(MAX_PENDING_PER_SHARD, 1), NOW, &Memory::default()).unwrap_err();
    assert_eq!(
        refused,
        EngineError::Full {
            held: MAX_PENDING_PER_SHARD,
            dead: 0,
            asked: 1,
            limit: MAX_PENDING_PER_SHARD
        }
    );
    let text = refused.to_string();
    assert!(
        text.contains("limit of 1000000") && text.contains("raise the number of shards"),
        "{text}"
    );
    assert_eq!(engine.stats(NOW), full);
    let next = engine.next_wakeup();
    drop(engine);

    let before = resident();
    let directories: u64 = stored.iter().map(|page| page.directory.len() as u64).sum();
    let snapshot = Snapshot { pages: stored, ..Snapshot::default() };
    let mut engine = Engine::load("1-0", Config::default(), snapshot).unwrap();
    let loaded = engine.stats(NOW);
    assert_eq!((loaded.pending, loaded.in_flight, engine.next_wakeup()), (full.pending, 0, next));
    assert!(loaded.memory_bytes <= loaded.pending * MAX_BYTES_PER_TASK);
    println!(
        "{:.1} bytes per task after a start-up",
        loaded.memory_bytes as f64 / loaded.pending as f64
    );
    // The directories were in memory before. The index and the timers are new.
    if let (Some(before), Some(after)) = (before, resident()) {
        let truly = after.saturating_sub(before) + directories;
        println!(
            "{:.1} bytes per task as the system counts them",
            truly as f64 / loaded.pending as f64
        );
        assert!(truly <= loaded.pending * MAX_BYTES_PER_TASK, "{truly} bytes are resident");
    }
}
