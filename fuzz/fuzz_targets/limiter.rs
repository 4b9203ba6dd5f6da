//! Sends any messages to a limiter. It must not panic, and its stored records must agree with its
//! memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/engine/tests/fuzz_checks/limiter.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
