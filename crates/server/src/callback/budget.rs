//! Budgets of callbacks: memory for the bodies that are under way, and entries in the outbox. Both are taken before
//! an upload's bytes are, so that what would have no room is refused with 503 first.
//!
//! An outbox entry never gives way. One whose destinations are all refused is no promise: it keeps the beginning of
//! its body, and the oldest of these make room for the next.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_clock::Random;
use countersign_protocol::callback::CallbackUrl;
use countersign_store::{DeliveryOutcome, OutboxRecord, QueryError, Store};
use tokio::sync::OnceCell;

use crate::budget::fair_budget::{Amount, BudgetShare, FairBudget};
use crate::callback::message::CallbackMessage;
use crate::limits::Limits;

/// How many entries are asked for at once when they are counted.
const PAGE_ENTRIES: usize = 256;
/// What an entry takes besides its payload and key.
const ENTRY_BYTES: usize = 256;
/// What a body has at most that is kept for a refused destination.
pub(crate) const REFUSED_BODY_BYTES_MAX: usize = 4 * 1024;

/// Scheme, host in lower case and port: who answers, and whose entries are counted together.
type Destination = (bool, String, u16);

/// The budgets of callbacks.
#[derive(Debug)]
pub(crate) struct CallbackBudget {
    /// Bodies that are under way.
    under_way: FairBudget,
    /// Entries that are owed, or will be if their callback fails.
    owed: FairBudget,
    refused: Mutex<RefusedEntries>,
    /// Whether what an earlier run left is counted.
    counted: OnceCell<()>,
}

/// Entries whose destinations are refused, oldest first.
#[derive(Debug, Default)]
struct RefusedEntries {
    bytes_max: usize,
    bytes: usize,
    entries: VecDeque<(u64, usize)>,
    forgotten: u64,
}

/// Which room a callback does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallbackRoom {
    /// Among those that are owed.
    #[error("the callbacks of its destination that are owed have no more room")]
    Owed,
    /// Among the bodies that are under way.
    #[error("the callbacks of its destination that are under way have no more room")]
    UnderWay,
}

/// What one upload's callback holds until it has ended.
#[derive(Debug)]
pub(crate) struct CallbackShares {
    _under_way: BudgetShare,
    owed: BudgetShare,
}

/// What is owed, for the health page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutboxUsage {
    /// Entries that are owed or under way, and their bytes.
    pub(crate) held: Amount,
    /// What they may be.
    pub(crate) max: Amount,
    /// Entries kept for refused destinations.
    pub(crate) refused: usize,
    /// How many of those were dropped since the start.
    pub(crate) forgotten: u64,
}

impl CallbackBudget {
    /// Empty budgets.
    pub(crate) fn new(limits: &Limits, random: &Random) -> Self {
        let refused = RefusedEntries { bytes_max: limits.callbacks_refused_bytes_max, ..Default::default() };
        Self {
            under_way: FairBudget::new(limits.callback_bodies_bytes_max, usize::MAX, random),
            owed: FairBudget::new(limits.callbacks_owed_bytes_max, limits.callbacks_owed_max, random),
            refused: Mutex::new(refused),
            counted: OnceCell::new(),
        }
    }

    /// Counts what an earlier run left owed, once.
    pub(crate) async fn ready(&self, store: &Store) -> Result<(), QueryError> {
        self.counted.get_or_try_init(|| self.count_outbox(store)).await.copied()
    }

    async fn count_outbox(&self, store: &Store) -> Result<(), QueryError> {
        let mut after = 0;
        loop {
            let page = store.outbox(after, PAGE_ENTRIES).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for record in &page {
                self.count(store, record);
            }
        }
    }

    fn count(&self, store: &Store, record: &OutboxRecord) {
        let bytes = entry_bytes(record.payload.len(), record.key.len());
        match CallbackMessage::from_payload(&record.payload) {
            Ok(message) if message.refused => self.note_refused(store, record.id, bytes),
            Ok(message) => self.owed.count(&destination(message.urls.first()), bytes).keep(),
            // It is no payload of this program, and yet it is there.
            Err(_) => self.owed.count(&destination(None), bytes).keep(),
        }
    }

    /// Takes a callback's share of both budgets, before the upload's bytes are taken.
    pub(super) fn take(
        &self,
        first_url: Option<&CallbackUrl>,
        body_bytes: usize,
    ) -> Result<CallbackShares, CallbackRoom> {
        let destination = destination(first_url);
        // The payload holds the body once more, and the parameter's other members, which are 5 KB at most.
        let owed =
            self.owed.take(&destination, entry_bytes(body_bytes, 0)).map_err(|_| CallbackRoom::Owed)?;
        let under_way = self.under_way.take(&destination, body_bytes).map_err(|_| CallbackRoom::UnderWay)?;
        Ok(CallbackShares { _under_way: under_way, owed })
    }

    /// Keeps an entry of a refused destination whose payload has this length.
    pub(super) fn keep_refused(&self, store: &Store, id: u64, payload_bytes: usize) {
        self.note_refused(store, id, entry_bytes(payload_bytes, 0));
    }

    /// Keeps an entry of a refused destination, and forgets the oldest ones that have no room any more.
    fn note_refused(&self, store: &Store, id: u64, bytes: usize) {
        for oldest in self.lock().push(id, bytes) {
            store.close_outbox_entry(oldest, DeliveryOutcome::Forgotten);
        }
    }

    /// What the bodies that are under way hold, and what they may.
    pub(super) fn under_way(&self) -> (Amount, Amount) {
        (self.under_way.held(), self.under_way.max())
    }

    /// What is held now.
    pub(crate) fn usage(&self) -> OutboxUsage {
        let refused = self.lock();
        let (kept, forgotten) = (refused.entries.len(), refused.forgotten);
        OutboxUsage { held: self.owed.held(), max: self.owed.max(), refused: kept, forgotten }
    }

    fn lock(&self) -> MutexGuard<'_, RefusedEntries> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RefusedEntries {
    /// Adds an entry; gives the ids of those that make room for it.
    fn push(&mut self, id: u64, bytes: usize) -> Vec<u64> {
        self.entries.push_back((id, bytes));
        self.bytes += bytes;
        let mut gone = Vec::new();
        while self.bytes > self.bytes_max {
            let Some((oldest, freed)) = self.entries.pop_front() else { break };
            self.bytes -= freed;
            self.forgotten += 1;
            gone.push(oldest);
        }
        gone
    }
}

impl CallbackShares {
    /// The entry is written, with a payload and a key of this length.
    pub(crate) fn written(&mut self, payload_bytes: usize, key_bytes: usize) {
        self.owed.resize(entry_bytes(payload_bytes, key_bytes));
    }

    /// The callback failed, and its entry stays.
    pub(crate) fn keep_owed(self) {
        self.owed.keep();
    }
}

fn entry_bytes(payload_bytes: usize, key_bytes: usize) -> usize {
    payload_bytes.saturating_add(key_bytes).saturating_add(ENTRY_BYTES)
}

fn destination(url: Option<&CallbackUrl>) -> Destination {
    url.map_or((false, String::new(), 0), |url| (url.tls, url.host.to_ascii_lowercase(), url.port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_refused_entries_make_room_for_the_next() {
        let mut refused = RefusedEntries { bytes_max: 100, ..Default::default() };
        assert_eq!(refused.push(1, 40), Vec::<u64>::new());
        assert_eq!(refused.push(2, 40), Vec::<u64>::new());
        assert_eq!(refused.push(3, 90), [1, 2]);
        assert_eq!(refused.push(4, 200), [3, 4], "what never fits is not kept");
        assert_eq!((refused.bytes, refused.entries.len(), refused.forgotten), (0, 0, 4));
    }
}
