//! Warnings in the answer to a write: the task is stored, but may not run as its caller expects.

use crate::clients::limiters::ask;
use crate::context::Call;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::AppendReply;
use scheduler_model::protocol::limiter::{LimitShown, limiter_of, paths};
use scheduler_model::task::{Callback, Record};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashMap;

/// How long an instance remembers that a key has a limit, in milliseconds. Together with
/// [`UNLIMITED_MILLIS`], a key costs at most one request per second, however many tasks name it.
const LIMITED_MILLIS: i64 = 10_000;
/// How long an instance remembers that a key has no limit, in milliseconds.
const UNLIMITED_MILLIS: i64 = 1_000;

/// The most keys that an instance remembers, some 200 bytes each.
const MAX_KNOWN: usize = 1_000;

thread_local! {
    /// By limiter and key: whether the key has a limit, and when the limiter said so.
    static KNOWN: RefCell<HashMap<(String, String), (bool, UnixMillis)>> =
        RefCell::new(HashMap::new());
}

/// A warning about a task that was stored.
#[derive(Debug, Serialize)]
pub(crate) struct Warning {
    field: &'static str,
    detail: String,
}

impl Warning {
    /// Returns a warning whose text begins with the name of the field.
    fn new(field: &'static str, detail: &str) -> Self {
        Self { field, detail: format!("{field} {detail}") }
    }

    /// Warns that a patch has removed the time zone of a task.
    pub(crate) fn lost_timezone(timezone: &str) -> Self {
        let detail = format!(
            "was {timezone:?} and was removed, because the new schedule has no use for a time zone; give it again with the next cron, rrule or local time"
        );
        Self::new("timezone", &detail)
    }
}

/// Returns the warnings for a task that a shard has stored with this reply. A limiter that does not
/// answer causes no warning.
pub(crate) async fn warnings_of(
    call: &Call<'_>,
    record: &str,
    reply: &AppendReply,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    // Most tasks need no lookup.
    if !reply.unanswered && !record.contains("\"limitKey\":") {
        return warnings;
    }
    let Ok(record) = Record::parse(record.as_bytes()) else { return warnings };
    if let Some(key) = record.limit_key.as_deref()
        && !is_limited(call, key).await
    {
        let detail = format!(
            "is {key:?}, which has no limit, so it has no effect; set one with PUT /v1/limits/{{limitKey}}"
        );
        warnings.push(Warning::new("limitKey", &detail));
    }
    if reply.unanswered {
        let callback = Callback::parse(record.callback.get()).ok();
        let destination = callback.and_then(|callback| callback.destination()).unwrap_or_default();
        let detail = format!(
            "calls {destination}, which does not answer at present: its circuit is open, so runs wait until it answers"
        );
        warnings.push(Warning::new("callback", &detail));
    }
    warnings
}

/// Returns whether a key has a limit. If its limiter does not answer, assumes that it has one.
async fn is_limited(call: &Call<'_>, key: &str) -> bool {
    let limiter = limiter_of(call.shards.namespace(), key);
    let name = (limiter, key.to_owned());
    let known = KNOWN.with_borrow(|known| known.get(&name).copied());
    if let Some((is_limited, at)) = known {
        let fresh = if is_limited { LIMITED_MILLIS } else { UNLIMITED_MILLIS };
        if (0..fresh).contains(&call.now.since(at)) {
            return is_limited;
        }
    }
    let asked: Result<Option<LimitShown>, _> = ask(call.env, &name.0, paths::GET, &name.1).await;
    let Ok(limit) = asked else { return true };
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(name, (limit.is_some(), call.now));
    });
    limit.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_names_its_field() {
        let Warning { field, detail } = Warning::lost_timezone("Asia/Tokyo");
        assert!(detail.starts_with(&format!("{field} was \"Asia/Tokyo\"")), "{detail}");
    }
}
