//! How far an upload's receiving may run ahead of its hashing and writing.
//!
//! What an upload may hold of its own is enough for a slow sender. One that is faster than MD5 would wait for
//! every few hundred microseconds of hashing, and each time the processor that hashes would wait for it in turn.
//! Such an upload borrows from what all uploads of a store share, as long as it stays fast.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What an upload may hold of its own, besides the batch that is being gathered.
const OWN_BYTES_MAX: u64 = 192 * 1024;
/// What is lent to one upload: four milliseconds of hashing, which outlast the time that a busy processor gives
/// to somebody else.
const LOAN_BYTES: u64 = 2 * 1024 * 1024;
/// How many uploads may have a loan at the same time.
const LOANS: usize = 4;

/// What all uploads of a store share.
#[derive(Debug, Clone)]
pub(crate) struct Leads(Arc<Semaphore>);

impl Leads {
    /// Nothing is lent yet.
    pub(crate) fn new() -> Leads {
        Leads(Arc::new(Semaphore::new(LOANS)))
    }

    /// The lead of a new upload: what is its own.
    pub(crate) fn own(&self) -> Lead {
        Lead { shared: self.clone(), loan: None }
    }
}

/// The lead of one upload. Dropping it gives a loan back.
#[derive(Debug)]
pub(crate) struct Lead {
    shared: Leads,
    loan: Option<OwnedSemaphorePermit>,
}

impl Lead {
    /// Whether so many bytes may be held; borrows when its own share does not suffice, and gives the loan back
    /// when it does again.
    pub(crate) fn allows(&mut self, held_bytes: u64) -> bool {
        if held_bytes > OWN_BYTES_MAX && self.loan.is_none() {
            self.loan = Arc::clone(&self.shared.0).try_acquire_owned().ok();
        } else if held_bytes <= OWN_BYTES_MAX {
            self.loan = None;
        }
        held_bytes <= self.bytes_max()
    }

    /// What is still held when an upload that waited goes on: enough to keep the hashing busy meanwhile.
    pub(crate) fn bytes_low(&self) -> u64 {
        self.bytes_max() / 2
    }

    fn bytes_max(&self) -> u64 {
        if self.loan.is_some() { LOAN_BYTES } else { OWN_BYTES_MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_upload_borrows_until_it_is_slow_again() {
        let leads = Leads::new();
        let mut leading: Vec<Lead> = (0..LOANS).map(|_| leads.own()).collect();
        assert!(leading.iter_mut().all(|lead| lead.allows(LOAN_BYTES)));
        let mut one_more = leads.own();
        assert_eq!((one_more.allows(OWN_BYTES_MAX + 1), one_more.allows(OWN_BYTES_MAX)), (false, true));
        assert!(leading[0].allows(OWN_BYTES_MAX));
        assert!(one_more.allows(LOAN_BYTES) && !one_more.allows(LOAN_BYTES + 1));
        assert!(!leading[0].allows(OWN_BYTES_MAX + 1));
        drop(one_more);
        assert!(leading[0].allows(OWN_BYTES_MAX + 1));
    }
}
