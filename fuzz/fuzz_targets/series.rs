//! Any bytes as stored series: no panic, and what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/model/tests/fuzz_checks/series.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
