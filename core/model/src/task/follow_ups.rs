//! The targets of a task's follow-ups, which are called when a run has ended.

use super::{Callback, Targets};
use crate::bounds::MAX_CALLBACK_BYTES;
use crate::input::FieldError;
use schemars::JsonSchema;
use serde_json::value::RawValue;

/// The field for a run that succeeded, and the name of that stage of an occurrence.
pub const ON_SUCCESS: &str = "onSuccess";
/// The field for a run that failed for good, and the name of that stage of an occurrence.
pub const ON_FAILURE: &str = "onFailure";

/// The follow-ups of a task. Both are callbacks of any kind.
#[derive(Debug, Clone, Copy, Default, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct FollowUps<'a> {
    /// What happens when a run has succeeded: the task is sent to this callback, with `stage` and
    /// `outcome`. Not with a `queue` callback, whose outcome is not known.
    #[schemars(with = "Option<Callback<'static>>", extend("x-maxBytes" = MAX_CALLBACK_BYTES))]
    pub(super) on_success: Option<&'a RawValue>,
    /// What happens when a run has failed for good. The rest is as for `onSuccess`.
    #[schemars(with = "Option<Callback<'static>>", extend("x-maxBytes" = MAX_CALLBACK_BYTES))]
    pub(super) on_failure: Option<&'a RawValue>,
}

impl<'a> FollowUps<'a> {
    /// Checks each as the task's own callback is checked. A text that is equal to that in `good` is
    /// valid. `queue` describes the queue that the task goes to, if it goes to one.
    ///
    /// # Errors
    /// Returns an error that names the field, the problem and the limit.
    pub(super) fn check(
        &self,
        queue: Option<&str>,
        targets: Targets<'_>,
        good: Self,
    ) -> Result<(), FieldError> {
        for (name, given, good) in [
            (ON_SUCCESS, self.on_success, good.on_success),
            (ON_FAILURE, self.on_failure, good.on_failure),
        ] {
            let Some(text) = given.map(RawValue::get) else { continue };
            if let Some(queue) = queue {
                let detail = format!(
                    "cannot follow {queue}, whose outcome is not reported; leave it out, or let your consumer do it"
                );
                return Err(FieldError::new(name, detail));
            }
            if good.map(RawValue::get) != Some(text) {
                Callback::given(text, targets).map_err(|problem| under(name, problem))?;
            }
        }
        Ok(())
    }
}

/// Returns the problem of a callback, with `name` in the path of its field.
fn under(name: &'static str, problem: FieldError) -> FieldError {
    let path = problem.field.strip_prefix("callback").unwrap_or_default();
    FieldError::new(format!("{name}{path}"), problem.detail)
}
