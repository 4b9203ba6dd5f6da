//! Parses any text as the query of a list, as a filter and as a cursor. It must not panic, and a
//! parsed value must survive encoding and parsing.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/model/tests/fuzz_checks/list.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
