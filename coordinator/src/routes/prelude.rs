//! The names that the tables of routes share. Those of the API's document exist in tests only.

pub(super) use super::route::Route;
pub(super) use crate::conditions::{Conditions, Repeats};
pub(super) use scheduler_model::access::Scope;
pub(super) use worker::Method;

#[cfg(test)]
pub(super) use crate::openapi::operation::{Body, Operation, any_object, shows, text};
#[cfg(test)]
pub(super) use crate::openapi::{
    answers::*, answers_of_calendars::*, answers_of_many::*, mcp_answers::*,
};
#[cfg(test)]
pub(super) use crate::problem::ProblemType::*;
#[cfg(test)]
pub(super) use scheduler_model::{
    access::{OwnKey, ShownKey},
    calendars::ShownCalendar,
    events::EventData,
    explain::Explanation,
    forecast::Forecast,
    protocol::limiter::LimitShown,
    schedule::{ParsedSentence, Preview},
    series::Series,
};
