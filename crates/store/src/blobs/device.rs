//! The trait of the file system: the few operations that the store's own files need, one call for each.
//!
//! The real one is [`LocalDisk`]; tests put one in its place that records what a disk was promised. A call is
//! dynamic once per operation, and an operation moves up to hundreds of kilobytes, so that it costs nothing.
//! What is durable is what the syncs say: a file's bytes and length after [`DeviceFile::sync_data`], the names in
//! a folder (made, given, taken away) after [`DeviceFolder::sync`], and nothing else.
//!
//! It knows nothing of blobs: any file under the data folder that must survive a crash belongs here. SQLite's
//! files have a seam of their own, the VFS.

mod direct_writes;
mod local_disk;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

pub use local_disk::LocalDisk;

/// A file system, as far as the store needs one. Files and folders are made for their owner alone.
pub trait Device: Send + Sync + fmt::Debug {
    /// Makes a file without a name in the folder's file system. Some systems have none.
    fn create_unnamed(&self, folder: &Path) -> io::Result<Arc<dyn DeviceFile>>;

    /// Makes a file that must not be there yet, for reading and writing.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>>;

    /// Takes a name away; the bytes stay for whoever has the file open.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name, in another folder or not, replacing what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes a folder that must not be there yet.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;

    /// Opens a folder, to sync it.
    fn open_folder(&self, path: &Path) -> io::Result<Arc<dyn DeviceFolder>>;

    /// The names in a folder, in no order.
    fn names_in(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// How many bytes the folder's file system has room for.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

/// An open file. It stays readable when its name is taken away.
pub trait DeviceFile: Send + Sync + fmt::Debug {
    /// Writes at an offset, possibly less than all, and says how much. Whole pages at a multiple of a page's size
    /// cost least.
    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize>;

    /// Reads into the buffer, possibly less, and says how much: 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Reads what is in memory already, possibly less, and does not wait for the disk: `None` where nothing is, or
    /// where that cannot be told.
    fn read_at_hand(&self, buffer: &mut [u8], offset: u64) -> io::Result<Option<usize>>;

    /// Starts moving a written range to the disk and does not wait. Promises nothing.
    fn start_write_back(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Makes the bytes and the length durable.
    fn sync_data(&self) -> io::Result<()>;

    /// Gives a file without a name its name, which nothing may have yet.
    fn link(&self, path: &Path) -> io::Result<()>;
}

/// An open folder.
pub trait DeviceFolder: Send + Sync + fmt::Debug {
    /// Makes the names in it durable: those given and those taken away.
    fn sync(&self) -> io::Result<()>;
}

/// Makes a folder and those it is in, where they are not there. Says whether this one was made.
pub(crate) fn make_folder_if_missing(device: &dyn Device, path: &Path) -> io::Result<bool> {
    match device.make_folder(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = parent_of(path).ok_or(error)?;
            let made = make_folder_if_missing(device, parent)?;
            sync_name(device, parent, made)?;
            device.make_folder(path).map(|()| true)
        }
        Err(error) => Err(error),
    }
}

/// Makes a folder's own name durable. That of a folder that was there too: a process may have been killed
/// between making and syncing it.
pub(crate) fn sync_name(device: &dyn Device, path: &Path, made: bool) -> io::Result<()> {
    let Some(parent) = parent_of(path) else { return Ok(()) };
    match device.open_folder(parent).and_then(|parent| parent.sync()) {
        // Somebody else made it, where this process may not look.
        Err(error) if !made && error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    parent_of(path).unwrap_or(Path::new("."))
}

fn parent_of(path: &Path) -> Option<&Path> {
    path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}
