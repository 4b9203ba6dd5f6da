//! Reads of the shard's events.

use super::Engine;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_EVENTS_BYTES;
use scheduler_model::protocol::{EventsReply, EventsRequest, FeedPosition, SeenEvent};

impl Engine {
    /// Returns the number of events so far. It changes with every event and at no other time.
    pub fn events_noted(&self) -> u64 {
        self.events.end()
    }

    /// Returns the events after a position that match the request. The engine records events for
    /// some time after each such request.
    pub fn events(&mut self, request: &EventsRequest, now: UnixMillis) -> EventsReply {
        let buffer = &mut self.events;
        // A reader that returns after a long time has missed nothing if no event occurred.
        let incarnation = buffer.watch(now);
        let from = match request.from {
            None => buffer.end(),
            Some(from)
                if from.incarnation == incarnation
                    && (buffer.first..=buffer.end()).contains(&from.next) =>
            {
                from.next
            }
            Some(_) => buffer.first,
        };
        let is_gap = request
            .from
            .is_some_and(|asked| asked.incarnation != incarnation || asked.next != from);
        let (mut events, mut bytes) = (Vec::new(), 0);
        let mut next = from;
        let skipped = usize::try_from(from - buffer.first).unwrap_or(usize::MAX);
        for event in buffer.ring.iter().skip(skipped) {
            if events.len() >= request.limit || bytes > request.max_bytes.min(MAX_EVENTS_BYTES) {
                break;
            }
            if event.is_selected(request) {
                bytes += event.bytes();
                events.push(SeenEvent {
                    number: next,
                    kind: event.kind,
                    at: event.at,
                    id: event.id.to_string(),
                    tags: event
                        .tags
                        .as_ref()
                        .and_then(|tags| serde_json::from_str(tags).ok())
                        .unwrap_or_default(),
                    time: event.time,
                    stage: event.stage.as_deref().map(str::to_owned),
                    attempt: event.attempt,
                    error: event.error.to_string(),
                    destination: event.destination.as_deref().map(str::to_owned),
                });
            }
            next += 1;
        }
        EventsReply {
            events,
            next: FeedPosition { incarnation, next },
            is_gap,
            has_more: next < buffer.end(),
        }
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
