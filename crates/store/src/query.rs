//! The queries for listings, and their answers.

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

    /// The bytes of its name and attributes.
    pub fn held_bytes(&self) -> usize {
        match self {
            Entry::Object(object) => object.key.len() + object.attributes.len(),
            Entry::CommonPrefix(prefix) => prefix.len(),
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

impl ListPage {
    /// A page ends with the entry that brings it above so many bytes of names and attributes, whatever its limit.
    pub const BYTES_MAX: usize = 1024 * 1024;
}

impl ListQuery {
    /// The common prefix that a key under the prefix is rolled up to, if it is.
    pub fn common_prefix<'key>(&self, key: &'key [u8]) -> Option<&'key [u8]> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = key.get(self.prefix.len()..)?;
        let at = rest.windows(self.delimiter.len()).position(|window| window == self.delimiter)?;
        key.get(..self.prefix.len() + at + self.delimiter.len())
    }

    /// Where a walk in byte order begins; none when nothing can follow.
    pub fn first_key(&self) -> Option<Vec<u8>> {
        if self.after < self.prefix {
            return Some(self.prefix.clone());
        }
        if self.after.is_empty() {
            return Some(Vec::new());
        }
        if self.after.starts_with(&self.prefix) && self.common_prefix(&self.after) == Some(&self.after[..]) {
            return ListQuery::above(&self.after);
        }
        let mut next = self.after.clone();
        next.push(0);
        Some(next)
    }

    /// The smallest bytes above everything that begins with `prefix`; none when there are no such bytes.
    pub fn above(prefix: &[u8]) -> Option<Vec<u8>> {
        let mut above = prefix.to_vec();
        while let Some(last) = above.pop() {
            if last < 0xff {
                above.push(last + 1);
                return Some(above);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_a_prefix_is_above_everything_under_it() {
        assert_eq!(ListQuery::above(b"a/"), Some(b"a0".to_vec()));
        assert_eq!(ListQuery::above(&[1, 0xff, 0xff]), Some(vec![2]));
        assert_eq!(ListQuery::above(&[0xff]), None);
    }

    #[test]
    fn a_walk_passes_over_the_common_prefix_it_comes_after() {
        let query = ListQuery { delimiter: b"/".to_vec(), after: b"a/".to_vec(), ..ListQuery::default() };
        assert_eq!(query.first_key(), Some(b"a0".to_vec()));
        let within = ListQuery { after: b"a/b".to_vec(), ..query };
        assert_eq!(within.first_key(), Some(b"a/b\0".to_vec()));
    }
}
