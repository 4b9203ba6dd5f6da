//! Runs every file of the fuzz targets' corpus as an ordinary test. A crash that fuzzing finds
//! becomes a file there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption ends the test"
)]

use std::path::{Path, PathBuf};

#[path = "../../calendar/tests/fuzz_checks/cron.rs"]
mod cron;
#[path = "../../model/tests/fuzz_checks/envelope.rs"]
mod envelope;
#[path = "../../model/tests/fuzz_checks/history.rs"]
mod history;
#[path = "fuzz_checks/limiter.rs"]
mod limiter;
#[path = "../../model/tests/fuzz_checks/list.rs"]
mod list;
#[path = "fuzz_checks/page.rs"]
mod page;
#[path = "../../model/tests/fuzz_checks/preview.rs"]
mod preview;
#[path = "../../model/tests/fuzz_checks/request.rs"]
mod request;

fn each(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(corpus);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.sort();
    for file in files {
        println!("{}", file.display());
        check(&std::fs::read(&file).unwrap());
    }
}

#[test]
fn requests() {
    each("request", request::check);
}

#[test]
fn pages() {
    each("page", page::check);
}

#[test]
fn envelopes() {
    each("envelope", envelope::check);
}

#[test]
fn histories() {
    each("history", history::check);
}

#[test]
fn crons() {
    each("cron", cron::check);
}

#[test]
fn previews() {
    each("preview", preview::check);
}

#[test]
fn lists() {
    each("list", list::check);
}

#[test]
fn limiters() {
    each("limiter", limiter::check);
}
