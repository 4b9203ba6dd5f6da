//! What the platform's SDK lacks or gets wrong: waits, the clock in the core's type, random bytes;
//! and the settings of the deployment.
//!
//! In scope: small pieces that more than one of the Worker's crates needs. Not in scope: decisions.

mod body;
pub mod entries;
mod object;
pub mod settings;
mod timer;

pub use body::{Unread, read_body};
pub use object::Objects;
pub use timer::{sleep, within};

use scheduler_calendar::time::UnixMillis;
use worker::js_sys::{Function, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};

/// Returns the time of the platform's clock. The clock does not advance between two events, as a
/// defence against timing attacks.
pub fn now() -> UnixMillis {
    // As a number: `worker::Date` would create an object for each time.
    UnixMillis::new(worker::js_sys::Date::now() as i64)
}

/// Returns 16 random bytes from the platform's generator, fit for keys.
///
/// # Errors
/// If the platform has no such generator.
pub fn random_bytes() -> worker::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    let array = Uint8Array::new_with_length(16);
    let crypto = Reflect::get(&worker::js_sys::global(), &JsValue::from_str("crypto"))?;
    let fill: Function =
        Reflect::get(&crypto, &JsValue::from_str("getRandomValues"))?.dyn_into()?;
    fill.call1(&crypto, &array)?;
    array.copy_to(&mut bytes);
    Ok(bytes)
}
