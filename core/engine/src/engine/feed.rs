//! What happens on a shard, for those who watch: a bounded ring in memory, of which nothing is stored.
//!
//! It is written only while somebody watches, and for a minute after: so it costs nothing to those who do not. A reader gives the number
//! of the event that it wants next, and the **life** that the number is of. What is gone, because the ring was overrun, nobody
//! watched, or the shard started anew, is told as a gap. A reader is never waited for.

use super::Engine;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{FEED_LEASE_MILLIS, MAX_EVENTS_BYTES, MAX_FEED_BYTES, MAX_FEED_EVENTS};
use scheduler_model::protocol::{EventKind, EventsReply, EventsRequest, FeedPosition, SeenEvent};
use scheduler_model::task::Record;
use std::collections::VecDeque;

/// Bytes that an event takes beside its texts.
const EVENT_BYTES: usize = size_of::<Happened>();

/// An event in the ring.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    kind: EventKind,
    at: UnixMillis,
    id: Box<str>,
    /// A JSON array of strings.
    tags: Option<Box<str>>,
    due: Option<UnixMillis>,
    stage: Option<Box<str>>,
    attempt: u32,
    error: Box<str>,
    /// Of a circuit's events; these have no task.
    destination: Option<Box<str>>,
}

impl Happened {
    fn bytes(&self) -> usize {
        let optional = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let texts = optional(&self.tags) + optional(&self.stage) + optional(&self.destination);
        EVENT_BYTES + self.id.len() + texts + self.error.len()
    }

    fn has_tag(&self, tag: &str) -> bool {
        let tags = self.tags.as_ref().and_then(|tags| serde_json::from_str::<Vec<String>>(tags).ok());
        tags.is_some_and(|tags| tags.iter().any(|of| of == tag))
    }

    fn is_meant(&self, request: &EventsRequest) -> bool {
        request.kind.is_none_or(|kind| kind == self.kind)
            && request.id.as_ref().is_none_or(|id| **id == *self.id)
            && request.tag.as_ref().is_none_or(|tag| self.has_tag(tag))
    }
}

/// The ring. Without a life it is off.
#[derive(Debug, Default)]
pub(super) struct Feed {
    life: Option<UnixMillis>,
    last_life: UnixMillis,
    /// Until then somebody is taken to watch.
    until: UnixMillis,
    /// The number of the first event in the ring.
    first: u64,
    ring: VecDeque<Happened>,
    bytes: usize,
}

impl Feed {
    /// Whether events at `now` are wanted. Once nobody watches, the ring goes with the first that is not noted.
    pub(super) fn is_on(&mut self, now: UnixMillis) -> bool {
        if self.life.is_some() && now >= self.until {
            self.forget();
        }
        self.life.is_some()
    }

    /// The clock has gone back: nobody is taken to watch for longer than from now on.
    pub(super) fn begin_by(&mut self, now: UnixMillis) {
        self.until = self.until.min(now.plus(FEED_LEASE_MILLIS));
    }

    /// Forgets all events: to who reads them it is as if the shard had started anew.
    pub(super) fn forget(&mut self) {
        *self = Self { last_life: self.last_life, ..Self::default() };
    }

    /// Notes an event of the task with this record, if somebody watches.
    pub(super) fn note(&mut self, kind: EventKind, record: &Record<'_>, error: &str, now: UnixMillis) {
        if self.is_on(now) {
            self.push(event(kind, record, error, now));
        }
    }

    /// The same, of a record that is not read yet. One that cannot be read is left out.
    pub(super) fn note_text(&mut self, kind: EventKind, record: &[u8], now: UnixMillis) {
        if self.is_on(now)
            && let Ok(record) = Record::parse(record)
        {
            self.push(event(kind, &record, "", now));
        }
    }

    /// Adds an event that was made before.
    pub(super) fn push(&mut self, event: Happened) {
        self.bytes += event.bytes();
        self.ring.push_back(event);
        while self.ring.len() > MAX_FEED_EVENTS || self.bytes > MAX_FEED_BYTES {
            let Some(gone) = self.ring.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(gone.bytes());
            self.first += 1;
        }
    }

    /// Leaves events out: whoever reads is told of a gap.
    pub(super) fn lose(&mut self) {
        self.first = self.end() + 1;
        self.ring.clear();
        self.bytes = 0;
    }

    /// Where the next event will stand.
    fn end(&self) -> u64 {
        self.first + self.ring.len() as u64
    }

    fn watch(&mut self, now: UnixMillis) -> UnixMillis {
        self.until = now.plus(FEED_LEASE_MILLIS);
        if let Some(life) = self.life {
            return life;
        }
        let life = now.max(self.last_life.plus(1));
        (self.life, self.last_life) = (Some(life), life);
        life
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes
    }
}

/// An event, to be noted once what it tells of is done.
pub(super) fn event(kind: EventKind, record: &Record<'_>, error: &str, now: UnixMillis) -> Happened {
    Happened {
        kind,
        at: now,
        id: record.id.as_ref().into(),
        tags: record.tags.map(|tags| tags.get().into()),
        due: record.time,
        stage: record.stage.as_deref().map(Into::into),
        attempt: record.attempt_number(),
        error: error.into(),
        destination: None,
    }
}

/// An event of a destination's circuit.
pub(super) fn circuit_event(kind: EventKind, destination: &str, why: &str, now: UnixMillis) -> Happened {
    Happened {
        kind,
        at: now,
        id: "".into(),
        tags: None,
        due: None,
        stage: None,
        attempt: 0,
        error: why.into(),
        destination: Some(destination.into()),
    }
}

impl Engine {
    /// Returns a number that every event changes, and nothing else.
    pub fn events_noted(&self) -> u64 {
        self.feed.end()
    }

    /// What has happened since a position, as far as the request means it; and from now on, events are noted for a while.
    pub fn events(&mut self, request: &EventsRequest, now: UnixMillis) -> EventsReply {
        let feed = &mut self.feed;
        // One that nobody watched for long has missed nothing yet, if nothing has happened.
        let life = feed.watch(now);
        let from = match request.from {
            None => feed.end(),
            Some(from) if from.life == life && (feed.first..=feed.end()).contains(&from.next) => from.next,
            Some(_) => feed.first,
        };
        let is_gap = request.from.is_some_and(|asked| asked.life != life || asked.next != from);
        let (mut events, mut bytes) = (Vec::new(), 0);
        let mut next = from;
        let skipped = usize::try_from(from - feed.first).unwrap_or(usize::MAX);
        for event in feed.ring.iter().skip(skipped) {
            if events.len() >= request.limit || bytes > MAX_EVENTS_BYTES {
                break;
            }
            if event.is_meant(request) {
                bytes += event.bytes();
                events.push(SeenEvent {
                    number: next,
                    kind: event.kind,
                    at: event.at,
                    id: event.id.to_string(),
                    tags: event.tags.as_ref().and_then(|tags| serde_json::from_str(tags).ok()).unwrap_or_default(),
                    due: event.due,
                    stage: event.stage.as_deref().map(str::to_owned),
                    attempt: event.attempt,
                    error: event.error.to_string(),
                    destination: event.destination.as_deref().map(str::to_owned),
                });
            }
            next += 1;
        }
        EventsReply { events, next: FeedPosition { life, next }, is_gap, has_more: next < feed.end() }
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
