//! Putting, describing and deleting objects in a plan: what each key held before the batch, and what it holds now.

use super::numbers::Numbers;
use crate::rows::ObjectRow;
use bytes::Bytes;
use countersign_store::blobs::BlobId;
use countersign_store::catalog::{PlacedBytes, PlacedContent};
use countersign_store::{
    Answered, DeleteObject, DeleteRefusal, ObjectDeleted, ObjectRecord, PutAttributes, PutAttributesRefusal,
    PutObject, PutRefusal,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// A key of a bucket: the bucket's number, and the key.
pub(crate) type Place = (u64, Bytes);

/// What was read of the objects that a batch is about.
#[derive(Debug, Default)]
pub(crate) struct FoundObjects {
    /// What the batch's keys hold.
    pub(crate) rows: BTreeMap<Place, ObjectRow>,
    /// Of each bucket that the batch removes: keys that it holds, one more than the batch names of it at most.
    pub(crate) held: BTreeMap<u64, Vec<Bytes>>,
}

/// The changes of one batch.
#[derive(Debug)]
pub(crate) struct ObjectChanges {
    now: Timestamp,
    grace: Duration,
    pub(super) numbers: Numbers,
    found: FoundObjects,
    pub(crate) keys: BTreeMap<Place, KeyChange>,
    /// Bytes that are kept in the catalog, by row.
    pub(crate) inline: BTreeMap<u64, Bytes>,
    pub(crate) garbage: Vec<Discarded>,
}

/// What a batch does to one key.
#[derive(Debug)]
pub(crate) struct KeyChange {
    /// The sequence and attributes that it held before.
    pub(crate) before: Option<(u64, Bytes)>,
    /// What it holds afterwards.
    pub(crate) after: Option<ObjectRow>,
}

/// Something that no object names any more.
#[derive(Debug)]
pub(crate) struct Discarded {
    pub(crate) id: u64,
    pub(crate) blob: Option<BlobId>,
    pub(crate) inline: Option<u64>,
    /// Microseconds since 1970.
    pub(crate) not_before: i64,
}

impl ObjectChanges {
    /// None yet.
    pub(super) fn new(
        now: Timestamp,
        grace: Duration,
        numbers: Numbers,
        found: FoundObjects,
    ) -> ObjectChanges {
        let (keys, inline, garbage) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        ObjectChanges { now, grace, numbers, found, keys, inline, garbage }
    }

    /// What a key holds now.
    fn current(&self, place: &Place) -> Option<&ObjectRow> {
        match self.keys.get(place) {
            Some(change) => change.after.as_ref(),
            None => self.found.rows.get(place),
        }
    }

    fn set(&mut self, place: Place, after: Option<ObjectRow>) {
        let before = self.found.rows.get(&place).map(|row| (row.sequence, row.attributes.clone()));
        self.keys.entry(place).or_insert(KeyChange { before, after: None }).after = after;
    }

    /// Whether any key of the bucket holds an object now.
    pub(super) fn any_in(&self, bucket: u64) -> bool {
        let changed = self.keys.range((bucket, Bytes::new())..).take_while(|((id, _), _)| *id == bucket);
        let mut now = changed.filter(|(_, change)| change.after.is_some());
        let untouched = |key: &Bytes| !self.keys.contains_key(&(bucket, key.clone()));
        now.next().is_some() || self.found.held.get(&bucket).is_some_and(|held| held.iter().any(untouched))
    }

    /// Puts an object into the bucket, if there is one.
    pub(super) fn put(
        &mut self,
        bucket: Option<u64>,
        put: &PutObject<PlacedContent>,
    ) -> Result<ObjectRecord, PutRefusal> {
        let Some(bucket) = bucket else {
            self.discard_offered(&put.content);
            return Err(PutRefusal::NoSuchBucket);
        };
        let place = (bucket, put.key.clone());
        let replaced = self.current(&place).map(|row| (row.blob, row.inline));
        if let Some((blob, inline)) = replaced {
            if put.forbid_overwrite {
                self.discard_offered(&put.content);
                return Err(PutRefusal::ObjectExists);
            }
            self.discard(blob, inline, self.grace);
        }
        let row = self.new_row(put);
        let object = row.record(put.key.clone());
        self.set(place, Some(row));
        Ok(object)
    }

    /// The row of a put, its inline bytes noted.
    fn new_row(&mut self, put: &PutObject<PlacedContent>) -> ObjectRow {
        let sequence = self.numbers.take();
        let PlacedContent { len, md5, crc64, bytes } = &put.content;
        let (blob, inline) = match bytes {
            PlacedBytes::Blob(id) => (Some(*id), None),
            PlacedBytes::Inline(_) if *len == 0 => (None, None),
            PlacedBytes::Inline(chunks) => {
                let whole = match &chunks[..] {
                    [whole] => whole.clone(),
                    chunks => Bytes::from(chunks.concat()),
                };
                self.inline.insert(sequence, whole);
                (None, Some(sequence))
            }
        };
        ObjectRow {
            sequence,
            modified: self.now,
            len: *len,
            md5: *md5,
            crc64: *crc64,
            blob,
            inline,
            attributes: put.attributes.clone(),
        }
    }

    /// Describes an object of the bucket anew.
    pub(super) fn describe(&mut self, bucket: Option<u64>, put: &PutAttributes) -> Answered<PutAttributes> {
        let Some(bucket) = bucket else {
            return Err(PutAttributesRefusal::NoSuchBucket);
        };
        let place = (bucket, put.key.clone());
        match self.current(&place) {
            Some(row) if row.sequence == put.sequence && row.attributes == put.found => {
                let row = ObjectRow { attributes: put.attributes.clone(), ..row.clone() };
                self.set(place, Some(row));
                Ok(())
            }
            _ => Err(PutAttributesRefusal::ObjectChanged),
        }
    }

    /// Deletes an object of the bucket.
    pub(super) fn delete(&mut self, bucket: Option<u64>, delete: &DeleteObject) -> Answered<DeleteObject> {
        let Some(bucket) = bucket else { return Err(DeleteRefusal::NoSuchBucket) };
        let place = (bucket, delete.key.clone());
        let Some(row) = self.current(&place) else {
            return match delete.only_if_sequence {
                Some(_) => Err(DeleteRefusal::ObjectChanged),
                None => Ok(ObjectDeleted { removed: None }),
            };
        };
        let (sequence, blob, inline) = (row.sequence, row.blob, row.inline);
        if delete.only_if_sequence.is_some_and(|meant| meant != sequence) {
            return Err(DeleteRefusal::ObjectChanged);
        }
        self.discard(blob, inline, self.grace);
        self.set(place, None);
        Ok(ObjectDeleted { removed: Some(sequence) })
    }

    /// A published blob that no object will name: it was never visible, so it needs no grace.
    fn discard_offered(&mut self, content: &PlacedContent) {
        if let PlacedBytes::Blob(id) = &content.bytes {
            self.discard(Some(*id), None, Duration::ZERO);
        }
    }

    /// Lists a piece as garbage.
    fn discard(&mut self, blob: Option<BlobId>, inline: Option<u64>, grace: Duration) {
        if blob.is_none() && inline.is_none() {
            return;
        }
        let not_before =
            self.now.as_microsecond().saturating_add(i64::try_from(grace.as_micros()).unwrap_or(i64::MAX));
        let id = self.numbers.take();
        self.garbage.push(Discarded { id, blob, inline, not_before });
    }
}
