//! How urgent a task is.

use crate::input::FieldError;

/// The highest priority.
pub const MAX_PRIORITY: u8 = 9;
/// The priority of a task that names none.
pub const DEFAULT_PRIORITY: u8 = 5;

/// Checks a priority: 0 to 9; of what is due together, higher ones go first.
///
/// # Errors
/// Names the field and the limit.
pub(super) fn check_priority(given: u64) -> Result<u8, FieldError> {
    u8::try_from(given).ok().filter(|priority| *priority <= MAX_PRIORITY).ok_or_else(|| {
        FieldError::new(
            "priority",
            format!("is {given}; must be 0 to {MAX_PRIORITY}, of which the highest goes first"),
        )
    })
}
