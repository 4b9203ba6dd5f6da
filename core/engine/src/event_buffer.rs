//! What happens on a shard, for those who watch: a bounded ring in memory, of which nothing is stored.
//!
//! It is written only while somebody watches, and for a minute after: so it costs nothing to those who do not. A reader gives the number
//! of the event that it wants next, and the **life** that the number is of. What is gone, because the ring was overrun, nobody
//! watched, or the shard started anew, is told as a gap. A reader is never waited for.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{FEED_LEASE_MILLIS, MAX_FEED_BYTES, MAX_FEED_EVENTS};
use scheduler_model::protocol::{EventKind, EventsRequest};
use scheduler_model::task::Record;
use std::collections::VecDeque;

/// Bytes that an event takes beside its texts.
pub(super) const EVENT_BYTES: usize = size_of::<Happened>();

/// An event in the ring.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) kind: EventKind,
    pub(super) at: UnixMillis,
    pub(super) id: Box<str>,
    /// A JSON array of strings.
    pub(super) tags: Option<Box<str>>,
    pub(super) due: Option<UnixMillis>,
    pub(super) stage: Option<Box<str>>,
    pub(super) attempt: u32,
    pub(super) error: Box<str>,
    /// Of a circuit's events; these have no task.
    pub(super) destination: Option<Box<str>>,
}

impl Happened {
    pub(super) fn bytes(&self) -> usize {
        let optional = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let texts = optional(&self.tags) + optional(&self.stage) + optional(&self.destination);
        EVENT_BYTES + self.id.len() + texts + self.error.len()
    }

    pub(super) fn has_tag(&self, tag: &str) -> bool {
        let tags = self.tags.as_ref().and_then(|tags| serde_json::from_str::<Vec<String>>(tags).ok());
        tags.is_some_and(|tags| tags.iter().any(|of| of == tag))
    }

    pub(super) fn is_meant(&self, request: &EventsRequest) -> bool {
        request.kind.is_none_or(|kind| kind == self.kind)
            && request.id.as_ref().is_none_or(|id| **id == *self.id)
            && request.tag.as_ref().is_none_or(|tag| self.has_tag(tag))
    }
}

/// The ring. Without a life it is off.
#[derive(Debug, Default)]
pub(super) struct EventBuffer {
    pub(super) life: Option<UnixMillis>,
    pub(super) last_life: UnixMillis,
    /// Until then somebody is taken to watch.
    pub(super) until: UnixMillis,
    /// The number of the first event in the ring.
    pub(super) first: u64,
    pub(super) ring: VecDeque<Happened>,
    pub(super) bytes: usize,
}

impl EventBuffer {
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

    /// Notes that a circuit has changed, if somebody watches.
    pub(super) fn note_circuit(&mut self, kind: EventKind, destination: &str, why: &str, now: UnixMillis) {
        if self.is_on(now) {
            self.push(circuit_event(kind, destination, why, now));
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
    pub(super) fn end(&self) -> u64 {
        self.first + self.ring.len() as u64
    }

    pub(super) fn watch(&mut self, now: UnixMillis) -> UnixMillis {
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
