//! How a throw-away folder is known: by the beginning of its name, its owner, and the mark in it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, fstat, openat};

/// What the names begin with.
pub(super) const PREFIX: &str = "countersign-ephemeral-";
/// The file that marks a folder and whose lock says that a process uses it.
pub(super) const MARK_FILE: &str = "EPHEMERAL";
/// What stands in it.
pub(super) const MARK: &[u8] =
    b"A throw-away data folder of countersign. It may be removed when no process holds a lock here.\n";

/// Opens a folder that is this user's alone, and never through a link.
pub(super) fn open_folder(within: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(within, name, flags, Mode::empty())?;
    let found = fstat(&folder)?;
    if found.st_uid == rustix::process::geteuid().as_raw() && found.st_mode & 0o077 == 0 {
        Ok(folder)
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}
