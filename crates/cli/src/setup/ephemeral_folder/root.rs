//! Chooses where a throw-away folder is made: in a file system in memory where there is one with room, else in the
//! folder for temporary files; and in none where others could put something else in its place.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::{Mode, OFlags, Stat, fstat, fstatvfs, open};

/// What must be free in memory: containers often have 64 MiB there, which a large upload fills.
const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// A folder that throw-away folders are made in.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    folder: OwnedFd,
    in_memory: bool,
}

impl Root {
    /// The given folder, or the first that will do.
    pub(super) fn choose(given: Option<&Path>) -> anyhow::Result<Root> {
        if let Some(path) = given {
            let path = std::path::absolute(path)?;
            let root =
                Root::open(&path).with_context(|| format!("the folder {} cannot be used", path.display()))?;
            if !root.is_safe() {
                bail!(
                    "{} belongs to another user, or others could rename what is in it: name a folder of your own",
                    path.display()
                );
            }
            return Ok(root);
        }
        let memory = Root::open(Path::new("/dev/shm")).ok().filter(|root| root.in_memory && root.has_room());
        let on_disk = [std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
        let on_disk =
            on_disk.into_iter().filter_map(|path| Root::open(&std::path::absolute(path).ok()?).ok());
        let found = memory.into_iter().chain(on_disk).find(|root| root.is_safe() && root.takes_folders());
        found.context("no folder for temporary files can be used; name one with --ephemeral-in")
    }

    fn open(path: &Path) -> io::Result<Root> {
        if path.to_str().is_none() {
            return Err(io::Error::other("its name is no text, which environment variables must be"));
        }
        let folder = open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let in_memory = is_in_memory(&folder);
        Ok(Root { path: path.to_owned(), folder, in_memory })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It, opened.
    pub(super) fn folder(&self) -> &OwnedFd {
        &self.folder
    }

    /// Whether it is on a file system in memory.
    pub(super) fn in_memory(&self) -> bool {
        self.in_memory
    }

    /// The same folder once more.
    pub(super) fn try_clone(&self) -> io::Result<Root> {
        Ok(Root { path: self.path.clone(), folder: self.folder.try_clone()?, in_memory: self.in_memory })
    }

    /// Whether no other user but root can rename or remove what this user makes in it.
    fn is_safe(&self) -> bool {
        fstat(&self.folder).is_ok_and(|found| keeps_others_away(&found, rustix::process::geteuid().as_raw()))
    }

    fn has_room(&self) -> bool {
        fstatvfs(&self.folder)
            .is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) >= FREE_BYTES_MIN)
    }

    fn takes_folders(&self) -> bool {
        use rustix::fs::{Access, AtFlags, accessat};
        accessat(&self.folder, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
    }
}

/// The owner of a folder, and where it is not sticky everybody who may write to it, may rename what is in it.
fn keeps_others_away(found: &Stat, user: u32) -> bool {
    let sticky = found.st_mode & 0o1000 != 0;
    let open_to_all = found.st_mode & 0o002 != 0;
    (found.st_uid == 0 || found.st_uid == user) && (sticky || !open_to_all)
}

#[cfg(target_os = "linux")]
fn is_in_memory(folder: &OwnedFd) -> bool {
    /// The number of tmpfs; its type differs among processors.
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::fstatfs(folder).is_ok_and(|system| system.f_type as u64 == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_folder: &OwnedFd) -> bool {
    false
}
