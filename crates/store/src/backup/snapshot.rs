//! Takes a copy of one of the data folder's databases into a backup, while others write to it.

use super::backup_error::BackupError;
use super::names;
use crate::Clock;
use crate::catalog::CatalogError;
use crate::catalog::sqlite::file_copy::{self, Synced};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Copies the database into a file of its own, which needs no other file beside it. It is not yet durable.
pub(super) fn take(clock: &Clock, from: &Path, to: &Path) -> Result<(), BackupError> {
    names::remove(to)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copied = Connection::open_with_flags(from, flags)
        // The whole backup is made durable before it gets its name.
        .and_then(|source| file_copy::copy(clock, &source, to, Synced::Elsewhere));
    copied.map_err(|error| BackupError::Catalog(CatalogError::from(error)))
}
