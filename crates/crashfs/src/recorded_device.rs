//! A device of the store that records: the real file system does each operation, and the trace notes it.

use crate::event::{Event, Inode};
use crate::trace::Trace;
use countersign_store::blobs::device::{Device, DeviceFile, DeviceFolder, LocalDisk};
use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

/// A device that records. It knows only what is in the trace's folder.
#[derive(Debug, Clone)]
pub struct RecordedDevice {
    trace: Arc<Trace>,
    unnamed_files: bool,
}

impl RecordedDevice {
    /// Records here. Without unnamed files it behaves as a file system that has none.
    pub fn new(trace: Arc<Trace>, unnamed_files: bool) -> RecordedDevice {
        RecordedDevice { trace, unnamed_files }
    }

    fn recorded(&self, file: Arc<dyn DeviceFile>, inode: Inode, place: String) -> Arc<dyn DeviceFile> {
        Arc::new(RecordedFile { trace: Arc::clone(&self.trace), file, inode, place })
    }
}

impl Device for RecordedDevice {
    fn create_unnamed(&self, folder: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        if !self.unnamed_files {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let place = format!("{}/(unnamed)", self.trace.place(folder)?);
        self.trace.step(|state| {
            let file = LocalDisk.create_unnamed(folder)?;
            let inode = state.next_inode();
            state.push(Event::MakeFile(inode), place.clone());
            Ok(self.recorded(file, inode, place.clone()))
        })
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        let place = self.trace.place(path)?;
        self.trace.step(|state| {
            let file = LocalDisk.create(path)?;
            let inode = state.next_inode();
            state.push(Event::MakeFile(inode), place.clone());
            state.named(&place, inode)?;
            Ok(self.recorded(file, inode, place.clone()))
        })
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        LocalDisk.open(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let place = self.trace.place(path)?;
        self.trace.step(|state| {
            LocalDisk.remove(path)?;
            state.unnamed(&place)
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (old, new) = (self.trace.place(from)?, self.trace.place(to)?);
        self.trace.step(|state| {
            LocalDisk.rename(from, to)?;
            let inode = state.find(&old).ok_or(io::ErrorKind::NotFound)?;
            state.named(&new, inode)?;
            state.unnamed(&old)
        })
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let place = self.trace.place(path)?;
        self.trace.step(|state| {
            LocalDisk.make_folder(path)?;
            let inode = state.next_inode();
            state.push(Event::MakeFolder(inode), place.clone());
            state.named(&place, inode)
        })
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let place = self.trace.place(path)?;
        self.trace.step(|state| {
            LocalDisk.remove_folder(path)?;
            state.unnamed(&place)
        })
    }

    fn open_folder(&self, path: &Path) -> io::Result<Arc<dyn DeviceFolder>> {
        let place = self.trace.place(path)?;
        let found = self.trace.step(|state| Ok(state.find(&place)))?;
        let inode = found.ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(RecordedFolder { trace: Arc::clone(&self.trace), inode, place }))
    }

    fn names_in(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        LocalDisk.names_in(folder)
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        LocalDisk.free_bytes(folder)
    }
}

#[derive(Debug)]
struct RecordedFile {
    trace: Arc<Trace>,
    file: Arc<dyn DeviceFile>,
    inode: Inode,
    place: String,
}

impl DeviceFile for RecordedFile {
    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        self.trace.step(|state| {
            let written = self.file.write_at(slices, offset)?;
            let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            bytes.truncate(written);
            state.push(Event::Write(self.inode, offset, bytes.into()), self.place.clone());
            Ok(written)
        })
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn read_at_hand(&self, buffer: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        self.file.read_at_hand(buffer, offset)
    }

    fn start_write_back(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.trace.sync(&self.place, |until| Event::SyncFile(self.inode, until))
    }

    fn link(&self, path: &Path) -> io::Result<()> {
        let place = self.trace.place(path)?;
        self.trace.step(|state| {
            self.file.link(path)?;
            state.named(&place, self.inode)
        })
    }
}

#[derive(Debug)]
struct RecordedFolder {
    trace: Arc<Trace>,
    inode: Inode,
    place: String,
}

impl DeviceFolder for RecordedFolder {
    fn sync(&self) -> io::Result<()> {
        self.trace.sync(&self.place, |until| Event::SyncFolder(self.inode, until))
    }
}
