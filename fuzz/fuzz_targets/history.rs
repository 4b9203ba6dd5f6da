//! Decodes any bytes as a row of the history. It must not panic, and a decoded row must survive
//! encoding and decoding.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/model/tests/fuzz_checks/history.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
