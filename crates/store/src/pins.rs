//! Counts which blobs and inline rows are being read, so that the sweeper leaves them alone.

use crate::catalog::Piece;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The pieces that are being read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins(Arc<Mutex<HashMap<Piece, usize>>>);

impl Pins {
    /// Keeps a piece until the pin is dropped.
    pub(crate) fn pin(&self, piece: Piece) -> Pin {
        *self.lock().entry(piece).or_insert(0) += 1;
        Pin { pins: self.clone(), piece }
    }

    /// Whether someone reads it.
    pub(crate) fn holds(&self, piece: Piece) -> bool {
        self.lock().contains_key(&piece)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Piece, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps one piece readable.
#[derive(Debug)]
pub(crate) struct Pin {
    pins: Pins,
    piece: Piece,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pinned = self.pins.lock();
        if let Some(count) = pinned.get_mut(&self.piece) {
            *count -= 1;
            if *count == 0 {
                pinned.remove(&self.piece);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_held_until_its_last_reader_is_gone() {
        let pins = Pins::default();
        let first = pins.pin(Piece::Inline(7));
        let second = pins.pin(Piece::Inline(7));
        drop(first);
        assert!(pins.holds(Piece::Inline(7)));
        drop(second);
        assert!(!pins.holds(Piece::Inline(7)));
    }
}
