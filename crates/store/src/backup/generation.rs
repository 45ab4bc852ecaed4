//! The backup folder: its marker, its lock, its backups by name, and which blobs any of them still names.

use super::backup_error::{BackupError, failed};
use super::files;
use super::manifest::{self, Entry, MANIFEST_FILE};
use super::names;
use crate::blobs::{BlobId, LocalFiles, LocalFilesOptions, blob_path};
use crate::data_folder::BLOBS_FOLDER;
use crate::data_folder::folder_lock::FolderLock;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Says that a folder is ours.
const MARKER_FILE: &str = "countersign-backup";
/// The folder of the backups in it.
const BACKUPS_FOLDER: &str = "backups";
/// Ends the name of a backup that is not whole yet.
const PARTIAL: &str = ".partial";

/// A backup folder that is written to.
pub(super) struct Target {
    folder: PathBuf,
    _lock: FolderLock,
}

impl Target {
    /// Opens it for one writer, making it when it is not there, and clears away what a killed backup left.
    pub(super) fn open(folder: &Path, data: &Path) -> Result<Target, BackupError> {
        files::make_folder(folder)?;
        refuse_within(folder, data)?;
        let marker = folder.join(MARKER_FILE);
        if !marker.exists() {
            let mut names = fs::read_dir(folder).map_err(failed("read", folder))?;
            if names.next().is_some() {
                return Err(BackupError::NotABackupFolder { path: folder.to_path_buf() });
            }
            fs::write(&marker, "1\n").map_err(failed("written", &marker))?;
        }
        let target = Target { folder: folder.to_path_buf(), _lock: FolderLock::take(folder)? };
        files::make_folder(&target.blobs())?;
        files::make_folder(&target.folder.join(BACKUPS_FOLDER))?;
        for name in names(folder, true)? {
            let partial = target.path_of(&name);
            fs::remove_dir_all(&partial).map_err(failed("removed", &partial))?;
        }
        Ok(target)
    }

    /// Where the blobs lie.
    pub(super) fn blobs(&self) -> PathBuf {
        self.folder.join(BLOBS_FOLDER)
    }

    /// A name that rises with the time and that no backup has.
    pub(super) fn name_for(&self, now: Timestamp) -> String {
        let name = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut free = name.clone();
        for number in 2.. {
            if !self.path_of(&free).exists() {
                break;
            }
            free = format!("{name}-{number:03}");
        }
        free
    }

    /// The folder of a backup that is not whole yet.
    pub(super) fn begin(&self, name: &str) -> Result<PathBuf, BackupError> {
        let path = self.path_of(&format!("{name}{PARTIAL}"));
        files::make_folder(&path)?;
        Ok(path)
    }

    /// Gives a backup its name: from here on it is whole.
    pub(super) fn complete(&self, name: &str) -> Result<(), BackupError> {
        let partial = self.path_of(&format!("{name}{PARTIAL}"));
        files::sync_folder(&partial)?;
        names::rename(&partial, &self.path_of(name))?;
        files::sync_folder(&self.folder.join(BACKUPS_FOLDER))?;
        files::sync_folder(&self.folder)
    }

    /// Deletes all backups but the newest, and the blobs that none of those names.
    pub(super) fn keep_newest(&self, count: usize) -> Result<Vec<String>, BackupError> {
        let names = names(&self.folder, false)?;
        let (old, kept) = names.split_at(names.len().saturating_sub(count));
        if old.is_empty() {
            return Ok(Vec::new());
        }
        let mut named: BTreeSet<BlobId> = BTreeSet::new();
        for name in kept {
            // A manifest that cannot be read names nobody knows what: then nothing is deleted.
            let entries = manifest::read(&self.path_of(name))?;
            named.extend(entries.into_iter().filter_map(|entry| match entry {
                Entry::Blob { id, .. } => Some(id),
                Entry::File { .. } => None,
            }));
        }
        for name in old {
            // Without its name first, so that half of it never looks whole.
            let (path, partial) = (self.path_of(name), self.path_of(&format!("{name}{PARTIAL}")));
            names::rename(&path, &partial)?;
            fs::remove_dir_all(&partial).map_err(failed("removed", &partial))?;
        }
        self.delete_unnamed(&named)?;
        Ok(old.to_vec())
    }

    fn delete_unnamed(&self, named: &BTreeSet<BlobId>) -> Result<(), BackupError> {
        let root = self.blobs();
        let blobs = LocalFiles::open_beside(&LocalFilesOptions::new(&root));
        let mut after = None;
        loop {
            let page = blobs
                .published_now(after)
                .map_err(|error| failed("read", &root)(std::io::Error::other(error)))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for id in page.iter().filter(|id| !named.contains(id)) {
                names::remove(&blob_path(&root, *id))?;
            }
        }
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.folder.join(BACKUPS_FOLDER).join(name)
    }
}

/// The folder of a whole backup: the one of that name, else the newest.
pub(super) fn find(folder: &Path, wanted: Option<&str>) -> Result<(String, PathBuf), BackupError> {
    let none = || BackupError::NoBackup { path: folder.to_path_buf(), name: wanted.map(ToOwned::to_owned) };
    if !folder.join(MARKER_FILE).exists() {
        return Err(none());
    }
    let name = names(folder, false)?
        .into_iter()
        .rfind(|name| wanted.is_none_or(|wanted| wanted == name))
        .ok_or_else(none)?;
    let path = folder.join(BACKUPS_FOLDER).join(&name);
    Ok((name, path))
}

/// The names of the backups in a folder, in order: the whole ones, or those that are not.
fn names(folder: &Path, partial: bool) -> Result<Vec<String>, BackupError> {
    let backups = folder.join(BACKUPS_FOLDER);
    let mut names = Vec::new();
    for entry in fs::read_dir(&backups).map_err(failed("read", &backups))? {
        let name = entry.map_err(failed("read", &backups))?.file_name();
        let Ok(name) = name.into_string() else { continue };
        let whole = !name.ends_with(PARTIAL) && backups.join(&name).join(MANIFEST_FILE).exists();
        if if partial { name.ends_with(PARTIAL) } else { whole } {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A backup in the data folder would be lost with it, and data in a backup be taken for one.
fn refuse_within(folder: &Path, data: &Path) -> Result<(), BackupError> {
    let (inner, outer) = (folder.canonicalize(), data.canonicalize());
    let (inner, outer) = (inner.map_err(failed("read", folder))?, outer.map_err(failed("read", data))?);
    if inner.starts_with(&outer) || outer.starts_with(&inner) {
        return Err(BackupError::WithinData { path: folder.to_path_buf() });
    }
    Ok(())
}
