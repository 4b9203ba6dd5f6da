//! Writes reports to files.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the requested file, or `target/loadtest/<name>` below the current directory.
pub(crate) fn path(given: Option<&PathBuf>, name: &str) -> PathBuf {
    given.cloned().unwrap_or_else(|| Path::new("target").join("loadtest").join(name))
}

/// Writes `text` to a file, and creates its directories.
///
/// # Errors
/// Returns the path and the problem.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let complain = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(complain)?;
    }
    fs::write(path, text).map_err(complain)
}
