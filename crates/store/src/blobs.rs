//! The trait of the blob store, where large contents are kept: immutable blobs, staged, sealed, published, read,
//! deleted.
//!
//! A blob is staged invisibly, sealed (its bytes are durable), published (its name is durable too) and only
//! then offered to the catalog. Who uploads never deletes a blob that was offered, since a commit's outcome
//! can be unknown: the sweeper does, from the catalog's own list of garbage.
//!
//! Every [`Work`] starts when the method is called; awaiting it only waits. So an upload's writing runs
//! beside its hashing and receiving without a task of its own.

pub mod device;
pub mod local_files;
mod spare_pool;

use crate::trouble::Trouble;
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use local_files::{LocalFiles, LocalFilesOptions};
pub(crate) use local_files::{blob_path, chunk_bytes};

/// Something under way; it was started when it was handed out.
pub type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Bytes on their way, in order, held by reference so that hashing and writing share them.
pub type Chunks = Arc<Vec<Bytes>>;

/// The name of a published blob, fresh and random; what it encodes besides is the implementation's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 16]);

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What can go wrong with a blob.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No space is left.
    #[error("no space is left for blobs")]
    Full,
    /// There is no blob of that name.
    #[error("there is no such blob")]
    NotFound,
    /// Bytes or a name could not be made durable.
    #[error("a sync failed: {0}")]
    SyncFailed(std::io::Error),
    /// The system refused an operation.
    #[error("{operation} failed: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The worker that had the job ended without an answer.
    #[error("a blob worker ended without an answer")]
    WorkerLost,
}

impl BlobError {
    /// Whether it is a refusal of the machine that an operator can mend.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            BlobError::Io { source, .. } => Trouble::of(source),
            _ => None,
        }
    }
}

/// A place for blobs.
pub trait Blobs: Send + Sync {
    /// Begins a blob that nobody else can see. Touches nothing yet.
    fn stage(&self, expected_bytes: Option<u64>) -> Box<dyn BlobWriter>;

    /// Opens a published blob and reads its first bytes (fewer only at its end).
    fn open(&self, id: BlobId, offset: u64, len: usize) -> Work<Result<OpenedBlob, BlobError>>;

    /// Deletes a published blob; one that is gone already is no error. A crash may bring it back.
    fn delete(&self, id: BlobId) -> Work<Result<(), BlobError>>;

    /// Makes the deletions of these blobs durable: from then on nothing needs to remember that they must go.
    fn sync_deletions(&self, ids: Vec<BlobId>) -> Work<Result<(), BlobError>>;

    /// Published blobs in the order of their names, those after `after`: at least one while any follow, and as
    /// many as are told at little cost.
    fn published(&self, after: Option<BlobId>) -> Work<Result<Vec<BlobId>, BlobError>>;

    /// Where a published blob lies, for whoever must look after it.
    fn place_of(&self, id: BlobId) -> String;

    /// The outcome of the commit that this published blob was offered to is known.
    fn settled(&self, id: BlobId);

    /// A mark that rises: every blob published before it has settled. Kept in the catalog, so that a start
    /// after a crash looks only at what is younger.
    fn settled_mark(&self) -> u64;

    /// At start: drops what was staged, and names every blob that may be younger than the mark.
    fn recover(&self, mark: u64) -> Work<Result<Vec<BlobId>, BlobError>>;

    /// Ends the workers.
    fn shutdown(&self) -> Work<()>;
}

/// A blob that is being written. Dropping it discards the bytes now.
pub trait BlobWriter: Send {
    /// Appends. One append at a time: the next may be called when this one's work is done.
    fn append(&mut self, chunks: Chunks) -> Work<Result<(), BlobError>>;

    /// Appends the last bytes and makes all of them durable.
    fn seal(self: Box<Self>, last: Chunks) -> Work<Result<Box<dyn SealedBytes>, BlobError>>;
}

/// Durable bytes without a name yet. Dropping them discards them.
pub trait SealedBytes: Send + Sync + fmt::Debug {
    /// Reads at most `len` bytes from `offset`, fewer only at the end.
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>>;

    /// Gives them a lasting name; when the work is done, the name is durable too.
    fn publish(self: Box<Self>) -> Work<Result<BlobId, BlobError>>;
}

/// A published blob that stays readable, deleted or not, until this is dropped.
pub trait BlobReader: Send + Sync + fmt::Debug {
    /// Reads at most `len` bytes from `offset`, fewer only at the end.
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>>;
}

/// An opened blob with its first bytes.
#[derive(Debug)]
pub struct OpenedBlob {
    /// For the rest.
    pub reader: Arc<dyn BlobReader>,
    /// What was asked for at opening.
    pub first: Bytes,
}
