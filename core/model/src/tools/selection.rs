//! The arguments of tools that act on many tasks.

use super::query::Query;
use crate::input::{Bounded, FieldError, Text, check_ids, parse_object};
use crate::protocol::Filter;
use crate::task::{DeadLetterFilter, FilterInput};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The most ids that a model may list. Filters select more.
pub const MAX_TOOL_IDS: usize = 100;

/// The arguments of `cancel_tasks`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTasks<'a> {
    /// By their ids, as find_tasks shows them. Not with `filter`.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    ids: Option<Bounded<String, MAX_TOOL_IDS>>,
    /// All that match every part of the filter. Not with `ids`.
    #[serde(borrow)]
    #[schemars(with = "Option<FilterInput<'static>>")]
    filter: Option<&'a RawValue>,
    /// The `confirmation` of the previous answer, once the user has agreed to the number in it.
    #[serde(borrow)]
    confirmation: Option<Text<'a>>,
}

/// The arguments of `replay_failures`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayFailures<'a> {
    /// By the `deadLetterId` that find_tasks shows. Not with `filter`.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    ids: Option<Bounded<String, MAX_TOOL_IDS>>,
    /// All failures that match every part of the filter. Not with `ids`.
    #[serde(borrow)]
    #[schemars(with = "Option<DeadLetterFilter>")]
    filter: Option<&'a RawValue>,
    /// The `confirmation` of the previous answer, once the user has agreed to the number in it.
    #[serde(borrow)]
    confirmation: Option<Text<'a>>,
}

/// The tasks or dead letters of a call.
#[derive(Debug, PartialEq)]
pub enum Chosen {
    /// Those with these ids. No id occurs twice.
    Ids(BTreeSet<String>),
    /// All that match the filter.
    Matching(Box<Filter>),
}

/// The selection of a call, and whether its user has agreed.
#[derive(Debug, PartialEq)]
pub struct Selected<'a> {
    /// The selection.
    pub chosen: Chosen,
    /// The confirmation that an earlier answer gave out.
    pub confirmation: Option<Cow<'a, str>>,
    body: String,
}

impl<'a> CancelTasks<'a> {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names an argument that is unknown or invalid. Also returns an error if
    /// neither or both of ids and filter are given.
    pub fn parse(text: &'a str) -> Result<Selected<'a>, FieldError> {
        let Self { ids, filter, confirmation } = parse_object(text, "")?;
        Selected::of(ids, filter, confirmation)
    }
}

impl<'a> ReplayFailures<'a> {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names an argument that is unknown or invalid. Also returns an error if
    /// neither or both of ids and filter are given.
    pub fn parse(text: &'a str) -> Result<Selected<'a>, FieldError> {
        let Self { ids, filter, confirmation } = parse_object(text, "")?;
        let selected = Selected::of(ids, filter, confirmation)?;
        match &selected.chosen {
            Chosen::Matching(filter) if filter.status.is_some() => {
                let detail = "does not belong to a filter of failures; leave it out";
                Err(FieldError::new("filter.status", detail))
            }
            _ => Ok(selected),
        }
    }
}

impl<'a> Selected<'a> {
    fn of(
        ids: Option<Bounded<String, MAX_TOOL_IDS>>,
        filter: Option<&'a RawValue>,
        confirmation: Option<Text<'a>>,
    ) -> Result<Self, FieldError> {
        check_ids(ids.as_ref())?;
        let confirmation = confirmation.map(|given| given.0);
        match (ids, filter) {
            (Some(Bounded(ids)), None) if ids.is_empty() => {
                Err(FieldError::new("ids", "is empty; give one or more"))
            }
            (Some(Bounded(ids)), None) => {
                let ids: BTreeSet<String> = ids.into_iter().collect();
                let body = serde_json::json!({ "ids": ids }).to_string();
                Ok(Self { chosen: Chosen::Ids(ids), confirmation, body })
            }
            (None, Some(filter)) => {
                let read: FilterInput<'a> = parse_object(filter.get(), "filter")?;
                let chosen = Chosen::Matching(Box::new(read.check()?));
                Ok(Self { chosen, confirmation, body: format!("{{\"filter\":{}}}", filter.get()) })
            }
            _ => Err(FieldError::new("body", "must have exactly one of ids and filter")),
        }
    }

    /// Returns the body of the request that changes them.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the query that lists them; `None` if the call names ids.
    pub fn query(&self) -> Option<Query> {
        match &self.chosen {
            Chosen::Ids(_) => None,
            Chosen::Matching(filter) => Some(Query::of(filter)),
        }
    }

    /// Returns a text that is equal for two calls if and only if they select the same, in whatever
    /// order and form.
    pub fn meaning(&self) -> String {
        match &self.chosen {
            Chosen::Ids(_) => self.body.clone(),
            Chosen::Matching(filter) => format!("all of {}", Query::of(filter).as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_means_the_same_in_every_form() {
        let ids = CancelTasks::parse(r#"{"ids":["b","a","b"]}"#).unwrap();
        assert_eq!(ids, CancelTasks::parse(r#"{ "ids" : ["a","b"] }"#).unwrap());
        assert_eq!(ids.body(), r#"{"ids":["a","b"]}"#);
        let filter = |text: &str| {
            let text = format!(r#"{{"filter":{text},"confirmation":"c"}}"#);
            let selected = CancelTasks::parse(&text).unwrap();
            assert_eq!(selected.confirmation.as_deref(), Some("c"));
            (selected.meaning(), selected.body().to_owned())
        };
        let (one, body) = filter(r#"{"tag":"a","status":"paused"}"#);
        assert_eq!(one, filter(r#"{"status":"paused","tags":["a"]}"#).0);
        assert_ne!(one, filter(r#"{"status":"paused","tag":"b"}"#).0);
        assert_ne!(one, filter(r#"{"all":true}"#).0);
        assert_eq!(body, r#"{"filter":{"tag":"a","status":"paused"}}"#);
    }

    #[test]
    fn a_selection_is_one_of_two() {
        for (text, field) in [
            ("{}", "body"),
            (r#"{"ids":["a"],"filter":{"tag":"a"}}"#, "body"),
            (r#"{"ids":[]}"#, "ids"),
            (r#"{"ids":[""]}"#, "ids[0]"),
            (r#"{"filter":{}}"#, "filter"),
            (r#"{"filter":[]}"#, "filter"),
            (r#"{"filter":{"all":false}}"#, "filter.all"),
            (r#"{"filter":{"status":"gone"}}"#, "filter.status"),
            (r#"{"all":true}"#, "all"),
            (r#"{"ids":["a"],"confirmation":true}"#, "confirmation"),
        ] {
            assert_eq!(CancelTasks::parse(text).unwrap_err().field, field, "{text}");
        }
        let many = format!(r#"{{"ids":[{}"x"]}}"#, "\"x\",".repeat(MAX_TOOL_IDS));
        assert_eq!(CancelTasks::parse(&many).unwrap_err().field, "ids");
        let status = r#"{"filter":{"status":"dead-lettered"}}"#;
        assert!(CancelTasks::parse(status).is_ok());
        assert_eq!(ReplayFailures::parse(status).unwrap_err().field, "filter.status");
    }
}
