//! A shard that the first version stored, opened and fired by the current engine: golden bytes of
//! every kind of row of that version. `e2e/migration.test.mjs` covers what the runtime itself
//! stores.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing::{EnvelopeRow, Memory, PageRow, ScheduleRow};
use scheduler_engine::{
    Config, Destination, Effects, Engine, Write, hashes_of_envelope, key_stored_page,
};
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::Directory;
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{DeadLettersRequest, Filter, LetterOutcome, ListRequest, Status};
use scheduler_model::task::Record;
use serde_json::Value;

const ROWS: &str = include_str!("data/first_format.txt");
/// The numbers of the page, the recurring task and the envelope.
const PAGE: u32 = 5;
const SCHEDULE: u32 = 4;
const ENVELOPE: EnvelopeSeq = EnvelopeSeq::new(4);
/// Entry 3 of the page, `due-2`, is cancelled: bit 3 of a little-endian word.
const DEAD: [u8; 8] = [0x08, 0, 0, 0, 0, 0, 0, 0];

fn row(name: &str) -> &'static str {
    ROWS.lines()
        .filter_map(|line| line.split_once('\t'))
        .find(|(key, _)| *key == name)
        .expect(name)
        .1
}

fn bytes(name: &str) -> Vec<u8> {
    let digits = row(name).as_bytes().as_chunks::<2>().0;
    digits
        .iter()
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).expect(name))
        .collect()
}

fn time(name: &str) -> UnixMillis {
    UnixMillis::new(row(name).parse().expect(name))
}

fn stored() -> Memory {
    let key = IdKey::new([9; 16]);
    let body: Vec<u8> = row("body").into();
    let directory = key_stored_page(key, bytes("directory"), body.clone()).unwrap();
    let directory = Directory::decode(directory, body.len()).unwrap();
    let envelope = row("outbox.envelope").as_bytes().to_vec();
    let in_flight = EnvelopeRow {
        hashes: hashes_of_envelope(key, ENVELOPE, &envelope).unwrap(),
        sent_at: time("outbox.sent_at"),
        state: Some(row("outbox.state").into()),
        ..EnvelopeRow::of(envelope.into())
    };
    let schedule =
        ScheduleRow { since: time("schedule.since"), record: row("schedule.record").into() };
    let mut stored = Memory::keyed(key);
    stored.pages.insert(PAGE, PageRow { directory, body });
    stored.dead.insert(PAGE, DEAD.to_vec());
    stored.schedules.insert(SCHEDULE, schedule);
    stored.outbox.insert(ENVELOPE, in_flight);
    stored
}

fn load(stored: &Memory) -> Engine {
    stored.load("1-0", Config::default())
}

/// Returns the sent tasks, each as `<destination> <id>@<time>#<attempt>`.
fn sent(effects: &Effects) -> Vec<String> {
    let mut tasks = Vec::new();
    for outgoing in &effects.sends {
        let destination = match &outgoing.destination {
            Destination::Dispatch => "dispatch",
            Destination::Lane(_) => "a lane, which the first version did not have",
            Destination::Queue(binding) => binding,
        };
        for record in Envelope::parse(std::str::from_utf8(&outgoing.text).unwrap()).unwrap().tasks {
            let record: Value = serde_json::from_str(record.get()).unwrap();
            let attempt = record["attempt"].as_u64().unwrap_or(1);
            tasks.push(format!(
                "{destination} {}@{}#{attempt}",
                record["id"].as_str().unwrap(),
                record["time"]
            ));
        }
    }
    tasks.sort();
    tasks
}

#[test]
fn the_engine_finds_every_stored_task() {
    let stored = stored();
    let engine = load(&stored);
    let stats = engine.stats(time("outbox.sent_at"));
    assert_eq!((stats.pending, stats.schedules, stats.dead_letters, stats.in_flight), (7, 1, 2, 3));
    assert_eq!(
        (
            stats.counters.created,
            stats.counters.cancelled,
            stats.counters.fired,
            stats.counters.failed
        ),
        (119, 11, 17, 4)
    );
    assert_eq!((stats.lateness.count(), stats.meter.rows_written), (17, 30));

    let request = ListRequest {
        filter: Filter::default(),
        after: None,
        limit: 100,
        ..ListRequest::default()
    };
    let items = engine.list(&request, &stored).unwrap().items;
    let shown: Vec<_> = items
        .iter()
        .map(|item| {
            let record: Value = serde_json::from_str(item.record.get()).unwrap();
            (record["id"].as_str().unwrap().to_owned(), item.status, item.position.due.get())
        })
        .collect();
    let never = UnixMillis::NEVER.get();
    let sent_at = time("outbox.sent_at").get();
    let expected = [
        ("flight-1", Status::Running, sent_at),
        ("flight-2", Status::Running, sent_at),
        ("flight-3", Status::Running, sent_at),
        ("each-year", Status::Scheduled, 1_795_571_003_000),
        ("due-5", Status::Scheduled, 1_795_571_004_435),
        ("due-7", Status::Scheduled, 1_795_571_004_635),
        ("due-8", Status::Scheduled, 1_795_571_004_735),
        ("due-11", Status::Scheduled, 1_795_571_005_035),
        ("again-0", Status::Retrying, 1_795_571_048_817),
        ("again-1", Status::Retrying, 1_795_571_048_817),
        ("dead-0", Status::Dead, never),
        ("dead-1", Status::Dead, never),
    ];
    assert_eq!(shown, expected.map(|(id, status, due)| (id.to_owned(), status, due)));
    for (id, status, _) in expected {
        assert_eq!(engine.get(id, &stored).unwrap().map(|item| item.status), Some(status), "{id}");
    }
    assert_eq!(engine.get("due-2", &stored).unwrap().map(|item| item.status), None);
}

/// They are stored as never due. The time of death is in their records.
#[test]
fn its_dead_letters_have_ids_and_times_of_death() {
    let stored = stored();
    let mut engine = load(&stored);
    let listed = |engine: &Engine, filter: Filter| {
        let request = ListRequest { filter, limit: 100, ..ListRequest::default() };
        let items = engine.dead_letters(&request, &stored).unwrap().items;
        let id = |record: &str| DeadLetterId::of(&Record::parse(record.as_bytes()).unwrap());
        items.iter().map(|item| id(item.record.get())).collect::<Vec<_>>()
    };
    let letters = listed(&engine, Filter::default());
    assert_eq!(letters.len(), 2);
    let died = letters.iter().map(|letter| letter.failed_at).max().unwrap();
    assert!(died > time("schedule.since").plus(-3_600_000), "{died}");
    let from = |from| Filter { from: Some(from), ..Filter::default() };
    assert!(!listed(&engine, from(died)).is_empty());
    assert_eq!(listed(&engine, from(died.plus(1))), []);
    for letter in &letters {
        assert!(engine.dead_letter(letter, &stored).unwrap().is_some(), "{letter}");
    }
    let request = DeadLettersRequest { letters, changed: None };
    let (reply, _) = engine.replay(&request, died.plus(60_000), &stored).unwrap();
    assert_eq!(reply.outcomes, [LetterOutcome::Done; 2]);
    assert_eq!(engine.stats(died.plus(60_000)).dead_letters, 0);
}

#[test]
fn due_tasks_fire_and_envelopes_in_flight_are_sent_again() {
    let stored = stored();
    let mut engine = load(&stored);
    assert_eq!(engine.next_wakeup(), Some(UnixMillis::new(1_795_571_003_000)));
    let fired = engine.wake(UnixMillis::new(1_795_571_010_000), &stored).unwrap();
    assert_eq!(
        sent(&fired),
        [
            "FIRED_TASKS due-11@1795571005035#1",
            "FIRED_TASKS due-5@1795571004435#1",
            "FIRED_TASKS due-7@1795571004635#1",
            "FIRED_TASKS each-year@1795571003000#1",
            "dispatch due-8@1795571004735#1",
        ]
    );
    let (again, visible) = (
        UnixMillis::new(1_795_571_048_817),
        time("outbox.sent_at").plus(Config::default().visibility_millis),
    );
    assert_eq!(engine.next_wakeup(), Some(again));
    let retries = engine.wake(again, &stored).unwrap();
    assert_eq!(
        sent(&retries),
        ["dispatch again-0@1795570988677#2", "dispatch again-1@1795570988677#2"]
    );
    assert_eq!(engine.next_wakeup(), Some(visible));
    let repeated = engine.wake(visible, &stored).unwrap();
    assert_eq!(
        sent(&repeated),
        [
            "dispatch flight-1@1795570988866#1",
            "dispatch flight-2@1795570988866#1",
            "dispatch flight-3@1795570988866#1"
        ]
    );
    // The page stays, because it contains dead letters.
    for effects in [fired, retries, repeated] {
        assert!(!effects.writes.iter().any(|write| matches!(write, Write::DeletePage { .. })));
    }
}
