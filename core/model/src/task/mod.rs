//! A task: how a caller gives it, what makes it valid, and the record that it becomes.
//!
//! A request's text is read once into [`NewTask`]s, which borrow from it. [`Validator`] checks each
//! into a [`ValidTask`], which writes its record straight into the page that stores it.

mod callback;
mod change_input;
mod dead_letter_input;
mod filter_input;
mod follow_ups;
mod handler_task;
mod json_text;
mod merging;
mod new_task;
mod origin;
mod patch;
mod policies;
mod read_only;
mod record;
mod record_writer;
mod renewal;
mod run_input;
mod text;
mod valid_task;
mod validator;
mod views;
#[cfg(test)]
mod wrong_types_tests;

pub use callback::{
    Body, Call, Callback, DurableObject, HIDDEN, Message, Method, Service, Targets, Webhook,
    callback_type, parse_url, target_of, webhook_host,
};
pub use change_input::ChangeInput;
pub use dead_letter_input::{ChosenLetters, DeadLetterFilter, DeadLettersInput, ReplayInput};
pub use filter_input::FilterInput;
pub use follow_ups::{ON_FAILURE, ON_SUCCESS};
pub(crate) use handler_task::check_id;
pub use handler_task::{HANDLER_TASK_PREFIX, HandlerTask, MAX_HANDLER_NAME_BYTES, handler_of};
pub use json_text::write_text;
pub use new_task::{NewTask, calendars_of, parse_batch, parse_one};
pub use origin::Origin;
pub use patch::{
    changes_exclude, changes_only_exclude, changes_schedule, lost_timezone, merge_patch,
    only_pauses, removes_anchor,
};
pub use policies::{DEFAULT_PRIORITY, MAX_PRIORITY};
pub use read_only::READ_ONLY;
pub(crate) use read_only::{add_properties, describe_read_only, is_read_only};
pub(crate) use record::when;
pub use record::{Record, digest_of, version_of, write_occurrence};
pub use renewal::{Renewal, renewed};
pub use run_input::RunInput;
pub use valid_task::ValidTask;
pub use validator::Validator;
pub use views::{
    describe_shown_times, envelope_for_consumer, for_consumer, for_request, with_calendar_names,
    with_hidden_headers, with_shown_times,
};
