//! Writes what putting and deleting an object change: the version, its content, and the garbage that the replaced
//! content becomes.

use super::transaction::{Outcome, Transaction};
use crate::catalog::{PlacedBytes, PlacedContent};
use crate::{
    ContentRef, DeleteObject, DeleteRefusal, ObjectDeleted, ObjectPut, ObjectRecord, OwedEntry, Place,
    PutAttributes, PutAttributesRefusal, PutObject, PutRefusal,
};
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

impl Transaction<'_> {
    pub(super) fn put_object(&mut self, put: PutObject<PlacedContent>) -> Outcome<PutObject<PlacedContent>> {
        let PutObject { bucket: bucket_name, key, content, attributes, forbid_overwrite, owed } = put;
        let Some(bucket) = self.bucket_id(&bucket_name) else {
            self.discard_offered(&content)?;
            return Ok(Err(PutRefusal::NoSuchBucket));
        };
        if let Some((sequence, replaced)) = self.current(bucket, &key)? {
            if forbid_overwrite {
                self.discard_offered(&content)?;
                return Ok(Err(PutRefusal::ObjectExists));
            }
            self.remove_version(sequence, replaced)?;
        }
        let sequence = self.number()?;
        let modified = self.now.as_microsecond();
        let place = self.insert_content(sequence, &content)?;
        self.connection
            .prepare_cached(
                "INSERT INTO version(seq, bucket, key, current, modified, content, attributes)
                 VALUES(?1, ?2, ?3, 1, ?4, ?1, ?5)",
            )?
            .execute((sequence as i64, bucket as i64, &key[..], modified, &attributes[..]))?;
        let owed_id = match owed {
            Some(owed) => Some(self.insert_owed(sequence, &bucket_name, &key, &owed)?),
            None => None,
        };
        let object = ObjectRecord {
            key,
            sequence,
            len: content.len,
            md5: content.md5,
            crc64: content.crc64,
            modified: Timestamp::from_microsecond(modified).unwrap_or(self.now),
            attributes,
            content: ContentRef { id: sequence, place },
        };
        Ok(Ok(ObjectPut { object, owed_id }))
    }

    pub(super) fn put_attributes(&mut self, put: &PutAttributes) -> Outcome<PutAttributes> {
        let Some(bucket) = self.bucket_id(&put.bucket) else {
            return Ok(Err(PutAttributesRefusal::NoSuchBucket));
        };
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE version SET attributes = ?5
                 WHERE bucket = ?1 AND key = ?2 AND current = 1 AND seq = ?3 AND attributes = ?4",
            )?
            .execute((
                bucket as i64,
                &put.key[..],
                put.sequence as i64,
                &put.found[..],
                &put.attributes[..],
            ))?;
        Ok(if changed == 0 { Err(PutAttributesRefusal::ObjectChanged) } else { Ok(()) })
    }

    pub(super) fn delete_object(&mut self, delete: &DeleteObject) -> Outcome<DeleteObject> {
        let DeleteObject { bucket, key, only_if_sequence } = delete;
        let Some(bucket) = self.bucket_id(bucket) else { return Ok(Err(DeleteRefusal::NoSuchBucket)) };
        let Some((sequence, content)) = self.current(bucket, key)? else {
            return Ok(match only_if_sequence {
                Some(_) => Err(DeleteRefusal::ObjectChanged),
                None => Ok(ObjectDeleted { removed: None }),
            });
        };
        if only_if_sequence.is_some_and(|meant| meant != sequence) {
            return Ok(Err(DeleteRefusal::ObjectChanged));
        }
        self.remove_version(sequence, content)?;
        Ok(Ok(ObjectDeleted { removed: Some(sequence) }))
    }

    /// The content's row, with its bytes when they come along.
    fn insert_content(&mut self, number: u64, content: &PlacedContent) -> rusqlite::Result<Place> {
        let (blob, inline, place) = match &content.bytes {
            PlacedBytes::Blob(id) => (Some(&id.0[..]), None, Place::Blob(*id)),
            PlacedBytes::Inline(_) if content.len == 0 => (None, None, Place::Empty),
            PlacedBytes::Inline(chunks) => {
                self.insert_inline(number, chunks)?;
                (None, Some(number as i64), Place::Inline { row: number, bytes: None })
            }
        };
        self.connection
            .prepare_cached(
                "INSERT INTO content(id, refs, len, md5, crc, blob, inline) VALUES(?1, 1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                number as i64,
                content.len as i64,
                content.md5.as_ref().map(|md5| &md5[..]),
                content.crc64 as i64,
                blob,
                inline,
            ))?;
        Ok(place)
    }

    fn insert_inline(&self, row: u64, chunks: &[Bytes]) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached("INSERT INTO inline(blob, bytes) VALUES(?1, ?2)")?;
        match chunks {
            [whole] => insert.execute((row as i64, &whole[..]))?,
            chunks => {
                let mut joined = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
                chunks.iter().for_each(|chunk| joined.extend_from_slice(chunk));
                insert.execute((row as i64, &joined[..]))?
            }
        };
        Ok(())
    }

    fn insert_owed(
        &mut self,
        sequence: u64,
        bucket: &str,
        key: &[u8],
        owed: &OwedEntry,
    ) -> rusqlite::Result<u64> {
        self.connection
            .prepare_cached(
                "INSERT INTO outbox(id, bucket, key, seq, created, payload) VALUES(?1, ?2, ?3, ?1, ?4, ?5)",
            )?
            .execute((sequence as i64, bucket, key, self.now.as_microsecond(), &owed.payload))?;
        Ok(sequence)
    }

    /// Takes a version away, and its content when nothing else refers to it.
    fn remove_version(&mut self, sequence: u64, content: i64) -> rusqlite::Result<()> {
        self.connection.prepare_cached("DELETE FROM version WHERE seq = ?1")?.execute([sequence as i64])?;
        let (refs, blob, inline): (i64, Option<Vec<u8>>, Option<i64>) = self
            .connection
            .prepare_cached("UPDATE content SET refs = refs - 1 WHERE id = ?1 RETURNING refs, blob, inline")?
            .query_row([content], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        if refs > 0 {
            return Ok(());
        }
        self.connection.prepare_cached("DELETE FROM content WHERE id = ?1")?.execute([content])?;
        if blob.is_none() && inline.is_none() {
            return self.remove_extents(content);
        }
        self.discard(blob.as_deref(), inline, self.grace)
    }

    fn remove_extents(&mut self, content: i64) -> rusqlite::Result<()> {
        let pieces: Vec<(Option<Vec<u8>>, Option<i64>)> = self
            .connection
            .prepare_cached("SELECT blob, inline FROM extent WHERE content = ?1")?
            .query_map([content], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if pieces.is_empty() {
            return Ok(());
        }
        self.connection.prepare_cached("DELETE FROM extent WHERE content = ?1")?.execute([content])?;
        for (blob, inline) in pieces {
            self.discard(blob.as_deref(), inline, self.grace)?;
        }
        Ok(())
    }
}
