//! Errors of the store, one type for each call.
//!
//! A refusal ([`crate::Mutation::Refusal`]) is no error: it is the answer of a rule. Errors are here when the
//! machine below, not the caller, is the reason.

use crate::blobs::BlobError;
use crate::catalog_error::{CatalogError, EngineError};
use crate::trouble::Trouble;
use std::path::PathBuf;
use std::sync::Arc;

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the folder open.
    #[error("{} is in use by another process{}", path.display(), holder(.pid))]
    InUse {
        /// The data folder.
        path: PathBuf,
        /// The process that holds it, where it could be read.
        pid: Option<u32>,
    },
    /// The folder cannot be made, read or written.
    #[error("the data folder {} cannot be used: {source}", path.display())]
    Folder {
        /// The folder or file concerned.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A restore into the folder has not come to its end.
    #[error("a restore into {} has not come to its end; run it again, or empty the folder", path.display())]
    HalfRestored {
        /// The data folder.
        path: PathBuf,
    },
    /// The records of the folder are in a shared catalog, which was not named.
    #[error(
        "the records of {} are in a shared catalog: name it with --catalog, which backup, restore and export do not \
         have yet", path.display()
    )]
    RecordsElsewhere {
        /// The data folder.
        path: PathBuf,
    },
    /// A shared catalog was named, and the folder has a catalog of its own.
    #[error("{} has a catalog of its own; a shared one needs a data folder of its own", path.display())]
    RecordsHere {
        /// The data folder.
        path: PathBuf,
    },
    /// The shared catalog could not be opened.
    #[error("{0}")]
    SharedCatalog(Box<dyn std::error::Error + Send + Sync>),
    /// The folder holds no catalog.
    #[error("there is no store in {}", path.display())]
    NoStore {
        /// The data folder.
        path: PathBuf,
    },
    /// The catalog could not be opened.
    #[error("the catalog cannot be opened: {0}")]
    Catalog(#[from] CatalogError),
    /// The blobs could not be opened or recovered.
    #[error("the blobs cannot be opened: {0}")]
    Blobs(#[from] BlobError),
}

fn holder(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Bytes of an upload could not be taken in. Nothing of it stays.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// No space is left for it.
    #[error("no space is left to store the upload")]
    Full,
    /// The store refuses writes since a sync failed.
    #[error("the store refuses writes: {reason}")]
    Unhealthy {
        /// What failed first.
        reason: String,
    },
    /// The bytes could not be written.
    #[error("the upload could not be written: {0}")]
    Blob(BlobError),
    /// A worker that wrote or hashed the bytes ended without an answer.
    #[error("the worker that writes the upload ended without an answer")]
    WorkerLost,
}

impl From<BlobError> for StageError {
    fn from(error: BlobError) -> StageError {
        match error {
            BlobError::Full => StageError::Full,
            other => StageError::Blob(other),
        }
    }
}

/// A whole batch could not be applied. Unless the variant says otherwise, nothing of it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApplyError {
    /// No space is left.
    #[error("no space is left to commit")]
    Full,
    /// The store refuses writes since a sync failed. The batch in which it failed has an unknown outcome:
    /// old or new, never half.
    #[error("the store refuses writes: {reason}")]
    Unhealthy {
        /// What failed first.
        reason: String,
    },
    /// The store is shutting down.
    #[error("the store is shutting down")]
    Closed,
    /// The catalog's engine failed.
    #[error("the catalog failed: {0}")]
    Engine(EngineError),
    /// The catalog's engine cannot be reached, or refuses for the moment: come again.
    #[error("the catalog cannot be reached: {0}")]
    Unavailable(EngineError),
    /// The connection to the engine was lost while it committed, and it could not be found out in time whether it
    /// did: the batch has an unknown outcome, old or new, never half.
    #[error("it is not known whether the catalog committed: {0}")]
    OutcomeUnknown(EngineError),
    /// The catalog's engine says that its own files are damaged.
    #[error("the catalog is damaged: {0}")]
    Corrupt(EngineError),
    /// A blob could not be given its lasting name.
    #[error("a blob could not be published: {0}")]
    Blob(Arc<BlobError>),
    /// The machine below refused it for a reason that an operator can mend.
    #[error("the change could not be written: {said}")]
    Trouble {
        /// Which.
        trouble: Trouble,
        /// What the system said, for the log.
        said: EngineError,
    },
}

/// One mutation was refused, by a rule of its kind (`R`), or could not be applied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError<R: std::error::Error + 'static> {
    /// A rule refused it; nothing has changed.
    #[error(transparent)]
    Refused(R),
    /// The machine below failed.
    #[error(transparent)]
    Failed(#[from] ApplyError),
}

/// A query could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The bucket does not exist.
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Bytes of an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The content of this record is gone: it was overwritten or deleted a while ago. Resolve the key again.
    #[error("this content is gone")]
    Gone,
    /// The range leaves the object.
    #[error("the range leaves the object of {len} bytes")]
    OutsideObject {
        /// The object's length in bytes.
        len: u64,
    },
    /// Fewer bytes are stored than the record says: the blob is damaged.
    #[error("the stored blob is shorter than its record")]
    Short,
    /// The stored bytes are not what was acknowledged, and are not served.
    #[error("the stored bytes of the object are damaged")]
    Damaged,
    /// The blob could not be read.
    #[error(transparent)]
    Blob(BlobError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<BlobError> for ReadError {
    fn from(error: BlobError) -> ReadError {
        match error {
            BlobError::NotFound => ReadError::Gone,
            other => ReadError::Blob(other),
        }
    }
}

impl StageError {
    /// Whether it is a refusal of the machine that an operator can mend.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            // A folder of blobs that is gone: nothing is looked for that may be missing.
            StageError::Blob(BlobError::NotFound) => Some(Trouble::DataFolder),
            StageError::Blob(error) => error.trouble(),
            _ => None,
        }
    }
}

impl ApplyError {
    /// Whether the mutations of the batch may have been applied all the same: then nothing that they name may be
    /// deleted before a start has looked.
    pub fn outcome_is_unknown(&self) -> bool {
        matches!(self, ApplyError::Unhealthy { .. } | ApplyError::OutcomeUnknown(_))
    }

    /// Whether it is a refusal of the machine that an operator can mend.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            ApplyError::Trouble { trouble, .. } => Some(*trouble),
            _ => None,
        }
    }
}

impl QueryError {
    /// Whether it is a refusal of the machine that an operator can mend.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            QueryError::NoSuchBucket => None,
            QueryError::Catalog(error) => error.trouble(),
        }
    }
}

impl ReadError {
    /// Whether it is a refusal of the machine that an operator can mend.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            ReadError::Blob(error) => error.trouble(),
            ReadError::Catalog(error) => error.trouble(),
            _ => None,
        }
    }
}
