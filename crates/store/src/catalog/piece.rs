//! The pieces that a content consists of, and what holds their bytes.

use crate::blobs::BlobId;

/// A piece of a content that consists of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Where the piece ends in the content (and the next begins).
    pub end: u64,
    /// The piece's bytes.
    pub piece: Piece,
}

/// Something that holds bytes: a blob, or a row of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Piece {
    /// A published blob.
    Blob(BlobId),
    /// A row of inline bytes.
    Inline(u64),
}
