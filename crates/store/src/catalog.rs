//! The trait of the catalog, which keeps the records: buckets, objects, contents, garbage and the outbox.
//!
//! One entry writes ([`Catalog::apply`]); everything that waits goes into one durable transaction. Queries
//! are short: none keeps a read transaction beyond its own call.

mod any_mutation;
mod placed;
pub mod sqlite;
mod survey;

use crate::blobs::{BlobId, Work};
use crate::{ApplyError, BucketRecord, ListPage, ListQuery, ObjectRecord, OutboxRecord};
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;

pub use crate::catalog_error::CatalogError;
pub use any_mutation::{Answer, AnyMutation, Asked, Placed, Reply};
pub use placed::{PlacedBytes, PlacedContent};
pub use sqlite::{SqliteCatalog, SqliteOptions};
pub use survey::{DamageRecord, Inventoried, ScrubNote, ScrubProgress, ScrubState};

/// A piece of a content that consists of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Where the piece ends in the content (and the next begins).
    pub end: u64,
    /// The piece's bytes.
    pub piece: Piece,
}

/// Something that holds bytes: a blob, or a row of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Piece {
    /// A published blob.
    Blob(BlobId),
    /// A row of inline bytes.
    Inline(u64),
}

/// Something that no content names any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// Its number in the list of garbage.
    pub id: u64,
    /// What may be deleted.
    pub piece: Piece,
    /// From when on it may be deleted.
    pub not_before: Timestamp,
}

/// An engine for the records.
pub trait Catalog: Send + Sync {
    /// Applies the mutations in order in one durable transaction, together with whatever else waits, and gives each
    /// its answer before it answers itself. An error means that nothing of the batch was applied.
    fn apply(&self, batch: Vec<AnyMutation>) -> Work<Result<(), ApplyError>>;

    /// Applies a mutation with the next batch, soon, without telling. What fails is logged.
    fn apply_later(&self, mutation: AnyMutation);

    /// A bucket by name.
    fn bucket(&self, name: &str) -> Work<Result<Option<Arc<BucketRecord>>, CatalogError>>;

    /// Buckets in byte order of their names.
    fn buckets(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Work<Result<Vec<Arc<BucketRecord>>, CatalogError>>;

    /// The object that a key holds now. Inline bytes come along.
    fn object(&self, bucket: &str, key: Bytes) -> Work<Result<Option<ObjectRecord>, CatalogError>>;

    /// A page of a listing; `None` when there is no such bucket. Its cost grows with the page only.
    fn list(&self, bucket: &str, query: ListQuery) -> Work<Result<Option<ListPage>, CatalogError>>;

    /// Inline bytes by row; `None` when they were swept.
    fn inline_bytes(&self, row: u64) -> Work<Result<Option<Bytes>, CatalogError>>;

    /// The pieces of a content, in order; empty when it is gone.
    fn extents(&self, content: u64) -> Work<Result<Vec<Extent>, CatalogError>>;

    /// Open outbox entries in the order of their ids, those after `after`. A page may be shorter than `limit`, since
    /// its bytes are bounded too; an empty one is the end.
    fn outbox(&self, after: u64, limit: usize) -> Work<Result<Vec<OutboxRecord>, CatalogError>>;

    /// Garbage that may be deleted at `now`, in the order in which it became so, that behind `after`.
    fn garbage(
        &self,
        now: Timestamp,
        after: Option<Garbage>,
        limit: usize,
    ) -> Work<Result<Vec<Garbage>, CatalogError>>;

    /// Forgets garbage whose blobs are deleted; inline rows go in the same transaction.
    fn forget_garbage(&self, gone: Vec<Garbage>) -> Work<Result<(), ApplyError>>;

    /// Of these blobs, those that neither a content nor the list of garbage names.
    fn unnamed(&self, blobs: Vec<BlobId>) -> Work<Result<Vec<BlobId>, CatalogError>>;

    /// The mark kept for the blobs; 0 at first.
    fn blob_mark(&self) -> Work<Result<u64, CatalogError>>;

    /// Keeps the mark of the blobs.
    fn put_blob_mark(&self, mark: u64) -> Work<Result<(), ApplyError>>;

    /// Every object in the order of its sequence, those after `after`; inline bytes do not come along.
    fn inventory(&self, after: u64, limit: usize) -> Work<Result<Vec<Inventoried>, CatalogError>>;

    /// The engine's check of itself, and whether its tables agree: a sentence for each thing that is wrong.
    fn check(&self) -> Work<Result<Vec<String>, CatalogError>>;

    /// What scrubs have kept.
    fn scrub_state(&self) -> Work<Result<ScrubState, CatalogError>>;

    /// Keeps what a scrub found; damage of contents that are gone by now is forgotten.
    fn note_scrub(&self, note: ScrubNote) -> Work<Result<(), ApplyError>>;

    /// Takes no more writes, finishes those under way, and ends the workers.
    fn shutdown(&self) -> Work<()>;
}
