use super::*;
use crate::event_buffer::{EVENT_BYTES, Happened};
use crate::{Config, Snapshot};
use scheduler_model::bounds::{EVENT_LEASE_MILLIS, MAX_BUFFERED_EVENT_BYTES, MAX_BUFFERED_EVENTS};
use scheduler_model::protocol::EventKind;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
const ALL: EventsRequest = EventsRequest {
    from: None,
    id: None,
    tag: None,
    kind: None,
    limit: 10_000,
    max_bytes: MAX_EVENTS_BYTES,
    wait_millis: 0,
    key: 0,
    reader: 0,
};

fn engine() -> Engine {
    Engine::load("1-0", Config::default(), Snapshot::default()).unwrap()
}

fn note(engine: &mut Engine, kind: EventKind, id: &str, now: UnixMillis) {
    let text =
        format!(r#"{{"time":5,"id":"{id}","tags":["t-{id}","all"],"callback":{{}},"attempt":2}}"#);
    engine.events.note_text(kind, text.as_bytes(), now);
}

fn ids(reply: &EventsReply) -> Vec<&str> {
    reply.events.iter().map(|event| event.id.as_str()).collect()
}

fn from(reply: &EventsReply) -> EventsRequest {
    EventsRequest { from: Some(reply.next), ..ALL }
}

#[test]
fn a_reader_sees_each_event_after_its_first_request_once_and_in_order() {
    let mut engine = engine();
    note(&mut engine, EventKind::Created, "before", NOW);
    let mut reply = engine.events(&ALL, NOW);
    assert_eq!((ids(&reply), reply.is_gap), (vec![], false));
    for round in 0..3 {
        note(&mut engine, EventKind::Created, "a", NOW.plus(round));
        note(&mut engine, EventKind::Fired, "b", NOW.plus(round));
        reply = engine.events(&EventsRequest { limit: 1, ..from(&reply) }, NOW);
        assert_eq!((ids(&reply), reply.is_gap), (vec!["a"], false));
        reply = engine.events(&from(&reply), NOW);
        assert_eq!((ids(&reply), reply.is_gap), (vec!["b"], false));
        assert_eq!((reply.events[0].attempt, reply.events[0].at), (2, NOW.plus(round)));
    }
    assert_eq!(ids(&engine.events(&from(&reply), NOW)), [""; 0]);
}

#[test]
fn an_event_of_a_follow_up_names_it_as_one() {
    let mut engine = engine();
    let start = engine.events(&ALL, NOW);
    engine.events.note_text(
        EventKind::Fired,
        br#"{"time":5,"id":"a","callback":{},"stage":"onSuccess","outcome":{}}"#,
        NOW,
    );
    let reply = engine.events(&from(&start), NOW);
    assert_eq!(reply.events[0].stage.as_deref(), Some("onSuccess"));
}

#[test]
fn a_filter_skips_other_events() {
    let mut engine = engine();
    let start = engine.events(&ALL, NOW);
    for (kind, id) in
        [(EventKind::Created, "a"), (EventKind::Created, "b"), (EventKind::Fired, "a")]
    {
        note(&mut engine, kind, id, NOW);
    }
    let mut meant = |request: EventsRequest| {
        let reply = engine.events(&request, NOW);
        // The position also passes events that the filter does not match.
        assert_eq!(reply.next.next, 3);
        reply.events.iter().map(|event| event.number).collect::<Vec<_>>()
    };
    assert_eq!(meant(EventsRequest { id: Some("a".into()), ..from(&start) }), [0, 2]);
    assert_eq!(meant(EventsRequest { tag: Some("t-b".into()), ..from(&start) }), [1]);
    assert_eq!(
        meant(EventsRequest {
            tag: Some("all".into()),
            kind: Some(EventKind::Created),
            ..from(&start)
        }),
        [0, 1]
    );
    assert_eq!(meant(EventsRequest { tag: Some("none".into()), ..from(&start) }), [0; 0]);
}

#[test]
fn a_slow_reader_gets_a_gap_and_the_ring_stays_bounded() {
    let mut engine = engine();
    let start = engine.events(&ALL, NOW);
    for n in 0..MAX_BUFFERED_EVENTS + 5 {
        note(&mut engine, EventKind::Created, &n.to_string(), NOW);
    }
    let reply = engine.events(&EventsRequest { limit: 2, ..from(&start) }, NOW);
    assert_eq!((ids(&reply), reply.is_gap), (vec!["5", "6"], true));
    // Sixteen shards divide the bytes of one answer.
    let share =
        engine.events(&EventsRequest { max_bytes: MAX_EVENTS_BYTES / 16, ..from(&reply) }, NOW);
    assert!(
        share.has_more
            && (2..=MAX_EVENTS_BYTES / 16 / EVENT_BYTES + 1).contains(&share.events.len()),
        "{}",
        share.events.len()
    );
    // The rest comes in answers of bounded size, without another gap.
    let (mut reply, mut seen, mut answers) = (reply, 2, 0);
    while reply.has_more {
        reply = engine.events(&from(&reply), NOW);
        assert!(
            !reply.is_gap && reply.events.len() <= MAX_EVENTS_BYTES / EVENT_BYTES + 1,
            "{}",
            reply.events.len()
        );
        seen += reply.events.len();
        answers += 1;
    }
    assert_eq!(seen, MAX_BUFFERED_EVENTS);
    assert!(answers > 2);
    let long = "x".repeat(200_000);
    for _ in 0..100 {
        note(&mut engine, EventKind::Created, &long, NOW);
    }
    assert!(
        engine.events.memory_bytes() <= MAX_BUFFERED_EVENT_BYTES && !engine.events.ring.is_empty()
    );
    let kept: usize = engine.events.ring.iter().map(Happened::bytes).sum();
    assert_eq!(engine.events.memory_bytes(), kept);
}

#[test]
fn missed_events_are_a_gap_and_a_quiet_time_is_none() {
    let mut feeds = engine();
    let start = feeds.events(&ALL, NOW);
    let later = NOW.plus(EVENT_LEASE_MILLIS * 3);
    // No event occurred meanwhile.
    let reply = feeds.events(&from(&start), later);
    assert_eq!((reply.next, reply.is_gap), (start.next, false));
    note(&mut feeds, EventKind::Created, "missed", later.plus(EVENT_LEASE_MILLIS));
    let even_later = later.plus(EVENT_LEASE_MILLIS + 1);
    let reply = feeds.events(&from(&reply), even_later);
    assert_eq!((ids(&reply), reply.is_gap), (vec![], true));
    note(&mut feeds, EventKind::Created, "seen", even_later);
    assert_eq!(ids(&feeds.events(&from(&reply), even_later)), ["seen"]);

    // A restarted engine has another incarnation, even if it starts within the same millisecond.
    let mut again = engine();
    again.events(&ALL, even_later.plus(1));
    note(&mut again, EventKind::Created, "new", even_later.plus(2));
    let reply = again.events(&from(&reply), even_later.plus(3));
    assert_eq!((ids(&reply), reply.is_gap), (vec!["new"], true));
    // This number was never assigned in any incarnation.
    let ahead = FeedPosition { next: reply.next.next + 1, ..reply.next };
    assert!(again.events(&EventsRequest { from: Some(ahead), ..ALL }, even_later).is_gap);
}
