//! Randomness that is the same in every run.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_clock::{Random, RandomSource};

/// Bytes that follow from a seed (SplitMix64): no secret, and never the same twice in a run.
struct Seeded(Mutex<u64>);

/// The same bytes for the same seed.
pub fn seeded_random(seed: u64) -> Random {
    Random::from_source(Arc::new(Seeded(Mutex::new(seed))))
}

impl RandomSource for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^= mixed >> 31;
            piece.copy_from_slice(&mixed.to_le_bytes()[..piece.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher as _;

    #[test]
    fn a_seed_gives_the_same_again_and_never_the_same_twice() {
        let (one, same, other) = (seeded_random(1), seeded_random(1), seeded_random(2));
        let first: [u8; 12] = one.bytes().unwrap();
        assert_eq!(first, same.bytes().unwrap());
        assert_ne!(first, one.bytes().unwrap());
        assert_ne!(first, other.bytes().unwrap());
        let hashed = |random: &Random| random.hash_keys().hash_one("key");
        assert_ne!(hashed(&one), hashed(&one));
    }
}
