//! The blob store in memory.

use bytes::Bytes;
use countersign_store::blobs::{
    BlobError, BlobId, BlobReader, BlobWriter, Blobs, Chunks, OpenedBlob, SealedBytes, Work,
};
use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything in memory; nothing survives.
#[derive(Debug, Clone, Default)]
pub struct MemoryBlobs(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    published: BTreeMap<BlobId, Bytes>,
    unsettled: BTreeSet<u64>,
    next: u64,
}

impl MemoryBlobs {
    /// How many are published.
    pub fn count(&self) -> usize {
        self.lock().published.len()
    }

    /// Changes the bytes of a published blob, as a disk may.
    pub fn rot(&self, id: BlobId, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(bytes) = self.lock().published.get_mut(&id) {
            let mut changed = bytes.to_vec();
            change(&mut changed);
            *bytes = changed.into();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number_of(id: BlobId) -> u64 {
    u128::from_be_bytes(id.0) as u64
}

fn part(bytes: &Bytes, offset: u64, len: usize) -> Bytes {
    let from = bytes.len().min(offset as usize);
    bytes.slice(from..bytes.len().min(from + len))
}

fn done<T: Send + 'static>(outcome: Result<T, BlobError>) -> Work<Result<T, BlobError>> {
    Box::pin(ready(outcome))
}

impl Blobs for MemoryBlobs {
    fn stage(&self, _expected_bytes: Option<u64>) -> Box<dyn BlobWriter> {
        Box::new(Writer { blobs: self.clone(), bytes: Vec::new() })
    }

    fn open(&self, id: BlobId, offset: u64, len: usize) -> Work<Result<OpenedBlob, BlobError>> {
        let found = self.lock().published.get(&id).cloned();
        done(found.ok_or(BlobError::NotFound).map(|bytes| {
            let first = part(&bytes, offset, len);
            OpenedBlob { reader: Arc::new(Held(bytes)), first }
        }))
    }

    fn delete(&self, id: BlobId) -> Work<Result<(), BlobError>> {
        self.lock().published.remove(&id);
        done(Ok(()))
    }

    fn published(&self, after: Option<BlobId>) -> Work<Result<Vec<BlobId>, BlobError>> {
        let state = self.lock();
        done(Ok(state
            .published
            .keys()
            .copied()
            .filter(|id| after.is_none_or(|after| *id > after))
            .take(3)
            .collect()))
    }

    fn place_of(&self, id: BlobId) -> String {
        format!("{id:?}")
    }

    fn sync_deletions(&self, _ids: Vec<BlobId>) -> Work<Result<(), BlobError>> {
        done(Ok(()))
    }

    fn settled(&self, id: BlobId) {
        self.lock().unsettled.remove(&number_of(id));
    }

    fn settled_mark(&self) -> u64 {
        let state = self.lock();
        state.unsettled.first().copied().unwrap_or(state.next)
    }

    fn recover(&self, mark: u64) -> Work<Result<Vec<BlobId>, BlobError>> {
        let mut state = self.lock();
        state.unsettled.clear();
        done(Ok(state.published.keys().copied().filter(|id| number_of(*id) >= mark).collect()))
    }

    fn shutdown(&self) -> Work<()> {
        Box::pin(ready(()))
    }
}

struct Writer {
    blobs: MemoryBlobs,
    bytes: Vec<u8>,
}

impl BlobWriter for Writer {
    fn append(&mut self, chunks: Chunks) -> Work<Result<(), BlobError>> {
        chunks.iter().for_each(|chunk| self.bytes.extend_from_slice(chunk));
        done(Ok(()))
    }

    fn seal(mut self: Box<Self>, last: Chunks) -> Work<Result<Box<dyn SealedBytes>, BlobError>> {
        last.iter().for_each(|chunk| self.bytes.extend_from_slice(chunk));
        done(Ok(Box::new(Sealed { blobs: self.blobs, bytes: self.bytes.into() })))
    }
}

#[derive(Debug)]
struct Sealed {
    blobs: MemoryBlobs,
    bytes: Bytes,
}

impl SealedBytes for Sealed {
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>> {
        done(Ok(part(&self.bytes, offset, len)))
    }

    fn publish(self: Box<Self>) -> Work<Result<BlobId, BlobError>> {
        let mut state = self.blobs.lock();
        let number = state.next;
        state.next += 1;
        let id = BlobId(u128::from(number).to_be_bytes());
        state.unsettled.insert(number);
        state.published.insert(id, self.bytes.clone());
        done(Ok(id))
    }
}

#[derive(Debug)]
struct Held(Bytes);

impl BlobReader for Held {
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>> {
        done(Ok(part(&self.0, offset, len)))
    }
}
