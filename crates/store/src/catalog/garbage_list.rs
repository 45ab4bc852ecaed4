//! The role of the catalog that lists what may be deleted, and knows of a blob whether anything names it.

use super::piece::Piece;
use crate::ApplyError;
use crate::blobs::{BlobId, Work};
use crate::catalog_error::CatalogError;
use jiff::Timestamp;

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

/// Keeps the list of garbage; what is on it was put there by the mutation that took its last name.
pub trait GarbageList: Send + Sync {
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
}
