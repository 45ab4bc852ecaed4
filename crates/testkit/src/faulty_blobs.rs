//! Blobs that fail when they are told to.

use bytes::Bytes;
use countersign_store::blobs::{BlobError, BlobId, BlobWriter, Blobs, Chunks, OpenedBlob, SealedBytes, Work};
use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What the next call of its kind does instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Sealing fails at the sync.
    SealSync,
    /// Sealing finds no room.
    SealFull,
    /// Publishing fails at the sync of the folder.
    PublishSync,
}

/// Passes everything on but for the faults, each of which happens once.
#[derive(Clone)]
pub struct FaultyBlobs {
    inner: Arc<dyn Blobs>,
    next: Arc<Mutex<Option<Fault>>>,
}

impl FaultyBlobs {
    /// Without a fault at first.
    pub fn new(inner: Arc<dyn Blobs>) -> FaultyBlobs {
        FaultyBlobs { inner, next: Arc::default() }
    }

    /// Sets the next fault.
    pub fn fail_next(&self, fault: Fault) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    fn take(&self, faults: &[Fault]) -> Option<Fault> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.take_if(|fault| faults.contains(fault))
    }
}

fn error_of(fault: Fault) -> BlobError {
    match fault {
        Fault::SealFull => BlobError::Full,
        Fault::SealSync | Fault::PublishSync => BlobError::SyncFailed(io::Error::other("injected")),
    }
}

impl Blobs for FaultyBlobs {
    fn stage(&self, expected_bytes: Option<u64>) -> Box<dyn BlobWriter> {
        Box::new(FaultyWriter { faults: self.clone(), inner: self.inner.stage(expected_bytes) })
    }

    fn open(&self, id: BlobId, offset: u64, len: usize) -> Work<Result<OpenedBlob, BlobError>> {
        self.inner.open(id, offset, len)
    }

    fn delete(&self, id: BlobId) -> Work<Result<(), BlobError>> {
        self.inner.delete(id)
    }

    fn published(&self, after: Option<BlobId>) -> Work<Result<Vec<BlobId>, BlobError>> {
        self.inner.published(after)
    }

    fn place_of(&self, id: BlobId) -> String {
        self.inner.place_of(id)
    }

    fn settled(&self, id: BlobId) {
        self.inner.settled(id);
    }

    fn settled_mark(&self) -> u64 {
        self.inner.settled_mark()
    }

    fn recover(&self, mark: u64) -> Work<Result<Vec<BlobId>, BlobError>> {
        self.inner.recover(mark)
    }

    fn shutdown(&self) -> Work<()> {
        self.inner.shutdown()
    }
}

struct FaultyWriter {
    faults: FaultyBlobs,
    inner: Box<dyn BlobWriter>,
}

impl BlobWriter for FaultyWriter {
    fn append(&mut self, chunks: Chunks) -> Work<Result<(), BlobError>> {
        self.inner.append(chunks)
    }

    fn seal(self: Box<Self>, last: Chunks) -> Work<Result<Box<dyn SealedBytes>, BlobError>> {
        if let Some(fault) = self.faults.take(&[Fault::SealSync, Fault::SealFull]) {
            return Box::pin(ready(Err(error_of(fault))));
        }
        let (sealing, faults) = (self.inner.seal(last), self.faults);
        Box::pin(async move {
            let sealed = sealing.await?;
            Ok(Box::new(FaultySealed { faults, sealed }) as Box<dyn SealedBytes>)
        })
    }
}

struct FaultySealed {
    faults: FaultyBlobs,
    sealed: Box<dyn SealedBytes>,
}

impl std::fmt::Debug for FaultySealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sealed.fmt(f)
    }
}

impl SealedBytes for FaultySealed {
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>> {
        self.sealed.read_at(offset, len)
    }

    fn publish(self: Box<Self>) -> Work<Result<BlobId, BlobError>> {
        match self.faults.take(&[Fault::PublishSync]) {
            Some(fault) => Box::pin(ready(Err(error_of(fault)))),
            None => self.sealed.publish(),
        }
    }
}
