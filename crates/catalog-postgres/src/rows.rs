//! How rows of the database become records, and records rows.
//!
//! Numbers of the catalog are unsigned and below 2^63; the CRC uses all 64 bits and is kept in two's complement. Times
//! are microseconds since 1970.

use bytes::Bytes;
use countersign_store::blobs::BlobId;
use countersign_store::catalog::{CatalogError, Garbage, Piece};
use countersign_store::{ContentRef, ObjectRecord, Place};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

/// What a key holds, as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectRow {
    pub(crate) sequence: u64,
    pub(crate) modified: Timestamp,
    pub(crate) len: u64,
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) crc64: u64,
    pub(crate) blob: Option<BlobId>,
    pub(crate) inline: Option<u64>,
    pub(crate) attributes: Bytes,
}

/// The columns of an object's row, in the order of [`ObjectRow::read`], of the table `o`.
macro_rules! object_columns {
    () => {
        "o.seq, o.modified, o.len, o.md5, o.crc, o.blob, o.inline, o.attributes"
    };
}
pub(crate) use object_columns;

impl ObjectRow {
    /// From [`object_columns`], which begin at column `first`.
    pub(crate) fn read(row: &Row, first: usize) -> Result<ObjectRow, CatalogError> {
        let md5: Option<&[u8]> = column(row, first + 3)?;
        let blob: Option<&[u8]> = column(row, first + 5)?;
        Ok(ObjectRow {
            sequence: number(row, first)?,
            modified: timestamp(column(row, first + 1)?)?,
            len: number(row, first + 2)?,
            md5: md5.map(|md5| sixteen(md5, "an MD5")).transpose()?,
            crc64: column::<i64>(row, first + 4)? as u64,
            blob: blob.map(blob_id).transpose()?,
            inline: column::<Option<i64>>(row, first + 6)?.map(|inline| inline as u64),
            attributes: bytes(row, first + 7)?,
        })
    }

    /// As the store answers it; inline bytes do not come along.
    pub(crate) fn record(&self, key: Bytes) -> ObjectRecord {
        let place = match (self.blob, self.inline) {
            (Some(blob), _) => Place::Blob(blob),
            (None, Some(row)) => Place::Inline { row, bytes: None },
            (None, None) if self.len == 0 => Place::Empty,
            (None, None) => Place::Extents,
        };
        ObjectRecord {
            key,
            sequence: self.sequence,
            len: self.len,
            md5: self.md5,
            crc64: self.crc64,
            modified: self.modified,
            attributes: self.attributes.clone(),
            content: ContentRef { id: self.sequence, place },
        }
    }
}

/// Garbage from the columns id, blob, inline, not_before.
pub(crate) fn garbage(row: &Row) -> Result<Garbage, CatalogError> {
    let (blob, inline): (Option<&[u8]>, Option<i64>) = (column(row, 1)?, column(row, 2)?);
    let piece = match (blob, inline) {
        (Some(blob), _) => Piece::Blob(blob_id(blob)?),
        (None, Some(inline)) => Piece::Inline(inline as u64),
        (None, None) => {
            return Err(CatalogError::Malformed {
                expected: "a piece",
                found: "neither blob nor row".to_owned(),
            });
        }
    };
    Ok(Garbage { id: number(row, 0)?, piece, not_before: timestamp(column(row, 3)?)? })
}

/// A column's value.
pub(crate) fn column<'row, T: FromSql<'row>>(row: &'row Row, index: usize) -> Result<T, CatalogError> {
    row.try_get(index).map_err(|error| CatalogError::Malformed {
        expected: "a row of this schema",
        found: error.to_string(),
    })
}

/// A column that holds a number of the catalog.
pub(crate) fn number(row: &Row, index: usize) -> Result<u64, CatalogError> {
    Ok(column::<i64>(row, index)? as u64)
}

/// A column that holds bytes.
pub(crate) fn bytes(row: &Row, index: usize) -> Result<Bytes, CatalogError> {
    Ok(Bytes::copy_from_slice(column(row, index)?))
}

/// A number as the database takes it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A limit as the database takes it.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The blob of this name.
pub(crate) fn blob_id(bytes: &[u8]) -> Result<BlobId, CatalogError> {
    sixteen(bytes, "a blob's name").map(BlobId)
}

fn sixteen(bytes: &[u8], expected: &'static str) -> Result<[u8; 16], CatalogError> {
    bytes
        .try_into()
        .map_err(|_| CatalogError::Malformed { expected, found: format!("{} bytes", bytes.len()) })
}

/// A time as the database keeps it.
pub(crate) fn timestamp(microseconds: i64) -> Result<Timestamp, CatalogError> {
    Timestamp::from_microsecond(microseconds).map_err(|_| CatalogError::Malformed {
        expected: "a time in microseconds",
        found: microseconds.to_string(),
    })
}
