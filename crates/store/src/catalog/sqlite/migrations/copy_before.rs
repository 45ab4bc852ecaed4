//! The copy of the catalog that is made before it is brought to a new schema, in the same folder:
//! `catalog.sqlite.before-schema-2`. It is one file, which an older version can open as its `catalog.sqlite`.
//!
//! It stays until it is removed by hand, or until a later migration has ended and has a copy of its own. Every start
//! says that it is there.

use super::room::Room;
use crate::Trouble;
use crate::blobs::device::{Device, folder_of};
use crate::catalog::sqlite::file_copy::{self, Synced};
use crate::catalog::sqlite::options::SqliteOptions;
use crate::catalog::{CatalogError, EngineError};
use rusqlite::Connection;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Between the catalog's name and the number of the schema.
const BEFORE: &str = ".before-schema-";

/// Copies the catalog and makes the copy and its name durable; refuses where there is no room for the copy and for the
/// migration. One that an earlier attempt has left is replaced.
pub(super) fn make(
    options: &SqliteOptions,
    catalog: &Connection,
    room: &Room,
) -> Result<PathBuf, CatalogError> {
    let copy = beside(&options.path, &format!("{BEFORE}{}", room.known));
    for end in ["", "-journal", "-wal", "-shm"] {
        remove(&*options.device, &beside(&copy, end)).map_err(|error| trouble(&copy, &error))?;
    }
    room.refuse_without(options)?;
    let synced = if options.durable { Synced::Here } else { Synced::Elsewhere };
    file_copy::copy(&options.clock, catalog, &copy, synced).map_err(|error| room.said(options, error))?;
    sync_folder(options).map_err(|error| trouble(&copy, &error))?;
    Ok(copy)
}

/// Removes the copies from before earlier migrations.
pub(super) fn remove_older(options: &SqliteOptions, newest: &Path) -> Result<(), CatalogError> {
    for older in all(options).into_iter().filter(|copy| copy != newest) {
        tracing::info!(target: "migration", copy = %older.display(), "a copy from before an earlier schema is removed");
        remove(&*options.device, &older).map_err(|error| trouble(&older, &error))?;
    }
    Ok(())
}

/// Says which copies there are.
pub(super) fn tell(options: &SqliteOptions) {
    for copy in all(options) {
        let bytes = std::fs::metadata(&copy).map_or(0, |file| file.len());
        tracing::info!(target: "migration",
            copy = %copy.display(),
            bytes,
            "the catalog as it was before its schema changed is still there; remove it when you will not go back"
        );
    }
}

/// A folder that cannot be listed has none that anybody could remove.
fn all(options: &SqliteOptions) -> Vec<PathBuf> {
    let folder = folder_of(&options.path);
    let begins = beside(&options.path, BEFORE);
    let begins = begins.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_copy = |name: &str| {
        name.strip_prefix(&begins)
            .is_some_and(|schema| !schema.is_empty() && schema.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let names = options.device.names_in(folder).unwrap_or_default();
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    names.filter(|name| is_copy(name)).map(|name| folder.join(name)).collect()
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn remove(device: &dyn Device, path: &Path) -> io::Result<()> {
    match device.remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(options: &SqliteOptions) -> io::Result<()> {
    if !options.durable {
        return Ok(());
    }
    options.device.open_folder(folder_of(&options.path))?.sync()
}

fn trouble(path: &Path, error: &io::Error) -> CatalogError {
    let said = EngineError::new(format!("{}: {error}", path.display()));
    CatalogError::Trouble { trouble: Trouble::DataFolder, said }
}
