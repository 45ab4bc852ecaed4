//! An index of keys in memory, in the place of a catalog.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

/// Where an object's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the log.
    Log {
        /// From here.
        offset: u64,
        /// This many.
        len: u64,
    },
    /// A file of its own.
    File {
        /// Its path.
        path: PathBuf,
        /// Its length.
        len: u64,
    },
}

type Shard = RwLock<HashMap<String, Place>>;

/// All objects.
pub(super) struct ObjectIndex {
    shards: Vec<Shard>,
    hasher: RandomState,
}

impl Default for ObjectIndex {
    fn default() -> Self {
        Self { shards: (0..64).map(|_| Shard::default()).collect(), hasher: RandomState::new() }
    }
}

impl ObjectIndex {
    /// Puts an object in place, and says where the one that it replaces was.
    pub(super) fn insert(&self, key: String, place: Place) -> Option<Place> {
        let shard = self.shard(&key)?;
        shard.write().unwrap_or_else(PoisonError::into_inner).insert(key, place)
    }

    /// Where an object is.
    pub(super) fn get(&self, key: &str) -> Option<Place> {
        self.shard(key)?.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn shard(&self, key: &str) -> Option<&Shard> {
        self.shards.get(self.hasher.hash_one(key) as usize % self.shards.len().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_a_key_returns_where_its_bytes_were() {
        let index = ObjectIndex::default();
        let (first, second) = (Place::Log { offset: 0, len: 1 }, Place::Log { offset: 9, len: 2 });
        assert_eq!(index.insert("a".to_owned(), first.clone()), None);
        assert_eq!(index.insert("a".to_owned(), second.clone()), Some(first));
        assert_eq!((index.get("a"), index.get("b")), (Some(second), None));
    }
}
