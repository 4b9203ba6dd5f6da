//! Parses any text as a cron schedule. It must not panic, and each occurrence must be later than
//! the one before.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/calendar/tests/fuzz_checks/cron.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
