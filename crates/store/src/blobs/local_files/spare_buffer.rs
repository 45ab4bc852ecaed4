//! Buffers that are used again: fresh memory of this size comes from the system page by page, which takes longer
//! than filling it, and what was used a moment ago is still in the processor's cache.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The length of all of them: what an object is read in.
const BUFFER_BYTES: usize = 256 * 1024;
/// How many are kept when nobody uses them.
const SPARE_MAX: usize = 16;

static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer, or the beginning of one, that goes back when it is dropped.
pub(super) struct SpareBuffer {
    bytes: Vec<u8>,
    len: usize,
}

impl SpareBuffer {
    /// One of this length, filled with whatever was in it; `None` for more than a buffer has.
    pub(super) fn take(len: usize) -> Option<SpareBuffer> {
        (len <= BUFFER_BYTES)
            .then(|| SpareBuffer { bytes: spare().pop().unwrap_or_else(|| vec![0; BUFFER_BYTES]), len })
    }

    /// To be filled, all of it.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for SpareBuffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Drop for SpareBuffer {
    fn drop(&mut self) {
        let mut spare = spare();
        if spare.len() < SPARE_MAX {
            spare.push(std::mem::take(&mut self.bytes));
        }
    }
}

fn spare() -> MutexGuard<'static, Vec<Vec<u8>>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_shows_no_more_than_was_asked_for() {
        let mut first = SpareBuffer::take(BUFFER_BYTES).unwrap();
        first.room().fill(7);
        drop(first);
        let again = SpareBuffer::take(3).unwrap();
        assert_eq!((again.as_ref().len(), again.bytes.len()), (3, BUFFER_BYTES));
        assert!(SpareBuffer::take(BUFFER_BYTES + 1).is_none());
    }
}
