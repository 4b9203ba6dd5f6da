//! The alarm of a shard. It is set within the bounds of the platform, and set again after a
//! failure.
//!
//! The shard sets the alarm after it commits an input, often before it answers. So a failure to set
//! the alarm affects neither the commit nor the answer; it is logged and counted as a repair. A
//! timer, the next request, and the watchdog try again.

use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{ALARM_RETRY_MILLIS, AlarmState, Engine, alarm_time};
use scheduler_platform::{now, sleep};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use worker::{ScheduledTime, State, Storage};

/// The alarm of one Durable Object.
#[derive(Clone)]
pub(crate) struct Alarm {
    storage: Rc<Storage>,
    engine: Rc<RefCell<Option<Engine>>>,
    known: Rc<RefCell<AlarmState>>,
}

impl Alarm {
    /// Creates the alarm, and assumes that it is not set yet.
    pub(crate) fn new(state: &State, engine: Rc<RefCell<Option<Engine>>>) -> Self {
        Self { storage: Rc::new(state.storage()), engine, known: Rc::default() }
    }

    /// Returns the time for which the alarm is set, if it is known.
    pub(crate) fn armed(&self) -> Option<UnixMillis> {
        self.known.borrow().armed()
    }

    /// Reads from storage when the alarm goes off. Returns `None` if it is not set, or if nobody
    /// knows.
    pub(crate) async fn stored(&self) -> Option<UnixMillis> {
        self.storage.get_alarm().await.ok().flatten().map(UnixMillis::new)
    }

    /// Records that the alarm has gone off, or was lost.
    pub(crate) fn forget(&self) {
        self.known.borrow_mut().forget();
    }

    /// Sets the alarm for `at`. After a failure, a timer tries again.
    pub(crate) async fn set(&self, state: &State, at: UnixMillis) {
        if let Err(problem) = self.try_to_set(at).await {
            worker::console_error!(
                "shard {}: the alarm for {at} was not set: {problem}; trying again",
                state.id().name().unwrap_or_default()
            );
            if self.known.borrow_mut().failed() {
                self.set_later(state);
            }
        }
    }

    /// Sets the alarm for a moment from now. This follows a failure that hides the shard's next
    /// wake-up.
    pub(crate) async fn set_soon(&self, state: &State) {
        self.set(state, now().plus(ALARM_RETRY_MILLIS)).await;
    }

    async fn try_to_set(&self, at: UnixMillis) -> worker::Result<()> {
        let at = alarm_time(at, now());
        // The time is recorded before the alarm is set, so that nobody sets it again meanwhile.
        self.known.borrow_mut().setting(at);
        let date =
            worker::js_sys::Date::new(&worker::wasm_bindgen::JsValue::from_f64(at.get() as f64));
        let outcome = self.storage.set_alarm(ScheduledTime::new(date)).await;
        if outcome.is_err() {
            self.known.borrow_mut().forget();
        }
        if let Some(engine) = self.engine.borrow_mut().as_mut() {
            match outcome {
                Ok(()) => {
                    let meter = engine.meter_mut();
                    meter.alarms_set += 1;
                    meter.rows_written += 1;
                }
                Err(_) => engine.count_repair(),
            }
        }
        outcome
    }

    /// Starts the timer that tries again.
    fn set_later(&self, state: &State) {
        let this = self.clone();
        state.wait_until(async move {
            while let Some(wait) = this.next_wait() {
                sleep(Duration::from_millis(u64::try_from(wait).unwrap_or_default())).await;
                let wanted = match this.engine.borrow_mut().as_mut() {
                    Some(engine) => engine.next_wakeup(),
                    // The storage may hold tasks that need a wake-up.
                    None => Some(now().plus(ALARM_RETRY_MILLIS)),
                };
                let Some(at) = this.after_wait(wanted) else { break };
                if this.try_to_set(at).await.is_ok() {
                    this.known.borrow_mut().end_timer();
                }
            }
        });
    }

    fn next_wait(&self) -> Option<i64> {
        self.known.borrow_mut().next_wait()
    }

    fn after_wait(&self, wanted: Option<UnixMillis>) -> Option<UnixMillis> {
        self.known.borrow_mut().after_wait(wanted)
    }
}
