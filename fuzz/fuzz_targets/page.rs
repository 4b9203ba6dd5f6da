//! Any bytes as a page's directory and as an append: no panic, and what is accepted is written the
//! same again.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/engine/tests/fuzz_checks/page.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
