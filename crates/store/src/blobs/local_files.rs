//! Blobs as local files.

use super::{BlobError, BlobId, BlobWriter, Blobs, OpenedBlob, Work};
use std::path::PathBuf;

/// How to open a folder of blobs.
#[derive(Debug, Clone)]
pub struct LocalFilesOptions {
    /// The folder; made when it is not there.
    pub folder: PathBuf,
    /// Whether files and their names are synced.
    pub durable: bool,
}

/// Blobs as local files.
#[derive(Debug)]
pub struct LocalFiles;

impl LocalFiles {
    /// Opens the folder.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(_options: LocalFilesOptions) -> Result<LocalFiles, BlobError> {
        Err(BlobError::NotFound)
    }
}

struct Nothing;

impl BlobWriter for Nothing {
    fn append(&mut self, _chunks: super::Chunks) -> Work<Result<(), BlobError>> {
        Box::pin(std::future::ready(Err(BlobError::WorkerLost)))
    }
    fn seal(self: Box<Self>, _last: super::Chunks) -> Work<Result<Box<dyn super::SealedBytes>, BlobError>> {
        Box::pin(std::future::ready(Err(BlobError::WorkerLost)))
    }
}

impl Blobs for LocalFiles {
    fn stage(&self, _expected_bytes: Option<u64>) -> Box<dyn BlobWriter> {
        Box::new(Nothing)
    }
    fn open(&self, _id: BlobId, _offset: u64, _len: usize) -> Work<Result<OpenedBlob, BlobError>> {
        Box::pin(std::future::ready(Err(BlobError::NotFound)))
    }
    fn delete(&self, _id: BlobId) -> Work<Result<(), BlobError>> {
        Box::pin(std::future::ready(Ok(())))
    }
    fn settled(&self, _id: BlobId) {}
    fn settled_mark(&self) -> u64 {
        0
    }
    fn recover(&self, _mark: u64) -> Work<Result<Vec<BlobId>, BlobError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
    fn shutdown(&self) -> Work<()> {
        Box::pin(std::future::ready(()))
    }
}
