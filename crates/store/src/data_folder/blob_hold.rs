//! Keeps blobs from being deleted while a backup copies them, by an advisory lock on a file in the data folder.
//!
//! A backup, which is another process, holds it shared; the sweeper takes it alone for each of its rounds, and puts
//! the round off while it cannot. The system releases it with the process, so that a backup that was killed holds
//! nothing.

use crate::OpenError;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::path::Path;

/// The file's name in the data folder.
pub(crate) const HOLD_FILE: &str = "BACKUP";

/// The file, held or not.
#[derive(Debug)]
pub(crate) struct BlobHold {
    file: File,
}

/// A round in which blobs may be deleted.
#[derive(Debug)]
pub(crate) struct DeletingRound<'a>(&'a BlobHold);

impl BlobHold {
    /// Opens the file, holding nothing.
    pub(crate) fn open(folder: &Path) -> Result<BlobHold, OpenError> {
        let path = folder.join(HOLD_FILE);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        opened.map(|file| BlobHold { file }).map_err(|source| OpenError::Folder { path, source })
    }

    /// Keeps all blobs where they are until this is dropped. Waits for a round that is under way.
    pub(crate) fn keep(folder: &Path) -> Result<BlobHold, OpenError> {
        let hold = BlobHold::open(folder)?;
        match flock(&hold.file, FlockOperation::LockShared) {
            Ok(()) => Ok(hold),
            Err(errno) => Err(OpenError::Folder { path: folder.join(HOLD_FILE), source: errno.into() }),
        }
    }

    /// Begins a round of deleting; none while somebody keeps the blobs.
    pub(crate) fn begin_deleting(&self) -> Option<DeletingRound<'_>> {
        flock(&self.file, FlockOperation::NonBlockingLockExclusive).ok().map(|()| DeletingRound(self))
    }
}

impl Drop for DeletingRound<'_> {
    fn drop(&mut self) {
        if let Err(error) = flock(&self.0.file, FlockOperation::Unlock) {
            tracing::warn!(%error, "backups have to wait, since the hold on the blobs was not given back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_deletes_while_a_backup_holds_the_blobs() {
        let folder = tempfile::tempdir().unwrap();
        let sweeper = BlobHold::open(folder.path()).unwrap();
        drop(sweeper.begin_deleting().unwrap());
        let backups = [BlobHold::keep(folder.path()).unwrap(), BlobHold::keep(folder.path()).unwrap()];
        assert!(sweeper.begin_deleting().is_none());
        drop(backups);
        assert!(sweeper.begin_deleting().is_some());
    }
}
