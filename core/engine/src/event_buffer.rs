//! The events of a shard for its readers: a bounded ring in memory. Storage has none of them.
//!
//! The engine records events only while somebody reads them and for a minute after, so they cost
//! nothing otherwise. A reader names the number of the next event that it wants, and the
//! **incarnation** of the buffer to which the number belongs. If events were lost because the ring
//! has overflowed, nobody has read, or the shard has restarted, the answer says that there is a
//! gap. The engine never waits for a reader.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{EVENT_LEASE_MILLIS, MAX_BUFFERED_EVENT_BYTES, MAX_BUFFERED_EVENTS};
use scheduler_model::protocol::{EventKind, EventsRequest};
use scheduler_model::task::Record;
use std::collections::VecDeque;

/// Bytes of an event without its texts.
pub(super) const EVENT_BYTES: usize = size_of::<Happened>();

/// An event in the ring.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) kind: EventKind,
    pub(super) at: UnixMillis,
    pub(super) id: Box<str>,
    /// The tags, as a JSON array of strings.
    pub(super) tags: Option<Box<str>>,
    pub(super) time: Option<UnixMillis>,
    pub(super) stage: Option<Box<str>>,
    pub(super) attempt: u32,
    pub(super) error: Box<str>,
    /// The destination of an event of a circuit, which has no task.
    pub(super) destination: Option<Box<str>>,
}

impl Happened {
    pub(super) fn bytes(&self) -> usize {
        let optional = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let texts = optional(&self.tags) + optional(&self.stage) + optional(&self.destination);
        EVENT_BYTES + self.id.len() + texts + self.error.len()
    }

    fn has_tag(&self, tag: &str) -> bool {
        let tags =
            self.tags.as_ref().and_then(|tags| serde_json::from_str::<Vec<String>>(tags).ok());
        tags.is_some_and(|tags| tags.iter().any(|of| of == tag))
    }

    pub(super) fn is_selected(&self, request: &EventsRequest) -> bool {
        request.kind.is_none_or(|kind| kind == self.kind)
            && request.id.as_ref().is_none_or(|id| **id == *self.id)
            && request.tag.as_ref().is_none_or(|tag| self.has_tag(tag))
    }
}

/// The ring. It is off if it has no incarnation.
#[derive(Debug, Default)]
pub(super) struct EventBuffer {
    incarnation: Option<UnixMillis>,
    last_incarnation: UnixMillis,
    /// Until this time, the engine assumes that somebody reads.
    until: UnixMillis,
    /// The number of the first event in the ring.
    pub(super) first: u64,
    pub(super) ring: VecDeque<Happened>,
    bytes: usize,
}

impl EventBuffer {
    /// Returns whether somebody reads events at `now`. If nobody does any more, drops the ring.
    pub(super) fn is_on(&mut self, now: UnixMillis) -> bool {
        if self.incarnation.is_some() && now >= self.until {
            self.forget();
        }
        self.incarnation.is_some()
    }

    /// Corrects the time after the clock has gone back: the last read was now at the latest.
    pub(super) fn begin_by(&mut self, now: UnixMillis) {
        self.until = self.until.min(now.plus(EVENT_LEASE_MILLIS));
    }

    /// Drops all events. For a reader, this looks like a restart of the shard.
    pub(super) fn forget(&mut self) {
        *self = Self { last_incarnation: self.last_incarnation, ..Self::default() };
    }

    /// Adds an event for the task with this record if somebody reads.
    pub(super) fn note(
        &mut self,
        kind: EventKind,
        record: &Record<'_>,
        error: &str,
        now: UnixMillis,
    ) {
        if self.is_on(now) {
            self.push(event(kind, record, error, now));
        }
    }

    /// Adds an event for the task with the record in this text if somebody reads. Ignores a record
    /// that cannot be parsed.
    pub(super) fn note_text(&mut self, kind: EventKind, record: &[u8], now: UnixMillis) {
        if self.is_on(now)
            && let Ok(record) = Record::parse(record)
        {
            self.push(event(kind, &record, "", now));
        }
    }

    /// Adds an event for a circuit if somebody reads.
    pub(super) fn note_circuit(
        &mut self,
        kind: EventKind,
        destination: &str,
        why: &str,
        now: UnixMillis,
    ) {
        if self.is_on(now) {
            self.push(circuit_event(kind, destination, why, now));
        }
    }

    /// Adds an event.
    pub(super) fn push(&mut self, event: Happened) {
        self.bytes += event.bytes();
        self.ring.push_back(event);
        while self.ring.len() > MAX_BUFFERED_EVENTS || self.bytes > MAX_BUFFERED_EVENT_BYTES {
            let Some(gone) = self.ring.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(gone.bytes());
            self.first += 1;
        }
    }

    /// Drops all events and leaves a gap.
    pub(super) fn lose(&mut self) {
        self.first = self.end() + 1;
        self.ring.clear();
        self.bytes = 0;
    }

    /// Returns the number of the next event.
    pub(super) fn end(&self) -> u64 {
        self.first + self.ring.len() as u64
    }

    /// Records that somebody reads. Returns the incarnation of the ring.
    pub(super) fn watch(&mut self, now: UnixMillis) -> UnixMillis {
        self.until = now.plus(EVENT_LEASE_MILLIS);
        if let Some(incarnation) = self.incarnation {
            return incarnation;
        }
        let incarnation = now.max(self.last_incarnation.plus(1));
        (self.incarnation, self.last_incarnation) = (Some(incarnation), incarnation);
        incarnation
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes
    }
}

/// Returns an event for the task with this record. The caller adds it when the change is done.
pub(super) fn event(
    kind: EventKind,
    record: &Record<'_>,
    error: &str,
    now: UnixMillis,
) -> Happened {
    Happened {
        kind,
        at: now,
        id: record.id.as_ref().into(),
        tags: record.tags.map(|tags| tags.get().into()),
        time: record.time,
        stage: record.stage.as_deref().map(Into::into),
        attempt: record.attempt_number(),
        error: error.into(),
        destination: None,
    }
}

/// Returns an event for the circuit of a destination.
fn circuit_event(kind: EventKind, destination: &str, why: &str, now: UnixMillis) -> Happened {
    Happened {
        kind,
        at: now,
        id: "".into(),
        tags: None,
        time: None,
        stage: None,
        attempt: 0,
        error: why.into(),
        destination: Some(destination.into()),
    }
}
