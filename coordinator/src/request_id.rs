//! The id of a request. It is in the header `X-Request-Id` of the answer, and in the log lines that
//! are written during the request.
//!
//! An instance answers many requests at once on one thread. So the current id is that of the future
//! or stream that is being polled.

use futures::Stream;
use scheduler_platform::random_bytes;
use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use worker::Request;

/// The header with the id.
pub(crate) const HEADER: &str = "x-request-id";

/// The longest id that a caller may give, in bytes.
const MAX_BYTES: usize = 128;

thread_local! {
    /// The id of the request whose future is being polled.
    static CURRENT: RefCell<Option<Rc<str>>> = const { RefCell::new(None) };
}

/// Returns the caller's id if it is valid, and a new id otherwise.
pub(crate) fn of(request: &Request) -> Rc<str> {
    let given = request.headers().get(HEADER).ok().flatten();
    given.filter(|id| is_valid(id)).unwrap_or_else(new_id).into()
}

fn is_valid(id: &str) -> bool {
    (1..=MAX_BYTES).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn new_id() -> String {
    // Without random numbers, nothing else works either.
    format!("{:032x}", u128::from_be_bytes(random_bytes().unwrap_or_default()))
}

/// Writes an error to the log, with the id of the request that is being answered.
pub(crate) fn log(text: fmt::Arguments<'_>) {
    match CURRENT.with_borrow(Clone::clone) {
        Some(id) => worker::console_error!("request {id}: {text}"),
        None => worker::console_error!("{text}"),
    }
}

/// A future or a stream that belongs to a request.
pub(crate) struct OfRequest<T> {
    pub(crate) id: Rc<str>,
    pub(crate) inner: T,
}

impl<T> OfRequest<T> {
    fn polled<R>(&mut self, poll: impl FnOnce(&mut T) -> R) -> R {
        let outer = CURRENT.replace(Some(self.id.clone()));
        let polled = poll(&mut self.inner);
        CURRENT.set(outer);
        polled
    }
}

impl<T: Future + Unpin> Future for OfRequest<T> {
    type Output = T::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T::Output> {
        self.polled(|inner| Pin::new(inner).poll(context))
    }
}

impl<T: Stream + Unpin> Stream for OfRequest<T> {
    type Item = T::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T::Item>> {
        self.polled(|inner| Pin::new(inner).poll_next(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::executor::block_on;
    use futures::future::{join, poll_fn};

    #[test]
    fn ids_of_callers_are_short_and_of_few_characters() {
        for id in ["a", "A-b_9", &"a".repeat(MAX_BYTES)] {
            assert!(is_valid(id), "{id}");
        }
        for id in ["", "a b", "a\n", "ä", "a.b", &"a".repeat(MAX_BYTES + 1)] {
            assert!(!is_valid(id), "{id}");
        }
    }

    #[test]
    fn requests_that_take_turns_have_their_own_ids() {
        let turns = |id: &'static str| {
            let mut left = 3;
            let inner = poll_fn(move |context| {
                assert_eq!(CURRENT.with_borrow(Clone::clone).as_deref(), Some(id));
                left -= 1;
                context.waker().wake_by_ref();
                if left == 0 { Poll::Ready(()) } else { Poll::Pending }
            });
            OfRequest { id: id.into(), inner: inner.boxed_local() }
        };
        block_on(join(turns("a"), turns("b")));
        assert_eq!(CURRENT.with_borrow(Clone::clone), None);
    }
}
