//! The bodies of requests about dead letters.

use super::filter_input::FilterInput;
use super::json_text::write_text;
use super::merging::Merging;
use super::new_task::parse_one;
use super::record::Record;
use super::run_input::given;
use super::validator::Validator;
use super::{Callback, ON_FAILURE, ON_SUCCESS, Origin, Targets};
use crate::bounds::{MAX_CALLBACK_BYTES, MAX_CANCEL_IDS, MAX_PAYLOAD_BYTES};
use crate::input::{Bounded, FieldError, check_beside_ids, check_ids, parse_object};
use crate::protocol::{ChangedLetter, Filter};
use scheduler_calendar::time::UnixMillis;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;

/// The changes that a replay makes to a dead letter. Each member is a JSON merge patch (RFC 7396).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayInput<'a> {
    /// Changes of the callback. Absent members stay, and null removes a member. A callback of
    /// another type replaces the former one. Null is refused, because a run needs a callback.
    #[serde(borrow, default, deserialize_with = "given")]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>", extend("x-maxBytes" = MAX_CALLBACK_BYTES))]
    callback: Option<&'a RawValue>,
    /// Changes of the payload, if both this and the payload are objects. Any other value replaces
    /// the payload, and null removes it.
    #[serde(borrow, default, deserialize_with = "given")]
    #[schemars(with = "Option<serde_json::Value>", extend("x-maxBytes" = MAX_PAYLOAD_BYTES))]
    payload: Option<&'a RawValue>,
}

impl<'a> ReplayInput<'a> {
    /// Reads a body. An empty body changes nothing.
    ///
    /// # Errors
    /// Returns an error that names the field that cannot be read.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let input: Self = parse_object(text, "")?;
        match input.callback.map(RawValue::get) {
            Some("null") => Err(FieldError::new(
                "callback",
                "is null, and a run needs one; leave it out to keep the callback of the dead letter",
            )),
            Some(callback) if !callback.starts_with('{') => {
                Err(FieldError::new("callback", "must be a JSON object"))
            }
            _ => Ok(input),
        }
    }

    /// Returns whether it changes the dead letter.
    pub fn is_change(&self) -> bool {
        self.callback.is_some() || self.payload.is_some()
    }

    /// Returns the callback and the payload of a dead letter after the changes. They are checked
    /// like those of a new task.
    ///
    /// # Errors
    /// Returns an error that names the invalid field and the limit.
    pub fn changed(
        &self,
        letter: &Record<'_>,
        now: UnixMillis,
        targets: Targets<'_>,
    ) -> Result<ChangedLetter, FieldError> {
        let text = self.laid_over(letter)?;
        let mut written = Vec::new();
        // The bytes need not be random, because the generated id is not used.
        Validator::new(now, [0; 16], targets)
            .check(parse_one(&text)?)?
            .write_record(&Origin::default(), &mut written);
        let unreadable = |problem: serde_json::Error| FieldError::new("body", problem.to_string());
        let record = Record::parse(&written).map_err(unreadable)?;
        Ok(ChangedLetter {
            callback: record.callback.get().to_owned(),
            payload: record.payload.map(|payload| payload.get().to_owned()),
        })
    }

    /// Returns the text of a task with the changed callback and payload, and with the other members
    /// of the dead letter that some callbacks exclude. It leaves out a retry policy with a queue,
    /// which an earlier release accepted and which has no effect.
    fn laid_over(&self, letter: &Record<'_>) -> Result<String, FieldError> {
        let mut text = b"{\"delayInSeconds\":0,\"callback\":".to_vec();
        let merge = |name: &'static str, former: Option<&str>, patch: &str, out: &mut Vec<u8>| {
            Merging::of(name).write(name, former, patch, out)
        };
        match self.callback {
            Some(patch) => {
                merge("callback", Some(letter.callback.get()), patch.get(), &mut text)?;
            }
            None => text.extend_from_slice(letter.callback.get().as_bytes()),
        }
        let mut payload = Vec::new();
        let former = letter.payload.map(RawValue::get);
        match self.payload.map(RawValue::get) {
            Some("null") => {}
            Some(patch) => merge("payload", former, patch, &mut payload)?,
            None => payload.extend_from_slice(former.unwrap_or_default().as_bytes()),
        }
        let json = |of: Option<&RawValue>| of.map(|of| of.get().as_bytes().to_vec());
        let is_queue = |text: &str| Callback::parse(text).is_ok_and(|callback| callback.is_queue());
        let retry = letter.retry.filter(|_| !is_queue(letter.callback.get()));
        let limit_key = letter.limit_key.as_deref().map(|key| {
            let mut text = Vec::new();
            write_text(key, &mut text);
            text
        });
        for (name, json) in [
            ("payload", Some(payload).filter(|payload| !payload.is_empty())),
            ("limitKey", limit_key),
            ("retry", json(retry)),
            (ON_SUCCESS, json(letter.on_success)),
            (ON_FAILURE, json(letter.on_failure)),
        ] {
            if let Some(json) = json {
                text.extend_from_slice(format!(",\"{name}\":").as_bytes());
                text.extend_from_slice(&json);
            }
        }
        text.push(b'}');
        // It is made of texts only.
        Ok(String::from_utf8(text).unwrap_or_default())
    }
}

/// The dead letters to replay or to discard: exactly one of `ids`, `filter` and `all`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadLettersInput<'a> {
    /// The ids, as `deadLetterId` shows them. A repeated id counts once.
    #[schemars(inner(length(min = 1)))]
    ids: Option<Bounded<String, MAX_CANCEL_IDS>>,
    /// Selects the dead letters that match every part of the filter. `from` and `to` are times of
    /// death.
    #[serde(borrow, default, deserialize_with = "crate::input::optional_object")]
    #[schemars(with = "Option<DeadLetterFilter>")]
    filter: Option<FilterInput<'a>>,
    /// Selects all dead letters.
    all: Option<bool>,
    /// Changes nothing. The answer says how many dead letters the request would affect, and shows
    /// the first of them. Not with `ids`.
    dry_run: Option<bool>,
}

/// The schema of a filter of dead letters. It has no `status`, because all have the same one.
#[derive(Debug)]
pub struct DeadLetterFilter;

impl JsonSchema for DeadLetterFilter {
    fn schema_name() -> Cow<'static, str> {
        "DeadLetterFilter".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = FilterInput::json_schema(generator);
        schema.insert("description".to_owned(), "Which dead letters are meant: those that match every given part. At least one part is required; to select every dead letter, send `{\"all\":true}` alone.".into());
        if let Some(parts) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            ["status", "paused", "lastOutcome"].iter().for_each(|name| drop(parts.remove(*name)));
        }
        schema
    }
}

/// The dead letters that a request selects.
#[derive(Debug, Clone, PartialEq)]
pub enum ChosenLetters {
    /// Those with these ids. No id occurs twice.
    Ids(Vec<String>),
    /// Those that match the filter.
    Matching(Filter),
    /// Counts those that match the filter.
    Counted(Filter),
}

impl<'a> DeadLettersInput<'a> {
    /// Reads a body, and returns the dead letters that it selects.
    ///
    /// # Errors
    /// Returns an error that names the invalid field. Also returns an error if the body selects
    /// none, or the filter is empty.
    pub fn parse(text: &'a str) -> Result<ChosenLetters, FieldError> {
        check_beside_ids(text)?;
        let input: Self = parse_object(text, "")?;
        check_ids(input.ids.as_ref())?;
        let is_dry_run = input.dry_run == Some(true);
        let matching = |filter| match is_dry_run {
            true => ChosenLetters::Counted(filter),
            false => ChosenLetters::Matching(filter),
        };
        match (input.ids, input.filter, input.all) {
            (Some(_), None, None) if is_dry_run => Err(FieldError::new(
                "dryRun",
                "counts what filter or all selects, so it has no use beside ids; leave out one of them",
            )),
            (Some(ids), None, None) => {
                let mut seen = HashSet::new();
                let mut ids = ids.0;
                ids.retain(|id| seen.insert(id.clone()));
                Ok(ChosenLetters::Ids(ids))
            }
            (None, Some(filter), None) => {
                let filter = filter.check()?;
                let others = [
                    ("filter.status", filter.status.is_some()),
                    ("filter.paused", filter.paused.is_some()),
                    ("filter.lastOutcome", filter.last_outcome.is_some()),
                ];
                if let Some((name, _)) = others.into_iter().find(|(_, is_given)| *is_given) {
                    let detail = "does not belong to a filter of dead letters; leave it out";
                    return Err(FieldError::new(name, detail));
                }
                Ok(matching(filter))
            }
            (None, None, Some(true)) => Ok(matching(Filter::default())),
            (None, None, Some(false)) => {
                Err(FieldError::new("all", "is false; give true, or ids or filter instead"))
            }
            _ => Err(FieldError::new("body", "must have exactly one of ids, filter and all")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LETTER: &str = r#"{"time":5,"id":"a","cron":"* * * * *","callback":{"type":"webhook","url":"https://a.example/x","headers":{"k":"1"}},"onFailure":{"type":"handler","name":"log"},"retry":{"factor":2},"payload":{"type":"t","n":1,"keep":2},"attempt":3,"failedAt":9,"error":"no"}"#;

    fn changed(letter: &str, body: &str) -> Result<(Value, Option<Value>), FieldError> {
        let hosts = ["a.example".to_owned(), "b.example".to_owned()];
        let targets = Targets {
            handlers: &["log"],
            queues: &["Q".to_owned()],
            hosts: crate::hosts::Hosts { allowed: &hosts, own: &[] },
            ..Targets::default()
        };
        let letter = Record::parse(letter.as_bytes()).unwrap();
        let changed = ReplayInput::parse(body)?.changed(
            &letter,
            UnixMillis::new(1_764_000_000_000),
            targets,
        )?;
        let value = |text: &String| serde_json::from_str::<Value>(text).unwrap();
        Ok((value(&changed.callback), changed.payload.as_ref().map(value)))
    }

    #[test]
    fn members_that_are_absent_stay() {
        let callback = json!({"type":"webhook","url":"https://a.example/x","headers":{"k":"1"}});
        let payload = json!({"type":"t","n":1,"keep":2});
        assert_eq!(changed(LETTER, "{}"), Ok((callback.clone(), Some(payload.clone()))));
        assert_eq!(
            changed(
                LETTER,
                r#"{"callback":{"url":"https://b.example/y","headers":{"k":null,"l":"2"}}}"#
            ),
            Ok((
                json!({"type":"webhook","url":"https://b.example/y","headers":{"l":"2"}}),
                Some(payload)
            ))
        );
        // The member `type` of a payload does not replace the payload; only that of a callback
        // does.
        assert_eq!(
            changed(LETTER, r#"{"payload":{"type":"u","n":null}}"#),
            Ok((callback.clone(), Some(json!({"type":"u","keep":2}))))
        );
        assert_eq!(changed(LETTER, r#"{"payload":[1]}"#), Ok((callback.clone(), Some(json!([1])))));
        assert_eq!(changed(LETTER, r#"{"payload":null}"#), Ok((callback, None)));
        assert_eq!(
            changed(LETTER, r#"{"callback":{"type":"handler","name":"log"}}"#).unwrap().0,
            json!({"type":"handler","name":"log"})
        );
    }

    #[test]
    fn what_a_task_may_not_have_a_replay_may_not_have_either() {
        let keyed = LETTER.replacen("\"time\":5,", "\"time\":5,\"limitKey\":\"k\",", 1);
        let keyed = keyed.replacen(r#""onFailure":{"type":"handler","name":"log"},"#, "", 1);
        let followed = LETTER.replacen(r#""retry":{"factor":2},"#, "", 1);
        let long = format!(r#"{{"payload":"{}"}}"#, "x".repeat(MAX_PAYLOAD_BYTES));
        for (letter, body, field) in [
            (LETTER, r#"{"callback":{"url":"http://10.0.0.1/"}}"#, "callback.url"),
            (LETTER, r#"{"callback":{"url":null}}"#, "callback.url"),
            (LETTER, r#"{"callback":"x"}"#, "callback"),
            (LETTER, r#"{"callback":null}"#, "callback"),
            (LETTER, r#"{"payload":1,"payload":2}"#, "payload"),
            (
                LETTER,
                r#"{"callback":{"url":"https://a.example/","url":"https://b.example/"}}"#,
                "callback.url",
            ),
            (LETTER, r#"{"callback":{"type":"handler","name":"other"}}"#, "callback.name"),
            (LETTER, r#"{"callback":{"type":"queue","queue":"Q"}}"#, "retry"),
            (&followed, r#"{"callback":{"type":"queue","queue":"Q"}}"#, "onFailure"),
            (&keyed, r#"{"callback":{"type":"queue","queue":"Q"}}"#, "limitKey"),
            (LETTER, &long, "payload"),
            (LETTER, r#"{"cron":"@daily"}"#, "cron"),
            (LETTER, "[]", "body"),
        ] {
            assert_eq!(changed(letter, body).unwrap_err().field, field, "{body}");
        }
    }

    #[test]
    fn a_retry_policy_stands_beside_no_queue() {
        let letter = |callback: &str| {
            format!(r#"{{"time":5,"id":"a","callback":{callback},"retry":{{"maxAttempts":1}}}}"#)
        };
        let of_handler = letter(r#"{"type":"handler","name":"log"}"#);
        let problem = changed(&of_handler, r#"{"callback":{"type":"queue","queue":"Q"}}"#);
        assert_eq!(problem.unwrap_err().field, "retry");
        // An earlier release accepted it.
        let of_queue = letter(r#"{"type":"queue","queue":"Q"}"#);
        assert!(changed(&of_queue, r#"{"payload":1}"#).is_ok());
        assert!(changed(&of_queue, r#"{"callback":{"type":"queue","queue":"Q"}}"#).is_ok());
        assert!(changed(&of_queue, r#"{"callback":{"type":"handler","name":"log"}}"#).is_ok());
    }

    #[test]
    fn one_of_three_says_which() {
        let ids =
            |ids: &[&str]| ChosenLetters::Ids(ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(DeadLettersInput::parse(r#"{"ids":["a","b","a"]}"#), Ok(ids(&["a", "b"])));
        assert_eq!(
            DeadLettersInput::parse(r#"{"all":true}"#),
            Ok(ChosenLetters::Matching(Filter::default()))
        );
        assert_eq!(
            DeadLettersInput::parse(r#"{"filter":{"all":true}}"#),
            Ok(ChosenLetters::Matching(Filter::default()))
        );
        let filter = Filter { tag: Some("t".to_owned()), ..Filter::default() };
        assert_eq!(
            DeadLettersInput::parse(r#"{"filter":{"tag":"t"}}"#),
            Ok(ChosenLetters::Matching(filter.clone()))
        );
        assert_eq!(
            DeadLettersInput::parse(r#"{"filter":{"tag":"t"},"dryRun":true}"#),
            Ok(ChosenLetters::Counted(filter))
        );
        assert_eq!(
            DeadLettersInput::parse(r#"{"all":true,"dryRun":true}"#),
            Ok(ChosenLetters::Counted(Filter::default()))
        );
        for (body, field) in [
            ("", "body"),
            ("{}", "body"),
            (r#"{"ids":["a"],"all":true}"#, "body"),
            (r#"{"all":false}"#, "all"),
            (r#"{"ids":["a"],"dryRun":true}"#, "dryRun"),
            (r#"{"filter":{}}"#, "filter"),
            (r#"{"filter":{"all":false}}"#, "filter.all"),
            (r#"{"filter":{"all":true,"status":"dead-lettered"}}"#, "filter.all"),
            (r#"{"ids":["a",""]}"#, "ids[1]"),
            (r#"{"filter":{"status":"paused"}}"#, "filter.status"),
            (r#"{"filter":{"paused":false}}"#, "filter.paused"),
            (r#"{"filter":{"lastOutcome":"failed"}}"#, "filter.lastOutcome"),
            (r#"{"filter":["t"]}"#, "filter"),
        ] {
            assert_eq!(DeadLettersInput::parse(body).unwrap_err().field, field, "{body}");
        }
    }
}
