//! Parses any text as a request for a preview. It must not panic, and each run must be later than
//! the one before.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/model/tests/fuzz_checks/preview.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
