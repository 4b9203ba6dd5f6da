//! The arguments of tools that read one task, or that need none.

use crate::bounds::MAX_ID_BYTES;
use crate::ids::check_task_id;
use crate::input::{FieldError, Text, parse_object};
use schemars::JsonSchema;
use serde::Deserialize;

/// The arguments of a tool that needs none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArguments {}

impl NoArguments {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names the first argument, because there are none.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        parse_object(text, "")
    }
}

/// The arguments of a tool that reads one task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfTask<'a> {
    /// The id of the task, as find_tasks shows it.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    id: Text<'a>,
}

impl<'a> OfTask<'a> {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names the argument that is missing or invalid.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        let read: Self = parse_object(text, "")?;
        check_id(&read.id)?;
        Ok(read)
    }

    /// Returns the id.
    pub fn id(&self) -> &str {
        &self.id.0
    }
}

/// Checks the id of a task.
pub(super) fn check_id(id: &Text<'_>) -> Result<(), FieldError> {
    check_task_id(&id.0).map_err(|problem| FieldError::new("id", problem.to_string()))
}
