//! The entity tag of an object, from whichever digest it has.
//!
//! Clauses POST-58, POST-59, GEN-8.

use countersign_protocol::etag;

/// The bare entity tag of bytes with these digests and this length.
pub(crate) fn etag_of(md5: Option<[u8; 16]>, crc64: u64, len: u64) -> String {
    md5.map_or_else(|| etag::from_crc64(crc64, len), etag::from_md5)
}
