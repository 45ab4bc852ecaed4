//! The buffers that blobs are read into. There are large ones for a few readers at once only: a reader that does not
//! take what was read for it holds its buffer.

use crate::blobs::spare_pool::SparePool;
use bytes::Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The length of those that are used again: what an object is read in.
const BUFFER_BYTES: usize = 256 * 1024;
/// What is read at once when enough large buffers are in use.
const SMALL_BYTES: usize = 32 * 1024;
/// How many large buffers are in use at most, but for those that several readers take at the same moment.
const LARGE_MAX: usize = 64;
/// How many are kept when nobody uses them.
const SPARE_MAX: usize = 16;

static SPARE: SparePool<Vec<u8>> = SparePool::new(SPARE_MAX);
static LARGE_IN_USE: AtomicUsize = AtomicUsize::new(0);

/// How much of a blob is to be read at once now.
pub(in crate::blobs) fn chunk_bytes() -> usize {
    chunk_bytes_beside(LARGE_IN_USE.load(Ordering::Relaxed))
}

fn chunk_bytes_beside(large_in_use: usize) -> usize {
    if large_in_use < LARGE_MAX { BUFFER_BYTES } else { SMALL_BYTES }
}

/// A buffer that is filled from its beginning, and goes back when nobody looks at its bytes any more.
pub(super) struct ReadBuffer {
    bytes: Vec<u8>,
    len: usize,
    filled: usize,
}

impl ReadBuffer {
    /// With room for so many bytes.
    pub(super) fn of(len: usize) -> ReadBuffer {
        if len <= SMALL_BYTES {
            return ReadBuffer { bytes: vec![0; len], len, filled: 0 };
        }
        LARGE_IN_USE.fetch_add(1, Ordering::Relaxed);
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
        self.bytes.get_mut(self.filled..self.len).expect("what is filled ends within the buffer")
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
        self.bytes.get(..self.filled).expect("what is filled ends within the buffer")
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        if self.len > SMALL_BYTES {
            LARGE_IN_USE.fetch_sub(1, Ordering::Relaxed);
        }
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
        for len in [BUFFER_BYTES, BUFFER_BYTES + 1, SMALL_BYTES, 5, 0] {
            let mut buffer = ReadBuffer::of(len);
            assert_eq!((buffer.room().len(), buffer.is_full()), (len, len == 0));
            buffer.room().fill(7);
            buffer.advance(len.min(3));
            assert_eq!(buffer.room().len(), len - len.min(3));
            assert_eq!(buffer.into_bytes(), vec![7; len.min(3)]);
        }
    }

    #[test]
    fn reads_are_small_while_many_large_buffers_are_in_use() {
        assert_eq!(chunk_bytes_beside(LARGE_MAX - 1), BUFFER_BYTES);
        assert_eq!(chunk_bytes_beside(LARGE_MAX), SMALL_BYTES);
        let held: Vec<_> = (0..LARGE_MAX).map(|_| ReadBuffer::of(BUFFER_BYTES).into_bytes()).collect();
        assert_eq!(chunk_bytes(), SMALL_BYTES);
        assert_eq!(
            ReadBuffer::of(SMALL_BYTES).bytes.len(),
            SMALL_BYTES,
            "a small one takes no large one's place"
        );
        drop(held);
    }
}
