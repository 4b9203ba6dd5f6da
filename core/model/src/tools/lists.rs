//! The arguments of tools that list.

use super::of_one::check_id;
use super::query::Query;
use crate::address::task_path;
use crate::bounds::{
    MAX_DESCRIPTION_BYTES, MAX_FILTERED_ERROR_BYTES, MAX_HOST_BYTES, MAX_ID_BYTES, MAX_TAG_BYTES,
};
use crate::input::{Bounded, FieldError, InstantInput, Text, Whole, parse_object};
use crate::names::Given;
use crate::protocol::{Kind, Status};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The most items of a page that a tool answers with. Each is some hundred words for a model.
pub const MAX_TOOL_PAGE: u32 = 50;

/// The items of a page without a `limit`.
const DEFAULT_TOOL_PAGE: u32 = 20;

/// The most tags that a filter may name.
const MAX_TAGS_AT_ONCE: usize = 2;

/// The most outcomes that a filter may name, which is more than there are.
const MAX_OUTCOMES: usize = 8;

/// The most bytes of the path that arguments become. All texts of a filter at their limits, with
/// each byte written as three, have 9 KB.
const MAX_PATH_BYTES: usize = 16_384;

/// The arguments of `find_tasks`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct FindTasks<'a> {
    /// The description contains this. Upper and lower case are equal.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_DESCRIPTION_BYTES))]
    text: Option<Text<'a>>,
    /// The id starts with this.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    prefix: Option<Text<'a>>,
    /// The tags include all of these.
    #[serde(borrow)]
    #[schemars(inner(length(min = 1, max = MAX_TAG_BYTES)))]
    tags: Option<Bounded<Text<'a>, MAX_TAGS_AT_ONCE>>,
    /// The status.
    #[serde(borrow)]
    #[schemars(with = "Option<Given<Status>>")]
    status: Option<Text<'a>>,
    /// The kind of schedule.
    #[serde(borrow)]
    #[schemars(with = "Option<Kind>")]
    kind: Option<Text<'a>>,
    /// The callback is a webhook to this host.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_HOST_BYTES))]
    callback_host: Option<Text<'a>>,
    /// The error of the last attempt contains this.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_FILTERED_ERROR_BYTES))]
    error: Option<Text<'a>>,
    /// It is due at this time or later: RFC 3339 with an offset.
    #[serde(borrow)]
    #[schemars(with = "Option<InstantInput>")]
    from: Option<&'a RawValue>,
    /// It is due before this time: RFC 3339 with an offset.
    #[serde(borrow)]
    #[schemars(with = "Option<InstantInput>")]
    to: Option<&'a RawValue>,
    /// The most tasks to return.
    #[schemars(with = "Option<u32>", range(min = 1, max = MAX_TOOL_PAGE), extend("default" = DEFAULT_TOOL_PAGE))]
    limit: Option<Whole<u32>>,
    /// The cursor from the previous answer, unchanged.
    #[serde(borrow)]
    cursor: Option<Text<'a>>,
}

impl<'a> FindTasks<'a> {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names an argument that is unknown or cannot be read.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        let read: Self = parse_object(text, "")?;
        check_limit(read.limit)?;
        check_length(&read.path())?;
        Ok(read)
    }

    /// Returns the path of the request, with its query.
    pub fn path(&self) -> String {
        let mut query = Query::default();
        query.add_text("text", &self.text);
        query.add_text("prefix", &self.prefix);
        for tag in self.tags.iter().flat_map(|tags| &tags.0) {
            query.add("tag", &tag.0);
        }
        query.add_text("status", &self.status);
        query.add_text("kind", &self.kind);
        query.add_text("callbackHost", &self.callback_host);
        query.add_text("error", &self.error);
        query.add_raw("from", self.from);
        query.add_raw("to", self.to);
        add_page(self.limit, &self.cursor, &mut query);
        format!("/v1/tasks{}", query.as_str())
    }
}

/// The arguments of `list_runs`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRuns<'a> {
    /// Only the attempts at the task with this id. Not with the other parts of the filter.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    id: Option<Text<'a>>,
    /// They ended with one of these outcomes.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<OutcomeName>>", length(min = 1))]
    outcomes: Option<Bounded<Text<'a>, MAX_OUTCOMES>>,
    /// Only attempts of tasks whose id starts with this.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    prefix: Option<Text<'a>>,
    /// The tags of their task include this.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_TAG_BYTES))]
    tag: Option<Text<'a>>,
    /// Their error contains this. Upper and lower case are equal.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    error: Option<Text<'a>>,
    /// They ended at this time or later: RFC 3339 with an offset.
    #[serde(borrow)]
    #[schemars(with = "Option<InstantInput>")]
    from: Option<&'a RawValue>,
    /// They ended before this time: RFC 3339 with an offset.
    #[serde(borrow)]
    #[schemars(with = "Option<InstantInput>")]
    to: Option<&'a RawValue>,
    /// Count the failures that are alike, in place of a list of attempts.
    group_by_error: Option<bool>,
    /// The most attempts to return.
    #[schemars(with = "Option<u32>", range(min = 1, max = MAX_TOOL_PAGE), extend("default" = DEFAULT_TOOL_PAGE))]
    limit: Option<Whole<u32>>,
    /// The cursor from the previous answer, unchanged.
    #[serde(borrow)]
    cursor: Option<Text<'a>>,
}

/// The names of outcomes, for the schema.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used")]
enum OutcomeName {
    Succeeded,
    Failed,
    DeadLettered,
    HandedOver,
    Expired,
    Skipped,
    Cancelled,
}

impl<'a> ListRuns<'a> {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names an argument that is unknown, cannot be read, or does not belong
    /// to a call with `id`.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        let read: Self = parse_object(text, "")?;
        check_limit(read.limit)?;
        if let Some(id) = &read.id {
            check_id(id)?;
            for (name, is_given) in [
                ("outcomes", read.outcomes.is_some()),
                ("prefix", read.prefix.is_some()),
                ("tag", read.tag.is_some()),
                ("error", read.error.is_some()),
                ("from", read.from.is_some()),
                ("to", read.to.is_some()),
                ("groupByError", read.group_by_error.is_some()),
            ] {
                if is_given {
                    let detail = "does not go with id; leave it out, or give prefix in place of id";
                    return Err(FieldError::new(name, detail));
                }
            }
        }
        check_length(&read.path())?;
        Ok(read)
    }

    /// Returns the path of the request, with its query.
    pub fn path(&self) -> String {
        let mut query = Query::default();
        if let Some(id) = &self.id {
            add_page(self.limit, &self.cursor, &mut query);
            return format!("{}/runs{}", task_path(&id.0), query.as_str());
        }
        for outcome in self.outcomes.iter().flat_map(|outcomes| &outcomes.0) {
            query.add("outcome", &outcome.0);
        }
        query.add_text("prefix", &self.prefix);
        query.add_text("tag", &self.tag);
        query.add_text("error", &self.error);
        query.add_raw("from", self.from);
        query.add_raw("to", self.to);
        if self.group_by_error == Some(true) {
            query.add("group", "error");
        }
        add_page(self.limit, &self.cursor, &mut query);
        format!("/v1/runs{}", query.as_str())
    }
}

fn check_limit(limit: Option<Whole<u32>>) -> Result<(), FieldError> {
    match limit {
        Some(Whole(limit)) if !(1..=MAX_TOOL_PAGE).contains(&limit) => {
            let detail = format!("is {limit}; must be 1 to {MAX_TOOL_PAGE}");
            Err(FieldError::new("limit", detail))
        }
        _ => Ok(()),
    }
}

/// Checks the length of the path that arguments become.
fn check_length(path: &str) -> Result<(), FieldError> {
    if path.len() > MAX_PATH_BYTES {
        let detail = format!(
            "is {} bytes long, written as a query; the limit is {MAX_PATH_BYTES}: give less",
            path.len()
        );
        return Err(FieldError::new("body", detail));
    }
    Ok(())
}

fn add_page(limit: Option<Whole<u32>>, cursor: &Option<Text<'_>>, query: &mut Query) {
    let limit = limit.map_or(DEFAULT_TOOL_PAGE, |limit| limit.0);
    query.add("limit", &limit.to_string());
    query.add_text("cursor", cursor);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::history::Outcome;

    #[test]
    fn arguments_become_a_query() {
        let path = |text: &str| FindTasks::parse(text).unwrap().path();
        assert_eq!(path("{}"), "/v1/tasks?limit=20");
        let all = r#"{"text":"a b","prefix":"p","tags":["x","y"],"status":"paused","kind":"cron","callbackHost":"h",
            "error":"e","from":"2026-12-01T00:00:00+01:00","to":1796083200000,"limit":5,"cursor":"c"}"#;
        let query = "?text=a%20b&prefix=p&tag=x&tag=y&status=paused&kind=cron&callbackHost=h&error=e\
            &from=2026-12-01T00%3A00%3A00%2B01%3A00&to=1796083200000&limit=5&cursor=c";
        assert_eq!(path(all), format!("/v1/tasks{query}"));
        let path = |text: &str| ListRuns::parse(text).unwrap().path();
        assert_eq!(path(r#"{"id":"a/b"}"#), "/v1/tasks/a%2Fb/runs?limit=20");
        let all = r#"{"outcomes":["failed","dead-lettered"],"prefix":"p","tag":"t","error":"e","from":1,"to":2,"groupByError":true,"limit":50}"#;
        let query = "?outcome=failed&outcome=dead-lettered&prefix=p&tag=t&error=e&from=1&to=2&group=error&limit=50";
        assert_eq!(path(all), format!("/v1/runs{query}"));
        assert_eq!(path(r#"{"groupByError":false}"#), "/v1/runs?limit=20");
    }

    #[test]
    fn what_is_not_taken_is_named() {
        for (text, field) in [
            (r#"{"limit":0}"#, "limit"),
            (r#"{"limit":51}"#, "limit"),
            (r#"{"tag":"x"}"#, "tag"),
            (r#"{"tags":["a","b","c"]}"#, "tags"),
            (r#"{"text":5}"#, "text"),
        ] {
            assert_eq!(FindTasks::parse(text).unwrap_err().field, field, "{text}");
        }
        let long = format!(r#"{{"cursor":"{}"}}"#, "x".repeat(MAX_PATH_BYTES));
        assert_eq!(FindTasks::parse(&long).unwrap_err().field, "body");
        assert_eq!(ListRuns::parse(&long).unwrap_err().field, "body");
        for (text, field) in [
            (r#"{"limit":51}"#, "limit"),
            (r#"{"id":"a","tag":"b"}"#, "tag"),
            (r#"{"id":"a","groupByError":true}"#, "groupByError"),
            (r#"{"id":""}"#, "id"),
            (r#"{"outcome":"failed"}"#, "outcome"),
        ] {
            assert_eq!(ListRuns::parse(text).unwrap_err().field, field, "{text}");
        }
    }

    #[test]
    fn the_schema_names_every_outcome() {
        let schema = schemars::schema_for!(ListRuns<'_>).to_value();
        for outcome in Outcome::KNOWN {
            let name = format!("\"{}\"", outcome.name());
            assert!(schema["properties"]["outcomes"].to_string().contains(&name), "{name}");
        }
    }
}
