//! Keeps all buckets in memory, as the last commit left them.
//!
//! One gateway writes to a catalog at a time, which the epoch in its `state` row holds (see [`crate::session`]): so
//! what that gateway committed is what there is. After a commit whose outcome stayed unknown they are read again.

use crate::rows::{column, number, timestamp};
use countersign_store::BucketRecord;
use countersign_store::catalog::CatalogError;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_postgres::Row;

/// Buckets by name.
pub(crate) type Buckets = BTreeMap<String, Bucket>;

/// Reads every bucket: id, name, created, revision.
pub(crate) const BUCKETS: &str = "SELECT id, name, created, revision FROM bucket";
/// Reads every setting: the bucket's id, name, value.
pub(crate) const SETTINGS: &str = "SELECT bucket, name, value FROM setting";

/// A bucket with its number in the catalog.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    /// The number that objects name it by.
    pub(crate) id: u64,
    /// Rises with each change of the bucket or its settings.
    pub(crate) revision: u64,
    /// What the store answers.
    pub(crate) record: Arc<BucketRecord>,
}

/// What queries see: replaced whole after a commit that changed a bucket.
#[derive(Debug, Default)]
pub(crate) struct KnownBuckets(RwLock<Arc<Buckets>>);

impl KnownBuckets {
    /// All of them.
    pub(crate) fn all(&self) -> Arc<Buckets> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One bucket.
    pub(crate) fn get(&self, name: &str) -> Option<Bucket> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// A page of buckets in byte order.
    pub(crate) fn page(&self, prefix: &str, after: &str, limit: usize) -> Vec<Arc<BucketRecord>> {
        let from = prefix.max(after);
        self.all()
            .range::<str, _>((Bound::Included(from), Bound::Unbounded))
            .skip_while(|(name, _)| name.as_str() <= after && !after.is_empty())
            .take_while(|(name, _)| name.starts_with(prefix))
            .take(limit)
            .map(|(_, bucket)| Arc::clone(&bucket.record))
            .collect()
    }

    /// Shows queries what a commit has changed.
    pub(crate) fn replace(&self, buckets: Arc<Buckets>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = buckets;
    }
}

/// Buckets from the rows of [`BUCKETS`] and [`SETTINGS`].
pub(crate) fn from_rows(buckets: &[Row], settings: &[Row]) -> Result<Buckets, CatalogError> {
    let mut of_bucket: BTreeMap<u64, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for row in settings {
        of_bucket.entry(number(row, 0)?).or_default().insert(column(row, 1)?, column(row, 2)?);
    }
    let records = buckets.iter().map(|row| {
        let (id, name): (u64, String) = (number(row, 0)?, column(row, 1)?);
        let settings = of_bucket.remove(&id).unwrap_or_default();
        let record = BucketRecord { name: name.clone(), created: timestamp(column(row, 2)?)?, settings };
        Ok((name, Bucket { id, revision: number(row, 3)?, record: Arc::new(record) }))
    });
    records.collect()
}
