//! Reckons whether there is room for a migration, and says how much is needed and how much there is.

use crate::Trouble;
use crate::blobs::device::folder_of;
use crate::catalog::sqlite::options::SqliteOptions;
use crate::catalog::{CatalogError, EngineError};
use rusqlite::ErrorCode;

/// The room that a migration needs.
pub(super) struct Room {
    /// The schema that was found.
    pub(super) found: i64,
    /// The one that it is brought to.
    pub(super) known: i64,
    /// Bytes.
    pub(super) needed: u64,
}

impl Room {
    /// An error unless so much is free.
    pub(super) fn refuse_without(&self, options: &SqliteOptions) -> Result<(), CatalogError> {
        let available = free_bytes(options)?;
        if available < self.needed { Err(self.too_little(available)) } else { Ok(()) }
    }

    fn too_little(&self, available: u64) -> CatalogError {
        CatalogError::NoRoomToMigrate { found: self.found, known: self.known, needed: self.needed, available }
    }

    /// The engine's failure; that the disk is full is told with what is needed.
    pub(super) fn said(&self, options: &SqliteOptions, error: rusqlite::Error) -> CatalogError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => self.too_little(free_bytes(options).unwrap_or(0)),
            _ => error.into(),
        }
    }
}

/// What is free where the catalog lies.
fn free_bytes(options: &SqliteOptions) -> Result<u64, CatalogError> {
    let folder = folder_of(&options.path);
    options.device.free_bytes(folder).map_err(|error| CatalogError::Trouble {
        trouble: Trouble::DataFolder,
        said: EngineError::new(format!("{}: {error}", folder.display())),
    })
}
