//! Any messages to a limiter: no panic, and what it stores says what it has noted.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/engine/tests/fuzz_checks/limiter.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
