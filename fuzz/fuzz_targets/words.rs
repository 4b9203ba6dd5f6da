//! Any text as a schedule in words: no panic, bounded steps, and a sentence that comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/language/tests/fuzz_checks/words.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
