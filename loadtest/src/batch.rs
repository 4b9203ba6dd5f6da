//! Parses the answer to a batch, which has an outcome for each item.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::Answer;

/// The parts of the answer to a batch that matter here.
#[derive(Debug, Deserialize)]
struct BatchAnswer<'a> {
    #[serde(borrow)]
    results: Vec<Item<'a>>,
}

/// The result of one item: an id or an error. If the item's shard failed, it has both.
#[derive(Debug, Deserialize)]
pub(crate) struct Item<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// The meaning of an item's result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    Accepted(&'a str),
    /// The shard could not store the task, or stored it without an answer. The item must be sent
    /// again.
    Busy,
    Rejected(&'a str),
}

impl Item<'_> {
    pub(crate) fn outcome(&self) -> Outcome<'_> {
        #[derive(Deserialize)]
        struct Error {
            #[serde(default)]
            retryable: bool,
        }
        match (&self.id, self.error) {
            (Some(id), None) => Outcome::Accepted(id),
            (_, Some(error))
                if serde_json::from_str(error.get()).is_ok_and(|error: Error| error.retryable) =>
            {
                Outcome::Busy
            }
            (_, error) => {
                Outcome::Rejected(error.map_or("neither an id nor an error", RawValue::get))
            }
        }
    }
}

/// Returns the results in the answer to a batch, one for each of `tasks`.
///
/// # Errors
/// Returns an error if the answer has no such results.
pub(crate) fn items(answer: &Answer, tasks: usize) -> Result<Vec<Item<'_>>, String> {
    if !answer.status.is_success() {
        return Err(format!("batch of {tasks}: {}", answer.describe()));
    }
    let parsed: BatchAnswer<'_> = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("batch of {tasks}: answer: {error}"))?;
    if parsed.results.len() != tasks {
        return Err(format!("batch of {tasks}: the answer has {} results", parsed.results.len()));
    }
    Ok(parsed.results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_of_an_item_decides_whether_to_send_it_again() {
        let text = r#"{"accepted":1,"rejected":3,"results":[{"id":"a"},{"error":{"field":"payload","detail":"long"}},
            {"id":"b","error":{"field":"id","detail":"shard","retryable":true}},{}]}"#;
        let answer: BatchAnswer<'_> = serde_json::from_str(text).unwrap();
        let outcomes: Vec<Outcome<'_>> = answer.results.iter().map(Item::outcome).collect();
        let expected = [
            Outcome::Accepted("a"),
            Outcome::Rejected(r#"{"field":"payload","detail":"long"}"#),
            Outcome::Busy,
            Outcome::Rejected("neither an id nor an error"),
        ];
        assert_eq!(outcomes, expected);
    }
}
