//! Sends the report of an envelope to its shard.

use crate::window::{REPORT_FIRST_WAIT_MILLIS, REPORT_TRIES, REPORT_TRY_SECONDS};
use scheduler_model::namespace::ShardName;
use scheduler_model::protocol::{Report, paths};
use scheduler_platform::{Objects, sleep, within};
use std::time::Duration;
use worker::js_sys::Promise;

/// Sends the report of an envelope without waiting for the answer, because the program ends.
/// Returns the promise of the answer.
///
/// # Errors
/// Returns why it could not be sent.
pub(crate) fn send_last(
    shards: &Objects,
    shard: &ShardName,
    report: &Report,
) -> Result<Promise, String> {
    let body = serde_json::to_vec(report).map_err(|problem| problem.to_string())?;
    shards.send(&shard.to_string(), paths::REPORT, body).map_err(|problem| problem.to_string())
}

/// Reports an envelope. It retries every failure but a refusal, because the shard ignores a
/// repeated report.
///
/// # Errors
/// Returns the last problem if every try failed.
pub(crate) async fn send(
    shards: &Objects,
    shard: &ShardName,
    report: &Report,
) -> Result<(), String> {
    let body = serde_json::to_vec(report).map_err(|problem| problem.to_string())?;
    let mut wait = REPORT_FIRST_WAIT_MILLIS;
    let mut tries = 1;
    loop {
        let problem = match within(
            Duration::from_secs(REPORT_TRY_SECONDS.into()),
            shards.post(&shard.to_string(), paths::REPORT, &body),
        )
        .await
        {
            Some(Ok((200..=299, _))) => return Ok(()),
            // The shard has parsed the report and would refuse it again.
            Some(Ok((400, _))) => return Err("the shard refused the report (HTTP 400)".to_owned()),
            Some(Ok((status, _))) => format!("the shard answered HTTP {status}"),
            Some(Err(problem)) => problem.to_string(),
            None => format!("the shard did not answer within {REPORT_TRY_SECONDS} s"),
        };
        if tries == REPORT_TRIES {
            return Err(problem);
        }
        sleep(Duration::from_millis(wait)).await;
        wait *= 2;
        tries += 1;
    }
}
