//! Queries besides listings, and how rows become records.

use super::CatalogError;
use super::bucket_table::timestamp;
use crate::blobs::BlobId;
use crate::catalog::{Extent, Garbage, Piece};
use crate::{ContentRef, ObjectRecord, OutboxRecord, Place};
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

/// Finds the object of a key.
pub(super) const OBJECT: &str =
    "SELECT v.seq, v.modified, v.attributes, c.id, c.len, c.md5, c.crc, c.blob, c.inline, i.bytes
     FROM version v JOIN content c ON c.id = v.content LEFT JOIN inline i ON i.blob = c.inline
     WHERE v.bucket = ?1 AND v.key = ?2 AND v.current = 1";

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
        *bytes = row.get::<_, Option<Vec<u8>>>(9)?.map(Bytes::from);
    }
    Ok(Some(object))
}

/// A record from the columns seq, modified, attributes, content's id, len, md5, crc, blob and inline, which begin
/// at column `first`.
pub(super) fn record(row: &Row<'_>, first: usize, key: Bytes) -> Result<ObjectRecord, CatalogError> {
    let len = row.get::<_, i64>(first + 4)? as u64;
    let place = match (row.get::<_, Option<Vec<u8>>>(first + 7)?, row.get::<_, Option<i64>>(first + 8)?) {
        (Some(blob), _) => Place::Blob(blob_id(&blob)?),
        (None, Some(inline)) => Place::Inline { row: inline as u64, bytes: None },
        (None, None) if len == 0 => Place::Empty,
        (None, None) => Place::Extents,
    };
    let md5: Option<Vec<u8>> = row.get(first + 5)?;
    Ok(ObjectRecord {
        key,
        sequence: row.get::<_, i64>(first)? as u64,
        len,
        md5: md5.map(|md5| sixteen(&md5, "an MD5")).transpose()?,
        crc64: row.get::<_, Option<i64>>(first + 6)?.unwrap_or(0) as u64,
        modified: timestamp(row.get(first + 1)?)?,
        attributes: Bytes::from(row.get::<_, Vec<u8>>(first + 2)?),
        content: ContentRef { id: row.get::<_, i64>(first + 3)? as u64, place },
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

/// A page of outbox entries ends with the one that brings it above so many bytes of payload.
const OWED_BYTES_MAX: usize = 1024 * 1024;

/// Open outbox entries.
pub(super) fn outbox(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<OutboxRecord>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, bucket, key, seq, created, payload, attempts, last_error
         FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut rows = statement.query((signed(after), signed(limit as u64)))?;
    let (mut owed, mut bytes) = (Vec::new(), 0);
    while bytes <= OWED_BYTES_MAX
        && let Some(row) = rows.next()?
    {
        let payload: Vec<u8> = row.get(5)?;
        bytes += payload.len();
        owed.push(OutboxRecord {
            id: row.get::<_, i64>(0)? as u64,
            bucket: row.get(1)?,
            key: Bytes::from(row.get::<_, Vec<u8>>(2)?),
            sequence: row.get::<_, i64>(3)? as u64,
            created: timestamp(row.get(4)?)?,
            payload: Bytes::from(payload),
            attempts: row.get(6)?,
            last_error: row.get(7)?,
        });
    }
    Ok(owed)
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
        "SELECT EXISTS(SELECT 1 FROM content WHERE blob = ?1) OR EXISTS(SELECT 1 FROM extent WHERE blob = ?1)
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

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
