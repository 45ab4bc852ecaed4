//! What the system refuses, sorted; and jobs that wait for the disk.

use crate::blobs::{BlobError, Work};
use std::io;

/// Starts a job on the blocking pool.
pub(super) fn off_thread<T: Send + 'static>(
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
pub(super) fn failed(operation: &'static str) -> impl Fn(io::Error) -> BlobError {
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
pub(super) fn sync_failed(source: io::Error) -> BlobError {
    if is_full(&source) { BlobError::Full } else { BlobError::SyncFailed(source) }
}
