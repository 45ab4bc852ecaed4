//! The role of the catalog that keeps the outbox: the callbacks that are owed.

use crate::OutboxRecord;
use crate::blobs::Work;
use crate::catalog_error::CatalogError;

/// Answers what is owed. Its entries are written by [`super::Records::apply`], with the objects that they speak of.
pub trait Journal: Send + Sync {
    /// Open outbox entries in the order of their ids, those after `after`. A page may be shorter than `limit`, since
    /// its bytes are bounded too; an empty one is the end.
    fn outbox(&self, after: u64, limit: usize) -> Work<Result<Vec<OutboxRecord>, CatalogError>>;
}
