//! The catalog in memory: the rules with nothing else, to run the suite on a second implementation and to test what
//! is built upon a catalog.

use bytes::Bytes;
use countersign_store::blobs::{BlobId, Work};
use countersign_store::catalog::{
    BatchOutcome, Catalog, CatalogError, DamageRecord, Extent, Garbage, Inventoried, Piece, PlacedBytes,
    PlacedContent, ScrubNote, ScrubProgress, ScrubState,
};
use countersign_store::{
    Applied, ApplyError, BucketRecord, Clock, ContentRef, Entry, ListPage, ListQuery, Mutation, ObjectRecord,
    OwedOutcome, OwedRecord, Place, Refused,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Everything in memory; nothing survives.
pub struct MemoryCatalog {
    state: Mutex<State>,
    clock: Clock,
    grace: Duration,
}

#[derive(Default)]
struct State {
    number: u64,
    buckets: BTreeMap<String, Bucket>,
    inline: BTreeMap<u64, Bytes>,
    owed: BTreeMap<u64, OwedRecord>,
    garbage: BTreeMap<u64, (Timestamp, Piece)>,
    mark: u64,
    damaged: BTreeMap<u64, DamageRecord>,
    progress: ScrubProgress,
    closed: bool,
}

struct Bucket {
    record: Arc<BucketRecord>,
    objects: BTreeMap<Bytes, ObjectRecord>,
}

impl MemoryCatalog {
    /// An empty one.
    pub fn new(clock: Clock, grace: Duration) -> MemoryCatalog {
        MemoryCatalog { state: Mutex::default(), clock, grace }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, mutation: Mutation<PlacedContent>) -> Result<Applied, Refused> {
        let now = self.clock.wall();
        let state = &mut *self.lock();
        match mutation {
            Mutation::CreateBucket { name, settings } => state.create_bucket(name, settings, now),
            Mutation::DeleteBucket { name } => state.delete_bucket(&name),
            Mutation::PutSetting { bucket, name, value } => {
                let bucket = state.buckets.get_mut(&bucket).ok_or(Refused::NoSuchBucket)?;
                let settings = &mut Arc::make_mut(&mut bucket.record).settings;
                match value {
                    Some(value) => settings.insert(name, value),
                    None => settings.remove(&name),
                };
                Ok(Applied::SettingPut)
            }
            Mutation::PutObject { bucket, key, content, attributes, forbid_overwrite, owed } => {
                let put =
                    state.put_object(&bucket, key, &content, attributes, forbid_overwrite, now, self.grace);
                if let (Err(_), PlacedBytes::Blob(id)) = (&put, &content.bytes) {
                    state.discard(Piece::Blob(*id), now);
                }
                let object = put?;
                let owed_id = owed.map(|owed| state.owe(&bucket, &object, owed.payload.into(), now));
                Ok(Applied::ObjectPut { object, owed_id })
            }
            Mutation::DeleteObject { bucket, key, only_if_sequence } => {
                state.delete_object(&bucket, &key, only_if_sequence, now, self.grace)
            }
            Mutation::CloseOwed { id, outcome } => state.close_owed(id, outcome),
        }
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn create_bucket(
        &mut self,
        name: String,
        settings: BTreeMap<String, Vec<u8>>,
        created: Timestamp,
    ) -> Result<Applied, Refused> {
        if self.buckets.contains_key(&name) {
            return Err(Refused::BucketExists);
        }
        let record = BucketRecord { name: name.clone(), created, settings };
        let bucket = Bucket { record: Arc::new(record.clone()), objects: BTreeMap::new() };
        self.buckets.insert(name, bucket);
        Ok(Applied::BucketCreated(record))
    }

    fn delete_bucket(&mut self, name: &str) -> Result<Applied, Refused> {
        let bucket = self.buckets.get(name).ok_or(Refused::NoSuchBucket)?;
        if !bucket.objects.is_empty() {
            return Err(Refused::BucketNotEmpty);
        }
        self.buckets.remove(name);
        Ok(Applied::BucketDeleted)
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one mutation and the time")]
    fn put_object(
        &mut self,
        bucket: &str,
        key: Bytes,
        content: &PlacedContent,
        attributes: Bytes,
        forbid_overwrite: bool,
        modified: Timestamp,
        grace: Duration,
    ) -> Result<ObjectRecord, Refused> {
        let objects = &self.buckets.get(bucket).ok_or(Refused::NoSuchBucket)?.objects;
        if forbid_overwrite && objects.contains_key(&key) {
            return Err(Refused::ObjectExists);
        }
        let sequence = self.number();
        let place = match &content.bytes {
            PlacedBytes::Blob(id) => Place::Blob(*id),
            PlacedBytes::Inline(_) if content.len == 0 => Place::Empty,
            PlacedBytes::Inline(chunks) => {
                self.inline.insert(sequence, chunks.concat().into());
                Place::Inline { row: sequence, bytes: None }
            }
        };
        let PlacedContent { len, md5, crc64, .. } = *content;
        let content = ContentRef { id: sequence, place };
        let object =
            ObjectRecord { key: key.clone(), sequence, len, md5, crc64, modified, attributes, content };
        let objects = &mut self.buckets.get_mut(bucket).ok_or(Refused::NoSuchBucket)?.objects;
        if let Some(replaced) = objects.insert(key, object.clone()) {
            self.discard_content(&replaced, modified, grace);
        }
        Ok(object)
    }

    fn delete_object(
        &mut self,
        bucket: &str,
        key: &Bytes,
        only_if: Option<u64>,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Applied, Refused> {
        let objects = &mut self.buckets.get_mut(bucket).ok_or(Refused::NoSuchBucket)?.objects;
        let found = objects.get(key).map(|object| object.sequence);
        if only_if.is_some() && only_if != found {
            return Err(Refused::ObjectChanged);
        }
        if let Some(removed) = objects.remove(key) {
            self.discard_content(&removed, now, grace);
        }
        Ok(Applied::ObjectDeleted { removed: found })
    }

    fn discard_content(&mut self, object: &ObjectRecord, now: Timestamp, grace: Duration) {
        let not_before = now.saturating_add(grace).unwrap();
        match object.content.place {
            Place::Inline { row, .. } => self.discard(Piece::Inline(row), not_before),
            Place::Blob(id) => self.discard(Piece::Blob(id), not_before),
            Place::Empty | Place::Extents => {}
        }
    }

    fn discard(&mut self, piece: Piece, not_before: Timestamp) {
        let id = self.number();
        self.garbage.insert(id, (not_before, piece));
    }

    fn owe(&mut self, bucket: &str, object: &ObjectRecord, payload: Bytes, created: Timestamp) -> u64 {
        let (id, bucket, key) = (object.sequence, bucket.to_owned(), object.key.clone());
        let record =
            OwedRecord { id, created, bucket, key, sequence: id, payload, attempts: 0, last_error: None };
        self.owed.insert(id, record);
        id
    }

    fn close_owed(&mut self, id: u64, outcome: OwedOutcome) -> Result<Applied, Refused> {
        let owed = self.owed.get_mut(&id).ok_or(Refused::NoSuchOwed)?;
        match outcome {
            OwedOutcome::Delivered | OwedOutcome::Forgotten => {
                self.owed.remove(&id);
            }
            OwedOutcome::Failed(error) => {
                owed.attempts += 1;
                owed.last_error = Some(error);
            }
            OwedOutcome::Refused { error, payload } => {
                owed.attempts += 1;
                owed.last_error = Some(error);
                owed.payload = payload.into();
            }
        }
        Ok(Applied::OwedClosed)
    }

    fn list(&self, bucket: &str, query: &ListQuery) -> Option<ListPage> {
        let (mut page, mut bytes) = (ListPage::default(), 0);
        let objects = &self.buckets.get(bucket)?.objects;
        for (key, object) in objects.iter().filter(|(key, _)| key.starts_with(&query.prefix)) {
            let common = query.common_prefix(key).map(Bytes::copy_from_slice);
            let passed_over = common.as_ref().is_some_and(|common| {
                common == &query.after || page.entries.last().is_some_and(|last| last.name() == common)
            });
            if passed_over || key[..] <= query.after[..] || query.limit == 0 {
                continue;
            }
            if page.entries.len() == query.limit || bytes > ListPage::BYTES_MAX {
                page.next = page.entries.last().map(|entry| entry.name().clone());
                break;
            }
            let entry = common.map_or_else(|| Entry::Object(object.clone()), Entry::CommonPrefix);
            bytes += entry.held_bytes();
            page.entries.push(entry);
        }
        Some(page)
    }

    fn inventory(&self) -> BTreeMap<u64, Inventoried> {
        let objects = self.buckets.iter().flat_map(|(bucket, held)| {
            held.objects.values().map(|object| Inventoried { bucket: bucket.clone(), object: object.clone() })
        });
        objects.map(|named| (named.object.sequence, named)).collect()
    }

    fn note(&mut self, note: ScrubNote) {
        self.damaged.extend(note.damaged.into_iter().map(|damage| (damage.content, damage)));
        let there: Vec<u64> = self.inventory().values().map(|named| named.object.content.id).collect();
        self.damaged.retain(|content, _| there.contains(content) && !note.whole.contains(content));
        self.progress = note.progress.unwrap_or_else(|| self.progress.clone());
    }

    fn names(&self, id: BlobId) -> bool {
        let objects = self.buckets.values().flat_map(|bucket| bucket.objects.values());
        let mut places = objects.map(|object| &object.content.place);
        places.any(|place| *place == Place::Blob(id))
            || self.garbage.values().any(|(_, piece)| *piece == Piece::Blob(id))
    }
}

fn answer<T: Send + 'static, E: Send + 'static>(value: T) -> Work<Result<T, E>> {
    Box::pin(ready(Ok(value)))
}

impl Catalog for MemoryCatalog {
    fn apply(&self, batch: Vec<Mutation<PlacedContent>>) -> Work<BatchOutcome> {
        if self.lock().closed {
            return Box::pin(ready(Err(ApplyError::Closed)));
        }
        answer(batch.into_iter().map(|mutation| self.change(mutation)).collect())
    }

    fn apply_later(&self, mutation: Mutation<PlacedContent>) {
        let _refused = self.change(mutation);
    }

    fn bucket(&self, name: &str) -> Work<Result<Option<Arc<BucketRecord>>, CatalogError>> {
        answer(self.lock().buckets.get(name).map(|bucket| Arc::clone(&bucket.record)))
    }

    fn buckets(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Work<Result<Vec<Arc<BucketRecord>>, CatalogError>> {
        let state = self.lock();
        let found =
            state.buckets.iter().filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after);
        answer(found.map(|(_, bucket)| Arc::clone(&bucket.record)).take(limit).collect())
    }

    fn object(&self, bucket: &str, key: Bytes) -> Work<Result<Option<ObjectRecord>, CatalogError>> {
        let state = self.lock();
        let mut found = state.buckets.get(bucket).and_then(|bucket| bucket.objects.get(&key)).cloned();
        if let Some(ObjectRecord {
            content: ContentRef { place: Place::Inline { row, bytes }, .. }, ..
        }) = &mut found
        {
            *bytes = state.inline.get(row).cloned();
        }
        answer(found)
    }

    fn list(&self, bucket: &str, query: ListQuery) -> Work<Result<Option<ListPage>, CatalogError>> {
        answer(self.lock().list(bucket, &query))
    }

    fn inline_bytes(&self, row: u64) -> Work<Result<Option<Bytes>, CatalogError>> {
        answer(self.lock().inline.get(&row).cloned())
    }

    fn extents(&self, _content: u64) -> Work<Result<Vec<Extent>, CatalogError>> {
        answer(Vec::new())
    }

    fn owed(&self, after: u64, limit: usize) -> Work<Result<Vec<OwedRecord>, CatalogError>> {
        answer(self.lock().owed.range(after + 1..).take(limit).map(|(_, owed)| owed.clone()).collect())
    }

    fn garbage(
        &self,
        now: Timestamp,
        after: Option<Garbage>,
        limit: usize,
    ) -> Work<Result<Vec<Garbage>, CatalogError>> {
        let state = self.lock();
        let due = state.garbage.iter().filter(|(_, (not_before, _))| *not_before <= now);
        let due = due.map(|(id, (since, piece))| Garbage { id: *id, piece: *piece, not_before: *since });
        let order = |garbage: &Garbage| (garbage.not_before, garbage.id);
        let mut due: Vec<Garbage> =
            due.filter(|garbage| after.as_ref().is_none_or(|after| order(garbage) > order(after))).collect();
        due.sort_by_key(order);
        due.truncate(limit);
        answer(due)
    }

    fn forget_garbage(&self, gone: Vec<Garbage>) -> Work<Result<(), ApplyError>> {
        let mut state = self.lock();
        for garbage in gone {
            state.garbage.remove(&garbage.id);
            if let Piece::Inline(row) = garbage.piece {
                state.inline.remove(&row);
            }
        }
        answer(())
    }

    fn unnamed(&self, mut blobs: Vec<BlobId>) -> Work<Result<Vec<BlobId>, CatalogError>> {
        let state = self.lock();
        blobs.retain(|id| !state.names(*id));
        answer(blobs)
    }

    fn blob_mark(&self) -> Work<Result<u64, CatalogError>> {
        answer(self.lock().mark)
    }

    fn put_blob_mark(&self, mark: u64) -> Work<Result<(), ApplyError>> {
        self.lock().mark = mark;
        answer(())
    }

    fn inventory(&self, after: u64, limit: usize) -> Work<Result<Vec<Inventoried>, CatalogError>> {
        answer(
            self.lock()
                .inventory()
                .into_values()
                .filter(|named| named.object.sequence > after)
                .take(limit)
                .collect(),
        )
    }

    fn check(&self) -> Work<Result<Vec<String>, CatalogError>> {
        answer(Vec::new())
    }

    fn scrub_state(&self) -> Work<Result<ScrubState, CatalogError>> {
        let state = self.lock();
        let there: Vec<u64> = state.inventory().values().map(|named| named.object.content.id).collect();
        let damaged =
            state.damaged.values().filter(|damage| there.contains(&damage.content)).cloned().collect();
        let newest = state.inventory().keys().last().copied().unwrap_or(0);
        answer(ScrubState { damaged, progress: state.progress.clone(), newest })
    }

    fn note_scrub(&self, note: ScrubNote) -> Work<Result<(), ApplyError>> {
        self.lock().note(note);
        answer(())
    }

    fn shutdown(&self) -> Work<()> {
        self.lock().closed = true;
        Box::pin(ready(()))
    }
}
