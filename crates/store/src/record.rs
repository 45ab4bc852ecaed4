//! The records of buckets, objects and outbox entries, as the store answers them.

use crate::blobs::BlobId;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRecord {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its settings, opaque here.
    pub settings: BTreeMap<String, Vec<u8>>,
}

/// The object that a key holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRecord {
    /// The key, any bytes.
    pub key: Bytes,
    /// Rises with every commit of this store and is never used twice.
    pub sequence: u64,
    /// Length in bytes.
    pub len: u64,
    /// MD5 of the bytes, where it was wanted.
    pub md5: Option<[u8; 16]>,
    /// CRC-64 (ECMA-182 as in XZ) of the bytes.
    pub crc64: u64,
    /// When it was committed, to the microsecond.
    pub modified: Timestamp,
    /// What the caller gave beside it.
    pub attributes: Bytes,
    /// Where the bytes are; for [`crate::Store::read`].
    pub content: ContentRef,
}

/// Where the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRef {
    /// The content's number in the catalog.
    pub id: u64,
    /// Its place.
    pub place: Place,
}

/// The places that content can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// No bytes at all.
    Empty,
    /// In the catalog; the bytes come along where the query read them anyway.
    Inline {
        /// The row that holds them.
        row: u64,
        /// The bytes, where they were read along.
        bytes: Option<Bytes>,
    },
    /// One blob.
    Blob(BlobId),
    /// Several blobs, listed by the content's extents.
    Extents,
}

/// An outbox entry that is still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    /// Its id, rising in the order of commits.
    pub id: u64,
    /// When it was written.
    pub created: Timestamp,
    /// The bucket of its object.
    pub bucket: String,
    /// The key of its object.
    pub key: Bytes,
    /// The sequence of its object.
    pub sequence: u64,
    /// What the caller gave.
    pub payload: Bytes,
    /// Attempts that failed.
    pub attempts: u32,
    /// Why the last one failed.
    pub last_error: Option<String>,
}
