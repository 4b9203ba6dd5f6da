//! Queries of URLs, in which each parameter occurs at most once, and the query of a list of tasks.

use crate::bounds::{DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT};
use crate::format::history::Outcome;
use crate::hosts::host_of_name;
use crate::input::{FieldError, in_plain_words, parse_time, quoted, unknown_name};
use crate::listing::{Cursor, Order};
use crate::names::Given;
use crate::protocol::{CallbackType, Filter, Kind, LastOutcome, Status};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use std::borrow::Cow;
use std::str::FromStr;

/// A parameter of a query: its name and its value, or why it is refused.
pub type Parameter<'a> = Result<(Cow<'a, str>, Cow<'a, str>), FieldError>;

/// Yields the parameters of a query. Refuses a repeated parameter, because it is not clear which
/// value the caller means.
///
/// It stores the names that it has seen, so its caller must stop at the first unknown one.
pub fn each_once<'a>(
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> impl Iterator<Item = Parameter<'a>> {
    each_at_most(pairs, |_| 1)
}

/// Does the same as [`each_once`], but yields each value of parameters that may be repeated: `tag`
/// twice, and `outcome` as often as there are outcomes.
pub fn each_or_several<'a>(
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> impl Iterator<Item = Parameter<'a>> {
    each_at_most(pairs, |name| match name {
        "tag" => 2,
        "outcome" => Outcome::KNOWN.len(),
        _ => 1,
    })
}

fn each_at_most<'a>(
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    most: fn(&str) -> usize,
) -> impl Iterator<Item = Parameter<'a>> {
    let mut seen: Vec<Cow<'a, str>> = Vec::new();
    pairs.map(move |(name, value)| {
        let most = most(&name);
        if seen.iter().filter(|other| **other == name).count() >= most {
            let detail = match most {
                1 => "is given more than once; give it once".to_owned(),
                most => format!("is given more than {most} times"),
            };
            return Err(FieldError::new(name.into_owned(), detail));
        }
        seen.push(name.clone());
        Ok((name, value))
    })
}

/// The parameters that [`parse_list_query`] accepts.
pub const LIST_QUERY: &[&str] = &[
    "prefix",
    "text",
    "tag",
    "callbackHost",
    "callbackType",
    "error",
    "lastOutcome",
    "kind",
    "status",
    "paused",
    "from",
    "to",
    "order",
    "limit",
    "cursor",
];

/// The query of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// The filter of the tasks.
    pub filter: Filter,
    /// The most items of the page.
    pub limit: usize,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
    /// The order of the list.
    pub order: Order,
}

/// Parses the parameters of a query.
///
/// # Errors
/// Returns an error if a parameter is invalid. The error names it.
pub fn parse_list_query(
    parameters: &mut dyn Iterator<Item = Parameter<'_>>,
) -> Result<ListQuery, FieldError> {
    let mut query = ListQuery {
        filter: Filter::default(),
        limit: DEFAULT_LIST_LIMIT,
        cursor: None,
        order: Order::default(),
    };
    for parameter in parameters {
        let (name, value) = parameter?;
        let value = value.as_ref();
        match name.as_ref() {
            "prefix" => query.filter.prefix = Some(value.to_owned()),
            "text" => query.filter.text = Some(value.to_owned()),
            "tag" if query.filter.tag.is_none() => query.filter.tag = Some(value.to_owned()),
            "tag" => query.filter.other_tag = Some(value.to_owned()),
            "callbackHost" => query.filter.callback_host = Some(value.to_owned()),
            "callbackType" => {
                query.filter.callback_type = Some(one_of::<CallbackType>("callbackType", value)?)
            }
            "error" => query.filter.error = Some(value.to_owned()),
            "lastOutcome" => {
                query.filter.last_outcome = Some(one_of::<LastOutcome>("lastOutcome", value)?)
            }
            "kind" => query.filter.kind = Some(one_of::<Kind>("kind", value)?),
            "status" => query.filter.status = Some(one_of::<Given<Status>>("status", value)?.0),
            "paused" => query.filter.paused = Some(parse_flag("paused", value)?),
            "order" => query.order = parse_order(value)?,
            "from" => query.filter.from = Some(parse_time("from", value)?),
            "to" => query.filter.to = Some(parse_time("to", value)?),
            "cursor" => {
                query.cursor = Some(
                    Cursor::from_str(value)
                        .map_err(|problem| FieldError::new("cursor", problem.to_string()))?,
                );
            }
            "limit" => query.limit = parse_limit(value)?,
            other => return Err(unknown_parameter(other, LIST_QUERY)),
        }
    }
    query.filter.check("")?;
    let host = query.filter.callback_host.as_deref();
    query.filter.callback_host = host.map(|host| host_of_name(host, "callbackHost")).transpose()?;
    Ok(query)
}

/// Parses a parameter that is true or false.
fn parse_flag(name: &'static str, value: &str) -> Result<bool, FieldError> {
    value.parse().map_err(|_| {
        FieldError::new(name, format!("is {}; must be true or false", quoted(value, 64)))
    })
}

/// Parses the parameter `order` of a list of tasks.
fn parse_order(value: &str) -> Result<Order, FieldError> {
    match value {
        "asc" => Ok(Order::Ascending),
        "desc" => Ok(Order::Descending),
        _ => {
            let detail = format!("is {}; must be asc or desc", quoted(value, 64));
            Err(FieldError::new("order", detail))
        }
    }
}

/// Parses the parameter `limit`: the most items of a page.
///
/// # Errors
/// Returns an error if it is not a whole number from 1 to [`MAX_LIST_LIMIT`].
pub fn parse_limit(value: &str) -> Result<usize, FieldError> {
    let given = value.parse().ok().filter(|limit| (1..=MAX_LIST_LIMIT).contains(limit));
    given.ok_or_else(|| {
        let detail = format!("is {}; must be 1 to {MAX_LIST_LIMIT}", quoted(value, 64));
        FieldError::new("limit", detail)
    })
}

/// Returns the error for a query parameter that is not in `known`. The error names the parameter as
/// the caller wrote it.
pub fn unknown_parameter(name: &str, known: &[&str]) -> FieldError {
    if name.is_empty() {
        let known = if known.is_empty() {
            "it takes none".to_owned()
        } else {
            format!("there are: {}", known.join(", "))
        };
        return FieldError::new("query", format!("has a parameter without a name; {known}"));
    }
    FieldError::new(name.to_owned(), unknown_name(name, known, "parameter of this request"))
}

/// Parses the text of a query parameter as one of the names of `T`.
///
/// # Errors
/// Returns an error if it is none of them. The error names `field` and the possible names.
pub fn one_of<'a, T: Deserialize<'a>>(
    field: &'static str,
    value: &'a str,
) -> Result<T, FieldError> {
    let reader: StrDeserializer<'a, serde::de::value::Error> = value.into_deserializer();
    T::deserialize(reader).map_err(|problem| {
        FieldError::new(field, format!("cannot be read: {}", in_plain_words(&problem.to_string())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_calendar::time::UnixMillis;

    fn parsed(query: &[(&str, &str)]) -> Result<ListQuery, FieldError> {
        let pairs = query.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        parse_list_query(&mut each_once(pairs))
    }

    #[test]
    fn every_parameter_is_read() {
        let query = parsed(&[
            ("prefix", "a"),
            ("kind", "no-schedule"),
            ("status", "dead-lettered"),
            ("callbackType", "durable-object"),
            ("lastOutcome", "failed"),
            ("paused", "false"),
            ("order", "desc"),
            ("from", "1970-01-01T00:00:01Z"),
            ("to", "1795704299000"),
            ("limit", "7"),
        ])
        .unwrap();
        assert_eq!(query.limit, 7);
        assert_eq!(query.filter.kind, Some(Kind::NoSchedule));
        assert_eq!(query.filter.status, Some(Status::Dead));
        assert_eq!(query.filter.callback_type, Some(CallbackType::DurableObject));
        assert_eq!(query.filter.last_outcome, Some(LastOutcome::Failed));
        assert_eq!((query.filter.paused, query.order), (Some(false), Order::Descending));
        assert_eq!(
            (query.filter.from, query.filter.to),
            (Some(UnixMillis::new(1_000)), Some(UnixMillis::new(1_795_704_299_000)))
        );
    }

    #[test]
    fn a_parameter_that_is_given_twice_is_refused() {
        let valid = [
            ("prefix", "a"),
            ("text", "a"),
            ("tag", "a"),
            ("callbackHost", "a.example"),
            ("callbackType", "queue"),
            ("error", "a"),
            ("lastOutcome", "none"),
            ("paused", "true"),
            ("order", "asc"),
            ("kind", "cron"),
            ("status", "dead-lettered"),
            ("from", "1795704299000"),
            ("to", "1795704299000"),
            ("cursor", "000000000032000100010000000700000009"),
            ("limit", "7"),
        ];
        assert!(parsed(&valid).is_ok());
        for (name, value) in valid {
            let error = parsed(&[(name, value), (name, value)]).unwrap_err();
            assert_eq!(
                (&*error.field, &*error.detail),
                (name, "is given more than once; give it once")
            );
        }
        let twice = |count: usize| {
            let pairs = vec![(Cow::Borrowed("tag"), Cow::Borrowed("a")); count];
            parse_list_query(&mut each_or_several(pairs.into_iter()))
        };
        assert_eq!(twice(2).unwrap().filter.other_tag.as_deref(), Some("a"));
        assert_eq!(twice(3).unwrap_err().field, "tag");
        // An unknown parameter is refused as unknown, even if it occurs twice.
        assert_eq!(parsed(&[("x", "1"), ("x", "2")]).unwrap_err().field, "x");
    }

    #[test]
    fn bad_parameters_are_named() {
        for (name, value, field) in [
            ("limit", "0", "limit"),
            ("limit", "1001", "limit"),
            ("limit", "x", "limit"),
            ("kind", "weekly", "kind"),
            ("status", "", "status"),
            ("status", "fired", "status"),
            ("status", "dead", "status"),
            ("callbackType", "mail", "callbackType"),
            ("callbackType", "", "callbackType"),
            ("lastOutcome", "skipped", "lastOutcome"),
            ("paused", "1", "paused"),
            ("paused", "", "paused"),
            ("order", "newest", "order"),
            ("order", "", "order"),
            ("from", "tomorrow", "from"),
            ("from", "0", "from"),
            ("from", "1795704299", "from"),
            ("to", "20991224", "to"),
            ("cursor", "x", "cursor"),
            ("prefix", "", "prefix"),
            ("text", "", "text"),
            ("tag", "", "tag"),
            ("callbackHost", "", "callbackHost"),
            ("callbackHost", "a.example/b", "callbackHost"),
            ("error", "", "error"),
            ("cursor", "", "cursor"),
            ("from", "", "from"),
            ("prefix", &"x".repeat(257), "prefix"),
            ("text", &"x".repeat(1_025), "text"),
            ("tag", &"x".repeat(65), "tag"),
            ("prefx", "x", "prefx"),
            ("", "x", "query"),
        ] {
            assert_eq!(parsed(&[(name, value)]).unwrap_err().field, field);
        }
    }
}
