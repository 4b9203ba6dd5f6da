//! The answer to a batch: what became of each item.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::Answer;

/// The answer to a batch, as far as it matters here.
#[derive(Debug, Deserialize)]
struct BatchAnswer<'a> {
    #[serde(borrow)]
    results: Vec<Item<'a>>,
}

/// The result of one item: an id or an error. An item whose shard failed has both.
#[derive(Debug, Deserialize)]
pub(crate) struct Item<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// What an item's result means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    Accepted(&'a str),
    /// Its shard could not take it, or may have taken it and could not say so: to be sent again.
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

/// Returns the items of a batch's answer, one for each of `tasks`.
///
/// # Errors
/// Says why the answer is none.
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
    fn an_items_result_says_whether_to_send_it_again() {
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
