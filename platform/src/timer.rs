//! Time limits and waits. This module does not use [`worker::Delay`], which assumes that a timer's
//! handle is a number. In some runtimes `setTimeout` returns an object (Node's timers, the default
//! in newer compatibility dates). There `Delay` panics in a debug build. In a release build it
//! loses the handle, so a timer that is dropped early is not cleared.

use futures::channel::oneshot;
use futures::future::{Either, pending, select};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use worker::js_sys::{Function, Reflect, global};
use worker::wasm_bindgen::closure::Closure;
use worker::wasm_bindgen::{JsCast, JsValue};

/// Returns the result of `work`, or `None` if it takes longer than `limit`; then `work` is dropped.
/// Work that completes at once needs no timer.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    if let Poll::Ready(result) = futures::poll!(&mut work) {
        return Some(result);
    }
    let Ok(mut timer) = Timer::start(limit) else {
        // In a runtime without timers, `work` runs without a limit, which is better than not at
        // all.
        return Some(work.await);
    };
    match select(work, &mut timer.elapsed).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// Waits for `time`.
pub async fn sleep(time: Duration) {
    let _: Option<()> = within(time, pending()).await;
}

/// A running timer, which is cleared when it is dropped.
struct Timer {
    handle: JsValue,
    elapsed: oneshot::Receiver<()>,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    fn start(time: Duration) -> Result<Self, JsValue> {
        let (sender, elapsed) = oneshot::channel();
        // The sender is used once, so an unwinding panic cannot leave it in a bad state.
        let callback = Closure::once_assert_unwind_safe(move || {
            let _ = sender.send(());
        });
        // The platform counts milliseconds in 31 bits, and treats a longer time as zero. The limit
        // of about three weeks is long enough.
        let millis = f64::from(i32::try_from(time.as_millis()).unwrap_or(i32::MAX));
        let handle = function("setTimeout")?.call2(
            &JsValue::UNDEFINED,
            callback.as_ref(),
            &JsValue::from_f64(millis),
        )?;
        Ok(Self { handle, elapsed, _callback: callback })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // The timer is cleared before the callback is dropped. Clearing a timer that has run has no
        // effect.
        if let Ok(clear) = function("clearTimeout") {
            let _ = clear.call1(&JsValue::UNDEFINED, &self.handle);
        }
    }
}

fn function(name: &str) -> Result<Function, JsValue> {
    Reflect::get(&global(), &JsValue::from_str(name))?.dyn_into()
}
