//! Memory budgets that many requests share: one for the bodies of callbacks under way, one for answers.
//!
//! A body that is still coming gives way when the budget is short: the largest, among equals the oldest. Otherwise
//! a few senders that stop before their last byte would keep the others out. A body that is whole never gives way.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

/// What cannot be held now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BudgetShort;

/// So many bytes, shared by everything that holds a [`ByteShare`] of them.
#[derive(Clone)]
pub(crate) struct ByteBudget {
    bytes_max: usize,
    holders: Arc<Mutex<Holders>>,
}

#[derive(Default)]
struct Holders {
    held_bytes: usize,
    next: u64,
    /// In the order in which they came.
    shares: BTreeMap<u64, Holder>,
}

struct Holder {
    bytes: usize,
    gives_way: bool,
    gave_way: bool,
    told: Arc<Notify>,
}

/// What one request holds of a budget; dropping it gives it back.
pub(crate) struct ByteShare {
    budget: ByteBudget,
    id: u64,
    told: Arc<Notify>,
}

impl ByteBudget {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, holders: Arc::default() }
    }

    /// A share of nothing yet, which gives way while it grows.
    pub(crate) fn share(&self) -> ByteShare {
        let told = Arc::new(Notify::new());
        let mut holders = self.lock();
        let id = holders.next;
        holders.next += 1;
        let holder = Holder { bytes: 0, gives_way: true, gave_way: false, told: Arc::clone(&told) };
        holders.shares.insert(id, holder);
        drop(holders);
        ByteShare { budget: self.clone(), id, told }
    }

    /// Bytes that count until the last copy of them is dropped.
    pub(crate) fn hold(&self, bytes: Bytes) -> Result<Bytes, BudgetShort> {
        let share = self.share();
        share.settle();
        share.grow(bytes.len())?;
        Ok(share.bind(bytes))
    }

    fn lock(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.lock().held_bytes
    }
}

/// Two budgets are alike when they have the same size; what they hold now is of the moment.
impl PartialEq for ByteBudget {
    fn eq(&self, other: &Self) -> bool {
        self.bytes_max == other.bytes_max
    }
}

impl Eq for ByteBudget {}

impl fmt::Debug for ByteBudget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ByteBudget").field("bytes_max", &self.bytes_max).finish_non_exhaustive()
    }
}

impl ByteShare {
    /// Takes so many bytes more. Where they are not free, larger shares that are still coming give way.
    pub(crate) fn grow(&self, bytes: usize) -> Result<(), BudgetShort> {
        let mut holders = self.budget.lock();
        let wanted = match holders.shares.get(&self.id) {
            Some(own) if !own.gave_way => own.bytes.saturating_add(bytes),
            _ => return Err(BudgetShort),
        };
        while holders.held_bytes.saturating_add(bytes) > self.budget.bytes_max {
            holders.push_out_one_above(wanted, self.id)?;
        }
        holders.held_bytes += bytes;
        if let Some(own) = holders.shares.get_mut(&self.id) {
            own.bytes = wanted;
        }
        Ok(())
    }

    /// From now on it does not give way.
    pub(crate) fn settle(&self) {
        if let Some(own) = self.budget.lock().shares.get_mut(&self.id) {
            own.gives_way = false;
        }
    }

    /// Ready once this share has given way; what it counted must be dropped.
    pub(crate) async fn gave_way(&self) {
        self.told.notified().await;
    }

    /// The bytes that this share counts, together with it.
    pub(crate) fn bind(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _share: self })
    }
}

impl Drop for ByteShare {
    fn drop(&mut self) {
        let mut holders = self.budget.lock();
        if let Some(own) = holders.shares.remove(&self.id) {
            holders.held_bytes -= own.bytes;
        }
    }
}

impl Holders {
    /// Lets the largest share give way that is larger than `bytes`; the oldest among equals.
    fn push_out_one_above(&mut self, bytes: usize, asking: u64) -> Result<(), BudgetShort> {
        let mut largest: Option<&mut Holder> = None;
        for (id, holder) in &mut self.shares {
            let least = largest.as_ref().map_or(bytes, |largest| largest.bytes);
            if *id != asking && holder.gives_way && holder.bytes > least {
                largest = Some(holder);
            }
        }
        let holder = largest.ok_or(BudgetShort)?;
        self.held_bytes -= std::mem::take(&mut holder.bytes);
        holder.gave_way = true;
        holder.told.notify_one();
        Ok(())
    }
}

struct Held {
    bytes: Bytes,
    _share: ByteShare,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_until_their_last_copy_is_gone() {
        let budget = ByteBudget::new(100);
        let first = budget.hold(Bytes::from(vec![1; 60])).unwrap();
        assert_eq!(budget.hold(Bytes::from(vec![1; 60])), Err(BudgetShort));
        let part = first.slice(10..11);
        drop(first);
        assert_eq!(budget.held_bytes(), 60);
        drop(part);
        assert_eq!(budget.held_bytes(), 0);
        assert!(budget.hold(Bytes::from(vec![1; 100])).is_ok());
    }

    #[tokio::test]
    async fn the_largest_unfinished_body_gives_way_and_complete_ones_never_do() {
        let budget = ByteBudget::new(100);
        let (whole, large, larger) = (budget.share(), budget.share(), budget.share());
        whole.grow(45).unwrap();
        whole.settle();
        large.grow(20).unwrap();
        larger.grow(30).unwrap();
        let small = budget.share();
        small.grow(10).unwrap();
        larger.gave_way().await;
        assert_eq!((larger.grow(1), budget.held_bytes()), (Err(BudgetShort), 75));
        small.grow(16).unwrap();
        assert_eq!(large.grow(20), Err(BudgetShort), "who wants most gets nothing from the smaller ones");
        drop((whole, large, larger, small));
        assert_eq!(budget.held_bytes(), 0);
    }
}
