//! Removes throw-away folders whose process was killed, and those whose process is done with them.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstat, openat, unlinkat};
use rustix::io::Errno;

use super::marking::{MARK, MARK_FILE, PREFIX, open_folder};
use super::root::Root;

/// Removes what is left over, so that the start does not wait for it.
pub(super) fn remove_in_background(root: &Root) -> io::Result<JoinHandle<()>> {
    let root = root.try_clone()?;
    std::thread::Builder::new().name("leftovers".to_owned()).spawn(move || remove_all(root.folder()))
}

/// Removes every folder that no process uses any more, as far as it is this user's.
pub(super) fn remove_all(root: &OwnedFd) {
    let names = names_in(root).unwrap_or_default();
    for name in names.iter().filter_map(|name| name.to_str().ok()).filter(|name| name.starts_with(PREFIX)) {
        match remove_if_left(root, name) {
            Ok(()) | Err(Left::InUse) => {}
            Err(Left::NotOurs) => tracing::debug!(name, "is no throw-away folder of this user and stays"),
            Err(Left::Failed(error)) => tracing::debug!(name, %error, "a throw-away folder stays"),
        }
    }
}

/// Why a folder stays.
enum Left {
    /// A process holds its lock.
    InUse,
    /// It is another user's, or not marked as a throw-away folder.
    NotOurs,
    Failed(io::Error),
}

impl From<Errno> for Left {
    fn from(error: Errno) -> Self {
        Left::Failed(error.into())
    }
}

impl From<io::Error> for Left {
    fn from(error: io::Error) -> Self {
        Left::Failed(error)
    }
}

fn remove_if_left(root: &OwnedFd, name: &str) -> Result<(), Left> {
    let folder = open_folder(root, name).map_err(|_| Left::NotOurs)?;
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mark = match openat(&folder, MARK_FILE, flags, Mode::empty()) {
        Ok(mark) => mark,
        // Killed before it was marked, or after the mark was removed: nothing is in it then.
        Err(Errno::NOENT) => return remove_empty(root, name).map_err(|_| Left::NotOurs),
        Err(_) => return Err(Left::NotOurs),
    };
    if FileType::from_raw_mode(fstat(&mark)?.st_mode) != FileType::RegularFile {
        return Err(Left::NotOurs);
    }
    match flock(&mark, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(Left::InUse),
        Err(error) => return Err(error.into()),
    }
    let mut text = [0; 256];
    let read = rustix::io::read(&mark, &mut text)?;
    let is_marked = text.get(..read) == Some(MARK);
    // Killed between making and writing the mark.
    let is_begun = read == 0 && names_in(&folder)?.iter().all(|name| is_mark(name));
    if !is_marked && !is_begun {
        return Err(Left::NotOurs);
    }
    Ok(remove(root, name, &folder)?)
}

/// Removes a folder and all in it; the mark last, so that a start finds what is left when this process is killed.
pub(super) fn remove(root: &OwnedFd, name: &str, folder: &OwnedFd) -> io::Result<()> {
    let (marks, others): (Vec<_>, Vec<_>) = names_in(folder)?.into_iter().partition(|name| is_mark(name));
    for inner in others.iter().chain(&marks) {
        remove_any(folder, inner)?;
    }
    remove_empty(root, name)
}

/// Removes a file, or a folder with all in it; what a link points at stays.
fn remove_any(within: &OwnedFd, name: &CStr) -> io::Result<()> {
    match unlinkat(within, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let folder = openat(within, name, flags, Mode::empty())?;
            for inner in &names_in(&folder)? {
                remove_any(&folder, inner)?;
            }
            match unlinkat(within, name, AtFlags::REMOVEDIR) {
                Err(Errno::NOENT) => Ok(()),
                removed => Ok(removed?),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes an empty folder.
fn remove_empty(within: &OwnedFd, name: &str) -> io::Result<()> {
    match unlinkat(within, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOENT) => Ok(()),
        removed => Ok(removed?),
    }
}

fn is_mark(name: &CStr) -> bool {
    name.to_bytes() == MARK_FILE.as_bytes()
}

/// The names in a folder.
fn names_in(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}
