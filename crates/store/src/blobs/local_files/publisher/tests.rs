use super::*;
use crate::blobs::Blobs;
use crate::blobs::device::{Device, DeviceFile, DeviceFolder, LocalDisk};
use crate::blobs::local_files::folders::FOLDER_BLOBS;
use crate::blobs::local_files::writing::Staging;
use crate::blobs::local_files::{LocalFiles, LocalFilesOptions};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The real file system, until a test has it fail.
#[derive(Debug, Default)]
struct Fickle {
    full: Arc<AtomicBool>,
    no_folders: AtomicBool,
    panics: AtomicBool,
}

#[derive(Debug)]
struct FickleFolder(Arc<AtomicBool>, Arc<dyn DeviceFolder>);

impl DeviceFolder for FickleFolder {
    fn sync(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(io::ErrorKind::StorageFull.into()) } else { self.1.sync() }
    }
}

impl Device for Fickle {
    fn create_unnamed(&self, folder: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        LocalDisk.create_unnamed(folder)
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        LocalDisk.create(path)
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        LocalDisk.open(path)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.rename(from, to)
    }
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        assert!(!self.panics.load(Ordering::Relaxed), "a device that panics");
        match self.no_folders.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => LocalDisk.make_folder(path),
        }
    }
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove_folder(path)
    }
    fn open_folder(&self, path: &Path) -> io::Result<Arc<dyn DeviceFolder>> {
        Ok(Arc::new(FickleFolder(Arc::clone(&self.full), LocalDisk.open_folder(path)?)))
    }
    fn names_in(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        LocalDisk.names_in(folder)
    }
    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        LocalDisk.free_bytes(folder)
    }
}

fn fickle(folder: &Path) -> (Arc<Fickle>, LocalFilesOptions) {
    let device = Arc::new(Fickle::default());
    let options = LocalFilesOptions {
        device: Arc::clone(&device) as Arc<dyn Device>,
        ..LocalFilesOptions::new(folder.join("blobs"))
    };
    (device, options)
}

#[tokio::test]
async fn a_publisher_that_panics_leaves_nobody_waiting() {
    let root = tempfile::tempdir().unwrap();
    let (device, options) = fickle(root.path());
    let blobs = LocalFiles::open(options).unwrap();
    blobs.recover(1).await.unwrap();
    device.panics.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        let sealed = blobs.stage(None).seal(Arc::default()).await.unwrap();
        let published = tokio::time::timeout(Duration::from_secs(20), sealed.publish()).await;
        assert!(matches!(published, Ok(Err(BlobError::WorkerLost))), "{published:?}");
    }
}

#[test]
fn what_is_being_filled_and_what_was_removed_survive_an_error() {
    let root = tempfile::tempdir().unwrap();
    let (device, options) = fickle(root.path());
    let (folders, staging) = (Folders::open(&options).unwrap(), Staging::open(&options).unwrap());
    folders.recover(1).unwrap();
    let mut publishing = Publishing::default();
    let publish = |publishing: &mut Publishing| {
        let (reply, mut answer) = oneshot::channel();
        publishing.publish_all(&folders, vec![Job { file: staging.create(None).unwrap(), reply }]);
        answer.try_recv().unwrap()
    };
    folders.settled(publish(&mut publishing).unwrap());
    device.full.store(true, Ordering::Relaxed);
    assert!(matches!(publish(&mut publishing), Err(BlobError::Full)));
    device.full.store(false, Ordering::Relaxed);
    publishing.filling.as_mut().unwrap().take_up(FOLDER_BLOBS);
    device.no_folders.store(true, Ordering::Relaxed);
    assert!(publish(&mut publishing).is_err());
    assert_eq!(publishing.filling.as_ref().map(Filling::has_room), Some(false));
    device.no_folders.store(false, Ordering::Relaxed);
    // What was removed from the first folder is durable only after a sync of it, which now comes.
    device.full.store(true, Ordering::Relaxed);
    assert!(matches!(publish(&mut publishing), Err(BlobError::Full)));
    assert_eq!(folders.settled_mark(), 1);
    device.full.store(false, Ordering::Relaxed);
    folders.settled(publish(&mut publishing).unwrap());
    assert_eq!(folders.settled_mark(), 2);
}
