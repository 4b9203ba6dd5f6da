//! A filter as a request gives it.

use crate::hosts::host_of_name;
use crate::input::{Bounded, FieldError, InstantInput, Text, TimeInput};
use crate::names::Given;
use crate::protocol::{CallbackType, Filter, Kind, LastOutcome, Status};
use schemars::JsonSchema;
use serde::Deserialize;

/// The number of tags that a filter may name.
const MAX_FILTER_TAGS: usize = 2;

/// Selects the tasks that match every part that is given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    rename = "Filter",
    description = "Which tasks are meant: those that match every given part. At least one part is required; to select every task, send `{\"all\":true}` alone."
)]
pub struct FilterInput<'a> {
    /// Selects every task. No other part may be given with it.
    #[schemars(extend("const" = true))]
    all: Option<bool>,
    /// The id starts with this.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    prefix: Option<Text<'a>>,
    /// The id or the description contains this. Upper and lower case are equal.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    text: Option<Text<'a>>,
    /// The tags include this.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    tag: Option<Text<'a>>,
    /// The tags include all of these. Not with `tag`.
    #[serde(borrow)]
    #[schemars(length(min = 1), inner(length(min = 1)))]
    tags: Option<Bounded<Text<'a>, MAX_FILTER_TAGS>>,
    /// The callback is a webhook to this host. A port is not part of it.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    callback_host: Option<Text<'a>>,
    /// The type of the callback.
    callback_type: Option<CallbackType>,
    /// The error of the last attempt contains this. Upper and lower case are equal.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    error: Option<Text<'a>>,
    /// How the last attempt ended, as far as the task keeps it.
    last_outcome: Option<LastOutcome>,
    /// The kind of schedule.
    kind: Option<Kind>,
    /// The status.
    status: Option<Given<Status>>,
    /// Whether it is paused, or will be when its attempt in flight has ended.
    paused: Option<bool>,
    /// The time of the task is this time or later. Its time is `due`; if the task is paused or
    /// held, `time`; for a dead letter, `failedAt`. A task without this time is not selected.
    #[serde(borrow)]
    #[schemars(with = "Option<InstantInput>")]
    from: Option<TimeInput<'a>>,
    /// The time of the task is before this time.
    #[serde(borrow)]
    #[schemars(with = "Option<InstantInput>")]
    to: Option<TimeInput<'a>>,
}

impl FilterInput<'_> {
    /// Checks its texts and times. `{"all":true}` gives a filter without a part.
    ///
    /// # Errors
    /// Returns an error that names the invalid field. Also returns an error if the filter selects
    /// everything without `all`.
    pub fn check(&self) -> Result<Filter, FieldError> {
        let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.clone().into_owned());
        let mut filter = Filter {
            prefix: text(&self.prefix),
            text: text(&self.text),
            tag: text(&self.tag),
            other_tag: None,
            callback_host: text(&self.callback_host),
            callback_type: self.callback_type,
            error: text(&self.error),
            last_outcome: self.last_outcome,
            kind: self.kind,
            status: self.status.map(|Given(status)| status),
            paused: self.paused,
            from: self.from.as_ref().map(|time| time.instant("filter.from")).transpose()?,
            to: self.to.as_ref().map(|time| time.instant("filter.to")).transpose()?,
        };
        if let Some(tags) = &self.tags {
            (filter.tag, filter.other_tag) = two_tags(&tags.0, self.tag.is_some())?;
        }
        filter.check("filter.")?;
        let host = filter.callback_host.as_deref();
        filter.callback_host =
            host.map(|host| host_of_name(host, "filter.callbackHost")).transpose()?;
        match (self.all, filter == Filter::default()) {
            (None, false) | (Some(true), true) => Ok(filter),
            (None, true) => Err(FieldError::new(
                "filter",
                "is empty and would select every task; give at least one field, or {\"all\":true}",
            )),
            (Some(true), false) => Err(FieldError::new(
                "filter.all",
                "selects every task, so no other field is allowed beside it",
            )),
            (Some(false), _) => Err(FieldError::new(
                "filter.all",
                "is false; leave it out, or send true to select every task",
            )),
        }
    }
}

/// Returns the one or two tags of the member `tags`.
fn two_tags(
    tags: &[Text<'_>],
    is_beside_tag: bool,
) -> Result<(Option<String>, Option<String>), FieldError> {
    let problem = |detail: &str| Err(FieldError::new("filter.tags", detail.to_owned()));
    if is_beside_tag {
        return problem("is given beside tag; give all tags in tags");
    }
    if tags.is_empty() {
        return problem("is empty and would select every task; leave it out");
    }
    if tags.iter().any(|tag| tag.0.is_empty()) {
        return problem("has an empty tag; leave it out");
    }
    let mut tags = tags.iter().map(|tag| tag.0.clone().into_owned());
    Ok((tags.next(), tags.next()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_calendar::time::UnixMillis;

    fn checked(text: &str) -> Result<Filter, FieldError> {
        serde_json::from_str::<FilterInput<'_>>(text).unwrap().check()
    }

    #[test]
    fn filters_are_read_and_their_times_checked() {
        let filter = checked(
            r#"{"prefix":"a\"","callbackType":"queue","lastOutcome":"dead-lettered","kind":"cron","status":"paused","paused":true,"from":"2026-12-01T00:00:00Z","to":1795704299000}"#,
        );
        let expected = Filter {
            prefix: Some("a\"".to_owned()),
            callback_type: Some(CallbackType::Queue),
            last_outcome: Some(LastOutcome::DeadLettered),
            kind: Some(Kind::Cron),
            status: Some(Status::Paused),
            paused: Some(true),
            from: Some(UnixMillis::new(1_796_083_200_000)),
            to: Some(UnixMillis::new(1_795_704_299_000)),
            ..Filter::default()
        };
        assert_eq!(filter, Ok(expected));
        for (name, limit) in [("prefix", 256), ("text", 1_024), ("tag", 64), ("error", 1_024)] {
            let given = |bytes: usize| checked(&format!(r#"{{"{name}":"{}"}}"#, "x".repeat(bytes)));
            assert!(given(limit).is_ok(), "{name}");
            assert_eq!(
                given(limit + 1).map_err(|problem| problem.field.into_owned()),
                Err(format!("filter.{name}"))
            );
        }
        for (text, field) in [
            (r#"{"from":0}"#, "filter.from"),
            (r#"{"to":1795704299}"#, "filter.to"),
            (r#"{"to":"2026"}"#, "filter.to"),
        ] {
            assert_eq!(
                checked(text).map_err(|problem| problem.field.into_owned()),
                Err(field.to_owned()),
                "{text}"
            );
        }
    }
    #[test]
    fn every_task_is_selected_only_by_saying_so() {
        assert_eq!(checked(r#"{"all":true}"#), Ok(Filter::default()));
        for (text, field) in [
            ("{}", "filter"),
            (r#"{"all":false}"#, "filter.all"),
            (r#"{"all":false,"tag":"a"}"#, "filter.all"),
            (r#"{"all":true,"tag":"a"}"#, "filter.all"),
            (r#"{"prefix":""}"#, "filter.prefix"),
            (r#"{"text":"","kind":"once"}"#, "filter.text"),
            (r#"{"tag":""}"#, "filter.tag"),
            (r#"{"tags":[]}"#, "filter.tags"),
            (r#"{"tags":["a",""]}"#, "filter.tags"),
            (r#"{"callbackHost":""}"#, "filter.callbackHost"),
            (r#"{"error":""}"#, "filter.error"),
        ] {
            let refused = checked(text).map_err(|problem| problem.field.into_owned());
            assert_eq!(refused, Err(field.to_owned()), "{text}");
        }
        for former in ["fired", "dead"] {
            let filter = format!(r#"{{"status":"{former}"}}"#);
            assert!(serde_json::from_str::<FilterInput<'_>>(&filter).is_err(), "{former}");
        }
        // A member that is null may be a mistake, and would select more tasks.
        assert!(checked(r#"{"prefix":null}"#).is_err());
    }

    #[test]
    fn tags_and_hosts_are_read() {
        let filter = checked(r#"{"tags":["a","b"],"callbackHost":"B\u00fccher.Example"}"#).unwrap();
        assert_eq!((filter.tag.as_deref(), filter.other_tag.as_deref()), (Some("a"), Some("b")));
        assert_eq!(filter.callback_host.as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(checked(r#"{"tags":["a"]}"#).unwrap().other_tag, None);
        for (text, field) in [
            (r#"{"tag":"a","tags":["b"]}"#, "filter.tags"),
            (r#"{"callbackHost":"https://a.example"}"#, "filter.callbackHost"),
            (r#"{"callbackHost":"a.example:443"}"#, "filter.callbackHost"),
        ] {
            assert_eq!(checked(text).unwrap_err().field, field, "{text}");
        }
        assert!(serde_json::from_str::<FilterInput<'_>>(r#"{"tags":["a","b","c"]}"#).is_err());
    }
}
