//! Restores a backup: copies every file into an empty folder and compares it with the manifest. A marker in the
//! folder, which is removed last, keeps a store from starting on half of it.

use super::backup_error::{BackupError, failed};
use super::manifest::{self, Entry};
use super::{files, generation};
use crate::blobs::blob_path;
use crate::data_folder::folder_lock::{FolderLock, LOCK_FILE};
use crate::data_folder::{BLOBS_FOLDER, RESTORING_FILE};
use crate::store::Store;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How to restore a backup.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The backup folder.
    pub source: PathBuf,
    /// The backup's name; the newest when none is given.
    pub name: Option<String>,
    /// The folder to restore into: empty, or not there.
    pub data: PathBuf,
    /// Restore what is whole although something is damaged.
    pub accept_damage: bool,
}

/// A backup that was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Its name.
    pub name: String,
    /// Files, the blobs among them.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that are not what the manifest says, where that was accepted.
    pub damaged: Vec<(String, String)>,
}

impl Store {
    /// Restores a backup. Blocks. A restore that was killed is begun again by the same call.
    ///
    /// # Errors
    /// [`BackupError`]. A folder that was begun stays marked, and no store starts on it.
    pub fn restore_folder(
        options: &RestoreOptions,
        mut told: impl FnMut(&Restored),
    ) -> Result<Restored, BackupError> {
        let (name, from) = generation::find(&options.source, options.name.as_deref())?;
        let entries = manifest::read(&from)?;
        files::make_folder(&options.data)?;
        refuse_what_is_not_empty(&options.data)?;
        let _lock = FolderLock::take(&options.data)?;
        let marker = options.data.join(RESTORING_FILE);
        fs::write(&marker, format!("{name}\n")).map_err(failed("written", &marker))?;
        files::sync_folder(&options.data)?;
        let mut restored = Restored { name, ..Restored::default() };
        let mut folders = BTreeSet::from([options.data.clone(), options.data.join(BLOBS_FOLDER)]);
        files::make_folder(&options.data.join(BLOBS_FOLDER))?;
        for entry in &entries {
            bring_back(&options.source, &from, entry, &options.data, &mut folders, &mut restored)?;
            told(&restored);
        }
        if !restored.damaged.is_empty() && !options.accept_damage {
            return Err(BackupError::Damaged { damaged: restored.damaged });
        }
        folders.iter().try_for_each(|folder| files::sync_folder(folder))?;
        fs::remove_file(&marker).map_err(failed("removed", &marker))?;
        files::sync_folder(&options.data)?;
        Ok(restored)
    }
}

fn refuse_what_is_not_empty(data: &Path) -> Result<(), BackupError> {
    if data.join(RESTORING_FILE).exists() {
        return Ok(());
    }
    for entry in fs::read_dir(data).map_err(failed("read", data))? {
        if entry.map_err(failed("read", data))?.file_name() != LOCK_FILE {
            return Err(BackupError::NotEmpty { path: data.to_path_buf() });
        }
    }
    Ok(())
}

fn bring_back(
    source: &Path,
    generation: &Path,
    entry: &Entry,
    data: &Path,
    folders: &mut BTreeSet<PathBuf>,
    restored: &mut Restored,
) -> Result<(), BackupError> {
    let (from, to, expected) = match entry {
        Entry::File { name, summed } => (generation.join(name), data.join(name), Some(summed)),
        Entry::Blob { id, summed } => (
            blob_path(&source.join(BLOBS_FOLDER), *id),
            blob_path(&data.join(BLOBS_FOLDER), *id),
            summed.as_ref(),
        ),
    };
    if let Some(folder) = to.parent()
        && folders.insert(folder.to_path_buf())
    {
        files::make_folder(folder)?;
    }
    match files::copy(&from, &to) {
        Ok(found) => {
            restored.files += 1;
            restored.bytes += found.len;
            let difference = expected.and_then(|expected| expected.difference(&found));
            restored.damaged.extend(difference.map(|what| (from.display().to_string(), what)));
            Ok(())
        }
        Err(BackupError::File { what: "read", path, source }) => {
            restored.damaged.push((path.display().to_string(), source.to_string()));
            Ok(())
        }
        Err(error) => Err(error),
    }
}
