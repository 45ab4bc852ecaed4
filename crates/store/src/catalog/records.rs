//! The role of the catalog that users see: it changes buckets and objects, finds them, and lists them.

use super::any_mutation::AnyMutation;
use super::piece::Extent;
use crate::blobs::Work;
use crate::catalog_error::CatalogError;
use crate::{ApplyError, BucketRecord, ListPage, ListQuery, ObjectRecord};
use bytes::Bytes;
use std::sync::Arc;

/// Changes and answers buckets and objects.
pub trait Records: Send + Sync {
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
}
