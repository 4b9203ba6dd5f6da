//! How long the reader of a body waits for its sender.
//!
//! Only the time in which a piece of the body is not there counts. While the instance is busy with
//! other work, its clock passes too, but the bytes that arrive meanwhile cannot be seen. So the
//! reader waits in short turns, and a turn that ends late does not count: it says nothing about the
//! sender. After such a turn, the reader looks again before it gives up.

use crate::{now, sleep};
use futures::future::{Either, select};
use scheduler_calendar::time::UnixMillis;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// The longest turn. After a stall, what has arrived has at least one turn to be seen.
const TURN: Duration = Duration::from_millis(500);

/// A turn that ends this much too late does not count.
const LATE: Duration = Duration::from_millis(250);

/// The time of the reader.
pub(super) trait Clock {
    /// Returns the present time.
    fn now(&self) -> UnixMillis;

    /// Waits for `time`.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()>;
}

/// The clock of the platform.
pub(super) struct Platform;

impl Clock for Platform {
    fn now(&self) -> UnixMillis {
        now()
    }

    fn sleep(&self, time: Duration) -> impl Future<Output = ()> {
        sleep(time)
    }
}

/// How long a body has made its reader wait.
pub(super) struct Patience<C> {
    clock: C,
    waited: Duration,
}

impl<C: Clock> Patience<C> {
    pub(super) fn new(clock: C) -> Self {
        Self { clock, waited: Duration::ZERO }
    }

    /// Returns the next piece of the body. Returns `None` if the body has made its reader wait for
    /// longer than `limit`, all of its pieces together.
    pub(super) async fn wait<T>(
        &mut self,
        limit: Duration,
        piece: impl Future<Output = T>,
    ) -> Option<T> {
        let mut piece = pin!(piece);
        // A piece that is there does not need a timer.
        if let Poll::Ready(piece) = futures::poll!(&mut piece) {
            return Some(piece);
        }
        while let Some(left) = limit.checked_sub(self.waited).filter(|left| !left.is_zero()) {
            let turn = left.min(TURN);
            let began = self.clock.now();
            let seen = {
                let end = pin!(self.clock.sleep(turn));
                match select(piece.as_mut(), end).await {
                    Either::Left((piece, _)) => Some(piece),
                    Either::Right(_) => None,
                }
            };
            let passed = u64::try_from(self.clock.now().since(began)).unwrap_or(0);
            self.count(turn, Duration::from_millis(passed), seen.is_none());
            if seen.is_some() {
                return seen;
            }
        }
        None
    }

    /// Counts a turn, which was to take as long as `turn` at most. A clock that has not moved, or
    /// was set back, does not make a turn that `is_over` free.
    fn count(&mut self, turn: Duration, passed: Duration, is_over: bool) {
        if passed > turn + LATE {
            return;
        }
        self.waited += if is_over { turn } else { passed.min(turn) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::future::poll_fn;
    use std::cell::Cell;

    const SECOND: Duration = Duration::from_secs(1);
    const LIMIT: Duration = Duration::from_secs(5);

    /// A clock on which each wait ends at once. From `busy_from` on, the first wait that ends takes
    /// `busy` longer.
    #[derive(Default)]
    struct Fake {
        millis: Cell<i64>,
        busy_from: i64,
        busy: Cell<i64>,
    }

    impl Clock for &Fake {
        fn now(&self) -> UnixMillis {
            UnixMillis::new(self.millis.get())
        }

        fn sleep(&self, time: Duration) -> impl Future<Output = ()> {
            // The piece is polled first, as it is while a timer runs.
            let mut is_over = false;
            poll_fn(move |context| {
                if is_over {
                    let mut end = self.millis.get() + time.as_millis() as i64;
                    if end > self.busy_from {
                        end += self.busy.take();
                    }
                    self.millis.set(end);
                    return Poll::Ready(());
                }
                is_over = true;
                context.waker().wake_by_ref();
                Poll::Pending
            })
        }
    }

    /// Returns a piece that can be seen from `at` on, on the clock.
    fn piece(clock: &Fake, at: i64) -> impl Future<Output = &'static str> {
        poll_fn(
            move |_| {
                if clock.millis.get() >= at { Poll::Ready("piece") } else { Poll::Pending }
            },
        )
    }

    #[test]
    fn the_time_of_a_busy_instance_does_not_count() {
        // The piece arrives while the instance is busy, and is seen a moment after that.
        for busy_from in [0, 2_000, 4_600] {
            let busy = 20_000;
            let clock = Fake { busy_from, busy: Cell::new(busy), ..Fake::default() };
            let seen = piece(&clock, busy_from + busy + 400);
            let mut patience = Patience::new(&clock);
            assert_eq!(block_on(patience.wait(LIMIT, seen)), Some("piece"), "{busy_from}");
            assert!(patience.waited <= Duration::from_millis(busy_from as u64) + SECOND);
        }
    }

    #[test]
    fn a_sender_that_stalls_is_given_up() {
        for busy in [0, 20_000] {
            let clock = Fake { busy: Cell::new(busy), ..Fake::default() };
            let never = piece(&clock, i64::MAX);
            assert_eq!(block_on(Patience::new(&clock).wait(LIMIT, never)), None);
            let passed = clock.millis.get() - busy;
            assert!((5_000..=5_500).contains(&passed), "{passed} ms after {busy}");
        }
    }

    #[test]
    fn the_waits_for_all_pieces_count_together_and_the_work_between_them_does_not() {
        let clock = Fake::default();
        let mut patience = Patience::new(&clock);
        for at in [1_000, 12_000, 23_000] {
            assert_eq!(block_on(patience.wait(LIMIT, piece(&clock, at))), Some("piece"), "{at}");
            // What is there costs no patience, however long the reader has not looked.
            clock.millis.set(clock.millis.get() + 10_000);
            assert_eq!(block_on(patience.wait(Duration::ZERO, piece(&clock, at))), Some("piece"));
        }
        assert_eq!(patience.waited, 3 * SECOND);
        let at = clock.millis.get() + 2_500;
        assert_eq!(block_on(patience.wait(LIMIT, piece(&clock, at))), None);
    }
}
