//! What a batch does to the outbox: entries that are new, closed, or tried once more.

use bytes::Bytes;
use countersign_store::{Answered, CloseOutboxEntry, DeliveryOutcome, NoSuchOutboxEntry};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The changes of one batch.
#[derive(Debug, Default)]
pub(crate) struct OutboxChange {
    /// Entries that were open before the batch, of those it names, and still are.
    open: BTreeSet<u64>,
    /// Entries that are new, by id.
    pub(crate) new: BTreeMap<u64, NewEntry>,
    /// Entries that were there and are closed.
    pub(crate) closed: BTreeSet<u64>,
    /// Entries that were there and stay, by id.
    pub(crate) tried: BTreeMap<u64, Tried>,
}

/// An entry that was not there before.
#[derive(Debug)]
pub(crate) struct NewEntry {
    pub(crate) bucket: String,
    pub(crate) key: Bytes,
    pub(crate) created: Timestamp,
    pub(crate) payload: Vec<u8>,
    pub(crate) tried: Tried,
}

/// Attempts of a batch that failed.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    pub(crate) attempts: i32,
    pub(crate) last_error: Option<String>,
    /// What is kept in place of the payload.
    pub(crate) payload: Option<Vec<u8>>,
}

impl OutboxChange {
    /// None yet; these entries are open.
    pub(super) fn new(open: BTreeSet<u64>) -> OutboxChange {
        OutboxChange { open, ..OutboxChange::default() }
    }

    pub(super) fn insert(&mut self, id: u64, bucket: &str, key: &Bytes, payload: &[u8], created: Timestamp) {
        let (bucket, key, payload) = (bucket.to_owned(), key.clone(), payload.to_vec());
        self.new.insert(id, NewEntry { bucket, key, created, payload, tried: Tried::default() });
    }

    pub(super) fn close(&mut self, close: &CloseOutboxEntry) -> Answered<CloseOutboxEntry> {
        let id = close.id;
        if !self.open.contains(&id) && !self.new.contains_key(&id) {
            return Err(NoSuchOutboxEntry);
        }
        match &close.outcome {
            DeliveryOutcome::Delivered | DeliveryOutcome::Forgotten => {
                self.tried.remove(&id);
                if self.new.remove(&id).is_none() {
                    self.open.remove(&id);
                    self.closed.insert(id);
                }
            }
            DeliveryOutcome::Failed(error) => self.tried(id).failed(error, None),
            DeliveryOutcome::Refused { error, payload } => self.tried(id).failed(error, Some(payload)),
        }
        Ok(())
    }

    fn tried(&mut self, id: u64) -> &mut Tried {
        match self.new.get_mut(&id) {
            Some(new) => &mut new.tried,
            None => self.tried.entry(id).or_default(),
        }
    }
}

impl Tried {
    fn failed(&mut self, error: &str, payload: Option<&Vec<u8>>) {
        self.attempts += 1;
        // A text of the database holds no NUL.
        self.last_error = Some(error.replace('\0', "\u{fffd}"));
        if payload.is_some() {
            self.payload = payload.cloned();
        }
    }
}
