//! The outbox: writes an entry in its object's transaction, closes it, and reads a page of those that are open.

use super::CatalogError;
use super::bucket_table::timestamp;
use super::rows::signed;
use super::transaction::{Outcome, Transaction};
use crate::{CloseOutboxEntry, DeliveryOutcome, NoSuchOutboxEntry, OutboxEntry, OutboxRecord};
use bytes::Bytes;
use rusqlite::Connection;

/// A page of outbox entries ends with the one that brings it above so many bytes of payload.
const OWED_BYTES_MAX: usize = 1024 * 1024;

/// Open outbox entries.
pub(super) fn page(
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

impl Transaction<'_> {
    /// Writes an entry; its id is the sequence of its object.
    pub(super) fn insert_outbox_entry(
        &mut self,
        sequence: u64,
        bucket: &str,
        key: &[u8],
        owed: &OutboxEntry,
    ) -> rusqlite::Result<u64> {
        self.connection
            .prepare_cached(
                "INSERT INTO outbox(id, bucket, key, seq, created, payload) VALUES(?1, ?2, ?3, ?1, ?4, ?5)",
            )?
            .execute((sequence as i64, bucket, key, self.now.as_microsecond(), &owed.payload))?;
        Ok(sequence)
    }

    /// Notes how the delivery of an entry ended.
    pub(super) fn close_outbox_entry(&mut self, close: CloseOutboxEntry) -> Outcome<CloseOutboxEntry> {
        let CloseOutboxEntry { id, outcome } = close;
        let changed = match outcome {
            DeliveryOutcome::Delivered | DeliveryOutcome::Forgotten => {
                self.connection.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id as i64])?
            }
            DeliveryOutcome::Failed(error) => self
                .connection
                .prepare_cached("UPDATE outbox SET attempts = attempts + 1, last_error = ?2 WHERE id = ?1")?
                .execute((id as i64, error))?,
            DeliveryOutcome::Refused { error, payload } => self
                .connection
                .prepare_cached(
                    "UPDATE outbox SET attempts = attempts + 1, last_error = ?2, payload = ?3 WHERE id = ?1",
                )?
                .execute((id as i64, error, payload))?,
        };
        Ok(if changed == 0 { Err(NoSuchOutboxEntry) } else { Ok(()) })
    }
}
