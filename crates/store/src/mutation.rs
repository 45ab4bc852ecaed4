//! The mutations, which are the only way to change the store: each a type that says what it answers and which rules
//! may refuse it.
//!
//! [`crate::Store::commit`] takes one and answers in that kind: a put is answered with [`ObjectPut`] or a
//! [`PutRefusal`] and cannot be answered with anything else. A refusal changes nothing and leaves the others of its
//! batch alone; mutations of one batch are applied in order, and each sees those before it.
//!
//! A new kind is a type here, an arm in [`crate::catalog::AnyMutation`], and what each catalog does for it.

use crate::{BucketRecord, ObjectRecord, SealedBlob};
use bytes::Bytes;
use std::collections::BTreeMap;

/// One kind of change.
pub trait Mutation: Sized + Send + 'static {
    /// What is known once it is applied.
    type Outcome: Send + 'static;
    /// The rules that may refuse it, with what its caller needs to know of the refusal.
    type Refusal: std::error::Error + Send + 'static;
}

/// What a mutation is answered with once its batch is committed: its outcome, or the rule that refused it.
pub type Answered<M> = Result<<M as Mutation>::Outcome, <M as Mutation>::Refusal>;

/// Makes a bucket; answered with its record.
#[derive(Debug)]
pub struct CreateBucket {
    /// The bucket's name.
    pub name: String,
    /// Its first settings, opaque here.
    pub settings: BTreeMap<String, Vec<u8>>,
}

impl Mutation for CreateBucket {
    type Outcome = BucketRecord;
    type Refusal = BucketExists;
}

/// Removes an empty bucket.
#[derive(Debug)]
pub struct DeleteBucket {
    /// The bucket's name.
    pub name: String,
}

impl Mutation for DeleteBucket {
    type Outcome = ();
    type Refusal = DeleteBucketRefusal;
}

/// Writes or (with `None`) removes one setting.
#[derive(Debug)]
pub struct PutSetting {
    /// The bucket's name.
    pub bucket: String,
    /// The setting's name.
    pub name: String,
    /// The new value; `None` removes it.
    pub value: Option<Vec<u8>>,
}

impl Mutation for PutSetting {
    type Outcome = ();
    type Refusal = NoSuchBucket;
}

/// Puts an object, replacing what the key held. `C` is how its content is held: sealed by a caller, or placed for
/// the catalog ([`crate::catalog::PlacedContent`]).
#[derive(Debug)]
pub struct PutObject<C = SealedBlob> {
    /// The bucket's name.
    pub bucket: String,
    /// The key, any bytes.
    pub key: Bytes,
    /// The bytes.
    pub content: C,
    /// What the caller wants to find with the object again, opaque here.
    pub attributes: Bytes,
    /// Refuse when the key holds an object already.
    pub forbid_overwrite: bool,
    /// What is owed once the object is there; written in the same transaction.
    pub outbox_entry: Option<OutboxEntry>,
}

impl<C: Send + 'static> Mutation for PutObject<C> {
    type Outcome = ObjectPut;
    type Refusal = PutRefusal;
}

/// An object is stored.
#[derive(Debug, Clone)]
pub struct ObjectPut {
    /// The record as it is now.
    pub object: ObjectRecord,
    /// The id of the outbox entry, where one was given.
    pub outbox_id: Option<u64>,
}

/// Writes other attributes to an object. Its bytes, its sequence and the time of its last change stay as they are.
#[derive(Debug)]
pub struct PutAttributes {
    /// The bucket's name.
    pub bucket: String,
    /// The key.
    pub key: Bytes,
    /// The sequence of the object as it was found.
    pub sequence: u64,
    /// Its attributes as they were found: the new ones are made from these, and what another has changed in between
    /// must not be lost.
    pub found: Bytes,
    /// The new attributes.
    pub attributes: Bytes,
}

impl Mutation for PutAttributes {
    type Outcome = ();
    type Refusal = PutAttributesRefusal;
}

/// Deletes an object; a missing one is no refusal, unless a certain one was meant.
#[derive(Debug, Clone)]
pub struct DeleteObject {
    /// The bucket's name.
    pub bucket: String,
    /// The key.
    pub key: Bytes,
    /// Delete only the object with this sequence (a lifecycle rule must not delete what it has not seen).
    pub only_if_sequence: Option<u64>,
}

impl Mutation for DeleteObject {
    type Outcome = ObjectDeleted;
    type Refusal = DeleteRefusal;
}

/// A key holds nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectDeleted {
    /// The sequence of the object that was removed; `None` when there was none.
    pub removed: Option<u64>,
}

/// Notes how a delivery of an outbox entry ended.
#[derive(Debug)]
pub struct CloseOutboxEntry {
    /// The entry's id.
    pub id: u64,
    /// How it ended.
    pub outcome: DeliveryOutcome,
}

impl Mutation for CloseOutboxEntry {
    type Outcome = ();
    type Refusal = NoSuchOutboxEntry;
}

/// Something that is owed once an object is stored: kept until its delivery is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// All that the delivery needs, opaque here; the object may be gone by then.
    pub payload: Vec<u8>,
}

/// How an attempt to deliver an outbox entry ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Acknowledged: the entry is closed and forgotten.
    Delivered,
    /// Not acknowledged: the entry stays open, with one more attempt and this as its last error.
    Failed(String),
    /// Not acknowledged, and kept in a shorter form: as `Failed`, with this payload in place of the one it had.
    Refused {
        /// Why.
        error: String,
        /// What is kept.
        payload: Vec<u8>,
    },
    /// Not acknowledged, and forgotten all the same: others need its room.
    Forgotten,
}

/// A bucket was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bucket exists already")]
pub struct BucketExists;

/// A change to something in a bucket was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bucket does not exist")]
pub struct NoSuchBucket;

/// A bucket was not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeleteBucketRefusal {
    /// There is no bucket of that name.
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// The bucket still holds objects.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
}

/// An object was not put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PutRefusal {
    /// There is no bucket of that name.
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// The key holds an object, and overwriting was forbidden.
    #[error("the object exists already")]
    ObjectExists,
}

/// The attributes of an object were not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PutAttributesRefusal {
    /// There is no bucket of that name.
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// The key holds another object than the one that was found, or none, or one with other attributes.
    #[error("the object has changed")]
    ObjectChanged,
}

/// An object was not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeleteRefusal {
    /// There is no bucket of that name.
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// The key holds another object than the one that was meant, or none.
    #[error("the object has changed")]
    ObjectChanged,
}

/// An outbox entry was not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing is owed under that id")]
pub struct NoSuchOutboxEntry;
