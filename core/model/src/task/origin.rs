//! When a task was created, by whom, and when its definition was last changed.

use super::json_text::write_text;
use scheduler_calendar::time::UnixMillis;

/// When and by whom the tasks of a request are created, as the members of their records:
/// `createdAt` and `createdBy`. It is formatted once for all tasks of a request.
#[derive(Debug, Clone, Default)]
pub struct Origin(Vec<u8>);

impl Origin {
    /// Returns the origin of the tasks that a request creates at this time. `by` is the name of its
    /// API key, if it has one.
    pub fn new(at: UnixMillis, by: Option<&str>) -> Self {
        let mut members = format!(",\"createdAt\":{at}").into_bytes();
        if let Some(by) = by {
            members.extend_from_slice(b",\"createdBy\":");
            write_text(by, &mut members);
        }
        Self(members)
    }

    /// Returns the members as they go into a record, each behind a comma.
    pub(super) fn members(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::{MAX_KEY_NAME_BYTES, MAX_ORIGIN_BYTES};

    #[test]
    fn the_longest_origin_is_within_its_bound() {
        let longest = Origin::new(UnixMillis::LAST, Some(&"\"".repeat(MAX_KEY_NAME_BYTES)));
        let updated = format!(",\"updatedAt\":{}", UnixMillis::LAST);
        assert!(longest.members().len() + updated.len() <= MAX_ORIGIN_BYTES);
    }
}
