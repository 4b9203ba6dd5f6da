//! Decodes any bytes as a page's directory and as an append. It must not panic, and a decoded value
//! must be encoded to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/engine/tests/fuzz_checks/page.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
