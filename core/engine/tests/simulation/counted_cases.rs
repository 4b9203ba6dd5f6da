//! What counts as a run, as a follow-up and as handed over, and which events a definition causes.

use crate::regressions::{NOW, Pair, record};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Engine, Keep};
use scheduler_model::bounds::MAX_EVENTS_BYTES;
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Append, EventKind, EventsRequest, Expected, Failure, Report};
use scheduler_model::routing::id_hash;
use scheduler_model::task::version_of;

const LATER: UnixMillis = UnixMillis::new(NOW.get() + 30_000);
const LOG: &str = r#"{"type":"handler","name":"log"}"#;
const QUEUE: &str = r#"{"type":"queue","queue":"Q"}"#;

fn with(keep: Keep) -> Pair {
    let mut pair = Pair::new();
    let config = Config { history: keep, ..Config::default() };
    pair.engine = Engine::load("1-0", config, pair.storage.snapshot()).unwrap();
    pair
}

fn add(pair: &mut Pair, id: &str, callback: &str, more: &str, flags: Flags) {
    let record = format!(r#"{{"time":{NOW},"id":"{id}","callback":{callback}{more}}}"#);
    pair.append_flagged([(id.to_owned(), NOW, record)], flags);
}

/// Wakes the shard and accepts its envelopes to queues. Returns the envelopes for the dispatchers.
fn wake(pair: &mut Pair, now: UnixMillis) -> Vec<EnvelopeSeq> {
    let sends = pair.wake(now).sends;
    for send in sends.iter().filter(|send| !send.destination.is_reported()) {
        let effects = pair.engine.sent(send.seq, now, &pair.storage).unwrap();
        pair.commit(effects);
    }
    sends.iter().filter(|send| send.destination.is_reported()).map(|send| send.seq).collect()
}

/// Each case is run with and without history, because this decides whether the engine reads the
/// records.
#[test]
fn follow_ups_and_tasks_for_queues_do_not_count_as_succeeded_runs() {
    for keep in [Keep::All, Keep::Off] {
        let mut pair = with(keep);
        add(&mut pair, "a", LOG, &format!(r#","onSuccess":{LOG}"#), Flags::TASK);
        add(&mut pair, "b", LOG, &format!(r#","onSuccess":{QUEUE}"#), Flags::TASK);
        add(&mut pair, "c", QUEUE, "", Flags::TO_QUEUE);
        let reported = wake(&mut pair, NOW);
        assert_eq!(reported.len(), 1);
        pair.report(&Report { seq: reported[0], ..Report::default() }, NOW);
        let counters = pair.engine.stats(NOW).counters;
        assert_eq!((counters.succeeded, counters.handed_over), (2, 1), "{keep:?}");
        assert_eq!(counters.follow_ups_succeeded, 0);
        // The follow-up of `a` fails once. That of `b` goes to the queue.
        let reported = wake(&mut pair, LATER);
        let failure = Failure { index: 0, error: "no".to_owned(), ..Failure::default() };
        pair.report(
            &Report { seq: reported[0], failed: vec![failure], ..Report::default() },
            LATER,
        );
        let reported = wake(&mut pair, LATER.plus(600_000));
        pair.report(&Report { seq: reported[0], ..Report::default() }, LATER.plus(600_000));
        let counters = pair.engine.stats(NOW).counters;
        assert_eq!((counters.succeeded, counters.handed_over), (2, 1), "{keep:?}");
        assert_eq!(
            (counters.follow_ups_succeeded, counters.follow_ups_failed, counters.failed),
            (2, 1, 0),
            "{keep:?}"
        );
        assert_eq!(counters.fired, 6);
    }
}

const EVENTS: EventsRequest = EventsRequest {
    from: None,
    id: None,
    tag: None,
    kind: None,
    limit: 100,
    max_bytes: MAX_EVENTS_BYTES,
    wait_millis: 0,
    key: 0,
    reader: 0,
};

fn kinds(pair: &mut Pair, from: &mut EventsRequest) -> Vec<EventKind> {
    let reply = pair.engine.events(from, NOW);
    from.from = Some(reply.next);
    reply.events.iter().map(|event| event.kind).collect()
}

fn put(pair: &mut Pair, pages: Vec<scheduler_model::format::page::Page>, version: Option<u64>) {
    let expected = version.map(Expected::Version);
    let append = Append { pages, expected, ..Append::default() };
    let (_, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
    pair.commit(effects);
}

fn page(text: &str, due: UnixMillis) -> Vec<scheduler_model::format::page::Page> {
    let mut builder = PageBuilder::default();
    assert!(
        builder
            .push(id_hash("a"), due, Flags::TASK, |out| { out.extend_from_slice(text.as_bytes()) })
    );
    builder.finish()
}

#[test]
fn a_definition_of_a_task_that_waits_or_runs_is_an_update() {
    use EventKind::{Created, Fired, Succeeded, Updated};
    let mut pair = Pair::new();
    let mut reader = EVENTS;
    assert_eq!(kinds(&mut pair, &mut reader), []);
    let text = record("a", NOW, 0);
    put(&mut pair, page(&text, NOW), None);
    assert_eq!(kinds(&mut pair, &mut reader), [Created]);
    // The task waits.
    put(&mut pair, page(&text.replace("\"payload\"", "\"priority\":3,\"payload\""), NOW), None);
    assert_eq!(kinds(&mut pair, &mut reader), [Updated]);
    pair.wake(NOW);
    assert_eq!(kinds(&mut pair, &mut reader), [Fired]);
    // The task runs: it is patched, and then another task replaces it.
    let version = |pair: &Pair| {
        version_of(pair.engine.get("a", &pair.storage).unwrap().unwrap().record.get().as_bytes())
    };
    let seen = version(&pair);
    put(&mut pair, page(&text, NOW), Some(seen));
    assert_eq!(kinds(&mut pair, &mut reader), [Updated]);
    put(&mut pair, page(&record("a", LATER, 0), LATER), None);
    assert_eq!(kinds(&mut pair, &mut reader), [Updated]);
    pair.report(&Report { seq: EnvelopeSeq::new(1), ..Report::default() }, NOW);
    pair.wake(LATER);
    pair.report(&Report { seq: EnvelopeSeq::new(2), ..Report::default() }, LATER);
    assert_eq!(kinds(&mut pair, &mut reader), [Succeeded, Fired, Succeeded]);
    // Nothing of the task is left.
    put(&mut pair, page(&record("a", LATER, 0), LATER), None);
    assert_eq!(kinds(&mut pair, &mut reader), [Created]);
    // A recurring task keeps its place and gets a new record.
    for (priority, expected) in [(3, Created), (4, Updated)] {
        let record = format!(
            r#"{{"id":"r","everySeconds":60,"anchor":{NOW},"callback":{LOG},"priority":{priority}}}"#
        );
        let append = Append { schedules: vec![record.into_bytes()], ..Append::default() };
        let (_, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!(kinds(&mut pair, &mut reader), [expected]);
    }
}
