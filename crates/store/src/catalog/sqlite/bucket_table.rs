//! Keeps all buckets in memory, as the last commit left them.

use super::CatalogError;
use crate::BucketRecord;
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

/// Buckets by name.
pub(super) type Buckets = BTreeMap<String, Bucket>;

/// A bucket with its number in the catalog.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// The number that objects name it by.
    pub(super) id: u64,
    /// What the store answers.
    pub(super) record: Arc<BucketRecord>,
}

/// What queries see: replaced whole after a commit that changed a bucket.
#[derive(Debug)]
pub(super) struct BucketTable(RwLock<Buckets>);

impl BucketTable {
    /// Reads them all.
    pub(super) fn load(connection: &Connection) -> Result<BucketTable, CatalogError> {
        let mut buckets = Buckets::new();
        let mut statement = connection.prepare("SELECT id, name, created FROM bucket")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, name) = (row.get::<_, i64>(0)?, row.get::<_, String>(1)?);
            let record = BucketRecord {
                name: name.clone(),
                created: timestamp(row.get(2)?)?,
                settings: settings(connection, id)?,
            };
            buckets.insert(name, Bucket { id: id as u64, record: Arc::new(record) });
        }
        Ok(BucketTable(RwLock::new(buckets)))
    }

    /// One bucket.
    pub(super) fn get(&self, name: &str) -> Option<Bucket> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// A page of buckets in byte order.
    pub(super) fn page(&self, prefix: &str, after: &str, limit: usize) -> Vec<Arc<BucketRecord>> {
        let buckets = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let from = prefix.max(after);
        buckets
            .range::<str, _>((Bound::Included(from), Bound::Unbounded))
            .skip_while(|(name, _)| name.as_str() <= after && !after.is_empty())
            .take_while(|(name, _)| name.starts_with(prefix))
            .take(limit)
            .map(|(_, bucket)| Arc::clone(&bucket.record))
            .collect()
    }

    /// A copy for a transaction to work on.
    pub(super) fn copy(&self) -> Buckets {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows queries what a commit has changed.
    pub(super) fn replace(&self, buckets: Buckets) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = buckets;
    }
}

fn settings(connection: &Connection, bucket: i64) -> Result<BTreeMap<String, Vec<u8>>, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT name, value FROM setting WHERE bucket = ?1")?;
    let pairs = statement.query_map([bucket], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(pairs.collect::<Result<_, _>>()?)
}

/// A time as the catalog keeps it: microseconds since 1970.
pub(super) fn timestamp(microseconds: i64) -> Result<Timestamp, CatalogError> {
    Timestamp::from_microsecond(microseconds).map_err(|_| CatalogError::Malformed {
        expected: "a time in microseconds",
        found: microseconds.to_string(),
    })
}
