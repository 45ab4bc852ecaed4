//! Remembers what the operator was told since the start, so that the log says each thing once and never without end.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// A bound on what is remembered: past it nothing more is told, since clients choose what would be.
pub(crate) const SAID_MAX: usize = 1_024;

/// What was said.
#[derive(Debug)]
pub(crate) struct SaidOnce<T>(Mutex<HashSet<T>>);

impl<T> Default for SaidOnce<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Eq + Hash> SaidOnce<T> {
    /// Whether this is to be said now: it was not said before, and there is room to remember it.
    pub(crate) fn is_first(&self, what: T) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.len() < SAID_MAX && said.insert(what)
    }
}
