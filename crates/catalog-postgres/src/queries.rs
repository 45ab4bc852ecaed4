//! Queries besides listings and those of the scrub.

use crate::readers::Readers;
use crate::rows::{
    ObjectRow, blob_id, bytes, column, garbage as garbage_row, limit as limited, number, object_columns,
};
use crate::rows::{signed, timestamp};
use bytes::Bytes;
use countersign_store::blobs::BlobId;
use countersign_store::catalog::{CatalogError, Garbage};
use countersign_store::{ObjectRecord, OutboxRecord, Place};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// So many names of blobs are asked for at once.
const BLOBS_ASKED: usize = 10_000;
/// A page of outbox entries ends with the one that brings it above so many bytes of payload.
const OUTBOX_BYTES_MAX: usize = 1024 * 1024;
/// So many outbox entries are read at once.
const OUTBOX_READ: usize = 256;

/// The object that a key holds, inline bytes with it.
pub(crate) async fn object(
    readers: &Readers,
    bucket: u64,
    key: Bytes,
) -> Result<Option<ObjectRecord>, CatalogError> {
    const OBJECT: &str = concat!(
        "SELECT ",
        object_columns!(),
        ", i.bytes FROM object o LEFT JOIN inline i ON i.id = o.inline WHERE o.bucket = $1 AND o.key = $2"
    );
    let rows = readers.rows(OBJECT, &[&signed(bucket), &&key[..]]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let mut object = ObjectRow::read(row, 0)?.record(key);
    if let Place::Inline { bytes, .. } = &mut object.content.place {
        *bytes = column::<Option<&[u8]>>(row, 8)?.map(Bytes::copy_from_slice);
    }
    Ok(Some(object))
}

/// Inline bytes by row.
pub(crate) async fn inline_bytes(readers: &Readers, row: u64) -> Result<Option<Bytes>, CatalogError> {
    let rows = readers.rows("SELECT bytes FROM inline WHERE id = $1", &[&signed(row)]).await?;
    rows.first().map(|row| bytes(row, 0)).transpose()
}

/// Open outbox entries.
pub(crate) async fn outbox(
    readers: &Readers,
    after: u64,
    limit: usize,
) -> Result<Vec<OutboxRecord>, CatalogError> {
    const OUTBOX: &str = "SELECT id, bucket, key, seq, created, payload, attempts, last_error
         FROM outbox WHERE id > $1 ORDER BY id LIMIT $2";
    let (mut records, mut after, mut held) = (Vec::<OutboxRecord>::new(), after, 0);
    while records.len() < limit && held <= OUTBOX_BYTES_MAX {
        let asked = limit.saturating_sub(records.len()).min(OUTBOX_READ);
        let rows = readers.rows(OUTBOX, &[&signed(after), &limited(asked)]).await?;
        for row in &rows {
            let record = outbox_record(row)?;
            after = record.id;
            held += record.payload.len();
            records.push(record);
            if held > OUTBOX_BYTES_MAX {
                break;
            }
        }
        if rows.len() < asked {
            break;
        }
    }
    Ok(records)
}

fn outbox_record(row: &tokio_postgres::Row) -> Result<OutboxRecord, CatalogError> {
    Ok(OutboxRecord {
        id: number(row, 0)?,
        bucket: column(row, 1)?,
        key: bytes(row, 2)?,
        sequence: number(row, 3)?,
        created: timestamp(column(row, 4)?)?,
        payload: bytes(row, 5)?,
        attempts: u32::try_from(column::<i32>(row, 6)?).unwrap_or(0),
        last_error: column(row, 7)?,
    })
}

/// Garbage that is due, behind `after`.
pub(crate) async fn garbage(
    readers: &Readers,
    now: Timestamp,
    after: Option<Garbage>,
    limit: usize,
) -> Result<Vec<Garbage>, CatalogError> {
    let (since, id) = match after {
        Some(after) => (after.not_before.as_microsecond(), signed(after.id)),
        None => (i64::MIN, 0),
    };
    let rows = readers
        .rows(
            "SELECT id, blob, inline, not_before FROM garbage
             WHERE (not_before, id) > ($1, $2) AND not_before <= $3 ORDER BY not_before, id LIMIT $4",
            &[&since, &id, &now.as_microsecond(), &limited(limit)],
        )
        .await?;
    rows.iter().map(garbage_row).collect()
}

/// Those that no row names, in the order in which they were given.
pub(crate) async fn unnamed(readers: &Readers, blobs: Vec<BlobId>) -> Result<Vec<BlobId>, CatalogError> {
    let mut unnamed = BTreeSet::new();
    for asked in blobs.chunks(BLOBS_ASKED) {
        let names: Vec<&[u8]> = asked.iter().map(|blob| &blob.0[..]).collect();
        let rows = readers
            .rows(
                "SELECT asked.blob FROM unnest($1::bytea[]) AS asked(blob)
                 WHERE NOT EXISTS(SELECT 1 FROM object WHERE object.blob = asked.blob)
                   AND NOT EXISTS(SELECT 1 FROM garbage WHERE garbage.blob = asked.blob)",
                &[&names],
            )
            .await?;
        for row in &rows {
            unnamed.insert(blob_id(column(row, 0)?)?.0);
        }
    }
    Ok(blobs.into_iter().filter(|blob| unnamed.contains(&blob.0)).collect())
}
