//! Random numbers that repeat with the same seed (xorshift64*), and an object's bytes made of them.

/// A stream of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        // Close seeds give far streams, and nought is no state.
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From `low` to `high`, without the latter.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.draw() % (high - low).max(1)
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.draw().is_multiple_of(times)
    }
}

/// An object's bytes, which nothing but its number decides.
pub(crate) fn bytes_of(number: u64, length: u64) -> Vec<u8> {
    let mut chance = Chance::new(number);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 8);
    while (bytes.len() as u64) < length {
        bytes.extend_from_slice(&chance.draw().to_le_bytes());
    }
    bytes.truncate(usize::try_from(length).unwrap_or_default());
    bytes
}
