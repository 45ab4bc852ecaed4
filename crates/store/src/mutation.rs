//! The mutations, which are the only way to change the store: what each answers, and the rules that may refuse it.
//!
//! Mutations of one batch are applied in order, and each sees those before it. A refusal changes nothing
//! and leaves the others of its batch alone.

use crate::{BucketRecord, ObjectRecord, SealedBlob};
use bytes::Bytes;
use std::collections::BTreeMap;

/// One change. `C` is how the content of a put is held: sealed by a caller, placed for the catalog.
#[derive(Debug)]
pub enum Mutation<C = SealedBlob> {
    /// Makes a bucket. Refused with [`Refused::BucketExists`].
    CreateBucket {
        /// The bucket's name.
        name: String,
        /// Its first settings, opaque here.
        settings: BTreeMap<String, Vec<u8>>,
    },
    /// Removes an empty bucket. Refused with [`Refused::NoSuchBucket`], [`Refused::BucketNotEmpty`].
    DeleteBucket {
        /// The bucket's name.
        name: String,
    },
    /// Writes or (with `None`) removes one setting. Refused with [`Refused::NoSuchBucket`].
    PutSetting {
        /// The bucket's name.
        bucket: String,
        /// The setting's name.
        name: String,
        /// The new value; `None` removes it.
        value: Option<Vec<u8>>,
    },
    /// Puts an object, replacing what the key held. Refused with [`Refused::NoSuchBucket`],
    /// [`Refused::ObjectExists`].
    PutObject {
        /// The bucket's name.
        bucket: String,
        /// The key, any bytes.
        key: Bytes,
        /// The bytes.
        content: C,
        /// Whatever the caller wants to find beside the object, opaque here.
        attributes: Bytes,
        /// Refuse when the key holds an object already.
        forbid_overwrite: bool,
        /// What is owed once the object is there; written in the same transaction.
        owed: Option<OwedEntry>,
    },
    /// Deletes an object; a missing one is no refusal. Refused with [`Refused::NoSuchBucket`],
    /// [`Refused::ObjectChanged`].
    DeleteObject {
        /// The bucket's name.
        bucket: String,
        /// The key.
        key: Bytes,
        /// Delete only the object with this sequence (a lifecycle rule must not delete what it has not seen).
        only_if_sequence: Option<u64>,
    },
    /// Notes how a delivery of an owed entry ended. Refused with [`Refused::NoSuchOwed`].
    CloseOwed {
        /// The entry's id.
        id: u64,
        /// How it ended.
        outcome: OwedOutcome,
    },
}

/// Something that is owed once an object is stored: kept until its delivery is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedEntry {
    /// All that the delivery needs, opaque here; the object may be gone by then.
    pub payload: Vec<u8>,
}

/// How an attempt to deliver an owed entry ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwedOutcome {
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

/// What a mutation did.
#[derive(Debug, Clone)]
pub enum Applied {
    /// The bucket is there now.
    BucketCreated(BucketRecord),
    /// The bucket is gone.
    BucketDeleted,
    /// The setting is written or removed.
    SettingPut,
    /// The object is stored.
    ObjectPut {
        /// The record as it is now.
        object: ObjectRecord,
        /// The id of the owed entry, where one was given.
        owed_id: Option<u64>,
    },
    /// The key holds nothing any more.
    ObjectDeleted {
        /// The sequence of the object that was removed; `None` when there was none.
        removed: Option<u64>,
    },
    /// The outcome is noted.
    OwedClosed,
}

/// A rule that refused a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no bucket of that name.
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// There is a bucket of that name already.
    #[error("the bucket exists already")]
    BucketExists,
    /// The bucket still holds objects.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// The key holds an object, and overwriting was forbidden.
    #[error("the object exists already")]
    ObjectExists,
    /// The key holds another object than the one that was meant.
    #[error("the object has changed")]
    ObjectChanged,
    /// There is no such open entry.
    #[error("nothing is owed under that id")]
    NoSuchOwed,
}

impl<C> Mutation<C> {
    /// The same mutation with its content held another way.
    pub fn map<D>(self, content_to: impl FnOnce(C) -> D) -> Mutation<D> {
        match self {
            Mutation::CreateBucket { name, settings } => Mutation::CreateBucket { name, settings },
            Mutation::DeleteBucket { name } => Mutation::DeleteBucket { name },
            Mutation::PutSetting { bucket, name, value } => Mutation::PutSetting { bucket, name, value },
            Mutation::PutObject { bucket, key, content, attributes, forbid_overwrite, owed } => {
                let content = content_to(content);
                Mutation::PutObject { bucket, key, content, attributes, forbid_overwrite, owed }
            }
            Mutation::DeleteObject { bucket, key, only_if_sequence } => {
                Mutation::DeleteObject { bucket, key, only_if_sequence }
            }
            Mutation::CloseOwed { id, outcome } => Mutation::CloseOwed { id, outcome },
        }
    }
}
