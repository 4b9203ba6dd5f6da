//! Resets objects that have outlived their program.
//!
//! A panic ends the instance of the wasm. The runtime keeps the objects of the isolate, and the
//! glue code gives each of them a new program at its next event. But a handler of the old program
//! never ends: nobody settles its promises. If it is the alarm handler, the platform starts no
//! other one for the object until it gives up after 15 minutes. A reset of the object ends the old
//! handler. The handler has set an alarm for later, which has replaced the interrupted one. So a
//! new alarm that goes off at once is set just before the reset. Functions of the runtime do both,
//! because the old program can run no more code. They run at the panic. If nobody noticed the end
//! of the program, they run when a guard has not been extended in time, or when the object gets its
//! next program.

use crate::object::method;
use crate::program_end::AtEnd;
use std::cell::RefCell;
use std::time::Duration;
use worker::js_sys::{Array, Function, Promise, Reflect, global};
use worker::wasm_bindgen::JsValue;
use worker::{Error, Result};

/// The member of an object's state that marks that a program has had the object.
const MARK: &str = "durableSchedulerHasProgram";

/// The time between the alarm and the reset, in which the platform stores the alarm.
const STORED: Duration = Duration::from_millis(200);

/// A time in the past for an alarm, in milliseconds. The platform refuses zero.
const LONG_AGO: f64 = 1.0;

/// Resets one object.
#[derive(Debug, Clone)]
pub struct Reset {
    set_alarm: JsValue,
    abort: JsValue,
    set_timeout: Function,
    clear_timeout: Function,
}

impl Reset {
    /// Returns the reset of the object with this state.
    ///
    /// # Errors
    /// Returns an error if the runtime has no reset.
    pub fn of(state: &JsValue) -> Result<Self> {
        let reason = JsValue::from_str("the object outlived its program, and starts again");
        let abort = method(state, "abort")?.bind1(state, &reason).into();
        let storage = Reflect::get(state, &JsValue::from_str("storage"))?;
        let set_alarm =
            method(&storage, "setAlarm")?.bind1(&storage, &JsValue::from_f64(LONG_AGO)).into();
        let global = global();
        let (set_timeout, clear_timeout) =
            (method(&global, "setTimeout")?, method(&global, "clearTimeout")?);
        Ok(Self { set_alarm, abort, set_timeout, clear_timeout })
    }

    /// Resets the object a moment later, because the reset ends whatever code runs then. The
    /// current event may end before or with it, and its sender tries again.
    pub fn soon(&self) {
        self.after(Duration::ZERO);
    }

    /// Returns a guard that resets the object when a panic ends the program, or if nobody has
    /// extended the guard for `within`.
    pub fn guard(&self, within: Duration) -> Guard<'_> {
        // If the runtime refuses this, the timers remain.
        Guard { reset: self, within, timers: RefCell::default(), _at_end: self.at_end().ok() }
    }

    /// Resets the object when a panic ends the program. The runtime does not let another event
    /// reset the object, so a promise of this event does it.
    fn at_end(&self) -> Result<AtEnd> {
        let mut ended = None;
        let promise = Promise::new(&mut |resolve, _| ended = Some(resolve));
        let millis = JsValue::from_f64(STORED.as_secs_f64() * 1_000.0);
        let then = method(&promise, "then")?;
        then.call1(&promise, &self.set_alarm)?;
        then.call1(&promise, &self.set_timeout.bind2(&JsValue::UNDEFINED, &self.abort, &millis))?;
        ended.map(AtEnd::call).ok_or_else(|| Error::RustError("a promise has no end".to_owned()))
    }

    /// Starts the timers of the alarm and of the reset.
    fn after(&self, wait: Duration) -> [JsValue; 2] {
        [(&self.set_alarm, wait), (&self.abort, wait + STORED)].map(|(act, wait)| {
            let millis = JsValue::from_f64(wait.as_secs_f64() * 1_000.0);
            let arguments = Array::of2(act, &millis);
            // If the runtime refuses a timer, the object is not reset.
            self.set_timeout.apply(&JsValue::UNDEFINED, &arguments).unwrap_or_default()
        })
    }
}

/// Resets the object when a panic ends the program, or when it was neither extended nor dropped in
/// time.
#[derive(Debug)]
pub struct Guard<'a> {
    reset: &'a Reset,
    within: Duration,
    timers: RefCell<Option<[JsValue; 2]>>,
    _at_end: Option<AtEnd>,
}

impl Guard<'_> {
    /// Restarts the time of the guard now.
    pub fn extend(&self) {
        self.extend_past(Duration::ZERO);
    }

    /// Restarts the time of the guard after `wait`, for which the program waits from now on.
    pub fn extend_past(&self, wait: Duration) {
        self.clear();
        self.timers.replace(Some(self.reset.after(wait + self.within)));
    }

    fn clear(&self) {
        for timer in self.timers.take().into_iter().flatten() {
            // The number of a timer that is over is ignored.
            let _ = self.reset.clear_timeout.call1(&JsValue::UNDEFINED, &timer);
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Marks the state of an object as one that has a program. Returns whether another program has had
/// it before.
///
/// # Errors
/// Returns an error if the runtime refuses the mark.
pub fn is_reborn(state: &JsValue) -> Result<bool> {
    let mark = JsValue::from_str(MARK);
    if !Reflect::get(state, &mark)?.is_undefined() {
        return Ok(true);
    }
    Reflect::set(state, &mark, &JsValue::TRUE)?;
    Ok(false)
}
