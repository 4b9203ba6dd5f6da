//! Any text as a cron schedule: no panic, and occurrences that only go forward.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/calendar/tests/fuzz_checks/cron.rs"]
mod checks;

fuzz_target!(|data: &[u8]| checks::check(data));
