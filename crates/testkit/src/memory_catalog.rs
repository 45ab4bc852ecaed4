//! The catalog in memory: the rules with nothing else, to run the suite on a second implementation and to test what
//! is built upon a catalog.

use bytes::Bytes;
use countersign_store::blobs::{BlobId, Work};
use countersign_store::catalog::{
    AnyMutation, CatalogError, DamageRecord, Extent, Garbage, GarbageList, Inventoried, Journal, Piece,
    PlacedBytes, PlacedContent, Records, ScrubNote, ScrubProgress, ScrubState, Upkeep,
};
use countersign_store::{
    Answered, ApplyError, BucketExists, BucketRecord, Clock, CloseOutboxEntry, ContentRef, CreateBucket,
    DeleteBucket, DeleteBucketRefusal, DeleteObject, DeleteRefusal, DeliveryOutcome, Entry, ListPage,
    ListQuery, NoSuchBucket, NoSuchOutboxEntry, ObjectDeleted, ObjectPut, ObjectRecord, OutboxRecord, Place,
    PutAttributes, PutAttributesRefusal, PutObject, PutRefusal, PutSetting,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::convert::Infallible;
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
    outbox: BTreeMap<u64, OutboxRecord>,
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

    fn change(&self, mutation: AnyMutation) {
        let now = self.clock.wall();
        let state = &mut *self.lock();
        let Ok(()) = match mutation {
            AnyMutation::CreateBucket(asked) => {
                asked.answer_with(|create| Ok(state.create_bucket(create, now)))
            }
            AnyMutation::DeleteBucket(asked) => asked.answer_with(|delete| Ok(state.delete_bucket(&delete))),
            AnyMutation::PutSetting(asked) => asked.answer_with(|put| Ok(state.put_setting(put))),
            AnyMutation::PutObject(asked) => {
                asked.answer_with(|put| Ok(state.put_object(put, now, self.grace)))
            }
            AnyMutation::PutAttributes(asked) => asked.answer_with(|put| Ok(state.put_attributes(put))),
            AnyMutation::DeleteObject(asked) => {
                asked.answer_with(|delete| Ok(state.delete_object(&delete, now, self.grace)))
            }
            AnyMutation::CloseOutboxEntry(asked) => {
                asked.answer_with(|close| Ok(state.close_outbox_entry(close)))
            }
        }
        .map_err(|never: Infallible| never);
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn create_bucket(&mut self, create: CreateBucket, created: Timestamp) -> Answered<CreateBucket> {
        let CreateBucket { name, settings } = create;
        if self.buckets.contains_key(&name) {
            return Err(BucketExists);
        }
        let record = BucketRecord { name: name.clone(), created, settings };
        let bucket = Bucket { record: Arc::new(record.clone()), objects: BTreeMap::new() };
        self.buckets.insert(name, bucket);
        Ok(record)
    }

    fn delete_bucket(&mut self, delete: &DeleteBucket) -> Answered<DeleteBucket> {
        let bucket = self.buckets.get(&delete.name).ok_or(DeleteBucketRefusal::NoSuchBucket)?;
        if !bucket.objects.is_empty() {
            return Err(DeleteBucketRefusal::BucketNotEmpty);
        }
        self.buckets.remove(&delete.name);
        Ok(())
    }

    fn put_setting(&mut self, put: PutSetting) -> Answered<PutSetting> {
        let bucket = self.buckets.get_mut(&put.bucket).ok_or(NoSuchBucket)?;
        let settings = &mut Arc::make_mut(&mut bucket.record).settings;
        match put.value {
            Some(value) => settings.insert(put.name, value),
            None => settings.remove(&put.name),
        };
        Ok(())
    }

    /// The blob of a refused put is garbage at once.
    fn put_object(
        &mut self,
        put: PutObject<PlacedContent>,
        now: Timestamp,
        grace: Duration,
    ) -> Answered<PutObject<PlacedContent>> {
        if let Some(refused) = self.refuses(&put) {
            if let PlacedBytes::Blob(id) = put.content.bytes {
                self.discard(Piece::Blob(id), now);
            }
            return Err(refused);
        }
        let PutObject { bucket, key, content, attributes, forbid_overwrite: _, outbox_entry } = put;
        let sequence = self.number();
        let place = match &content.bytes {
            PlacedBytes::Blob(id) => Place::Blob(*id),
            PlacedBytes::Inline(_) if content.len == 0 => Place::Empty,
            PlacedBytes::Inline(chunks) => {
                self.inline.insert(sequence, chunks.concat().into());
                Place::Inline { row: sequence, bytes: None }
            }
        };
        let PlacedContent { len, md5, crc64, .. } = content;
        let content = ContentRef { id: sequence, place };
        let object =
            ObjectRecord { key: key.clone(), sequence, len, md5, crc64, modified: now, attributes, content };
        let objects = &mut self.buckets.get_mut(&bucket).ok_or(PutRefusal::NoSuchBucket)?.objects;
        if let Some(replaced) = objects.insert(key, object.clone()) {
            self.discard_content(&replaced, now, grace);
        }
        let outbox_id = outbox_entry.map(|entry| self.owe(&bucket, &object, entry.payload.into(), now));
        Ok(ObjectPut { object, outbox_id })
    }

    fn refuses(&self, put: &PutObject<PlacedContent>) -> Option<PutRefusal> {
        match self.buckets.get(&put.bucket) {
            None => Some(PutRefusal::NoSuchBucket),
            Some(bucket) if put.forbid_overwrite && bucket.objects.contains_key(&put.key) => {
                Some(PutRefusal::ObjectExists)
            }
            Some(_) => None,
        }
    }

    fn put_attributes(&mut self, put: PutAttributes) -> Answered<PutAttributes> {
        let bucket = self.buckets.get_mut(&put.bucket).ok_or(PutAttributesRefusal::NoSuchBucket)?;
        let found = bucket.objects.get_mut(&put.key);
        let found = found.filter(|object| object.sequence == put.sequence && object.attributes == put.found);
        found.ok_or(PutAttributesRefusal::ObjectChanged)?.attributes = put.attributes;
        Ok(())
    }

    fn delete_object(
        &mut self,
        delete: &DeleteObject,
        now: Timestamp,
        grace: Duration,
    ) -> Answered<DeleteObject> {
        let DeleteObject { bucket, key, only_if_sequence } = delete;
        let objects = &mut self.buckets.get_mut(bucket).ok_or(DeleteRefusal::NoSuchBucket)?.objects;
        let found = objects.get(key).map(|object| object.sequence);
        if only_if_sequence.is_some() && *only_if_sequence != found {
            return Err(DeleteRefusal::ObjectChanged);
        }
        if let Some(removed) = objects.remove(key) {
            self.discard_content(&removed, now, grace);
        }
        Ok(ObjectDeleted { removed: found })
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
            OutboxRecord { id, created, bucket, key, sequence: id, payload, attempts: 0, last_error: None };
        self.outbox.insert(id, record);
        id
    }

    fn close_outbox_entry(&mut self, close: CloseOutboxEntry) -> Answered<CloseOutboxEntry> {
        let CloseOutboxEntry { id, outcome } = close;
        let entry = self.outbox.get_mut(&id).ok_or(NoSuchOutboxEntry)?;
        match outcome {
            DeliveryOutcome::Delivered | DeliveryOutcome::Forgotten => {
                self.outbox.remove(&id);
            }
            DeliveryOutcome::Failed(error) => {
                entry.attempts += 1;
                entry.last_error = Some(error);
            }
            DeliveryOutcome::Refused { error, payload } => {
                entry.attempts += 1;
                entry.last_error = Some(error);
                entry.payload = payload.into();
            }
        }
        Ok(())
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

impl Records for MemoryCatalog {
    fn apply(&self, batch: Vec<AnyMutation>) -> Work<Result<(), ApplyError>> {
        if self.lock().closed {
            return Box::pin(ready(Err(ApplyError::Closed)));
        }
        batch.into_iter().for_each(|mutation| self.change(mutation));
        answer(())
    }

    fn apply_later(&self, mutation: AnyMutation) {
        self.change(mutation);
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
}

impl Journal for MemoryCatalog {
    fn outbox(&self, after: u64, limit: usize) -> Work<Result<Vec<OutboxRecord>, CatalogError>> {
        answer(self.lock().outbox.range(after + 1..).take(limit).map(|(_, entry)| entry.clone()).collect())
    }
}

impl GarbageList for MemoryCatalog {
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
}

impl Upkeep for MemoryCatalog {
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
