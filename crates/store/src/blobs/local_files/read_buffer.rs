//! The buffers that blobs are read into.

use crate::blobs::spare_pool::SparePool;
use bytes::Bytes;

/// The length of those that are used again: what an object is read in.
const BUFFER_BYTES: usize = 256 * 1024;
/// How many are kept when nobody uses them.
const SPARE_MAX: usize = 16;

static SPARE: SparePool<Vec<u8>> = SparePool::new(SPARE_MAX);

/// A buffer that is filled from its beginning, and goes back when nobody looks at its bytes any more.
pub(super) struct ReadBuffer {
    bytes: Vec<u8>,
    len: usize,
    filled: usize,
}

impl ReadBuffer {
    /// With room for so many bytes.
    pub(super) fn of(len: usize) -> ReadBuffer {
        let bytes = if len > BUFFER_BYTES { None } else { SPARE.take() };
        ReadBuffer { bytes: bytes.unwrap_or_else(|| vec![0; len.max(BUFFER_BYTES)]), len, filled: 0 }
    }

    /// How many bytes are in it.
    pub(super) fn filled(&self) -> usize {
        self.filled
    }

    /// Whether there is no room left.
    pub(super) fn is_full(&self) -> bool {
        self.filled >= self.len
    }

    /// What is still to be filled.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.filled..self.len).unwrap_or_default()
    }

    /// So many bytes of the room were filled.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.filled = self.len.min(self.filled + bytes);
    }

    /// The bytes that are in it.
    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for ReadBuffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        if self.bytes.len() == BUFFER_BYTES {
            SPARE.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_shows_what_was_filled_and_nothing_of_its_last_use() {
        for len in [BUFFER_BYTES, BUFFER_BYTES + 1, 5, 0] {
            let mut buffer = ReadBuffer::of(len);
            assert_eq!((buffer.room().len(), buffer.is_full()), (len, len == 0));
            buffer.room().fill(7);
            buffer.advance(len.min(3));
            assert_eq!(buffer.room().len(), len - len.min(3));
            assert_eq!(buffer.into_bytes(), vec![7; len.min(3)]);
        }
    }
}
