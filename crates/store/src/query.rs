//! Listing: what is asked and what is answered.

use crate::ObjectRecord;
use bytes::Bytes;

/// Which objects to list. All bounds are bytes, and order is byte order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only keys that begin so.
    pub prefix: Vec<u8>,
    /// Keys that hold this after the prefix are rolled up to a common prefix. Empty: none are.
    pub delimiter: Vec<u8>,
    /// Only what comes after this; a common prefix named here is passed over whole.
    pub after: Vec<u8>,
    /// At most so many entries, objects and common prefixes together.
    pub limit: usize,
}

/// One entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An object.
    Object(ObjectRecord),
    /// The prefix that one or more keys share, up to and with the delimiter.
    CommonPrefix(Bytes),
}

impl Entry {
    /// The key or the common prefix: what orders the entries.
    pub fn name(&self) -> &Bytes {
        match self {
            Entry::Object(object) => &object.key,
            Entry::CommonPrefix(prefix) => prefix,
        }
    }
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The entries in byte order.
    pub entries: Vec<Entry>,
    /// When more follows: the `after` of the next page, which is the last entry's name.
    pub next: Option<Bytes>,
}
