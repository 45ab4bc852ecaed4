//! Lets only one process open a data folder: an advisory lock on a file in it, held for as long as the store is open.

use crate::OpenError;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The file's name in the folder.
pub(crate) const LOCK_FILE: &str = "LOCK";

/// The lock; the system releases it when this is dropped or the process dies.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock at once or says who has it.
    pub(crate) fn take(folder: &Path) -> Result<FolderLock, OpenError> {
        FolderLock::take_after(folder, || Ok(()))
    }

    /// As [`FolderLock::take`]. `look` is called with the lock taken and nothing written yet; what it refuses leaves the
    /// file as it was.
    pub(crate) fn take_after(
        folder: &Path,
        look: impl FnOnce() -> Result<(), OpenError>,
    ) -> Result<FolderLock, OpenError> {
        let path = folder.join(LOCK_FILE);
        let failed = |source| OpenError::Folder { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let pid = file.read_to_string(&mut holder).ok().and_then(|_| holder.trim().parse().ok());
                return Err(OpenError::InUse { path: folder.to_path_buf(), pid });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        look()?;
        file.set_len(0).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(FolderLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_is_told_who_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).unwrap();
        let Err(OpenError::InUse { pid, .. }) = FolderLock::take(folder.path()) else {
            panic!("the lock was given twice");
        };
        assert_eq!(pid, Some(std::process::id()));
        drop(first);
        FolderLock::take(folder.path()).unwrap();
    }
}
