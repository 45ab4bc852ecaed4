//! The catalog in SQLite.

use super::CatalogError;
use crate::{Clock, HealthFlag};
use std::path::PathBuf;
use std::time::Duration;

/// How to open the catalog.
#[derive(Clone)]
pub struct SqliteOptions {
    /// The database file; made when it is not there.
    pub path: PathBuf,
    /// The source of time.
    pub clock: Clock,
    /// Refuses writes for all once a commit's sync has failed.
    pub health: HealthFlag,
    /// Whether a commit is synced.
    pub durable: bool,
    /// Connections that answer queries.
    pub read_connections: usize,
    /// How long garbage stays.
    pub garbage_grace: Duration,
}

/// The catalog in SQLite.
#[derive(Debug)]
pub struct SqliteCatalog;

use super::{BatchOutcome, Catalog, Extent, Garbage, PlacedContent};
use crate::blobs::{BlobId, Work};
use crate::{ApplyError, BucketRecord, ListPage, ListQuery, Mutation, ObjectRecord, OwedRecord};
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;

fn closed<T: Send + 'static>() -> Work<Result<T, CatalogError>> {
    Box::pin(std::future::ready(Err(CatalogError::Closed)))
}

fn refused<T: Send + 'static>() -> Work<Result<T, ApplyError>> {
    Box::pin(std::future::ready(Err(ApplyError::Closed)))
}

impl SqliteCatalog {
    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(_options: SqliteOptions) -> Result<SqliteCatalog, CatalogError> {
        Err(CatalogError::Closed)
    }
}

impl Catalog for SqliteCatalog {
    fn apply(&self, _batch: Vec<Mutation<PlacedContent>>) -> Work<BatchOutcome> {
        refused()
    }
    fn apply_later(&self, _mutation: Mutation<PlacedContent>) {}
    fn bucket(&self, _name: &str) -> Work<Result<Option<Arc<BucketRecord>>, CatalogError>> {
        closed()
    }
    fn buckets(&self, _: &str, _: &str, _: usize) -> Work<Result<Vec<Arc<BucketRecord>>, CatalogError>> {
        closed()
    }
    fn object(&self, _bucket: &str, _key: Bytes) -> Work<Result<Option<ObjectRecord>, CatalogError>> {
        closed()
    }
    fn list(&self, _bucket: &str, _query: ListQuery) -> Work<Result<Option<ListPage>, CatalogError>> {
        closed()
    }
    fn inline_bytes(&self, _row: u64) -> Work<Result<Option<Bytes>, CatalogError>> {
        closed()
    }
    fn extents(&self, _content: u64) -> Work<Result<Vec<Extent>, CatalogError>> {
        closed()
    }
    fn owed(&self, _after: u64, _limit: usize) -> Work<Result<Vec<OwedRecord>, CatalogError>> {
        closed()
    }
    fn garbage(&self, _now: Timestamp, _limit: usize) -> Work<Result<Vec<Garbage>, CatalogError>> {
        closed()
    }
    fn forget_garbage(&self, _gone: Vec<Garbage>) -> Work<Result<(), ApplyError>> {
        refused()
    }
    fn unnamed(&self, _blobs: Vec<BlobId>) -> Work<Result<Vec<BlobId>, CatalogError>> {
        closed()
    }
    fn blob_mark(&self) -> Work<Result<u64, CatalogError>> {
        closed()
    }
    fn put_blob_mark(&self, _mark: u64) -> Work<Result<(), ApplyError>> {
        refused()
    }
    fn shutdown(&self) -> Work<()> {
        Box::pin(std::future::ready(()))
    }
}
