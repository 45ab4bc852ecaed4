//! A blob store that fails on demand.

use crate::faults::{Fault, Faults, call_with};
use bytes::Bytes;
use countersign_store::blobs::{
    BlobError, BlobId, BlobReader, BlobWriter, Blobs, Chunks, OpenedBlob, SealedBytes, Work,
};
use std::io;
use std::sync::Arc;

/// The calls that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobCall {
    /// Appending to a staged blob.
    Append,
    /// Sealing one.
    Seal,
    /// Giving one its name.
    Publish,
    /// Opening a published one.
    Open,
    /// Reading on in an opened one.
    Read,
    /// Deleting one.
    Delete,
}

/// Passes everything on but for the faults, each of which happens once.
#[derive(Clone)]
pub struct FaultyBlobs {
    inner: Arc<dyn Blobs>,
    /// The faults to come.
    pub faults: Faults<BlobCall>,
}

impl FaultyBlobs {
    /// Without a fault at first.
    pub fn new(inner: Arc<dyn Blobs>) -> FaultyBlobs {
        FaultyBlobs { inner, faults: Faults::default() }
    }
}

fn error_of(fault: Fault) -> BlobError {
    match fault {
        Fault::Full => BlobError::Full,
        Fault::SyncFails => BlobError::SyncFailed(io::Error::other("injected")),
        Fault::NoDescriptor | Fault::NoPermission | Fault::DiskFails => {
            let number = match fault {
                Fault::NoDescriptor => 24,
                Fault::NoPermission => 13,
                _ => 5,
            };
            BlobError::Io { operation: "an injected fault", source: io::Error::from_raw_os_error(number) }
        }
        Fault::Fails | Fault::Short | Fault::Slow(_) => {
            BlobError::Io { operation: "an injected fault", source: io::Error::other("injected") }
        }
    }
}

/// The call as the fault wants it. `shorten` makes its outcome a short one.
fn with<T: Send + 'static>(
    fault: Option<Fault>,
    call: impl FnOnce() -> Work<Result<T, BlobError>>,
    shorten: impl FnOnce(T) -> T + Send + 'static,
) -> Work<Result<T, BlobError>> {
    call_with(fault, call, shorten, error_of)
}

impl Blobs for FaultyBlobs {
    fn stage(&self, expected_bytes: Option<u64>) -> Box<dyn BlobWriter> {
        Box::new(FaultyWriter { faults: self.faults.clone(), inner: self.inner.stage(expected_bytes) })
    }

    fn open(&self, id: BlobId, offset: u64, len: usize) -> Work<Result<OpenedBlob, BlobError>> {
        let (faults, fault) = (self.faults.clone(), self.faults.at(BlobCall::Open));
        let opening = with(
            fault,
            || self.inner.open(id, offset, len),
            |mut opened| {
                opened.first.truncate(opened.first.len() / 2);
                opened
            },
        );
        Box::pin(async move {
            let OpenedBlob { reader, first } = opening.await?;
            Ok(OpenedBlob { reader: Arc::new(FaultyReader { faults, reader }), first })
        })
    }

    fn delete(&self, id: BlobId) -> Work<Result<(), BlobError>> {
        with(self.faults.at(BlobCall::Delete), || self.inner.delete(id), |()| ())
    }

    fn published(&self, after: Option<BlobId>) -> Work<Result<Vec<BlobId>, BlobError>> {
        self.inner.published(after)
    }

    fn place_of(&self, id: BlobId) -> String {
        self.inner.place_of(id)
    }

    fn sync_deletions(&self, ids: Vec<BlobId>) -> Work<Result<(), BlobError>> {
        self.inner.sync_deletions(ids)
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
    faults: Faults<BlobCall>,
    inner: Box<dyn BlobWriter>,
}

impl BlobWriter for FaultyWriter {
    fn append(&mut self, chunks: Chunks) -> Work<Result<(), BlobError>> {
        let fault = self.faults.at(BlobCall::Append);
        with(fault, || self.inner.append(chunks), |()| ())
    }

    fn seal(self: Box<Self>, last: Chunks) -> Work<Result<Box<dyn SealedBytes>, BlobError>> {
        let FaultyWriter { faults, inner } = *self;
        let sealing = with(faults.at(BlobCall::Seal), || inner.seal(last), |sealed| sealed);
        Box::pin(async move {
            let sealed = sealing.await?;
            Ok(Box::new(FaultySealed { faults, sealed }) as Box<dyn SealedBytes>)
        })
    }
}

struct FaultySealed {
    faults: Faults<BlobCall>,
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
        let FaultySealed { faults, sealed } = *self;
        with(faults.at(BlobCall::Publish), || sealed.publish(), |id| id)
    }
}

#[derive(Debug)]
struct FaultyReader {
    faults: Faults<BlobCall>,
    reader: Arc<dyn BlobReader>,
}

impl BlobReader for FaultyReader {
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>> {
        let fault = self.faults.at(BlobCall::Read);
        with(fault, || self.reader.read_at(offset, len), |_| Bytes::new())
    }
}
