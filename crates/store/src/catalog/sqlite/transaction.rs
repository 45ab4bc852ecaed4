//! Applies one mutation to the tables. It sees every earlier mutation of the batch, and is refused before it writes
//! anything or not at all.

use super::bucket_table::{Bucket, Buckets};
use super::commit_queue::Note;
use super::{inventory, schema};
use crate::catalog::{AnyMutation, Garbage, Piece, PlacedBytes, PlacedContent};
use crate::{
    Answered, BucketExists, BucketRecord, ContentRef, CreateBucket, DeleteBucket, DeleteBucketRefusal,
    DeleteObject, DeleteRefusal, NoSuchBucket, ObjectDeleted, ObjectPut, ObjectRecord, Place, PutAttributes,
    PutAttributesRefusal, PutObject, PutRefusal, PutSetting,
};
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use std::sync::Arc;
use std::time::Duration;

/// How many numbers are taken from the counter at once.
const NUMBERS_TAKEN: u64 = 1 << 20;

/// What came of a mutation: the engine's failure, or the mutation's answer.
pub(super) type Outcome<M> = rusqlite::Result<Answered<M>>;

/// The numbers of the catalog: see the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    next: u64,
    taken_below: u64,
}

impl Numbers {
    /// As a start finds them: nothing is taken yet beyond what the counter says.
    pub(super) fn from_counter(counter: u64) -> Numbers {
        Numbers { next: counter.max(1), taken_below: counter.max(1) }
    }

    /// After a rollback: numbers that were given stay given, but no block was taken.
    pub(super) fn rolled_back(&mut self, before: Numbers) {
        self.taken_below = before.taken_below;
    }
}

/// A transaction under way.
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a Connection,
    pub(super) buckets: &'a mut Buckets,
    pub(super) buckets_changed: bool,
    pub(super) numbers: &'a mut Numbers,
    pub(super) now: Timestamp,
    pub(super) grace: Duration,
}

impl Transaction<'_> {
    /// Applies one mutation and answers it.
    pub(super) fn apply(&mut self, mutation: AnyMutation) -> rusqlite::Result<()> {
        match mutation {
            AnyMutation::CreateBucket(asked) => asked.answer_with(|create| self.create_bucket(create)),
            AnyMutation::DeleteBucket(asked) => asked.answer_with(|delete| self.delete_bucket(&delete)),
            AnyMutation::PutSetting(asked) => asked.answer_with(|put| self.put_setting(put)),
            AnyMutation::PutObject(asked) => asked.answer_with(|put| self.put_object(put)),
            AnyMutation::PutAttributes(asked) => asked.answer_with(|put| self.put_attributes(&put)),
            AnyMutation::DeleteObject(asked) => asked.answer_with(|delete| self.delete_object(&delete)),
            AnyMutation::CloseOutboxEntry(asked) => asked.answer_with(|close| self.close_outbox_entry(close)),
        }
    }

    /// The next number; takes a block from the counter when the last one is used up.
    pub(super) fn number(&mut self) -> rusqlite::Result<u64> {
        if self.numbers.next >= self.numbers.taken_below {
            let taken_below = self.numbers.next + NUMBERS_TAKEN;
            schema::put_counter(self.connection, schema::NEXT_NUMBER, taken_below)?;
            self.numbers.taken_below = taken_below;
        }
        let number = self.numbers.next;
        self.numbers.next += 1;
        Ok(number)
    }

    fn create_bucket(&mut self, create: CreateBucket) -> Outcome<CreateBucket> {
        let CreateBucket { name, settings } = create;
        if self.buckets.contains_key(&name) {
            return Ok(Err(BucketExists));
        }
        let id = self.number()?;
        self.connection
            .prepare_cached("INSERT INTO bucket(id, name, created, revision) VALUES(?1, ?2, ?3, ?1)")?
            .execute((id as i64, &name, self.now.as_microsecond()))?;
        for (setting, value) in &settings {
            self.write_setting(id, setting, Some(value))?;
        }
        let created = Timestamp::from_microsecond(self.now.as_microsecond()).unwrap_or(self.now);
        let record = BucketRecord { name: name.clone(), created, settings };
        self.buckets.insert(name, Bucket { id, record: Arc::new(record.clone()) });
        self.buckets_changed = true;
        Ok(Ok(record))
    }

    fn delete_bucket(&mut self, delete: &DeleteBucket) -> Outcome<DeleteBucket> {
        let name = delete.name.as_str();
        let Some(id) = self.bucket_id(name) else { return Ok(Err(DeleteBucketRefusal::NoSuchBucket)) };
        let holds_objects = self
            .connection
            .prepare_cached("SELECT 1 FROM object WHERE bucket = ?1 LIMIT 1")?
            .exists([id as i64])?;
        if holds_objects {
            return Ok(Err(DeleteBucketRefusal::BucketNotEmpty));
        }
        self.connection.prepare_cached("DELETE FROM setting WHERE bucket = ?1")?.execute([id as i64])?;
        self.connection.prepare_cached("DELETE FROM bucket WHERE id = ?1")?.execute([id as i64])?;
        self.buckets.remove(name);
        self.buckets_changed = true;
        Ok(Ok(()))
    }

    fn put_setting(&mut self, put: PutSetting) -> Outcome<PutSetting> {
        let PutSetting { bucket, name, value } = put;
        let Some(id) = self.bucket_id(&bucket) else { return Ok(Err(NoSuchBucket)) };
        self.write_setting(id, &name, value.as_ref())?;
        let revision = self.number()?;
        self.connection
            .prepare_cached("UPDATE bucket SET revision = ?2 WHERE id = ?1")?
            .execute((id as i64, revision as i64))?;
        if let Some(bucket) = self.buckets.get_mut(&bucket) {
            let settings = &mut Arc::make_mut(&mut bucket.record).settings;
            match value {
                Some(value) => settings.insert(name, value),
                None => settings.remove(&name),
            };
        }
        self.buckets_changed = true;
        Ok(Ok(()))
    }

    fn write_setting(&self, bucket: u64, name: &str, value: Option<&Vec<u8>>) -> rusqlite::Result<()> {
        match value {
            Some(value) => self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO setting(bucket, name, value) VALUES(?1, ?2, ?3)")?
                .execute((bucket as i64, name, value))?,
            None => self
                .connection
                .prepare_cached("DELETE FROM setting WHERE bucket = ?1 AND name = ?2")?
                .execute((bucket as i64, name))?,
        };
        Ok(())
    }

    /// Writes what the store notes for itself.
    pub(super) fn keep(&mut self, note: &Note) -> rusqlite::Result<()> {
        match note {
            Note::Forget(gone) => self.forget(gone),
            Note::Mark(mark) => schema::put_counter(self.connection, schema::BLOB_MARK, *mark),
            Note::Scrubbed(note) => inventory::note(self.connection, note),
        }
    }

    /// Forgets garbage that is deleted; inline rows go here, since they lie here.
    fn forget(&mut self, gone: &[Garbage]) -> rusqlite::Result<()> {
        for garbage in gone {
            if let Piece::Inline(row) = garbage.piece {
                self.connection
                    .prepare_cached("DELETE FROM inline WHERE blob = ?1")?
                    .execute([row as i64])?;
            }
            self.connection
                .prepare_cached("DELETE FROM garbage WHERE id = ?1")?
                .execute([garbage.id as i64])?;
        }
        Ok(())
    }

    /// Lists a piece as garbage.
    pub(super) fn discard(
        &mut self,
        blob: Option<&[u8]>,
        inline: Option<i64>,
        grace: Duration,
    ) -> rusqlite::Result<()> {
        if blob.is_none() && inline.is_none() {
            return Ok(());
        }
        let id = self.number()?;
        let not_before = self.now.as_microsecond().saturating_add(grace.as_micros() as i64);
        self.connection
            .prepare_cached("INSERT INTO garbage(id, blob, inline, not_before) VALUES(?1, ?2, ?3, ?4)")?
            .execute((id as i64, blob, inline, not_before))?;
        Ok(())
    }

    /// A published blob that no content will name: it was never visible, so it needs no grace.
    pub(super) fn discard_offered(&mut self, content: &PlacedContent) -> rusqlite::Result<()> {
        match &content.bytes {
            PlacedBytes::Blob(id) => self.discard(Some(&id.0), None, Duration::ZERO),
            PlacedBytes::Inline(_) => Ok(()),
        }
    }

    /// A bucket's number.
    pub(super) fn bucket_id(&self, name: &str) -> Option<u64> {
        self.buckets.get(name).map(|bucket| bucket.id)
    }

    /// What a key holds now.
    fn current(&self, bucket: u64, key: &[u8]) -> rusqlite::Result<Option<Current>> {
        self.connection
            .prepare_cached("SELECT seq, len, blob, inline FROM object WHERE bucket = ?1 AND key = ?2")?
            .query_row((bucket as i64, key), |row| {
                let (len, blob, inline) = (row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?);
                Ok(Current { sequence: row.get::<_, i64>(0)? as u64, len, blob, inline })
            })
            .optional()
    }
}

/// The object that a key holds: which one, and what holds its bytes.
struct Current {
    sequence: u64,
    len: i64,
    blob: Option<Vec<u8>>,
    inline: Option<i64>,
}

/// Putting and deleting an object: its row, and the garbage that the bytes of the replaced one become.
impl Transaction<'_> {
    fn put_object(&mut self, put: PutObject<PlacedContent>) -> Outcome<PutObject<PlacedContent>> {
        let PutObject { bucket: bucket_name, key, content, attributes, forbid_overwrite, outbox_entry } = put;
        let Some(bucket) = self.bucket_id(&bucket_name) else {
            self.discard_offered(&content)?;
            return Ok(Err(PutRefusal::NoSuchBucket));
        };
        if let Some(replaced) = self.current(bucket, &key)? {
            if forbid_overwrite {
                self.discard_offered(&content)?;
                return Ok(Err(PutRefusal::ObjectExists));
            }
            self.remove_object(&replaced)?;
        }
        let sequence = self.number()?;
        let modified = self.now.as_microsecond();
        let place = self.place(sequence, &content)?;
        let (blob, inline) = match &place {
            Place::Blob(id) => (Some(&id.0[..]), None),
            Place::Inline { row, .. } => (None, Some(*row as i64)),
            Place::Empty | Place::Extents => (None, None),
        };
        self.connection
            .prepare_cached(
                "INSERT INTO object(seq, bucket, key, modified, len, md5, crc, blob, inline, attributes)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                sequence as i64,
                bucket as i64,
                &key[..],
                modified,
                content.len as i64,
                content.md5.as_ref().map(|md5| &md5[..]),
                content.crc64 as i64,
                blob,
                inline,
                &attributes[..],
            ))?;
        let outbox_id = match outbox_entry {
            Some(entry) => Some(self.insert_outbox_entry(sequence, &bucket_name, &key, &entry)?),
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
        Ok(Ok(ObjectPut { object, outbox_id }))
    }

    fn put_attributes(&mut self, put: &PutAttributes) -> Outcome<PutAttributes> {
        let Some(bucket) = self.bucket_id(&put.bucket) else {
            return Ok(Err(PutAttributesRefusal::NoSuchBucket));
        };
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE object SET attributes = ?5
                 WHERE bucket = ?1 AND key = ?2 AND seq = ?3 AND attributes = ?4",
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

    fn delete_object(&mut self, delete: &DeleteObject) -> Outcome<DeleteObject> {
        let DeleteObject { bucket, key, only_if_sequence } = delete;
        let Some(bucket) = self.bucket_id(bucket) else { return Ok(Err(DeleteRefusal::NoSuchBucket)) };
        let Some(current) = self.current(bucket, key)? else {
            return Ok(match only_if_sequence {
                Some(_) => Err(DeleteRefusal::ObjectChanged),
                None => Ok(ObjectDeleted { removed: None }),
            });
        };
        if only_if_sequence.is_some_and(|meant| meant != current.sequence) {
            return Ok(Err(DeleteRefusal::ObjectChanged));
        }
        self.remove_object(&current)?;
        Ok(Ok(ObjectDeleted { removed: Some(current.sequence) }))
    }

    /// Where a content is; writes the bytes that come along.
    fn place(&self, sequence: u64, content: &PlacedContent) -> rusqlite::Result<Place> {
        Ok(match &content.bytes {
            PlacedBytes::Blob(id) => Place::Blob(*id),
            PlacedBytes::Inline(_) if content.len == 0 => Place::Empty,
            PlacedBytes::Inline(chunks) => {
                self.insert_inline(sequence, chunks)?;
                Place::Inline { row: sequence, bytes: None }
            }
        })
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

    /// Takes an object away; what held its bytes becomes garbage.
    fn remove_object(&mut self, object: &Current) -> rusqlite::Result<()> {
        let sequence = object.sequence as i64;
        self.connection.prepare_cached("DELETE FROM object WHERE seq = ?1")?.execute([sequence])?;
        if object.len > 0 && object.blob.is_none() && object.inline.is_none() {
            return self.remove_extents(sequence);
        }
        self.discard(object.blob.as_deref(), object.inline, self.grace)
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
