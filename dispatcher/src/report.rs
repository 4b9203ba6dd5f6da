//! The report of an envelope to its shard.

use crate::timer::{sleep, within};
use crate::window::{REPORT_FIRST_WAIT_MILLIS, REPORT_TRIES, REPORT_TRY_SECONDS};
use scheduler_core::routing::ShardId;
use scheduler_core::wire::{Report, paths};
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{Method, ObjectNamespace, Request, RequestInit};

/// Reports an envelope; repeats are no-ops to the shard, so whatever failed is tried again.
///
/// # Errors
/// The last problem, when every try failed.
pub(crate) async fn send(shards: &ObjectNamespace, shard: ShardId, report: &Report) -> Result<(), String> {
    let body = JsValue::from_str(&serde_json::to_string(report).map_err(|problem| problem.to_string())?);
    let mut wait = REPORT_FIRST_WAIT_MILLIS;
    let mut tries = 1;
    loop {
        let problem = match within(Duration::from_secs(REPORT_TRY_SECONDS.into()), try_once(shards, shard, &body)).await {
            Some(Ok(200..=299)) => return Ok(()),
            // The shard has read the report and refuses it: it would refuse it again.
            Some(Ok(400)) => return Err("the shard refused the report (HTTP 400)".to_owned()),
            Some(Ok(status)) => format!("the shard answered HTTP {status}"),
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

/// Gives the answer's status. A stub that has seen an error may stay broken, so each try takes a fresh one.
async fn try_once(shards: &ObjectNamespace, shard: ShardId, body: &JsValue) -> worker::Result<u16> {
    let stub = shards.get_by_name(&shard.to_string())?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.clone()));
    let request = Request::new_with_init(&format!("https://shard{}", paths::REPORT), &init)?;
    Ok(stub.fetch_with_request(request).await?.status_code())
}
