//! The storage engine: buckets, objects, blobs, the outbox of callbacks, and their recovery.
//!
//! The crate knows no HTTP and no words of the wire: names and keys are bytes, attributes and settings
//! are opaque to it. What [`Store::commit`] acknowledges is durable.
//!
//! One upload goes [`Store::stage`] → [`StagedBlob::write`] → [`StagedBlob::seal`] → [`Store::commit`]
//! with [`PutObject`]. Nothing is visible before the commit, and a staged or sealed blob that
//! is dropped leaves nothing behind.
//!
//! Two seams hold the engines: [`catalog::Catalog`] (records; SQLite by default) and [`blobs::Blobs`]
//! (bytes; local files by default). Their conformance suites live in the test kit.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test may wait for the machine"))]

mod backup;
pub mod blobs;
pub mod catalog;
mod catalog_error;
mod damage;
mod data_folder;
mod engine;
mod error;
mod health;
mod mutation;
mod object_reader;
mod offline_scrub;
mod pins;
mod query;
mod record;
mod scrub;
mod staged_blob;
mod store;
mod trouble;

pub use countersign_clock::{Clock, Random};

pub use backup::{BackupError, BackupOptions, BackupReport, RestoreOptions, Restored};
pub use damage::Damage;
pub use error::{ApplyError, CommitError, OpenError, QueryError, ReadError, StageError};
pub use health::{Health, HealthFlag};
pub use mutation::{
    Answered, BucketExists, CloseOutboxEntry, CreateBucket, DeleteBucket, DeleteBucketRefusal, DeleteObject,
    DeleteRefusal, DeliveryOutcome, Mutation, NoSuchBucket, NoSuchOutboxEntry, ObjectDeleted, ObjectPut,
    OutboxEntry, PutAttributes, PutAttributesRefusal, PutObject, PutRefusal, PutSetting,
};
pub use object_reader::ObjectReader;
pub use offline_scrub::ScrubOptions;
pub use query::{Entry, ListPage, ListQuery};
pub use record::{BucketRecord, ContentRef, ObjectRecord, OutboxRecord, Place};
pub use scrub::{DamagedObject, ScrubPace, ScrubReport, Unverified};
pub use staged_blob::{SealedBlob, StagedBlob};
pub use store::{Offered, Store, StoreOptions, StoreParts};
pub use trouble::{Trouble, TroubleNote};
