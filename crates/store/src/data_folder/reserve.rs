//! Reserves disk space for deletions. A deletion must be written before anything is freed, and on a full disk there
//! is no room to write it: so a file that holds nothing is given up then, and made again when there is room enough.

use crate::blobs::device::{Device, LocalDisk};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file's name in the data folder.
pub(crate) const RESERVE_FILE: &str = "RESERVE";
/// Its length: more than the catalog lets lie in its log before it moves it, and hundreds of deletions besides.
const RESERVE_BYTES: u64 = 8 * 1024 * 1024;
/// It is made only where this much is free besides.
const FREE_BYTES_MIN: u64 = 2 * RESERVE_BYTES;

/// The file.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// In this data folder.
    pub(crate) fn new(folder: &Path) -> Reserve {
        Reserve { path: folder.join(RESERVE_FILE) }
    }

    /// Makes the file where it is not there and there is room. Blocks for a moment.
    pub(crate) fn fill(&self) {
        if self.path.exists() || !self.has_room() {
            return;
        }
        if let Err(error) = self.make() {
            tracing::debug!(%error, "no room is kept back for deleting");
            self.give_up();
        }
    }

    /// Gives the room up; says whether there was any.
    pub(crate) fn give_up(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }

    fn has_room(&self) -> bool {
        let folder = self.path.parent().unwrap_or(&self.path);
        LocalDisk.free_bytes(folder).is_ok_and(|free| free > RESERVE_BYTES + FREE_BYTES_MIN)
    }

    fn make(&self) -> std::io::Result<()> {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&self.path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
            Ok(()) => Ok(()),
            // Some file systems cannot set room aside but by writing.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                let zeros = vec![0; 64 * 1024];
                (0..RESERVE_BYTES / zeros.len() as u64).try_for_each(|_| file.write_all(&zeros))
            }
            Err(errno) => Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_kept_until_it_is_given_up_and_can_be_kept_again() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::new(folder.path());
        reserve.fill();
        reserve.fill();
        assert_eq!(fs::metadata(folder.path().join(RESERVE_FILE)).unwrap().len(), RESERVE_BYTES);
        assert!(reserve.give_up() && !reserve.give_up());
        reserve.fill();
        assert!(reserve.give_up());
    }
}
