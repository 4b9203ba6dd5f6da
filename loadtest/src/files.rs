//! Writing reports to files.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the file asked for, or `target/loadtest/<name>` below the current directory.
pub(crate) fn path(asked: Option<&PathBuf>, name: &str) -> PathBuf {
    asked.cloned().unwrap_or_else(|| Path::new("target").join("loadtest").join(name))
}

/// Writes `text`, with the directories that lead there.
///
/// # Errors
/// Names the path and what is wrong with it.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let complain = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(complain)?;
    }
    fs::write(path, text).map_err(complain)
}
