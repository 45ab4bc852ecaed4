//! What is offered to a catalog: a content whose bytes are durable where they lie, or come along.

use crate::blobs::BlobId;
use bytes::Bytes;

/// A content whose bytes are durable where they lie, or come along.
#[derive(Debug, Clone)]
pub struct PlacedContent {
    /// Length in bytes.
    pub len: u64,
    /// MD5 of the bytes, where it was wanted.
    pub md5: Option<[u8; 16]>,
    /// CRC-64 of the bytes.
    pub crc64: u64,
    /// The bytes or their name.
    pub bytes: PlacedBytes,
}

/// Where a content's bytes are when it is offered to the catalog.
#[derive(Debug, Clone)]
pub enum PlacedBytes {
    /// Here, to be kept in the catalog. No chunks: an empty object.
    Inline(Vec<Bytes>),
    /// In a published blob.
    Blob(BlobId),
}
