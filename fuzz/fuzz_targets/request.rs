//! Parses any text as a request with one task and with many. It must not panic, and the record of
//! an accepted task must parse to the same task.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/model/tests/fuzz_checks/request.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
