//! Settles what a program leaves behind when it ends.
//!
//! A panic ends the instance of the wasm. The isolate and its events go on. The promises of the
//! events would stay open, and the runtime would wait for them for as long as one of their timers
//! runs. So each event that the runtime must not wait for registers a function here, and the hook
//! of the panic calls it. All functions belong to the runtime, because no code of an ended program
//! may run later. The runtime continues a promise in the event that created it, so a function may
//! settle promises of other events than the one in which the program ends.
//!
//! A program that ends without a panic, because it is out of memory or stack, settles nothing. The
//! glue code lets an ended program make a single call, which the SDK needs.

use crate::object::method;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Once;
use worker::js_sys::{Error, Function, Promise};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::spawn_local;

thread_local! {
    /// The functions to call, by their number.
    static OPEN: RefCell<BTreeMap<u64, Function>> = const { RefCell::new(BTreeMap::new()) };
    static LAST_NUMBER: Cell<u64> = const { Cell::new(0) };
    /// See [`first_at_end`].
    static FIRST: Cell<Option<fn(&str)>> = const { Cell::new(None) };
}

/// A function that is called when a panic ends the program, unless this is dropped before.
#[derive(Debug)]
pub struct AtEnd(u64);

impl AtEnd {
    /// Registers `function`, which must belong to the runtime. It is called without arguments at
    /// the end.
    pub(crate) fn call(function: Function) -> Self {
        listen();
        let number = LAST_NUMBER.get() + 1;
        LAST_NUMBER.set(number);
        OPEN.with_borrow_mut(|open| open.insert(number, function));
        Self(number)
    }

    /// Calls the function when `promise` is settled, instead of at the end of the program, which is
    /// imminent.
    pub fn call_after(&self, promise: &Promise) {
        let Some(function) = take(self.0) else { return };
        let waits = method(promise, "then").map(|then| then.call2(promise, &function, &function));
        if !matches!(waits, Ok(Ok(_))) {
            // Then the event fails at once, as it would have at the end of the program.
            let _ = function.call0(&JsValue::UNDEFINED);
        }
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        take(self.0);
    }
}

/// Removes and returns a function. The program may end while it changes the list, so the list may
/// still be borrowed.
fn take(number: u64) -> Option<Function> {
    OPEN.with(|open| open.try_borrow_mut().ok()?.remove(&number))
}

/// Returns the promise of an event, which is rejected if a panic ends the program before `work`
/// ends.
pub fn until_end<F: Future<Output = ()> + 'static>(
    work: impl FnOnce(Rc<AtEnd>) -> F + 'static,
) -> Promise {
    let mut work = Some(work);
    Promise::new(&mut |resolve, reject| {
        let Some(work) = work.take() else { return };
        let reason = Error::new("the program of this isolate has ended");
        let fail = reject.bind1(&JsValue::UNDEFINED, &reason).unchecked_into();
        let end = Rc::new(AtEnd::call(fail));
        spawn_local(async move {
            work(Rc::clone(&end)).await;
            drop(end);
            // The function of a promise does not throw.
            let _ = resolve.call0(&JsValue::UNDEFINED);
        });
    })
}

/// Registers `first`, which is called with the message of a panic before the functions of events.
/// It must not wait for anything.
pub fn first_at_end(first: fn(&str)) {
    FIRST.set(Some(first));
    listen();
}

/// Installs the hook once. It first calls the hook that was installed before.
fn listen() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let next = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            next(panic);
            if let Some(first) = FIRST.get() {
                first(&panic.to_string());
            }
            let open =
                OPEN.with(|open| open.try_borrow_mut().map(|mut open| std::mem::take(&mut *open)));
            for function in open.unwrap_or_default().into_values() {
                // A function that fails does not stop the others.
                let _ = function.call0(&JsValue::UNDEFINED);
            }
        }));
    });
}
