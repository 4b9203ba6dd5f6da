//! Counts the steps of searches, so that callers can bound what they take.

use std::cell::Cell;

thread_local! {
    /// Steps that searches have taken so far. Only differences are used, so a result depends on
    /// nothing but its input.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Counts steps of a search: the months, days or places in time that it has looked at.
pub(crate) fn count_steps(steps: u32) {
    TAKEN.set(TAKEN.get().wrapping_add(u64::from(steps)));
}

/// Returns the steps that the searches of this thread have taken. Only the difference of two calls
/// means anything.
pub fn steps_taken() -> u64 {
    TAKEN.get()
}
