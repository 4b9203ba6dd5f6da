//! Counts the steps of searches, so that callers can bound their time.

use std::cell::Cell;

thread_local! {
    /// The steps that searches have taken so far. Only differences are used, so a result depends
    /// only on its input.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    /// The count at which the current work ends: see [`within`].
    static LIMIT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Work took more steps than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManySteps;

/// Counts steps of a search: the months, days or points in time that it has examined.
pub(crate) fn count_steps(steps: u32) {
    TAKEN.set(TAKEN.get().wrapping_add(u64::from(steps)));
}

/// Returns the steps that the searches of this thread have taken. Only the difference between two
/// calls is meaningful.
pub fn steps_taken() -> u64 {
    TAKEN.get()
}

/// Does work that may take fewer than `most` steps. An outer limit also applies. Searches of
/// exclusions and counts of runs end soon after the last step. Then their results are unknown, so
/// the result of the work is dropped.
///
/// # Errors
/// Returns an error if the work takes that many steps.
pub fn within<T>(most: u64, work: impl FnOnce() -> T) -> Result<T, TooManySteps> {
    /// Restores the outer limit, even after a panic.
    struct Around(u64);
    impl Drop for Around {
        fn drop(&mut self) {
            LIMIT.set(self.0);
        }
    }
    let around = Around(LIMIT.get());
    LIMIT.set(TAKEN.get().saturating_add(most).min(around.0));
    let outcome = work();
    if are_left() { Ok(outcome) } else { Err(TooManySteps) }
}

/// Returns whether the current work may take further steps. If not, its result will not be used.
pub(crate) fn are_left() -> bool {
    TAKEN.get() < LIMIT.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_at_its_limit_and_at_that_of_the_work_around() {
        let take = |steps| {
            count_steps(steps);
            are_left()
        };
        assert_eq!(within(5, || take(4)), Ok(true));
        assert_eq!(within(5, || take(5)), Err(TooManySteps));
        assert!(are_left(), "the limit ends with the work");
        let nested = within(10, || {
            let inner = [within(3, || take(3)), within(100, || take(6))];
            (inner, within(100, || take(1)))
        });
        assert_eq!(nested, Err(TooManySteps));
        assert_eq!(within(10, || within(3, || take(3))), Ok(Err(TooManySteps)));
        let panics = std::panic::catch_unwind(|| within(1, || panic!("in the work")));
        assert!(panics.is_err() && take(2));
    }
}
