//! Counts the steps of searches, so that callers can bound their time.

use std::cell::Cell;

thread_local! {
    /// The steps that searches have taken so far. Only differences are used, so a result depends
    /// only on its input.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Counts steps of a search: the months, days or points in time that it has examined.
pub(crate) fn count_steps(steps: u32) {
    TAKEN.set(TAKEN.get().wrapping_add(u64::from(steps)));
}

/// Returns the steps that the searches of this thread have taken. Only the difference between two
/// calls is meaningful.
pub fn steps_taken() -> u64 {
    TAKEN.get()
}
