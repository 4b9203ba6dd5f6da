//! Measures parts of the core: heap, page, envelope, routing, cron, and a request from its text to
//! the shards' appends.
#![allow(missing_docs, reason = "criterion's macros")]

use benches::{pages, record};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use scheduler_calendar::cron::CronSchedule;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::timers::TimerHeap;
use scheduler_model::batch::plan;
use scheduler_model::format::envelope::EnvelopeBuilder;
use scheduler_model::format::page::Directory;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::position::Position;
use scheduler_model::protocol::Append;
use scheduler_model::routing::ShardMap;
use scheduler_model::schedule::ScheduleFields;
use scheduler_model::task::{Targets, Validator, parse_batch};
use serde_json::value::RawValue;
use std::hint::black_box;

const START: i64 = 1_800_000_000_000;

fn scatter(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

fn heap(c: &mut Criterion) {
    let position = |n: u64| Position {
        due: UnixMillis::new(START + (scatter(n) % 86_400_000) as i64),
        page: n as u32,
        index: 0,
    };
    let full: TimerHeap = (0..1_000_000).map(position).collect();
    let mut n = 1_000_000;
    let mut heap = full.clone();
    c.bench_function("heap/push+pop at 1,000,000", |b| {
        b.iter(|| {
            heap.push(position(n));
            n += 1;
            black_box(heap.pop())
        });
    });
    c.bench_function("heap/build 1,000,000", |b| {
        b.iter(|| (0..1_000_000).map(position).collect::<TimerHeap>().len());
    });
}

fn page(c: &mut Criterion) {
    let mut group = c.benchmark_group("page");
    group.throughput(Throughput::Elements(1_000));
    let make =
        || pages(0..1_000, |n| format!("task-{n}"), |n| START + (scatter(n) % 60_000) as i64);
    group.bench_function("encode 1,000 records", |b| {
        b.iter(|| {
            Append { fresh: true, pages: make(), schedules: vec![], ..Append::default() }.encode()
        });
    });
    let bytes =
        Append { fresh: true, pages: make(), schedules: vec![], ..Append::default() }.encode();
    group.bench_function("decode 1,000 records", |b| b.iter(|| Append::decode(black_box(&bytes))));
    let made = make();
    group.bench_function("decode the directories of 1,000", |b| {
        b.iter(|| {
            for page in &made {
                black_box(Directory::decode(page.directory.bytes().to_vec(), page.body.len())).ok();
            }
        });
    });
}

fn envelope(c: &mut Criterion) {
    let records: Vec<Vec<u8>> = (0..400).map(|n| record(&format!("task-{n}"), START)).collect();
    let mut group = c.benchmark_group("envelope");
    group.throughput(Throughput::Elements(400));
    group.bench_function("build of 400 records", |b| {
        b.iter(|| {
            let mut builder =
                EnvelopeBuilder::new("1-3", EnvelopeSeq::new(7), UnixMillis::new(START), 2_048);
            for record in &records {
                builder.push(|out| out.extend_from_slice(record));
            }
            builder.finish()
        });
    });
}

fn routing(c: &mut Criterion) {
    let map: ShardMap = "16".parse().unwrap_or_else(|_| unreachable!());
    for (name, id) in [
        ("given", "customer-1234/order-98765"),
        ("generated", "019ab697-e800-7fff-bfff-ffffffffffff"),
        ("tagged", "{order-7}:remind"),
    ] {
        c.bench_function(&format!("routing/{name} id"), |b| b.iter(|| map.home(black_box(id))));
    }
}

fn cron(c: &mut Criterion) {
    for (name, expression, zone) in [
        ("every minute", "* * * * *", None),
        ("weekdays at nine in London", "0 9 * * MON-FRI", Some("Europe/London")),
        ("29 February", "0 0 29 2 *", Some("America/New_York")),
    ] {
        if let Ok(schedule) = CronSchedule::parse(expression, zone) {
            c.bench_function(&format!("cron/next, {name}"), |b| {
                b.iter(|| schedule.next_after(black_box(UnixMillis::new(START))))
            });
        }
    }
}

fn schedule(c: &mut Criterion) {
    let start = UnixMillis::new(START);
    let list = RawValue::from_string(
        r#"["0 9 * * *","0 12 * * MON","30 17 * * FRI","0 0 1 * *"]"#.to_owned(),
    );
    let one = RawValue::from_string(r#""* * * * *""#.to_owned());
    let (Ok(list), Ok(one)) = (list, one) else { return };
    let every = ScheduleFields {
        every_seconds: Some(90.0),
        anchor: Some(start.plus(-7_000_000)),
        ..ScheduleFields::default()
    };
    let rule = |rule: &'static str| ScheduleFields {
        rrule: Some(rule.into()),
        start_at: Some(start.plus(-7_000_000)),
        timezone: Some("Europe/London".into()),
        ..ScheduleFields::default()
    };
    for (name, fields) in [
        ("cron, every minute", ScheduleFields { cron: Some(&one), ..ScheduleFields::default() }),
        (
            "cron, every minute, put off",
            ScheduleFields {
                cron: Some(&one),
                jitter_seconds: Some(30.0),
                ..ScheduleFields::default()
            },
        ),
        (
            "cron, four expressions",
            ScheduleFields { cron: Some(&list), ..ScheduleFields::default() },
        ),
        ("interval", every.clone()),
        (
            "interval, put off",
            ScheduleFields { jitter_seconds: Some(30.0), window_seconds: Some(60.0), ..every },
        ),
        ("rrule, last Friday of the month", rule("FREQ=MONTHLY;BYDAY=-1FR")),
        (
            "rrule, every 20 minutes from 9 to 16",
            rule("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16"),
        ),
        ("rrule, never, by the month", rule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")),
        ("rrule, never, by the second", rule("FREQ=SECONDLY;INTERVAL=2;BYSECOND=1,3,5,7,9,11")),
    ] {
        if let Ok(schedule) = fields.schedule(7) {
            c.bench_function(&format!("schedule/next, {name}"), |b| {
                b.iter(|| schedule.next_after(black_box(start)))
            });
        }
    }
    c.bench_function("schedule/read, last Friday of the month", |b| {
        let fields = rule("FREQ=MONTHLY;BYDAY=-1FR");
        b.iter(|| black_box(&fields).schedule(7));
    });
}

fn request(c: &mut Criterion) {
    let map: ShardMap = "16".parse().unwrap_or_else(|_| unreachable!());
    let queues = ["FIRED_TASKS".to_owned()];
    for (name, id) in [("generated ids", false), ("given ids", true)] {
        let items: Vec<String> = (0..1_000)
            .map(|n| {
                let id = if id { format!(r#""id":"user-{}","#, scatter(n)) } else { String::new() };
                format!(
                    r#"{{{id}"time":{},"callback":{{"type":"queue","queue":"FIRED_TASKS"}},"payload":{{"n":{n}}}}}"#,
                    START + n as i64
                )
            })
            .collect();
        let text = format!("[{}]", items.join(","));
        let mut group = c.benchmark_group("request");
        group.throughput(Throughput::Elements(1_000));
        group.bench_function(format!("parse 1,000, {name}"), |b| {
            b.iter(|| parse_batch(black_box(&text), false).map(|items| items.len()))
        });
        group.bench_function(format!("plan and encode 1,000, {name}"), |b| {
            b.iter_batched(
                || parse_batch(&text, false).unwrap_or_default(),
                |items| {
                    let targets = Targets { queues: &queues, ..Targets::default() };
                    let mut validator = Validator::new(UnixMillis::new(START), [7; 16], targets);
                    plan(items, &mut validator, &map)
                        .appends
                        .iter()
                        .map(|part| part.append.encode().len())
                        .sum::<usize>()
                },
                BatchSize::SmallInput,
            );
        });
    }
}

criterion_group!(all, heap, page, envelope, routing, cron, schedule, request);
criterion_main!(all);
