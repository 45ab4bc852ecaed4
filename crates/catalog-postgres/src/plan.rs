//! Decides a batch: applies its mutations in order to the rows that were read under the write lock, and notes what
//! the tables must hold in the end.
//!
//! Nothing here talks to the database. The lock keeps the rows that were read true until the commit, so that each
//! mutation sees those before it whatever their kinds and keys, and the write takes the same few statements for any
//! batch. A batch that has to be run again is decided again, from rows that are read again.

mod numbers;
mod objects;
mod outbox;

use crate::buckets::{Bucket, Buckets};
use countersign_store::catalog::{AnyMutation, Asked, PlacedContent};
use countersign_store::{
    Answered, BucketExists, BucketRecord, CloseOutboxEntry, CreateBucket, DeleteBucket, DeleteBucketRefusal,
    DeleteObject, NoSuchBucket, ObjectPut, PutAttributes, PutObject, PutSetting,
};
use jiff::Timestamp;
pub(crate) use numbers::Numbers;
pub(crate) use objects::{FoundObjects, ObjectChanges};
pub(crate) use outbox::OutboxChange;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What was read for a batch, under the write lock.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) objects: FoundObjects,
    /// The outbox entries, of those that the batch closes, that are open.
    pub(crate) outbox: BTreeSet<u64>,
}

/// A batch as it is decided, and what came of it.
pub(crate) struct Plan {
    now: Timestamp,
    /// As the batch leaves them; the same map as before when it changes none.
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) buckets_changed: bool,
    /// Buckets that the batch writes anew.
    pub(crate) written_buckets: BTreeSet<String>,
    /// Numbers of buckets that were there and go, or are written anew.
    pub(crate) removed_buckets: BTreeSet<u64>,
    pub(crate) objects: ObjectChanges,
    pub(crate) outbox: OutboxChange,
}

/// The answer of a mutation, in its own kind.
pub(crate) enum AnyAnswer {
    CreateBucket(Answered<CreateBucket>),
    DeleteBucket(Answered<DeleteBucket>),
    PutSetting(Answered<PutSetting>),
    PutObject(Answered<PutObject<PlacedContent>>),
    PutAttributes(Answered<PutAttributes>),
    DeleteObject(Answered<DeleteObject>),
    CloseOutboxEntry(Answered<CloseOutboxEntry>),
}

impl AnyAnswer {
    /// Gives the mutation its answer. Both are of one kind, since the plan makes the one from the other.
    pub(crate) fn give(self, mutation: AnyMutation) {
        match (mutation, self) {
            (AnyMutation::CreateBucket(asked), AnyAnswer::CreateBucket(answer)) => give(asked, answer),
            (AnyMutation::DeleteBucket(asked), AnyAnswer::DeleteBucket(answer)) => give(asked, answer),
            (AnyMutation::PutSetting(asked), AnyAnswer::PutSetting(answer)) => give(asked, answer),
            (AnyMutation::PutObject(asked), AnyAnswer::PutObject(answer)) => give(asked, answer),
            (AnyMutation::PutAttributes(asked), AnyAnswer::PutAttributes(answer)) => give(asked, answer),
            (AnyMutation::DeleteObject(asked), AnyAnswer::DeleteObject(answer)) => give(asked, answer),
            (AnyMutation::CloseOutboxEntry(asked), AnyAnswer::CloseOutboxEntry(answer)) => {
                give(asked, answer)
            }
            (mutation, _) => tracing::error!(?mutation, "an answer of another kind was dropped"),
        }
    }
}

fn give<M: countersign_store::Mutation>(asked: Asked<M>, answer: Answered<M>) {
    let Ok(()) = asked.answer_with(|_| Ok::<_, std::convert::Infallible>(answer));
}

impl Plan {
    /// A plan that begins with what was found.
    pub(crate) fn new(
        now: Timestamp,
        grace: Duration,
        numbers: Numbers,
        buckets: Arc<Buckets>,
        found: Found,
    ) -> Plan {
        // The database keeps microseconds, and what is answered now is what is found later.
        let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        Plan {
            now,
            buckets,
            buckets_changed: false,
            written_buckets: BTreeSet::new(),
            removed_buckets: BTreeSet::new(),
            objects: ObjectChanges::new(now, grace, numbers, found.objects),
            outbox: OutboxChange::new(found.outbox),
        }
    }

    /// Decides one mutation.
    pub(crate) fn decide(&mut self, mutation: &AnyMutation) -> AnyAnswer {
        match mutation {
            AnyMutation::CreateBucket(asked) => AnyAnswer::CreateBucket(self.create_bucket(&asked.mutation)),
            AnyMutation::DeleteBucket(asked) => AnyAnswer::DeleteBucket(self.delete_bucket(&asked.mutation)),
            AnyMutation::PutSetting(asked) => AnyAnswer::PutSetting(self.put_setting(&asked.mutation)),
            AnyMutation::PutObject(asked) => AnyAnswer::PutObject(self.put_object(&asked.mutation)),
            AnyMutation::PutAttributes(asked) => {
                let bucket = self.bucket_id(&asked.mutation.bucket);
                AnyAnswer::PutAttributes(self.objects.describe(bucket, &asked.mutation))
            }
            AnyMutation::DeleteObject(asked) => {
                let bucket = self.bucket_id(&asked.mutation.bucket);
                AnyAnswer::DeleteObject(self.objects.delete(bucket, &asked.mutation))
            }
            AnyMutation::CloseOutboxEntry(asked) => {
                AnyAnswer::CloseOutboxEntry(self.outbox.close(&asked.mutation))
            }
        }
    }

    fn create_bucket(&mut self, create: &CreateBucket) -> Answered<CreateBucket> {
        if self.buckets.contains_key(&create.name) {
            return Err(BucketExists);
        }
        let id = self.objects.numbers.take();
        let CreateBucket { name, settings } = create;
        let record = BucketRecord { name: name.clone(), created: self.now, settings: settings.clone() };
        let bucket = Bucket { id, revision: id, record: Arc::new(record.clone()) };
        Arc::make_mut(&mut self.buckets).insert(name.clone(), bucket);
        self.buckets_changed = true;
        self.written_buckets.insert(name.clone());
        Ok(record)
    }

    fn delete_bucket(&mut self, delete: &DeleteBucket) -> Answered<DeleteBucket> {
        let Some(bucket) = self.buckets.get(&delete.name) else {
            return Err(DeleteBucketRefusal::NoSuchBucket);
        };
        let id = bucket.id;
        if self.objects.any_in(id) {
            return Err(DeleteBucketRefusal::BucketNotEmpty);
        }
        Arc::make_mut(&mut self.buckets).remove(&delete.name);
        self.buckets_changed = true;
        self.written_buckets.remove(&delete.name);
        self.removed_buckets.insert(id);
        Ok(())
    }

    fn put_setting(&mut self, put: &PutSetting) -> Answered<PutSetting> {
        if !self.buckets.contains_key(&put.bucket) {
            return Err(NoSuchBucket);
        }
        let revision = self.objects.numbers.take();
        if let Some(bucket) = Arc::make_mut(&mut self.buckets).get_mut(&put.bucket) {
            bucket.revision = revision;
            let settings = &mut Arc::make_mut(&mut bucket.record).settings;
            match &put.value {
                Some(value) => settings.insert(put.name.clone(), value.clone()),
                None => settings.remove(&put.name),
            };
            self.removed_buckets.insert(bucket.id);
        }
        self.buckets_changed = true;
        self.written_buckets.insert(put.bucket.clone());
        Ok(())
    }

    fn put_object(&mut self, put: &PutObject<PlacedContent>) -> Answered<PutObject<PlacedContent>> {
        let object = self.objects.put(self.bucket_id(&put.bucket), put)?;
        let outbox_id = put.outbox_entry.as_ref().map(|entry| {
            self.outbox.insert(object.sequence, &put.bucket, &put.key, &entry.payload, self.now);
            object.sequence
        });
        Ok(ObjectPut { object, outbox_id })
    }

    /// A bucket's number.
    fn bucket_id(&self, name: &str) -> Option<u64> {
        self.buckets.get(name).map(|bucket| bucket.id)
    }
}
