//! Random bytes, and the keys of hash functions, which must be unknown outside.

use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, Hasher as _, RandomState};
use std::io;
use std::sync::Arc;

/// Where random bytes come from. Clones are cheap and share it.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Given(Arc<dyn RandomSource>),
}

/// What a test puts in the place of the system's randomness. The test kit has one that is the same in each run.
pub trait RandomSource: Send + Sync {
    /// Fills it with what is next.
    fn fill(&self, bytes: &mut [u8]);
}

/// Hashes with a key of its own: who does not know it cannot choose what collides. It is what
/// [`std::hash::RandomState`] is, with the key handed in.
#[derive(Debug, Clone)]
pub struct HashKeys([u64; 2]);

impl Random {
    /// The system's randomness, fit for secrets.
    pub fn system() -> Random {
        Random(Source::System)
    }

    /// Bytes of a test's own.
    pub fn from_source(source: Arc<dyn RandomSource>) -> Random {
        Random(Source::Given(source))
    }

    /// So many random bytes.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn bytes<const COUNT: usize>(&self) -> io::Result<[u8; COUNT]> {
        let mut bytes = [0; COUNT];
        match &self.0 {
            Source::System => system_bytes(&mut bytes)?,
            Source::Given(source) => source.fill(&mut bytes),
        }
        Ok(bytes)
    }

    /// Fresh keys for a hash function. They never fail: the standard library has drawn the ones they are made of.
    pub fn hash_keys(&self) -> HashKeys {
        match &self.0 {
            Source::System => system_hash_keys(),
            Source::Given(source) => HashKeys([(); 2].map(|()| {
                let mut key = [0; 8];
                source.fill(&mut key);
                u64::from_ne_bytes(key)
            })),
        }
    }
}

impl BuildHasher for HashKeys {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        self.0.iter().for_each(|key| hasher.write_u64(*key));
        hasher
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the home of randomness")]
fn system_bytes(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
}

#[expect(clippy::disallowed_methods, reason = "this is the home of randomness")]
fn system_hash_keys() -> HashKeys {
    let drawn = RandomState::new();
    HashKeys([0, 1].map(|number: u8| drawn.hash_one(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl RandomSource for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(1..).for_each(|(byte, number)| *byte = number);
        }
    }

    #[test]
    fn the_system_gives_different_bytes_each_time() {
        let random = Random::system();
        assert_ne!(random.bytes::<12>().unwrap(), random.bytes::<12>().unwrap());
        assert_ne!(random.hash_keys().hash_one("key"), random.hash_keys().hash_one("key"));
    }

    #[test]
    fn given_bytes_are_returned_and_equal_keys_hash_alike() {
        let random = Random::from_source(Arc::new(Counting));
        assert_eq!(random.bytes::<3>().unwrap(), [1, 2, 3]);
        assert_eq!(random.hash_keys().hash_one("key"), random.hash_keys().hash_one("key"));
        assert_ne!(random.hash_keys().hash_one("key"), random.hash_keys().hash_one("yek"));
    }
}
