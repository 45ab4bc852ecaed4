//! A catalog that fails on demand.

use crate::faults::{Fault, Faults, call_with};
use bytes::Bytes;
use countersign_store::blobs::{BlobId, Work};
use countersign_store::catalog::{
    AnyMutation, Catalog, CatalogError, EngineError, Extent, Garbage, GarbageList, Inventoried, Journal,
    Records, ScrubNote, ScrubState, Upkeep,
};
use countersign_store::{
    ApplyError, BucketRecord, HealthFlag, ListPage, ListQuery, ObjectRecord, OutboxRecord, Place, Trouble,
};
use jiff::Timestamp;
use std::future::ready;
use std::sync::Arc;

/// The calls that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogCall {
    /// Applying a batch.
    Apply,
    /// Asking for an object; a short answer has half of its inline bytes.
    Object,
    /// Asking for a bucket.
    Bucket,
    /// Asking for a page of a listing.
    List,
    /// Forgetting garbage.
    Forget,
}

/// Passes everything on but for the faults, each of which happens once.
#[derive(Clone)]
pub struct FaultyCatalog {
    inner: Arc<dyn Catalog>,
    health: HealthFlag,
    /// The faults to come.
    pub faults: Faults<CatalogCall>,
}

impl FaultyCatalog {
    /// Without a fault at first. A sync that fails ends all writing through `health`, as a real one's does.
    pub fn new(inner: Arc<dyn Catalog>, health: HealthFlag) -> FaultyCatalog {
        FaultyCatalog { inner, health, faults: Faults::default() }
    }

    fn apply_error(&self, fault: Fault) -> ApplyError {
        match fault {
            Fault::Full => ApplyError::Full,
            Fault::SyncFails => {
                self.health.refuse_writes("the catalog could not commit: injected");
                ApplyError::Unhealthy { reason: "injected".to_owned() }
            }
            Fault::NoDescriptor => ApplyError::Trouble { trouble: Trouble::OpenFiles, said: injected() },
            Fault::NoPermission | Fault::DiskFails => {
                ApplyError::Trouble { trouble: Trouble::DataFolder, said: injected() }
            }
            Fault::Fails | Fault::Short | Fault::Slow(_) => ApplyError::Engine(injected()),
        }
    }

    /// A write has no short answer: it fails then.
    fn write<T: Send + 'static>(
        &self,
        call: CatalogCall,
        write: impl FnOnce() -> Work<Result<T, ApplyError>>,
    ) -> Work<Result<T, ApplyError>> {
        match self.faults.at(call) {
            Some(Fault::Short) => Box::pin(ready(Err(self.apply_error(Fault::Short)))),
            fault => call_with(fault, write, |done| done, |fault| self.apply_error(fault)),
        }
    }

    fn ask<T: Send + 'static>(
        &self,
        call: CatalogCall,
        query: impl FnOnce() -> Work<Result<T, CatalogError>>,
        shorten: impl FnOnce(T) -> T + Send + 'static,
    ) -> Work<Result<T, CatalogError>> {
        call_with(self.faults.at(call), query, shorten, |fault| match fault {
            Fault::NoPermission | Fault::DiskFails => {
                CatalogError::Trouble { trouble: Trouble::DataFolder, said: injected() }
            }
            _ => CatalogError::Engine(injected()),
        })
    }
}

fn injected() -> EngineError {
    EngineError::new("injected")
}

fn half_of_the_bytes(mut found: Option<ObjectRecord>) -> Option<ObjectRecord> {
    if let Some(object) = &mut found
        && let Place::Inline { bytes: Some(bytes), .. } = &mut object.content.place
    {
        bytes.truncate(bytes.len() / 2);
    }
    found
}

impl Records for FaultyCatalog {
    fn apply(&self, batch: Vec<AnyMutation>) -> Work<Result<(), ApplyError>> {
        self.write(CatalogCall::Apply, || self.inner.apply(batch))
    }

    fn apply_later(&self, mutation: AnyMutation) {
        self.inner.apply_later(mutation);
    }

    fn bucket(&self, name: &str) -> Work<Result<Option<Arc<BucketRecord>>, CatalogError>> {
        self.ask(CatalogCall::Bucket, || self.inner.bucket(name), |found| found)
    }

    fn buckets(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Work<Result<Vec<Arc<BucketRecord>>, CatalogError>> {
        self.inner.buckets(prefix, after, limit)
    }

    fn object(&self, bucket: &str, key: Bytes) -> Work<Result<Option<ObjectRecord>, CatalogError>> {
        self.ask(CatalogCall::Object, || self.inner.object(bucket, key), half_of_the_bytes)
    }

    fn list(&self, bucket: &str, query: ListQuery) -> Work<Result<Option<ListPage>, CatalogError>> {
        self.ask(CatalogCall::List, || self.inner.list(bucket, query), |page| page)
    }

    fn inline_bytes(&self, row: u64) -> Work<Result<Option<Bytes>, CatalogError>> {
        self.inner.inline_bytes(row)
    }

    fn extents(&self, content: u64) -> Work<Result<Vec<Extent>, CatalogError>> {
        self.inner.extents(content)
    }
}

impl Journal for FaultyCatalog {
    fn outbox(&self, after: u64, limit: usize) -> Work<Result<Vec<OutboxRecord>, CatalogError>> {
        self.inner.outbox(after, limit)
    }
}

impl GarbageList for FaultyCatalog {
    fn garbage(
        &self,
        now: Timestamp,
        after: Option<Garbage>,
        limit: usize,
    ) -> Work<Result<Vec<Garbage>, CatalogError>> {
        self.inner.garbage(now, after, limit)
    }

    fn forget_garbage(&self, gone: Vec<Garbage>) -> Work<Result<(), ApplyError>> {
        self.write(CatalogCall::Forget, || self.inner.forget_garbage(gone))
    }

    fn unnamed(&self, blobs: Vec<BlobId>) -> Work<Result<Vec<BlobId>, CatalogError>> {
        self.inner.unnamed(blobs)
    }

    fn blob_mark(&self) -> Work<Result<u64, CatalogError>> {
        self.inner.blob_mark()
    }

    fn put_blob_mark(&self, mark: u64) -> Work<Result<(), ApplyError>> {
        self.inner.put_blob_mark(mark)
    }
}

impl Upkeep for FaultyCatalog {
    fn inventory(&self, after: u64, limit: usize) -> Work<Result<Vec<Inventoried>, CatalogError>> {
        self.inner.inventory(after, limit)
    }

    fn check(&self) -> Work<Result<Vec<String>, CatalogError>> {
        self.inner.check()
    }

    fn scrub_state(&self) -> Work<Result<ScrubState, CatalogError>> {
        self.inner.scrub_state()
    }

    fn note_scrub(&self, note: ScrubNote) -> Work<Result<(), ApplyError>> {
        self.inner.note_scrub(note)
    }

    fn shutdown(&self) -> Work<()> {
        self.inner.shutdown()
    }
}
