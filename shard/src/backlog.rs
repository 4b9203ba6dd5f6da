//! Asks a queue how far its backlog reaches.

use scheduler_calendar::time::UnixMillis;
use scheduler_platform::within;
use std::time::Duration;
use worker::js_sys::{Date, Function, Promise, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Result};

/// The time limit of the question.
const TRY: Duration = Duration::from_secs(2);

/// Returns whether a message that the queue has accepted at `sent` may still be in it, because its
/// oldest message is not younger. If the queue does not answer, it counts as empty.
///
/// The queue's own clock and its approximate figures are good enough: a wrong yes delays an
/// envelope by the visibility timeout, and a wrong no sends it twice.
pub(crate) async fn reaches(env: &Env, queue: &str, sent: UnixMillis) -> bool {
    match within(TRY, oldest(env, queue)).await {
        Some(Ok(Some(oldest))) => oldest <= sent,
        Some(Ok(None)) | None => false,
        Some(Err(problem)) => {
            worker::console_error!("{queue}: the queue did not say how far it is: {problem}");
            false
        }
    }
}

/// Returns when the oldest message of a queue was sent. Returns `None` if the queue is empty, or if
/// the runtime has no such question.
async fn oldest(env: &Env, queue: &str) -> Result<Option<UnixMillis>> {
    let queue = env.queue(queue)?;
    let queue: &JsValue = queue.as_ref();
    let Ok(metrics) = Reflect::get(queue, &JsValue::from_str("metrics"))?.dyn_into::<Function>()
    else {
        return Ok(None);
    };
    let answer = JsFuture::from(metrics.call0(queue)?.dyn_into::<Promise>()?).await?;
    let at = Reflect::get(&answer, &JsValue::from_str("oldestMessageTimestamp"))?;
    Ok(at.dyn_into::<Date>().ok().map(|at| UnixMillis::new(at.get_time() as i64)))
}
