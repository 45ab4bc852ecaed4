//! The real file system, behind the trait [`Device`](super::Device).

use super::direct_writes::DirectWrites;
use super::{Device, DeviceFile, DeviceFolder};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, renameat};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// The file system that the process sees.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalDisk;

#[derive(Debug)]
struct LocalFile {
    file: File,
    direct: DirectWrites,
}

#[derive(Debug)]
struct LocalFolder(File);

impl LocalFile {
    fn of(file: File) -> Arc<dyn DeviceFile> {
        Arc::new(LocalFile { file, direct: DirectWrites::default() })
    }
}

fn opened(options: &OpenOptions, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
    Ok(LocalFile::of(options.open(path)?))
}

impl Device for LocalDisk {
    fn create_unnamed(&self, folder: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(LocalFile::of(File::from(file)))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        opened(File::options().read(true).write(true).create_new(true).mode(0o600), path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        opened(File::options().read(true), path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(renameat(CWD, from, CWD, to)?)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn open_folder(&self, path: &Path) -> io::Result<Arc<dyn DeviceFolder>> {
        Ok(Arc::new(LocalFolder(File::open(path)?)))
    }

    fn names_in(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let space = rustix::fs::statvfs(folder)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
}

impl DeviceFile for LocalFile {
    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        match self.direct.write_at(&self.file, slices, offset)? {
            Some(written) => Ok(written),
            None => Ok(rustix::io::pwritev(&self.file, slices, offset)?),
        }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::pread(&self.file, buffer, offset)?)
    }

    #[cfg(target_os = "linux")]
    fn read_at_hand(&self, buffer: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        use rustix::io::{Errno, ReadWriteFlags, preadv2};

        match preadv2(&self.file, &mut [IoSliceMut::new(buffer)], offset, ReadWriteFlags::NOWAIT) {
            Ok(read) => Ok(Some(read)),
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn read_at_hand(&self, _buffer: &mut [u8], _offset: u64) -> io::Result<Option<usize>> {
        Ok(None)
    }

    fn start_write_back(&self, offset: u64, len: u64) -> io::Result<()> {
        countersign_sys::sync_file_range_write(self.file.as_fd(), offset, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn link(&self, path: &Path) -> io::Result<()> {
        // Through /proc, since naming a descriptor itself takes a privilege.
        let unnamed = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        Ok(linkat(CWD, unnamed, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }
}

impl DeviceFolder for LocalFolder {
    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}
