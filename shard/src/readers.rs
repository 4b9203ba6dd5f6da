//! Holds the requests of readers that wait for events.
//!
//! An idle reader costs nothing but its entry here. The first event after its last search wakes it,
//! and it searches [`GATHER`] later. So a busy shard is searched a few times per second for each
//! reader, not at every event. The number of readers is limited by shard and by API key, and a
//! reader keeps its place between its requests.

use futures::channel::oneshot;
use futures::future::{Either, select};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::EngineError;
use scheduler_model::bounds::{MAX_EVENTS_WAIT_MILLIS, MAX_READERS, MAX_READERS_OF_A_KEY};
use scheduler_model::protocol::{EventsReply, EventsRequest};
use scheduler_platform::{now, sleep};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

/// Events that follow the first within this time are sent together with it.
const GATHER: Duration = Duration::from_millis(200);

/// How long a reader keeps its place after an answer, in milliseconds. A reader sends its next
/// request within a second.
const KEPT_MILLIS: i64 = 3_000;

/// The readers of a shard, each by its key.
#[derive(Default)]
pub(crate) struct Readers {
    places: RefCell<HashMap<u64, Place>>,
    /// The number of recorded events when the readers were last woken.
    noted: Cell<u64>,
}

struct Place {
    key: u64,
    /// The reader's requests that are not answered yet.
    requests: usize,
    kept_until: UnixMillis,
    waker: Option<oneshot::Sender<()>>,
}

/// A request of a reader until it is answered or dropped.
struct Reader<'a> {
    readers: &'a Readers,
    reader: u64,
}

impl Readers {
    /// Answers a request for events. While there are none, the request waits, and the shard can do
    /// other work. `look` returns the events that a request selects.
    pub(crate) async fn answer(
        &self,
        request: &EventsRequest,
        mut look: impl FnMut(&EventsRequest) -> Result<EventsReply, EngineError>,
    ) -> Result<EventsReply, EngineError> {
        let reader = self.enter(request.reader, request.key)?;
        let end = now().plus(i64::from(request.wait_millis.min(MAX_EVENTS_WAIT_MILLIS)));
        let mut reply = look(request)?;
        while reply.events.is_empty() && !reply.is_gap {
            let left = u64::try_from(end.since(now())).unwrap_or(0);
            if left == 0 || !reader.wait_for_event(Duration::from_millis(left)).await {
                break;
            }
            sleep(GATHER).await;
            // The next search starts at the end of the last one, so that events that the request
            // does not select are examined once.
            let from = EventsRequest { from: Some(reply.next), ..request.clone() };
            reply = look(&from)?;
        }
        Ok(reply)
    }

    fn enter(&self, reader: u64, key: u64) -> Result<Reader<'_>, EngineError> {
        let mut places = self.places.borrow_mut();
        let now = now();
        places.retain(|_, place| place.requests > 0 || now < place.kept_until);
        if let Some(place) = places.get_mut(&reader) {
            place.requests += 1;
        } else {
            let of_key = places.values().filter(|place| place.key == key).count();
            if places.len() >= MAX_READERS || of_key >= MAX_READERS_OF_A_KEY {
                return Err(EngineError::TooManyReaders);
            }
            places.insert(reader, Place { key, requests: 1, kept_until: now, waker: None });
        }
        Ok(Reader { readers: self, reader })
    }

    /// Wakes all waiting requests if events have been recorded since the last call. `noted` is the
    /// number of events so far.
    pub(crate) fn wake(&self, noted: u64) {
        if self.noted.replace(noted) == noted {
            return;
        }
        for place in self.places.borrow_mut().values_mut() {
            if let Some(waker) = place.waker.take() {
                // The receiver is dropped if the reader no longer waits.
                let _ = waker.send(());
            }
        }
    }
}

impl Reader<'_> {
    /// Waits at most `most` for the next event. Returns whether there is one.
    async fn wait_for_event(&self, most: Duration) -> bool {
        let (waker, woken) = oneshot::channel();
        if let Some(place) = self.readers.places.borrow_mut().get_mut(&self.reader) {
            place.waker = Some(waker);
        }
        matches!(select(woken, std::pin::pin!(sleep(most))).await, Either::Left(_))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.readers.places.borrow_mut().get_mut(&self.reader) {
            place.requests = place.requests.saturating_sub(1);
            place.kept_until = now().plus(KEPT_MILLIS);
        }
    }
}
