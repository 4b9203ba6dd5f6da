//! A request's body as one task and as many: no panic, and what is accepted reads back from its
//! record.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/model/tests/fuzz_checks/request.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
