//! Bodies of requests of which the types that read them say less than the document: which members
//! belong together is said in [`super::forms`].
#![expect(dead_code, reason = "only their schemas are used")]

use scheduler_model::bounds::MAX_CANCEL_IDS;
use scheduler_model::input::TimeInput;
use scheduler_model::task::FilterInput;
use schemars::JsonSchema;

/// Which tasks: by id, or by a filter.
#[derive(JsonSchema)]
pub(super) struct Selection {
    /// The ids; a repeated id counts once.
    #[schemars(length(max = MAX_CANCEL_IDS))]
    ids: Option<Vec<String>>,
    /// All tasks that fulfil every part of the filter.
    #[schemars(extend("minProperties" = 1))]
    filter: Option<FilterInput<'static>>,
}

/// The new time of a task, or a delay.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct Reschedule {
    /// When it fires instead.
    time: Option<TimeInput<'static>>,
    /// The IANA time zone of a local `time`.
    timezone: Option<String>,
    /// How long from now it fires instead, seconds.
    #[schemars(range(min = 0))]
    delay_in_seconds: Option<f64>,
}

/// Which tasks, and their new time or a delay.
#[derive(JsonSchema)]
pub(super) struct RescheduleMany {
    #[schemars(flatten)]
    selection: Selection,
    #[schemars(flatten)]
    to: Reschedule,
}
