//! Lists one page of objects: walks the index in order and seeks past a common prefix instead of reading what is
//! under it. The cost grows with the page, not with the bucket.

use super::rows::record;
use super::{CatalogError, EngineError};
use crate::{Entry, ListPage, ListQuery};
use bytes::Bytes;
use rusqlite::Connection;

/// From a key on, in byte order; the columns after the key are those that a record is made of.
const WALK: &str = "SELECT key, seq, modified, attributes, len, md5, crc, blob, inline
     FROM object WHERE bucket = ?1 AND key >= ?2 ORDER BY key";

/// One page, read in one short transaction.
pub(super) fn page(
    connection: &Connection,
    bucket: u64,
    query: &ListQuery,
) -> Result<ListPage, CatalogError> {
    let transaction = connection.unchecked_transaction()?;
    let page = walk(&transaction, bucket, query);
    transaction.rollback()?;
    page
}

fn walk(connection: &Connection, bucket: u64, query: &ListQuery) -> Result<ListPage, CatalogError> {
    let (mut page, mut bytes) = (ListPage::default(), 0);
    let mut statement = connection.prepare_cached(WALK)?;
    let mut seek = query.first_key().filter(|_| query.limit > 0);
    while let Some(from) = seek.take() {
        let mut rows = statement.query((bucket as i64, &from[..]))?;
        while let Some(row) = rows.next()? {
            let key =
                row.get_ref(0)?.as_blob().map_err(|error| CatalogError::Engine(EngineError::new(error)))?;
            if !key.starts_with(&query.prefix) {
                return Ok(page);
            }
            if page.entries.len() == query.limit || bytes > ListPage::BYTES_MAX {
                page.next = page.entries.last().map(|entry| entry.name().clone());
                return Ok(page);
            }
            if let Some(common) = query.common_prefix(key) {
                seek = ListQuery::above(common);
                bytes += common.len();
                page.entries.push(Entry::CommonPrefix(Bytes::copy_from_slice(common)));
                break;
            }
            let entry = Entry::Object(record(row, 1, Bytes::copy_from_slice(key))?);
            bytes += entry.held_bytes();
            page.entries.push(entry);
        }
    }
    Ok(page)
}
