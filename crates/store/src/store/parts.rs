//! Opens the parts of a store: the data folder with its lock, the catalog and the blobs.

use super::options::StoreOptions;
use crate::blobs::device::{make_folder_if_missing, sync_name};
use crate::blobs::{Blobs, LocalFiles, LocalFilesOptions};
use crate::catalog::{Catalog, SharedCatalog, SharedCatalogOptions, SqliteCatalog, SqliteOptions};
use crate::data_folder::bound_folder::{bind, refuse_bound};
use crate::data_folder::folder_lock::FolderLock;
use crate::data_folder::{BLOBS_FOLDER, CATALOG_FILE, RESTORING_FILE};
use crate::{HealthFlag, OpenError};
use std::sync::Arc;

/// The folder's lock, the catalog and the blobs.
type Parts = (FolderLock, Arc<dyn Catalog>, Arc<dyn Blobs>);

/// Opens them.
pub(super) async fn open(options: &StoreOptions, health: &HealthFlag) -> Result<Parts, OpenError> {
    if let Some(shared) = &options.shared_catalog {
        return open_shared(options, shared, health).await;
    }
    let (embedded, health) = (options.clone(), health.clone());
    off_thread(options, move || open_embedded(&embedded, &health)).await
}

fn make_folder(options: &StoreOptions) -> Result<(), OpenError> {
    let folder = &options.data;
    let device = &*options.device;
    let made = make_folder_if_missing(device, folder)
        .and_then(|made| if options.durable { sync_name(device, folder, made) } else { Ok(()) });
    made.map_err(|source| OpenError::Folder { path: folder.clone(), source })?;
    if folder.join(RESTORING_FILE).exists() {
        return Err(OpenError::HalfRestored { path: folder.clone() });
    }
    Ok(())
}

fn open_embedded(options: &StoreOptions, health: &HealthFlag) -> Result<Parts, OpenError> {
    let folder = &options.data;
    make_folder(options)?;
    refuse_bound(folder)?;
    let path = folder.join(CATALOG_FILE);
    let lock = FolderLock::take_after(folder, || {
        SqliteCatalog::is_older(&path)?;
        Ok(())
    })?;
    let catalog = SqliteCatalog::open(SqliteOptions {
        path,
        clock: options.clock.clone(),
        health: health.clone(),
        durable: options.durable,
        read_connections: options.read_connections,
        garbage_grace: options.garbage_grace,
        device: Arc::clone(&options.device),
    })?;
    let blobs = open_blobs(options)?;
    Ok((lock, Arc::new(catalog), Arc::new(blobs)))
}

fn open_blobs(options: &StoreOptions) -> Result<LocalFiles, OpenError> {
    let blobs = LocalFiles::open(LocalFilesOptions {
        folder: options.data.join(BLOBS_FOLDER),
        durable: options.durable,
        unnamed_files: true,
        device: Arc::clone(&options.device),
        random: options.random.clone(),
    });
    Ok(blobs?)
}

/// Those of a store whose catalog is shared: the folder is locked and its mark read, then the catalog is opened for it,
/// and only then the blobs, of which the catalog knows what is left over.
async fn open_shared(
    options: &StoreOptions,
    shared: &Arc<dyn SharedCatalog>,
    health: &HealthFlag,
) -> Result<Parts, OpenError> {
    let of_folder = options.clone();
    let (lock, folder) = off_thread(options, move || {
        make_folder(&of_folder)?;
        let lock = FolderLock::take(&of_folder.data)?;
        Ok((lock, bind(&of_folder.data, &of_folder.random)?))
    })
    .await?;
    let opening = shared.open(SharedCatalogOptions {
        folder,
        clock: options.clock.clone(),
        random: options.random.clone(),
        health: health.clone(),
        read_connections: options.read_connections,
        garbage_grace: options.garbage_grace,
    });
    let catalog = opening.await.map_err(OpenError::SharedCatalog)?;
    let of_blobs = options.clone();
    let blobs = off_thread(options, move || open_blobs(&of_blobs)).await?;
    Ok((lock, catalog, Arc::new(blobs)))
}

async fn off_thread<T: Send + 'static>(
    options: &StoreOptions,
    open: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let path = options.data.clone();
    tokio::task::spawn_blocking(open)
        .await
        .unwrap_or_else(|lost| Err(OpenError::Folder { path, source: std::io::Error::other(lost) }))
}
