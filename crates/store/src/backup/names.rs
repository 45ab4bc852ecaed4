//! Takes names away and gives others, saying what was tried where it fails.

use super::backup_error::{BackupError, failed};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Gives a file or folder another name.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), BackupError> {
    rustix::fs::rename(from, to).map_err(|errno| failed("written", to)(errno.into()))
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("removed", path)(error)),
        _ => Ok(()),
    }
}
