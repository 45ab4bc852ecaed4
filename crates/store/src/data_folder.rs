//! What lies in a store's folder besides its catalog and blobs: the lock, the backup's hold, the room kept back for
//! deleting; and the names of all of it.

pub(crate) mod blob_hold;
pub(crate) mod bound_folder;
pub(crate) mod folder_lock;
pub(crate) mod reserve;
pub(crate) mod state_metrics;

/// The catalog's file in the data folder.
pub(crate) const CATALOG_FILE: &str = "catalog.sqlite";
/// The folder of the blobs in the data folder.
pub(crate) const BLOBS_FOLDER: &str = "blobs";
/// Marks a data folder into which a backup is being restored.
pub(crate) const RESTORING_FILE: &str = "RESTORING";
