//! The body of a bulk cancel: which tasks.

use super::filter_input::FilterInput;
use super::{FieldError, parse_naming_the_field};
use crate::input::{Bounded, check_beside_ids};
use crate::limits::MAX_CANCEL_IDS;
use schemars::JsonSchema;
use serde::Deserialize;

/// Which tasks to cancel: by id, or by filter.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelInput<'a> {
    /// By id; one that is given twice counts once.
    pub ids: Option<Bounded<String, MAX_CANCEL_IDS>>,
    /// All that fulfil every part of the filter.
    #[serde(borrow)]
    pub filter: Option<FilterInput<'a>>,
}

impl<'a> CancelInput<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// Names the field that cannot be read.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        check_beside_ids(text)?;
        parse_naming_the_field(text, "")
    }
}
