//! Measures the engine of a shard: append, fire, start, and forecast.
#![allow(missing_docs, reason = "criterion's macros")]

use benches::{Memory, pages};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Engine, Snapshot, StoredPage};
use scheduler_model::forecast::Buckets;
use scheduler_model::numbers::PageNumber;
use scheduler_model::protocol::Append;
use std::cell::RefCell;

const START: i64 = 1_800_000_000_000;

fn scatter(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

fn empty() -> Engine {
    Engine::load("1-0", Config::default(), Snapshot::default()).unwrap_or_else(|_| unreachable!())
}

/// Returns a snapshot of `tasks` tasks, in the pages that requests of 1,000 tasks create.
fn snapshot(tasks: u64) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for from in (0..tasks).step_by(1_000) {
        for mut page in pages(
            from..from + 1_000,
            |n| format!("task-{n}"),
            |n| START + (scatter(n) % 60_000) as i64,
        ) {
            assert!(snapshot.id_key.key_page(&mut page).is_ok());
            snapshot.pages.push(StoredPage {
                page: PageNumber::new(snapshot.pages.len() as u32 + 1),
                directory: page.directory.bytes().to_vec(),
                body_len: page.body.len() as u32,
                dead: Vec::new(),
            });
        }
    }
    snapshot
}

fn append(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine");
    for (tasks, at_once, fresh) in
        [(130_000, 1_000, true), (130_000, 62, false), (130_000, 1, false)]
    {
        let full = snapshot(tasks);
        let loaded = || {
            Engine::load("1-0", Config::default(), full.clone()).unwrap_or_else(|_| unreachable!())
        };
        let engine = RefCell::new(loaded());
        let mut memory = Memory::default();
        let mut next = tasks;
        group.throughput(Throughput::Elements(at_once));
        let name = format!("append {at_once} {} at {tasks}", if fresh { "new" } else { "given" });
        group.bench_function(name, |b| {
            b.iter_batched(
                || {
                    // The engine is replaced before it is full, so that the benchmark does not
                    // measure refusals.
                    if engine.borrow().stats(UnixMillis::new(START)).pending > 2 * tasks {
                        engine.replace(loaded());
                    }
                    next += at_once;
                    let pages = pages(
                        next..next + at_once,
                        |n| format!("task-{n}"),
                        |n| START + (scatter(n) % 86_400_000) as i64,
                    );
                    Append { fresh, pages, schedules: vec![], ..Append::default() }.encode()
                },
                |bytes| {
                    let append = Append::decode(&bytes).unwrap_or_default();
                    if let Ok((_, effects)) =
                        engine.borrow_mut().append(append, UnixMillis::new(START), &memory)
                    {
                        memory.apply(&effects);
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn fire(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine");
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("fire 10,000 due at once", |b| {
        b.iter_batched(
            || {
                let (mut engine, mut memory) = (empty(), Memory::default());
                for from in (0..10_000).step_by(1_000) {
                    let pages = pages(from..from + 1_000, |n| format!("task-{n}"), |_| START);
                    if let Ok((_, effects)) = engine.append(
                        Append { fresh: true, pages, schedules: vec![], ..Append::default() },
                        UnixMillis::new(START - 1),
                        &memory,
                    ) {
                        memory.apply(&effects);
                    }
                }
                (engine, memory)
            },
            |(mut engine, memory)| {
                engine.wake(UnixMillis::new(START), &memory).map(|effects| effects.sends.len())
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn start(c: &mut Criterion) {
    let snapshot = snapshot(1_000_000);
    let mut group = c.benchmark_group("engine");
    group.sample_size(10);
    group.bench_function("start with 1,000,000", |b| {
        b.iter_batched(
            || snapshot.clone(),
            |snapshot| Engine::load("1-0", Config::default(), snapshot),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Measures a forecast of the next day, of a shard with as many tasks as it may have: each takes
/// the most work that there is of its kind.
fn forecast(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine");
    group.sample_size(10);
    let day = Buckets::divide(UnixMillis::new(START), UnixMillis::new(START + 86_400_000), 288);
    let one_shot = Engine::load("1-0", Config::default(), snapshot(1_000_000))
        .unwrap_or_else(|_| unreachable!());
    let second = Buckets::divide(UnixMillis::new(START), UnixMillis::new(START + 60_000), 1_000);
    group.bench_function("forecast 1,000,000 one-shot in 1,000 buckets", |b| {
        b.iter(|| one_shot.forecast(&second));
    });
    for (name, fields) in [
        ("each minute", r#""cron":"* * * * *""#),
        (
            "each minute in London with jitter",
            r#""cron":"* * * * *","timezone":"Europe/London","jitterSeconds":20"#,
        ),
        ("each weekday", r#""cron":"0 9 * * MON-FRI","timezone":"Europe/London""#),
    ] {
        let mut recurring = empty();
        let schedules = (0..20_000).map(|n| {
            format!(r#"{{"id":"task-{n}",{fields},"callback":{{"type":"handler","name":"log"}}}}"#)
        });
        let schedules = schedules.map(String::into_bytes).collect();
        let append = Append { schedules, ..Append::default() };
        let added = recurring.append(append, UnixMillis::new(START), &Memory::default());
        assert!(added.is_ok());
        group.bench_function(format!("forecast 20,000 recurring, {name}"), |b| {
            b.iter(|| recurring.forecast(&day));
        });
    }
    group.finish();
}

criterion_group!(all, append, fire, start, forecast);
criterion_main!(all);
