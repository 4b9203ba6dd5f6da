//! Reading the events of a shard.

use super::Engine;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_EVENTS_BYTES;
use scheduler_model::protocol::{EventsReply, EventsRequest, FeedPosition, SeenEvent};

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
#[path = "events_tests.rs"]
mod tests;
