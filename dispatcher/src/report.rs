//! The report of an envelope to its shard.

use crate::window::{REPORT_FIRST_WAIT_MILLIS, REPORT_TRIES, REPORT_TRY_SECONDS};
use futures::future::{Either, select};
use scheduler_core::routing::ShardId;
use scheduler_core::wire::{Report, paths};
use std::pin::pin;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{Delay, Method, ObjectNamespace, Request, RequestInit};

/// Reports an envelope; repeats are no-ops to the shard, so whatever failed is tried again.
///
/// # Errors
/// The last problem, when every try failed.
pub(crate) async fn send(shards: &ObjectNamespace, shard: ShardId, report: &Report) -> Result<(), String> {
    let body = JsValue::from_str(&serde_json::to_string(report).map_err(|problem| problem.to_string())?);
    let mut wait = REPORT_FIRST_WAIT_MILLIS;
    let mut tries = 1;
    loop {
        let problem = {
            let answer = pin!(try_once(shards, shard, &body));
            let limit = pin!(Delay::from(Duration::from_secs(REPORT_TRY_SECONDS.into())));
            match select(answer, limit).await {
                Either::Left((Ok(200..=299), _)) => return Ok(()),
                // The shard has read the report and refuses it: it would refuse it again.
                Either::Left((Ok(400), _)) => return Err("the shard refused the report (HTTP 400)".to_owned()),
                Either::Left((Ok(status), _)) => format!("the shard answered HTTP {status}"),
                Either::Left((Err(problem), _)) => problem.to_string(),
                Either::Right(_) => format!("the shard did not answer within {REPORT_TRY_SECONDS} s"),
            }
        };
        if tries == REPORT_TRIES {
            return Err(problem);
        }
        Delay::from(Duration::from_millis(wait)).await;
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
