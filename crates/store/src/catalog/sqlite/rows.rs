//! Queries besides listings, and how rows become records.

use super::CatalogError;
use super::bucket_table::timestamp;
use crate::blobs::BlobId;
use crate::catalog::{Extent, Garbage, Piece};
use crate::{ContentRef, ObjectRecord, Place};
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

/// Finds the object of a key.
pub(super) const OBJECT: &str =
    "SELECT o.seq, o.modified, o.attributes, o.len, o.md5, o.crc, o.blob, o.inline, i.bytes
     FROM object o LEFT JOIN inline i ON i.blob = o.inline WHERE o.bucket = ?1 AND o.key = ?2";

/// The object that a key holds, inline bytes with it.
pub(super) fn object(
    connection: &Connection,
    bucket: u64,
    key: Bytes,
) -> Result<Option<ObjectRecord>, CatalogError> {
    let mut statement = connection.prepare_cached(OBJECT)?;
    let mut rows = statement.query((bucket as i64, &key[..]))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut object = record(row, 0, key)?;
    if let Place::Inline { bytes, .. } = &mut object.content.place {
        *bytes = row.get::<_, Option<Vec<u8>>>(8)?.map(Bytes::from);
    }
    Ok(Some(object))
}

/// A record from the columns seq, modified, attributes, len, md5, crc, blob and inline, which begin at column `first`.
pub(super) fn record(row: &Row<'_>, first: usize, key: Bytes) -> Result<ObjectRecord, CatalogError> {
    let len = row.get::<_, i64>(first + 3)? as u64;
    let sequence = row.get::<_, i64>(first)? as u64;
    let place = match (row.get::<_, Option<Vec<u8>>>(first + 6)?, row.get::<_, Option<i64>>(first + 7)?) {
        (Some(blob), _) => Place::Blob(blob_id(&blob)?),
        (None, Some(inline)) => Place::Inline { row: inline as u64, bytes: None },
        (None, None) if len == 0 => Place::Empty,
        (None, None) => Place::Extents,
    };
    let md5: Option<Vec<u8>> = row.get(first + 4)?;
    Ok(ObjectRecord {
        key,
        sequence,
        len,
        md5: md5.map(|md5| sixteen(&md5, "an MD5")).transpose()?,
        crc64: row.get::<_, i64>(first + 5)? as u64,
        modified: timestamp(row.get(first + 1)?)?,
        attributes: Bytes::from(row.get::<_, Vec<u8>>(first + 2)?),
        content: ContentRef { id: sequence, place },
    })
}

fn sixteen(bytes: &[u8], expected: &'static str) -> Result<[u8; 16], CatalogError> {
    bytes
        .try_into()
        .map_err(|_| CatalogError::Malformed { expected, found: format!("{} bytes", bytes.len()) })
}

fn blob_id(bytes: &[u8]) -> Result<BlobId, CatalogError> {
    sixteen(bytes, "a blob's name").map(BlobId)
}

fn piece(blob: Option<Vec<u8>>, inline: Option<i64>) -> Result<Piece, CatalogError> {
    match (blob, inline) {
        (Some(blob), _) => blob_id(&blob).map(Piece::Blob),
        (None, Some(row)) => Ok(Piece::Inline(row as u64)),
        (None, None) => {
            Err(CatalogError::Malformed { expected: "a piece", found: "neither blob nor row".into() })
        }
    }
}

/// Inline bytes by row.
pub(super) fn inline_bytes(connection: &Connection, row: u64) -> Result<Option<Bytes>, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM inline WHERE blob = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([row as i64], |row| row.get(0)).optional()?;
    Ok(bytes.map(Bytes::from))
}

/// The pieces of a content.
pub(super) fn extents(connection: &Connection, content: u64) -> Result<Vec<Extent>, CatalogError> {
    let mut statement = connection
        .prepare_cached("SELECT \"end\", blob, inline FROM extent WHERE content = ?1 ORDER BY ordinal")?;
    let mut rows = statement.query([content as i64])?;
    let mut extents = Vec::new();
    while let Some(row) = rows.next()? {
        extents.push(Extent { end: row.get::<_, i64>(0)? as u64, piece: piece(row.get(1)?, row.get(2)?)? });
    }
    Ok(extents)
}

/// Garbage that is due.
pub(super) fn garbage(
    connection: &Connection,
    now: Timestamp,
    after: Option<&Garbage>,
    limit: usize,
) -> Result<Vec<Garbage>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, blob, inline, not_before FROM garbage WHERE (not_before, id) > (?1, ?2) AND not_before <= ?3
         ORDER BY not_before, id LIMIT ?4",
    )?;
    let (since, id) =
        after.map_or((i64::MIN, 0), |after| (after.not_before.as_microsecond(), signed(after.id)));
    let mut rows = statement.query((since, id, now.as_microsecond(), signed(limit as u64)))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.push(Garbage {
            id: row.get::<_, i64>(0)? as u64,
            piece: piece(row.get(1)?, row.get(2)?)?,
            not_before: timestamp(row.get(3)?)?,
        });
    }
    Ok(due)
}

/// Those that no row names.
pub(super) fn unnamed(connection: &Connection, mut blobs: Vec<BlobId>) -> Result<Vec<BlobId>, CatalogError> {
    let mut named = connection.prepare_cached(
        "SELECT EXISTS(SELECT 1 FROM object WHERE blob = ?1) OR EXISTS(SELECT 1 FROM extent WHERE blob = ?1)
             OR EXISTS(SELECT 1 FROM garbage WHERE blob = ?1)",
    )?;
    let mut failure = None;
    blobs.retain(|id| match named.query_row([&id.0[..]], |row| row.get::<_, bool>(0)) {
        Ok(named) => !named,
        Err(error) => {
            failure = Some(error);
            false
        }
    });
    failure.map_or(Ok(blobs), |error| Err(error.into()))
}

/// A number as SQLite has it; those above its range come after every row.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
