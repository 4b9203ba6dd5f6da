//! Time limits and waits. Not with [`worker::Delay`]: it takes the timer's handle for a number, and
//! where `setTimeout` gives an object (Node's timers, on by default in newer compatibility dates)
//! it panics in a debug build, and in a release build has lost the handle by which a timer that is
//! dropped early should be cleared.

use futures::channel::oneshot;
use futures::future::{Either, pending, select};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use worker::js_sys::{Function, Reflect, global};
use worker::wasm_bindgen::closure::Closure;
use worker::wasm_bindgen::{JsCast, JsValue};

/// The work's result, or `None` when it is not done within the limit; it is then dropped. Work that
/// is done at once costs no timer.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    if let Poll::Ready(result) = futures::poll!(&mut work) {
        return Some(result);
    }
    let Ok(mut timer) = Timer::start(limit) else {
        // A runtime without timers: rather no limit than no work.
        return Some(work.await);
    };
    match select(work, &mut timer.elapsed).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// Waits.
pub async fn sleep(time: Duration) {
    let _: Option<()> = within(time, pending()).await;
}

/// A running timer, cleared when dropped.
struct Timer {
    handle: JsValue,
    elapsed: oneshot::Receiver<()>,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    fn start(time: Duration) -> Result<Self, JsValue> {
        let (sender, elapsed) = oneshot::channel();
        // A sender whose receiver is gone, or that unwound, is never used again.
        let callback = Closure::once_assert_unwind_safe(move || {
            let _ = sender.send(());
        });
        // The platform counts milliseconds in 31 bits, and takes what is longer for no time at all:
        // three weeks are long enough.
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
        // Before the callback goes. Clearing a timer that has run does nothing.
        if let Ok(clear) = function("clearTimeout") {
            let _ = clear.call1(&JsValue::UNDEFINED, &self.handle);
        }
    }
}

fn function(name: &str) -> Result<Function, JsValue> {
    Reflect::get(&global(), &JsValue::from_str(name))?.dyn_into()
}
