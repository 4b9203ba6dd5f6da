//! The priority of a task.

use crate::input::FieldError;

/// The highest priority.
pub const MAX_PRIORITY: u8 = 9;
/// The priority of a task that has none.
pub const DEFAULT_PRIORITY: u8 = 5;

/// Checks a priority: 0 to 9. Among tasks that are due together, those with a higher priority fire
/// first.
///
/// # Errors
/// Returns an error that names the field and the limit.
pub(super) fn check_priority(given: u64) -> Result<u8, FieldError> {
    u8::try_from(given).ok().filter(|priority| *priority <= MAX_PRIORITY).ok_or_else(|| {
        FieldError::new(
            "priority",
            format!("is {given}; must be 0 to {MAX_PRIORITY}, where a higher number goes first"),
        )
    })
}
