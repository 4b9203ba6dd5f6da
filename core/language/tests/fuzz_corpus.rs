//! Every file of the fuzz target's corpus, as an ordinary test. A crash that fuzzing finds becomes
//! a file there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test: what does not hold ends the run"
)]

use std::path::Path;

#[path = "fuzz_checks/words.rs"]
mod words;

#[test]
fn phrases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/words");
    let files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.iter().for_each(|file| words::check(&std::fs::read(file).unwrap()));
}
