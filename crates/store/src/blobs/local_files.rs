//! The blob store on local files.
//!
//! A blob is written to a file without a name (`O_TMPFILE`), so that a crash leaves nothing; where the system
//! refuses that, to a file in `staged/`, which is emptied at start. Published blobs lie in numbered folders, a
//! few thousand to each, filled one after the other: so a batch syncs one folder, and a start after a crash
//! looks only into the folders that were still being filled. A blob's name is the number of its folder and
//! twelve random bytes.

mod failures;
mod folders;
mod options;
mod publisher;
mod read_buffer;
mod reading;
mod staged_file;
mod writing;

use super::{BlobError, BlobId, BlobWriter, Blobs, OpenedBlob, Work};
use failures::off_thread;
use folders::Folders;
pub use options::LocalFilesOptions;
use publisher::Publisher;
use std::sync::Arc;
use writing::{FileWriter, Staging};

pub(crate) use folders::blob_path;

/// How much of a blob a reader reads at once now, in bytes: less while many hold what was read for them.
pub(crate) fn chunk_bytes() -> u64 {
    read_buffer::chunk_bytes() as u64
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
