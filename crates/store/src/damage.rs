//! Remembers which contents are known to be damaged, so that no later read is given any part of them.
//!
//! A read or a scrub that finds a content other than its record notes it here at once; the sweeper keeps the note in
//! the catalog. A note ends with its content, or when a scrub finds the content whole.

use crate::Clock;
use crate::catalog::{Catalog, CatalogError, DamageRecord, ScrubNote};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How stored bytes differ from what was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// What the record names is not there.
    #[error("its bytes are missing")]
    Missing,
    /// More or fewer bytes are there.
    #[error("{found} bytes are stored of what were {expected}")]
    Length {
        /// The record's length in bytes.
        expected: u64,
        /// The bytes that are there, as far as they were read.
        found: u64,
    },
    /// A read came to an end too early.
    #[error("fewer bytes are stored than its record says")]
    Short,
    /// The bytes have another CRC-64.
    #[error("the CRC-64 differs")]
    Crc64,
    /// The bytes have another MD5, and the CRC-64 of their record.
    #[error("the MD5 differs")]
    Md5,
    /// Both digests differ.
    #[error("MD5 and CRC-64 differ")]
    Digests,
    /// The disk does not give the bytes.
    #[error("its bytes cannot be read: {reason}")]
    Unreadable {
        /// What the system said.
        reason: String,
    },
}

/// Damage of one content, not yet in the catalog.
#[derive(Debug, Clone)]
struct Found {
    content: u64,
    sequence: u64,
    what: String,
}

/// The contents that must not be served.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownDamage(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// So that a read of an undamaged store takes no lock.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    contents: BTreeSet<u64>,
    unsaved: Vec<Found>,
}

impl KnownDamage {
    /// As the catalog has kept it.
    pub(crate) fn from_records(records: &[DamageRecord]) -> KnownDamage {
        let known = KnownDamage::default();
        known.set(&mut known.lock(), records);
        known
    }

    /// Whether this content must not be served.
    pub(crate) fn holds(&self, content: u64) -> bool {
        self.0.any.load(Ordering::Acquire) && self.lock().contents.contains(&content)
    }

    /// How many contents must not be served.
    pub(crate) fn count(&self) -> usize {
        self.lock().contents.len()
    }

    /// A content was found damaged.
    pub(crate) fn found(&self, content: u64, sequence: u64, what: String) {
        let mut state = self.lock();
        if state.contents.insert(content) {
            tracing::error!(content, sequence, what, "an object is damaged and is not served any more");
            state.unsaved.push(Found { content, sequence, what });
        }
        self.0.any.store(true, Ordering::Release);
    }

    /// A content was found whole.
    pub(crate) fn whole(&self, content: u64) {
        let mut state = self.lock();
        state.contents.remove(&content);
        state.unsaved.retain(|found| found.content != content);
        self.0.any.store(!state.contents.is_empty(), Ordering::Release);
    }

    fn set(&self, state: &mut State, records: &[DamageRecord]) {
        state.contents = records.iter().map(|record| record.content).collect();
        state.contents.extend(state.unsaved.iter().map(|found| found.content));
        self.0.any.store(!state.contents.is_empty(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps in the catalog what reads have found, and forgets what was overwritten or deleted since.
pub(crate) async fn keep(
    known: &KnownDamage,
    catalog: &dyn Catalog,
    clock: &Clock,
) -> Result<(), CatalogError> {
    let unsaved = {
        let state = known.lock();
        if state.contents.is_empty() {
            return Ok(());
        }
        state.unsaved.clone()
    };
    let mut note = ScrubNote::default();
    for found in &unsaved {
        let after = found.sequence.saturating_sub(1);
        let at_sequence = catalog.inventory(after, 1).await?.pop();
        let Some(named) = at_sequence.filter(|named| named.object.sequence == found.sequence) else {
            continue;
        };
        note.damaged.push(DamageRecord {
            content: found.content,
            bucket: named.bucket,
            key: named.object.key,
            sequence: found.sequence,
            what: found.what.clone(),
            found: clock.wall(),
        });
    }
    if !unsaved.is_empty() && catalog.note_scrub(note).await.is_err() {
        return Ok(());
    }
    let records = catalog.scrub_state().await?.damaged;
    let mut state = known.lock();
    state.unsaved.retain(|found| !unsaved.iter().any(|saved| saved.content == found.content));
    known.set(&mut state, &records);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_known_until_it_is_found_whole() {
        let known = KnownDamage::default();
        assert!(!known.holds(7));
        known.found(7, 7, Damage::Crc64.to_string());
        known.found(7, 7, Damage::Missing.to_string());
        assert_eq!((known.holds(7), known.holds(8), known.count()), (true, false, 1));
        assert_eq!(known.lock().unsaved.len(), 1);
        known.whole(7);
        assert_eq!((known.holds(7), known.count(), known.lock().unsaved.len()), (false, 0, 0));
    }
}
