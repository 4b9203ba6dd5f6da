//! Parses any text as an envelope. It must not panic, and a parsed envelope must survive encoding
//! and parsing.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/model/tests/fuzz_checks/envelope.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
