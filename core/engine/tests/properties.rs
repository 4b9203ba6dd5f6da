//! Properties of the formats, the heap and the request parser over generated input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption ends the test"
)]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::timers::TimerHeap;
use scheduler_model::format::envelope::{Envelope, EnvelopeBuilder};
use scheduler_model::format::history::{
    ChunkBuilder, Outcome, Ran, Run, Target, TargetKind, newest_first,
};
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::position::Position;
use scheduler_model::protocol::Append;
use scheduler_model::retry::{RetryInput, RetryPolicy};
use scheduler_model::task::Callback;
use std::collections::BTreeMap;

#[path = "../../model/tests/fuzz_checks/envelope.rs"]
mod check_envelope;
#[path = "../../model/tests/fuzz_checks/history.rs"]
mod check_history;
#[path = "fuzz_checks/page.rs"]
mod check_page;
#[path = "../../model/tests/fuzz_checks/request.rs"]
mod check_request;

/// Returns the requested time of a run, or zero.
fn began(run: &Run<'_>) -> UnixMillis {
    run.time.unwrap_or_default()
}

fn run() -> impl Strategy<Value = Run<'static>> {
    let ran = option::of((-100_000..100_000_000_i64, any::<u32>()));
    let texts = ("[a-c]", "\\PC{0,20}", "\\PC{0,20}", "(onSuccess)?");
    (texts, 0..2_000_000_000_000_i64, 1..200_u32, 0..9_u8, ran, option::of(100..600_u16)).prop_map(
        |((id, error, excerpt, stage), time, attempt, outcome, ran, status)| {
            let time = UnixMillis::new(time);
            let known = [
                Outcome::Succeeded,
                Outcome::Failed,
                Outcome::DeadLettered,
                Outcome::HandedOver,
                Outcome::Expired,
                Outcome::Skipped,
            ];
            let outcome =
                known.get(usize::from(outcome)).copied().unwrap_or(Outcome::Other(outcome + 1));
            // Runs with an even number of milliseconds have a target.
            let has_target = time.get() % 2 == 0;
            let target =
                Target { kind: TargetKind::Webhook, name: format!("{attempt}.example").into() };
            Run {
                id: id.into(),
                time: Some(time),
                attempt,
                outcome,
                was_dispatched: outcome.has_run() && attempt % 5 != 0,
                ran: ran.map(|(after, millis)| Ran { started_at: time.plus(after), millis }),
                status,
                error: error.into(),
                excerpt: excerpt.into(),
                stage: stage.into(),
                target: has_target.then_some(target),
                tags: (0..attempt % 4).map(|n| format!("tag-{}", n * attempt).into()).collect(),
                by: "".into(),
            }
        },
    )
}

#[derive(Debug, Clone)]
enum HeapOperation {
    Push(Position),
    Pop,
}

fn position() -> impl Strategy<Value = Position> {
    // There are few values, so that ties in each part are common.
    (0..20_i64, 0..4_u32, 0..6_u32).prop_map(|(due, page, index)| Position {
        due: UnixMillis::new(due),
        page,
        index,
    })
}

fn heap_operation() -> impl Strategy<Value = HeapOperation> {
    prop_oneof![3 => position().prop_map(HeapOperation::Push), 2 => Just(HeapOperation::Pop)]
}

/// Generates JSON of any form, as text.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>()
            .prop_filter("JSON has finite numbers", |n| n.is_finite())
            .prop_map(|n| format!("{n:e}")),
        ".{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            (vec(inner.clone(), 0..5), spaces())
                .prop_map(|(items, gap)| format!("[{gap}{}{gap}]", items.join(&format!(",{gap}")))),
            vec((".{0,6}", inner), 0..5).prop_map(|fields| {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, value)| {
                        format!("{}:{value}", serde_json::to_string(name).unwrap())
                    })
                    .collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

fn spaces() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just(" "), Just("\n\t"), Just("\r\n")]
}

/// Generates one of some valid texts, or any JSON.
fn field(good: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![6 => prop::sample::select(good).prop_map(str::to_owned), 1 => json()]
}

/// Generates a task of a request, mostly with allowed fields and valid values.
fn task() -> impl Strategy<Value = String> {
    let schedule = prop_oneof![
        8 => (prop::sample::select(vec!["time", "delayInSeconds", "cron", "everySeconds", "rrule"]), 0..6_usize).prop_map(|(name, at)| {
            let good: [&str; 6] = match name {
                "everySeconds" => ["1", "1.5", "86400", "0.5", "7,\"anchor\":1764000000005", "60,\"maxRuns\":9,\"startAt\":1764000000500"],
                "rrule" => [
                    "\"FREQ=DAILY\",\"startAt\":1764000000000",
                    "\"FREQ=HOURLY;COUNT=99\",\"startAt\":1764000000000,\"timezone\":\"Europe/London\"",
                    "\"FREQ=MONTHLY;BYDAY=-1FR\",\"startAt\":1764000000000,\"endAt\":\"2027-01-01T00:00:00Z\"",
                    "\"FREQ=DAILY\"",
                    "\"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\",\"startAt\":1764000000000",
                    "\"FREQ=SECONDLY;INTERVAL=7\",\"startAt\":1764000000000,\"maxRuns\":3",
                ],
                "time" => ["\"1970-01-01T00:00:00Z\"", "1764000000000", "253402300799999", "\"2026-12-24T18:00:00+01:00\"", "253402300800000", "-1"],
                "cron" => ["\"* * * * *\"", "\"@daily\"", "\"*/5 * * * * *\"", "[\"0 0 31 3 *\",\n\"@hourly\"]", "\"x\"", "\"0 9 * * MON#2\",\"maxRuns\":4"],
                _ => ["0", "1.5", "0.0001", "1e300", "-0.0", "86400"],
            };
            format!("\"{name}\":{}", good[at])
        }),
        1 => Just("\"type\":\"no-schedule\"".to_owned()),
        1 => ("[a-z]{1,8}", json()).prop_map(|(name, value)| format!("\"{name}\":{value}")),
    ];
    let callback = field(&[
        r#"{"type":"webhook","url":"https://example.com/x","headers":{"x-a":"b"},"timeoutSeconds":3}"#,
        r#"{"type":"webhook","url":"https://example.com/x","method":"PUT","body":{"a": "b"}}"#,
        r#"{"type":"service","binding":"MAIL","function":"send","body":"\u00e9\n"}"#,
        r#"{"type":"durable-object","binding":"ROOMS","name":"a","path":"/x","method":"GET"}"#,
        r#"{"type":"handler","name":"log"}"#,
        "{\n  \"type\": \"queue\",\r\n  \"queue\": \"FIRED_TASKS\"\n}",
    ]);
    let id = prop_oneof![Just(None), ".{1,20}".prop_map(Some)];
    let description = prop_oneof![Just(None), ".{0,40}".prop_map(Some)];
    let delay = prop::option::of(prop::sample::select(vec![
        "\"jitterSeconds\":30",
        "\"windowSeconds\":0.25",
        "\"jitterSeconds\":86400,\"windowSeconds\":60",
        "\"jitterSeconds\":-1",
    ]));
    let rest = (
        delay,
        prop::option::of(field(&["[]", r#"["a","b"]"#, "[\n \"a\"\n]"])),
        prop::option::of(field(&[
            "{}",
            r#"{"maxAttempts":3}"#,
            r#"{"factor":1.5,"permanentStatuses":["4xx",501]}"#,
        ])),
        prop::option::of(json()),
    );
    (schedule, callback, id, description, rest, spaces()).prop_map(
        |(schedule, callback, id, description, rest, gap)| {
            let mut fields = vec![schedule, format!("\"callback\":{callback}")];
            fields.extend(id.map(|id| format!("\"id\":{}", serde_json::to_string(&id).unwrap())));
            fields.extend(
                description.map(|text| {
                    format!("\"description\":{}", serde_json::to_string(&text).unwrap())
                }),
            );
            fields.extend(rest.0.map(str::to_owned));
            fields.extend(rest.1.map(|tags| format!("\"tags\":{tags}")));
            fields.extend(rest.2.map(|retry| format!("\"retry\":{retry}")));
            fields.extend(rest.3.map(|payload| format!("\"payload\":{gap}{payload}")));
            format!("{{{gap}{}{gap}}}", fields.join(&format!("{gap},")))
        },
    )
}

fn pages() -> impl Strategy<Value = Append> {
    let entry = (
        any::<u64>(),
        prop_oneof![0..50_i64, Just(UnixMillis::NEVER.get()), 0..UnixMillis::LAST.get()],
        1..300_usize,
    );
    let flags =
        prop::sample::select(vec![Flags::TASK, Flags::TO_QUEUE, Flags::RETRY, Flags::DEAD_LETTER]);
    (vec((entry, flags), 0..60), vec(vec(any::<u8>(), 0..40), 0..3), any::<bool>()).prop_map(
        |(entries, schedules, fresh)| {
            let mut builder = PageBuilder::default();
            for ((hash, due, len), flags) in entries {
                assert!(builder.push(hash, UnixMillis::new(due), flags, |out| {
                    out.resize(out.len() + len, b'{')
                }));
            }
            Append { fresh, pages: builder.finish(), schedules, ..Append::default() }
        },
    )
}

/// A damaged directory may have a due time of dead letters for a task, which never fires then.
#[test]
fn a_task_that_is_due_after_all_times_never_fires() {
    let mut builder = PageBuilder::default();
    // The check cancels the first entry.
    for due in [0, UnixMillis::NO_LANE.get() - 1, UnixMillis::NO_LANE.get()] {
        let due = UnixMillis::new(due);
        assert!(builder.push(1, due, Flags::TASK, |out| out.push(b'{')));
    }
    let page = builder.finish().remove(0);
    check_page::check(&Append { pages: vec![page.clone()], ..Append::default() }.encode());
    let mut stored = (page.body.len() as u32).to_le_bytes().to_vec();
    stored.extend_from_slice(page.directory.bytes());
    check_page::check(&stored);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_heap_is_an_ordered_multiset(operations in vec(heap_operation(), 0..200)) {
        let mut heap = TimerHeap::default();
        let mut model: BTreeMap<Position, usize> = BTreeMap::new();
        for operation in operations {
            match operation {
                HeapOperation::Push(position) => {
                    heap.push(position);
                    *model.entry(position).or_default() += 1;
                }
                HeapOperation::Pop => {
                    let first = model.first_key_value().map(|(position, _)| *position);
                    prop_assert_eq!(heap.pop(), first);
                    if let Some(first) = first && let Some(count) = model.get_mut(&first) {
                        *count -= 1;
                        if *count == 0 {
                            model.remove(&first);
                        }
                    }
                }
            }
            prop_assert_eq!(heap.peek(), model.first_key_value().map(|(position, _)| *position));
            prop_assert_eq!(heap.len(), model.values().sum::<usize>());
            prop_assert_eq!(heap.is_empty(), model.is_empty());
        }
        // A heap that is built at once is the same.
        let all = model.iter().flat_map(|(position, count)| std::iter::repeat_n(*position, *count));
        let mut built: TimerHeap = all.clone().collect();
        prop_assert!(all.eq(std::iter::from_fn(|| built.pop())));
    }

    #[test]
    fn appends_read_back(append in pages()) {
        let bytes = append.encode();
        prop_assert_eq!(Append::decode(&bytes), Ok(append));
        check_page::check(&bytes);
    }

    /// One byte is changed, removed or added. The append is refused, or read as what it says then.
    #[test]
    fn damaged_appends_do_not_panic(append in pages(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = append.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        check_page::check(&bytes);
        if let Some(page) = append.pages.first() {
            let mut stored = (page.body.len() as u32).to_le_bytes().to_vec();
            stored.extend_from_slice(page.directory.bytes());
            check_page::check(&stored);
            let at = at % stored.len();
            stored[at] = byte;
            check_page::check(&stored);
        }
    }

    /// Random bytes rarely pass the checks of a header. So most of these are chunks with some
    /// changed bytes.
    #[test]
    fn any_bytes_as_history(
        runs in vec(run(), 0..8),
        changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        bytes in vec(any::<u8>(), 0..60),
    ) {
        let mut row = Vec::new();
        for part in runs.chunks(3) {
            let mut chunk = ChunkBuilder::new(began(&part[0]).plus(100), began(&part[0]).plus(2_000));
            part.iter().for_each(|run| chunk.push(run));
            row.extend(chunk.finish().unwrap());
        }
        let read = newest_first(&row, None, u32::MAX, UnixMillis::ZERO, usize::MAX).unwrap();
        prop_assert_eq!(read.iter().rev().map(|(_, past)| past.run.clone()).collect::<Vec<_>>(), runs.clone());
        for run in &runs {
            let found = newest_first(&row, Some(&run.id), u32::MAX, UnixMillis::ZERO, usize::MAX).unwrap();
            prop_assert_eq!(found.len(), runs.iter().filter(|other| other.id == run.id).count());
        }
        check_history::check(&row);
        check_history::check(&bytes);
        check_history::check(&[&[1, bytes.len() as u8, 0, 0, 0, 1, 0], bytes.as_slice()].concat());
        for (at, to) in changes {
            if !row.is_empty() {
                let at = at.index(row.len());
                row[at] = to;
            }
        }
        check_history::check(&row);
    }

    #[test]
    fn any_bytes_as_pages(bytes in vec(any::<u8>(), 0..200)) {
        check_page::check(&bytes);
        // Past the magic and the header, where the rest is looked at.
        check_page::check(&[b"DS\x01\x01\x01\x00\x00\x00".as_slice(), &bytes].concat());
        check_page::check(&[&[200, 0, 0, 0, 1, 0, (bytes.len() / 20) as u8, 0], &bytes[..bytes.len() / 20 * 20]].concat());
    }

    #[test]
    fn envelopes_read_back(tasks in vec(json(), 0..20), seq in any::<u64>(), at in 0..UnixMillis::LAST.get()) {
        let number = EnvelopeSeq::new(seq);
        let mut builder = EnvelopeBuilder::new("12-511", number, UnixMillis::new(at), 100);
        for task in &tasks {
            builder.push(|out| out.extend_from_slice(task.as_bytes()));
        }
        let text = String::from_utf8(builder.finish()).unwrap();
        let read = Envelope::parse(&text).unwrap();
        prop_assert_eq!((read.shard, read.seq, read.fired_at.get()), ("12-511", number, at));
        prop_assert!(read.tasks.iter().map(|task| task.get()).eq(tasks.iter().map(|task| task.trim())));
        check_envelope::check(text.as_bytes());
    }

    #[test]
    fn any_text_as_an_envelope(text in ".{0,80}", json in json()) {
        check_envelope::check(text.as_bytes());
        check_envelope::check(json.as_bytes());
        check_envelope::check(format!(r#"{{"v":1,"shard":"1-0","seq":1,"firedAt":0,"tasks":[{json},{{"id":"a","callback":{json}}}]}}"#).as_bytes());
    }

    #[test]
    fn tasks_become_records(tasks in vec(task(), 1..5), gap in spaces()) {
        tasks.iter().for_each(|task| check_request::check(task.as_bytes()));
        check_request::check(format!("[{gap}{}]", tasks.join(&format!(",{gap}"))).as_bytes());
        check_request::check(tasks.join("\n").as_bytes());
    }

    #[test]
    fn any_text_as_a_request(text in ".{0,80}", json in json()) {
        check_request::check(text.as_bytes());
        check_request::check(json.as_bytes());
        check_request::check(format!("[{json},{text}]").as_bytes());
    }

    #[test]
    fn any_text_as_a_callback(text in ".{0,60}", json in json()) {
        for text in [text, json.clone(), format!(r#"{{"type":"webhook","url":{json}}}"#)] {
            if let Ok(callback) = Callback::parse(&text) {
                let again = Callback::parse(&text);
                prop_assert_eq!(again.as_ref(), Ok(&callback));
            }
        }
    }

    /// A valid policy never waits less than its minimum, and never forever.
    #[test]
    fn any_retry_policy(
        attempts in any::<u32>(),
        seconds in vec(prop::num::f64::ANY, 5),
        at in 0..UnixMillis::LAST.get(),
        asked in prop_oneof![any::<i64>(), 0..200_000_000_i64],
    ) {
        let number = |n: f64| if n.is_finite() { format!("{n:e}") } else { "1".to_owned() };
        let text = format!(
            r#"{{"maxAttempts":{},"minBackoffSeconds":{},"factor":{},"maxBackoffSeconds":{},"jitter":{},"maxDurationSeconds":{}}}"#,
            attempts % 200, number(seconds[0]), number(seconds[1]), number(seconds[2]), number(seconds[3]), number(seconds[4]),
        );
        let modest = format!(
            r#"{{"maxAttempts":{},"minBackoffSeconds":{},"factor":{},"jitter":{}}}"#,
            attempts % 100 + 1, attempts % 3_600, 1 + attempts % 100, f64::from(attempts % 11) / 10.0,
        );
        for (text, least) in [(text, 0), (modest, i64::from(attempts % 3_600) * 1_000)] {
            let Ok(input) = serde_json::from_str::<RetryInput>(&text) else { continue };
            let Ok(policy) = RetryPolicy::try_from(input) else { continue };
            for attempt in [1, 2, 50, 99, 100, u32::MAX] {
                let now = UnixMillis::new(at);
                if let Some(next) = policy.next_attempt("k", attempt, now, now, None) {
                    let least = (least as f64 * (1.0 - f64::from(attempts % 11) / 10.0)).floor() as i64;
                    prop_assert!(next.since(now) >= least.min(0));
                    prop_assert!(next.since(now) <= 2 * 86_400_000 + 1);
                    prop_assert!(attempt < 100);
                    // A target can ask for a later attempt within the time of the policy, and for
                    // nothing else.
                    let put_off = policy.next_attempt("k", attempt, now, now, Some(now.plus(asked)));
                    prop_assert!(put_off.is_some_and(|put_off| put_off >= next && put_off <= next.max(now.plus(asked))));
                    prop_assert!(put_off.is_some_and(|put_off| put_off.since(now) <= 30 * 86_400_000));
                } else {
                    prop_assert_eq!(policy.next_attempt("k", attempt, now, now, Some(now.plus(asked))), None);
                }
            }
        }
    }
}
