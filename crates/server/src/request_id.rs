//! Request ids: exactly 24 upper-case hexadecimal characters (GEN-2).
//!
//! The first eight characters are the second of arrival, as OSS does it, so that ids sort by time.

use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_clock::{HashKeys, Random};
use http::HeaderValue;
use jiff::Timestamp;

/// The id of one request, as it appears in `x-oss-request-id` and `<RequestId>`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 24]);

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Makes them.
#[derive(Debug)]
pub struct RequestIds {
    keys: HashKeys,
    count: AtomicU64,
}

impl RequestIds {
    /// Ids unlike those of any other run.
    pub fn new(random: &Random) -> Self {
        Self { keys: random.hash_keys(), count: AtomicU64::new(0) }
    }

    /// A fresh id for a request that arrived at `now`.
    pub fn fresh(&self, now: Timestamp) -> RequestId {
        let mut raw = [0_u8; 12];
        let (time, random) = raw.split_at_mut(4);
        // The low 32 bits are what the eight characters can hold.
        let seconds = now.as_second().to_be_bytes();
        time.copy_from_slice(seconds.get(4..).unwrap_or(&[0; 4]));
        random.copy_from_slice(&self.unlike_its_neighbours());
        let mut text = [0_u8; 24];
        for (pair, byte) in text.chunks_exact_mut(2).zip(raw) {
            for (digit, nibble) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *digit = HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            }
        }
        RequestId(text)
    }

    /// Eight bytes that hardly any other call gives. An id must be unlike its neighbours, nothing more, so the system is
    /// asked for randomness once and not for each request.
    fn unlike_its_neighbours(&self) -> [u8; 8] {
        self.keys.hash_one(self.count.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
    }
}

impl RequestId {
    /// The 24 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a request id is made of hexadecimal digits")
    }

    /// The id as a header's value.
    pub(crate) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_testkit::seeded_random;

    #[test]
    fn has_24_upper_case_hexadecimal_characters_and_differs_each_time() {
        let now = Timestamp::from_second(0x5C3D_9175).unwrap();
        let ids = RequestIds::new(&Random::system());
        let (first, second) = (ids.fresh(now), ids.fresh(now));
        assert_eq!(first.as_str().len(), 24);
        assert!(first.as_str().starts_with("5C3D9175"), "{first}");
        assert!(first.as_str().bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)));
        assert_ne!(first, second);
    }

    #[test]
    fn the_same_randomness_gives_the_same_ids_in_the_same_order() {
        let now = Timestamp::from_second(0x5C3D_9175).unwrap();
        let ids = |seed| {
            let ids = RequestIds::new(&seeded_random(seed));
            [ids.fresh(now), ids.fresh(now)]
        };
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }
}
