//! The files of a data folder besides the catalog and the blobs: databases such as the ledger, keys, settings.

use super::backup_error::{BackupError, failed};
use super::manifest::{Summed, Summing};
use super::snapshot;
use crate::Clock;
use crate::blobs::device::{LocalDisk, make_folder_if_missing, sync_name};
use crate::data_folder::CATALOG_FILE;
use crate::data_folder::blob_hold::HOLD_FILE;
use crate::data_folder::folder_lock::LOCK_FILE;
use crate::data_folder::reserve::RESERVE_FILE;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How a database file of SQLite begins.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How much is read at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Copies all of them into the backup's folder: databases as they are at one moment, everything else as it lies.
pub(super) fn take_all(
    clock: &Clock,
    data: &Path,
    generation: &Path,
) -> Result<Vec<(String, Summed)>, BackupError> {
    let mut taken = Vec::new();
    for entry in fs::read_dir(data).map_err(failed("read", data))? {
        let entry = entry.map_err(failed("read", data))?;
        let from = entry.path();
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_file = entry.file_type().map_err(failed("read", &from))?.is_file();
        if !is_file || !is_taken(&name) {
            continue;
        }
        let to = generation.join(&name);
        if is_database(&from).map_err(failed("read", &from))? {
            snapshot::take(clock, &from, &to)?;
            taken.push((name, sync_and_sum(&to)?));
        } else {
            taken.push((name, copy(&from, &to)?));
        }
    }
    taken.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(taken)
}

/// What belongs to a process and not to the data, what SQLite keeps beside a database, and the catalog as it was before
/// its schema changed, stay behind.
fn is_taken(name: &str) -> bool {
    const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ".draft"];
    let own = [LOCK_FILE, HOLD_FILE, RESERVE_FILE].contains(&name)
        || name == CATALOG_FILE
        || name.strip_prefix(CATALOG_FILE).is_some_and(|end| end.starts_with(".before-schema-"))
        || name.starts_with('.');
    !own && !name.contains(char::is_control) && !BESIDE.iter().any(|end| name.ends_with(end))
}

fn is_database(path: &Path) -> std::io::Result<bool> {
    let mut begin = Vec::with_capacity(SQLITE_MAGIC.len());
    File::open(path)?.take(SQLITE_MAGIC.len() as u64).read_to_end(&mut begin)?;
    Ok(begin == SQLITE_MAGIC)
}

/// Copies a file, durably and for its owner only, and sums what was copied.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Summed, BackupError> {
    let mut source = File::open(from).map_err(failed("read", from))?;
    let target = File::options().write(true).create(true).truncate(true).mode(0o600).open(to);
    let mut target = target.map_err(failed("written", to))?;
    let summed = pour(&mut source, Some(&mut target)).map_err(|error| match error {
        Poured::Read(source) => failed("read", from)(source),
        Poured::Write(source) => failed("written", to)(source),
    })?;
    target.sync_all().map_err(failed("written", to))?;
    Ok(summed)
}

/// Makes a file durable and sums it.
pub(super) fn sync_and_sum(path: &Path) -> Result<Summed, BackupError> {
    let mut file = File::open(path).map_err(failed("read", path))?;
    file.sync_all().map_err(failed("written", path))?;
    sum(&mut file).map_err(failed("read", path))
}

/// Sums a file.
pub(super) fn sum(file: &mut File) -> std::io::Result<Summed> {
    pour(file, None).map_err(|error| match error {
        Poured::Read(source) | Poured::Write(source) => source,
    })
}

/// Which side failed.
pub(super) enum Poured {
    Read(std::io::Error),
    Write(std::io::Error),
}

/// Reads a file to its end, writes what was read where that is wanted, and sums it.
pub(super) fn pour(source: &mut File, mut target: Option<&mut File>) -> Result<Summed, Poured> {
    let (mut summing, mut buffer) = (Summing::new(), vec![0; CHUNK_BYTES]);
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(summing.finish()),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Poured::Read(error)),
        };
        let chunk = buffer.get(..count).expect("no more is read than the buffer holds");
        summing.take(chunk);
        if let Some(target) = target.as_deref_mut() {
            target.write_all(chunk).map_err(Poured::Write)?;
        }
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("written", folder))
}

/// Makes a folder for its owner only, and those above it, durably; one that is there is no error.
pub(super) fn make_folder(path: &Path) -> Result<(), BackupError> {
    if path.is_dir() {
        return Ok(());
    }
    let made = make_folder_if_missing(&LocalDisk, path).map_err(failed("made", path))?;
    sync_name(&LocalDisk, path, made).map_err(failed("written", path))
}
