//! Helpers for what the platform's SDK lacks or does wrong (waits, the clock in the core's type,
//! random bytes), and the settings of the deployment.
//!
//! In scope: small helpers that several crates of the Worker need. Not in scope: decisions.

mod body;
pub mod entries;
mod object;
mod placement;
mod program_end;
mod rebirth;
pub mod settings;
mod text_stream;
mod timer;

pub use body::{Broken, Line, Part, PartBounds, Parts, Unread, Unreadable, read_body};
pub use object::Objects;
pub use placement::{Placement, jurisdiction_of};
pub use program_end::{AtEnd, first_at_end, until_end};
pub use rebirth::{Guard, Reset, is_reborn};
pub use text_stream::text_stream;
pub use timer::{sleep, within};

use scheduler_calendar::time::UnixMillis;
use worker::js_sys::{Function, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};

/// Returns the time of the platform's clock. The clock does not advance during an event unless the
/// event waits; this is the platform's defense against timing attacks.
pub fn now() -> UnixMillis {
    // This returns a number. `worker::Date` would create an object for each time.
    UnixMillis::new(worker::js_sys::Date::now() as i64)
}

/// Returns 16 random bytes from the platform's generator, which are good enough for keys.
///
/// # Errors
/// Returns an error if the platform has no such generator.
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
