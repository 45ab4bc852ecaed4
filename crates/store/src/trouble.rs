//! Remembers why the system refuses the store for a while (no file descriptor left, or the data folder cannot be read
//! or written), so that an operator is told what to do.
//!
//! It is noted where it happens, and shown on the health page; unlike a failed sync it ends nothing, and the next
//! call is tried as ever.

use jiff::Timestamp;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A kind of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The process, or the system, has no file descriptor left.
    OpenFiles,
    /// A file or folder of the data folder cannot be read or written: no permission, a disk that fails, a file system
    /// that is read-only or gone.
    DataFolder,
}

impl Trouble {
    /// What the system's refusal is, if it is one of these. That there is no room is another matter.
    pub fn of(error: &io::Error) -> Option<Trouble> {
        let folder = [
            Errno::ACCESS,
            Errno::PERM,
            Errno::IO,
            Errno::ROFS,
            Errno::NOENT,
            Errno::NOTDIR,
            Errno::STALE,
            Errno::NODEV,
            Errno::NXIO,
            Errno::UCLEAN,
        ];
        let errno = Errno::from_io_error(error)?;
        if [Errno::MFILE, Errno::NFILE].contains(&errno) {
            Some(Trouble::OpenFiles)
        } else {
            folder.contains(&errno).then_some(Trouble::DataFolder)
        }
    }
}

/// A kind of refusal, as often as it has happened since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubleNote {
    /// The kind.
    pub trouble: Trouble,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Timestamp,
    /// What was said then.
    pub reason: String,
}

/// What has been refused since the start. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Troubles(Arc<Mutex<BTreeMap<Trouble, TroubleNote>>>);

impl Troubles {
    /// Notes one more.
    pub(crate) fn note(&self, trouble: Trouble, reason: String, now: Timestamp) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = notes.get(&trouble).map_or(0, |note| note.count) + 1;
        notes.insert(trouble, TroubleNote { trouble, count, last: now, reason });
    }

    /// One of each kind that has happened.
    pub(crate) fn all(&self) -> Vec<TroubleNote> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_descriptor_table_a_folder_without_permission_and_a_full_disk_are_told_apart() {
        let of = |errno: Errno| Trouble::of(&errno.into());
        assert_eq!([Errno::MFILE, Errno::NFILE].map(of), [Some(Trouble::OpenFiles); 2]);
        assert_eq!([Errno::ACCESS, Errno::IO, Errno::ROFS].map(of), [Some(Trouble::DataFolder); 3]);
        assert_eq!((of(Errno::NOSPC), Trouble::of(&io::Error::other("?"))), (None, None));
    }
}
