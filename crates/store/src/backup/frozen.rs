//! A consistent view of a store at one moment, to be read while another process goes on writing to it.
//!
//! The catalog is copied as for a backup, and the hold on the blobs keeps everything that the copy names where it is.

use super::backup_error::BackupError;
use super::snapshot;
use crate::blobs::{LocalFiles, LocalFilesOptions};
use crate::catalog::{SqliteCatalog, Upkeep};
use crate::data_folder::blob_hold::BlobHold;
use crate::data_folder::bound_folder::without_catalog;
use crate::data_folder::{BLOBS_FOLDER, CATALOG_FILE};
use crate::store::Store;
use crate::{Clock, OpenError};
use std::path::Path;
use std::sync::Arc;

/// Connections that answer queries.
const READ_CONNECTIONS: usize = 2;

impl Store {
    /// Whether there is a store in this folder that a snapshot can be taken of.
    ///
    /// # Errors
    /// [`OpenError::NoStore`], or [`OpenError::RecordsElsewhere`] where its records are in a shared catalog.
    pub fn must_be_in(data: &Path) -> Result<(), OpenError> {
        match data.join(CATALOG_FILE).exists() {
            true => Ok(()),
            false => Err(without_catalog(data)),
        }
    }

    /// What the store in a data folder holds now, whether or not a process has it open. It takes no writes. The
    /// catalog is copied into the file `copy`, which must stay until the snapshot is shut down, and is private.
    /// Nothing is deleted in the data folder for as long.
    ///
    /// # Errors
    /// [`BackupError`].
    pub async fn snapshot(data: &Path, copy: &Path, clock: &Clock) -> Result<Store, BackupError> {
        Store::must_be_in(data)?;
        let hold = BlobHold::keep(data)?;
        snapshot::take(clock, &data.join(CATALOG_FILE), copy)?;
        let catalog = SqliteCatalog::open_beside(copy, clock, READ_CONNECTIONS)?;
        let damaged = catalog.scrub_state().await?.damaged;
        let blobs = LocalFiles::open_beside(&LocalFilesOptions::new(data.join(BLOBS_FOLDER)));
        Ok(Store::frozen(Arc::new(catalog), Arc::new(blobs), clock, &damaged, hold))
    }
}
