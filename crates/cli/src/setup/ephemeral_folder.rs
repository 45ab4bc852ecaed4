//! A data folder that is removed with its process: in memory where the system has a file system there. It is removed
//! at the end by its process, by a shell that waits for the process to be killed, or by the next start where both
//! were killed.
//!
//! Other users of the machine may write where it is made, so its name is random, it is made and never taken over, and
//! it is opened without following links. A folder is removed only if it is this user's, its mark says what it is, and
//! the lock on the mark is free, which the system frees when the process ends.

mod guard;
mod leftovers;
mod marking;
mod root;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, mkdirat, openat};

use super::random;
use guard::FolderGuard;
use marking::{MARK, MARK_FILE, PREFIX, open_folder};
use root::Root;

/// How often a name is tried: another start may remove the folder before it is marked.
const NAMES_TRIED: usize = 16;
/// How often it is tried to remove a folder into which a thread may still be writing.
const REMOVALS_TRIED: usize = 50;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// The folder; dropping it removes it.
#[derive(Debug)]
pub(crate) struct EphemeralFolder {
    root: Root,
    name: String,
    path: PathBuf,
    folder: OwnedFd,
    /// Held open for its lock.
    _mark: OwnedFd,
    guard: Option<FolderGuard>,
    /// Removes what others left, and is done before this process is.
    cleaning: Option<JoinHandle<()>>,
    removed: bool,
}

impl EphemeralFolder {
    /// Makes a folder, in `within` or where the system keeps such things. What killed processes left there is removed
    /// by the way, in a thread of its own.
    pub(crate) fn make(within: Option<&Path>) -> anyhow::Result<Self> {
        let root = Root::choose(within)?;
        let failed = || format!("no folder can be made in {}", root.path().display());
        let mut tried = 0;
        let mut made = loop {
            tried += 1;
            match Self::make_in(&root) {
                // Another start took the folder for a leftover before it was marked.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tried < NAMES_TRIED => {}
                made => break made.with_context(failed)?,
            }
        };
        made.cleaning = Some(leftovers::remove_in_background(&root).with_context(failed)?);
        Ok(made)
    }

    fn make_in(root: &Root) -> io::Result<Self> {
        let name = random::text::<12>().map_err(io::Error::other)?;
        let name = format!("{PREFIX}{name}");
        let path = root.path().join(&name);
        // Before there is anything to guard, so that there is no moment without.
        let guard = FolderGuard::of(&path);
        if let Err(error) = mkdirat(root.folder(), &name, Mode::RWXU) {
            // Whatever has the name is not this process's.
            guard.into_iter().for_each(FolderGuard::dismiss);
            return Err(error.into());
        }
        let folder = open_folder(root.folder(), &name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mark = openat(&folder, MARK_FILE, flags, Mode::RUSR | Mode::WUSR)?;
        // Waits: another start may just be looking whether this is a leftover.
        flock(&mark, FlockOperation::LockExclusive)?;
        if fstat(&mark)?.st_nlink == 0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        rustix::io::write(&mark, MARK)?;
        Ok(Self {
            root: root.try_clone()?,
            name,
            path,
            folder,
            _mark: mark,
            guard,
            cleaning: None,
            removed: false,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is said of it: whether it is in memory, and that it does not stay.
    pub(crate) fn in_words(&self) -> &'static str {
        if self.root.in_memory() {
            "in memory, removed at the end; nothing is synced"
        } else {
            "removed at the end; nothing is synced"
        }
    }

    /// Removes it with all that is in it.
    pub(crate) fn remove(mut self) -> io::Result<()> {
        self.remove_now()
    }

    fn remove_now(&mut self) -> io::Result<()> {
        self.removed = true;
        if let Some(cleaning) = self.cleaning.take() {
            let _nothing_it_says = cleaning.join();
        }
        let mut tried = 0;
        loop {
            tried += 1;
            match leftovers::remove(self.root.folder(), &self.name, &self.folder) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && tried < REMOVALS_TRIED => {
                    std::thread::sleep(REMOVAL_PAUSE);
                }
                removed => {
                    self.guard.take().filter(|_| removed.is_ok()).into_iter().for_each(FolderGuard::dismiss);
                    return removed;
                }
            }
        }
    }
}

impl Drop for EphemeralFolder {
    fn drop(&mut self) {
        if !self.removed
            && let Err(error) = self.remove_now()
        {
            tracing::warn!(%error, folder = %self.path.display(), "the throw-away folder stays for the next start");
        }
    }
}

#[cfg(test)]
mod tests;
