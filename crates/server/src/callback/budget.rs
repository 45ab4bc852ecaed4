//! What callbacks may hold: the rendered bodies that are under way in memory, and the entries that are owed in the
//! catalog. Both are taken before an upload's bytes are, so that what would have no room is refused with 503 first.
//!
//! An owed entry never gives way. One whose destinations are all refused is no promise: it keeps the beginning of
//! its body, and the oldest of these make room for the next.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_protocol::callback::CallbackUrl;
use countersign_protocol::{ErrorCode, WireError};
use countersign_store::{Applied, CommitError, Mutation, OwedOutcome, OwedRecord, QueryError, Store};
use tokio::sync::OnceCell;

use crate::callback::message::{CallbackMessage, CallbackPlan};
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::server::fair_budget::{Amount, BudgetShare, FairBudget};
use crate::server::limits::Limits;

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

/// What one upload's callback holds until it has ended.
#[derive(Debug)]
pub(crate) struct CallbackShares {
    _under_way: BudgetShare,
    owed: BudgetShare,
}

/// What is owed, for the health page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwedUsage {
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
    pub(crate) fn new(limits: &Limits) -> Self {
        let refused = RefusedEntries { bytes_max: limits.callbacks_refused_bytes_max, ..Default::default() };
        Self {
            under_way: FairBudget::new(limits.callback_bodies_bytes_max, usize::MAX),
            owed: FairBudget::new(limits.callbacks_owed_bytes_max, limits.callbacks_owed_max),
            refused: Mutex::new(refused),
            counted: OnceCell::new(),
        }
    }

    /// Counts what an earlier run left owed, once.
    pub(crate) async fn ready(&self, store: &Store) -> Result<(), QueryError> {
        self.counted.get_or_try_init(|| self.count_owed(store)).await.copied()
    }

    async fn count_owed(&self, store: &Store) -> Result<(), QueryError> {
        let mut after = 0;
        loop {
            let page = store.owed(after, PAGE_ENTRIES).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for record in &page {
                self.count(store, record);
            }
        }
    }

    fn count(&self, store: &Store, record: &OwedRecord) {
        let bytes = entry_bytes(record.payload.len(), record.key.len());
        match CallbackMessage::from_payload(&record.payload) {
            Ok(message) if message.refused => self.note_refused(store, record.id, bytes),
            Ok(message) => self.owed.count(&destination_of(message.urls.first()), bytes).keep(),
            // It is no payload of this program, and yet it is there.
            Err(_) => self.owed.count(&destination_of(None), bytes).keep(),
        }
    }

    /// Keeps an entry of a refused destination, and forgets the oldest ones that have no room any more.
    fn note_refused(&self, store: &Store, id: u64, bytes: usize) {
        for oldest in self.lock().push(id, bytes) {
            store.close_owed(oldest, OwedOutcome::Forgotten);
        }
    }

    /// What is held now.
    pub(crate) fn usage(&self) -> OwedUsage {
        let refused = self.lock();
        let (kept, forgotten) = (refused.entries.len(), refused.forgotten);
        OwedUsage { held: self.owed.held(), max: self.owed.max(), refused: kept, forgotten }
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

/// Takes the callback's share of both budgets, before the upload's bytes are taken.
pub(crate) async fn admit(
    context: &RequestContext,
    plan: &CallbackPlan,
    body_bytes: usize,
) -> Result<CallbackShares, OperationError> {
    let budget = &context.server.callback_budget;
    budget.ready(&context.server.options.store).await?;
    let destination = destination(plan.first_url());
    // The payload holds the body once more, and the parameter's other members, which are 5 KB at most.
    let owed = budget.owed.take(&destination, entry_bytes(body_bytes, 0));
    let under_way = budget.under_way.take(&destination, body_bytes);
    match (owed, under_way) {
        (Ok(owed), Ok(under_way)) => Ok(CallbackShares { _under_way: under_way, owed }),
        (owed, _) => {
            let what = if owed.is_err() { "owed" } else { "under way" };
            tracing::warn!(
                request_id = %context.request_id, host = destination.1,
                "an upload is refused: the callbacks of its destination that are {what} have no more room"
            );
            let message = match owed {
                Err(_) => "Too many callbacks of this destination are owed. Please try again later.",
                Ok(_) => "Too many callbacks of this destination are under way. Please try again later.",
            };
            Err(WireError::new(ErrorCode::SlowDown).with_message(message).into())
        }
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

/// Every destination was refused: the entry keeps the beginning of its body, for as long as there is room.
///
/// # Errors
/// When that cannot be written.
pub(crate) async fn keep_refused(
    context: &RequestContext,
    id: u64,
    message: &CallbackMessage,
    error: String,
) -> Result<Applied, CommitError> {
    let store = &context.server.options.store;
    let payload = message.refused_form(REFUSED_BODY_BYTES_MAX).to_payload();
    let bytes = entry_bytes(payload.len(), 0);
    let outcome = OwedOutcome::Refused { error, payload };
    let noted = store.commit(Mutation::CloseOwed { id, outcome }).await;
    context.server.callback_budget.note_refused(store, id, bytes);
    noted
}

fn entry_bytes(payload_bytes: usize, key_bytes: usize) -> usize {
    payload_bytes.saturating_add(key_bytes).saturating_add(ENTRY_BYTES)
}

fn destination_of(url: Option<&String>) -> Destination {
    destination(url.and_then(|url| CallbackUrl::parse(url).ok()).as_ref())
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
