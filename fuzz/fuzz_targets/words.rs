//! Parses any text as a schedule in words. It must not panic, its steps must be bounded, and its
//! sentence must parse to the same schedule.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/language/tests/fuzz_checks/words.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
