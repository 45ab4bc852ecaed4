//! The blob store on local files.
//!
//! A blob is written to a file without a name (`O_TMPFILE`), so that a crash leaves nothing; where the system
//! refuses that, to a file in `staged/`, which is emptied at start. Published blobs lie in numbered folders, a
//! few thousand to each, filled one after the other: so a batch syncs one folder, and a start after a crash
//! looks only into the folders that were still being filled. A blob's name is the number of its folder and
//! twelve random bytes.

mod folders;
mod publisher;
mod read_buffer;
mod reading;
mod writing;

use super::device::{Device, LocalDisk};
use super::{BlobError, BlobId, BlobWriter, Blobs, OpenedBlob, Work};
use crate::Random;
use folders::Folders;
use publisher::Publisher;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use writing::{FileWriter, Staging};

pub(crate) use folders::blob_path;
pub(super) use read_buffer::chunk_bytes as chunk_length;

/// Random bytes in a blob's name, behind the number of its folder; those of one without a folder yet are all its name.
const RANDOM_BYTES: usize = 12;

/// How to open a folder of blobs.
#[derive(Debug, Clone)]
pub struct LocalFilesOptions {
    /// The folder; made when it is not there.
    pub folder: PathBuf,
    /// Whether files and their names are synced.
    pub durable: bool,
    /// Whether files without a name may be used where the system has them.
    pub unnamed_files: bool,
    /// The file system.
    pub device: Arc<dyn Device>,
    /// What the names of blobs are drawn from.
    pub random: Random,
}

impl LocalFilesOptions {
    /// The defaults, in this folder of the real file system.
    pub fn new(folder: impl Into<PathBuf>) -> LocalFilesOptions {
        LocalFilesOptions {
            folder: folder.into(),
            durable: true,
            unnamed_files: true,
            device: Arc::new(LocalDisk),
            random: Random::system(),
        }
    }
}

/// Blobs as local files.
#[derive(Debug)]
pub struct LocalFiles {
    folders: Arc<Folders>,
    staging: Arc<Staging>,
    publisher: Arc<Publisher>,
}

impl LocalFiles {
    /// Opens the folder. Blocks.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn open(options: LocalFilesOptions) -> Result<LocalFiles, BlobError> {
        let folders = Arc::new(Folders::open(&options)?);
        let staging = Arc::new(Staging::open(&options)?);
        let publisher = Publisher::start(Arc::clone(&folders))?;
        Ok(LocalFiles { folders, staging, publisher })
    }

    /// As [`Blobs::published`]. Blocks.
    pub(crate) fn published_now(&self, after: Option<BlobId>) -> Result<Vec<BlobId>, BlobError> {
        self.folders.published(after)
    }

    /// The published blobs in this folder, for reading and deleting, beside a process that may have it open:
    /// touches nothing, and publishes nothing.
    pub fn open_beside(options: &LocalFilesOptions) -> LocalFiles {
        LocalFiles {
            folders: Arc::new(Folders::beside(options)),
            staging: Arc::new(Staging::untouched(options)),
            publisher: Publisher::closed(),
        }
    }
}

impl Drop for LocalFiles {
    fn drop(&mut self) {
        self.publisher.stop();
    }
}

impl Blobs for LocalFiles {
    fn stage(&self, expected_bytes: Option<u64>) -> Box<dyn BlobWriter> {
        Box::new(FileWriter::new(Arc::clone(&self.staging), Arc::clone(&self.publisher), expected_bytes))
    }

    fn open(&self, id: BlobId, offset: u64, len: usize) -> Work<Result<OpenedBlob, BlobError>> {
        let folders = Arc::clone(&self.folders);
        off_thread(move || reading::open(folders.open_blob(id)?, offset, len))
    }

    fn delete(&self, id: BlobId) -> Work<Result<(), BlobError>> {
        let folders = Arc::clone(&self.folders);
        off_thread(move || folders.delete(id))
    }

    fn published(&self, after: Option<BlobId>) -> Work<Result<Vec<BlobId>, BlobError>> {
        let folders = Arc::clone(&self.folders);
        off_thread(move || folders.published(after))
    }

    fn place_of(&self, id: BlobId) -> String {
        self.folders.path_of(id).display().to_string()
    }

    fn sync_deletions(&self, ids: Vec<BlobId>) -> Work<Result<(), BlobError>> {
        let folders = Arc::clone(&self.folders);
        off_thread(move || folders.sync_deletions(&ids))
    }

    fn settled(&self, id: BlobId) {
        self.folders.settled(id);
    }

    fn settled_mark(&self) -> u64 {
        self.folders.settled_mark()
    }

    fn recover(&self, mark: u64) -> Work<Result<Vec<BlobId>, BlobError>> {
        let (folders, staging) = (Arc::clone(&self.folders), Arc::clone(&self.staging));
        off_thread(move || {
            staging.sweep()?;
            folders.recover(mark)
        })
    }

    fn shutdown(&self) -> Work<()> {
        let publisher = Arc::clone(&self.publisher);
        let stopped = tokio::task::spawn_blocking(move || publisher.stop());
        Box::pin(async move {
            let _panicked = stopped.await;
        })
    }
}

/// Starts a job on the blocking pool.
fn off_thread<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Work<Result<T, BlobError>> {
    let started = tokio::task::spawn_blocking(job);
    Box::pin(async move { started.await.unwrap_or(Err(BlobError::WorkerLost)) })
}

/// Whether the system says that there is no room.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The system's refusal of an operation, sorted.
fn failed(operation: &'static str) -> impl Fn(io::Error) -> BlobError {
    move |source| {
        if is_full(&source) {
            BlobError::Full
        } else if source.kind() == io::ErrorKind::NotFound {
            BlobError::NotFound
        } else {
            BlobError::Io { operation, source }
        }
    }
}

/// A sync's refusal: no room is no broken word, everything else is.
fn sync_failed(source: io::Error) -> BlobError {
    if is_full(&source) { BlobError::Full } else { BlobError::SyncFailed(source) }
}
