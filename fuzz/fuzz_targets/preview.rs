//! Any text as a request for a preview: no panic, and runs only go forward.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/model/tests/fuzz_checks/preview.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
