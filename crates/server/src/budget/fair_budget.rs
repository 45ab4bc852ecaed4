//! A budget of bytes and entries that destinations or clients share. One may have as much as is still free: a single
//! one gets half, and each that comes later finds room, however greedy those before it are.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use countersign_clock::{HashKeys, Random};

/// How many holders are told apart; all that come later count as one.
const HOLDERS_MAX: usize = 4096;
/// Who counts for all that are not told apart.
const OTHERS: u64 = 0;

/// There is no room for this holder now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the budget has no room for this holder")]
pub(crate) struct NoRoom;

/// What a budget has, or one holder of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Bytes.
    pub(crate) bytes: usize,
    /// Entries.
    pub(crate) entries: usize,
}

/// The budget. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct FairBudget {
    max: Amount,
    hasher: HashKeys,
    held: Arc<Mutex<HeldBytes>>,
}

#[derive(Debug, Default)]
struct HeldBytes {
    total: Amount,
    holders: HashMap<u64, Amount>,
}

/// An entry of a budget; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct BudgetShare {
    budget: FairBudget,
    holder: u64,
    bytes: usize,
}

impl FairBudget {
    /// So many bytes, in at most so many entries.
    pub(crate) fn new(bytes_max: usize, entries_max: usize, random: &Random) -> Self {
        let max = Amount { bytes: bytes_max, entries: entries_max };
        Self { max, hasher: random.hash_keys(), held: Arc::default() }
    }

    /// An entry of so many bytes for a holder.
    ///
    /// # Errors
    /// [`NoRoom`] when the holder would have more than is still free.
    pub(crate) fn take(&self, holder: &impl Hash, bytes: usize) -> Result<BudgetShare, NoRoom> {
        let mut held = self.lock();
        let holder = held.key(self.hasher.hash_one(holder));
        let own = held.holders.get(&holder).copied().unwrap_or_default();
        let fits = |free: usize, own: usize, wanted: usize| own.saturating_add(wanted) <= free;
        let free_bytes = self.max.bytes.saturating_sub(held.total.bytes);
        let free_entries = self.max.entries.saturating_sub(held.total.entries);
        if !fits(free_bytes, own.bytes, bytes) || !fits(free_entries, own.entries, 1) {
            return Err(NoRoom);
        }
        held.add(holder, Amount { bytes, entries: 1 });
        drop(held);
        Ok(BudgetShare { budget: self.clone(), holder, bytes })
    }

    /// Counts what is there already, whether or not there is room for it.
    pub(crate) fn count(&self, holder: &impl Hash, bytes: usize) -> BudgetShare {
        let mut held = self.lock();
        let holder = held.key(self.hasher.hash_one(holder));
        held.add(holder, Amount { bytes, entries: 1 });
        drop(held);
        BudgetShare { budget: self.clone(), holder, bytes }
    }

    /// What all hold together.
    pub(crate) fn held(&self) -> Amount {
        self.lock().total
    }

    /// What they may hold.
    pub(crate) fn max(&self) -> Amount {
        self.max
    }

    fn lock(&self) -> MutexGuard<'_, HeldBytes> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BudgetShare {
    /// Takes so many bytes more.
    ///
    /// # Errors
    /// [`NoRoom`] when the holder would have more than is still free.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let mut held = self.budget.lock();
        let own = held.holders.get(&self.holder).copied().unwrap_or_default();
        let free = self.budget.max.bytes.saturating_sub(held.total.bytes);
        if own.bytes.saturating_add(bytes) > free {
            return Err(NoRoom);
        }
        held.add(self.holder, Amount { bytes, entries: 0 });
        self.bytes += bytes;
        Ok(())
    }

    /// Counts as so many bytes from now on, whether or not there is room for more.
    pub(crate) fn resize(&mut self, bytes: usize) {
        let mut held = self.budget.lock();
        held.remove(self.holder, Amount { bytes: self.bytes, entries: 0 });
        held.add(self.holder, Amount { bytes, entries: 0 });
        self.bytes = bytes;
    }

    /// Leaves it counted for as long as the budget lives.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }

    /// These bytes, which count until the last copy of them is gone.
    pub(crate) fn bind(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Bound { bytes, _share: self })
    }
}

impl Drop for BudgetShare {
    fn drop(&mut self) {
        let amount = Amount { bytes: self.bytes, entries: 1 };
        self.budget.lock().remove(self.holder, amount);
    }
}

impl HeldBytes {
    fn key(&self, holder: u64) -> u64 {
        let known = self.holders.len() < HOLDERS_MAX || self.holders.contains_key(&holder);
        if known { holder } else { OTHERS }
    }

    fn add(&mut self, holder: u64, amount: Amount) {
        let own = self.holders.entry(holder).or_default();
        for held in [own, &mut self.total] {
            held.bytes = held.bytes.saturating_add(amount.bytes);
            held.entries = held.entries.saturating_add(amount.entries);
        }
    }

    fn remove(&mut self, holder: u64, amount: Amount) {
        if let Some(own) = self.holders.get_mut(&holder) {
            for held in [&mut *own, &mut self.total] {
                held.bytes = held.bytes.saturating_sub(amount.bytes);
                held.entries = held.entries.saturating_sub(amount.entries);
            }
            if own.entries == 0 {
                self.holders.remove(&holder);
            }
        }
    }
}

struct Bound {
    bytes: Bytes,
    _share: BudgetShare,
}

impl AsRef<[u8]> for Bound {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_gets_half_and_leaves_room_for_the_next() {
        let budget = FairBudget::new(100, 100, &Random::system());
        let greedy: Vec<_> = (0..100).map_while(|_| budget.take(&"greedy", 10).ok()).collect();
        assert_eq!(greedy.len(), 5);
        let mut second = budget.take(&"second", 10).unwrap();
        assert_eq!((second.grow(35), budget.take(&"greedy", 1).err()), (Err(NoRoom), Some(NoRoom)));
        second.grow(15).unwrap();
        assert!(budget.take(&"third", 5).is_ok());
        drop(greedy);
        assert_eq!(budget.held(), Amount { bytes: 25, entries: 1 });
        drop(second);
        assert_eq!((budget.held(), budget.lock().holders.len()), (Amount::default(), 0));
    }

    #[test]
    fn entries_are_bounded_like_bytes_and_what_is_kept_stays_counted() {
        let budget = FairBudget::new(1000, 4, &Random::system());
        budget.take(&1, 1).unwrap().keep();
        let mut second = budget.take(&1, 1).unwrap();
        assert!(budget.take(&1, 1).is_err());
        second.resize(7);
        assert_eq!(budget.held(), Amount { bytes: 8, entries: 2 });
        assert!(budget.take(&2, 1).is_ok());
    }

    #[test]
    fn holders_beyond_those_that_are_told_apart_count_as_one() {
        let budget = FairBudget::new(usize::MAX, usize::MAX, &Random::system());
        let shares: Vec<_> = (0..2 * HOLDERS_MAX).map(|holder| budget.count(&holder, 1)).collect();
        assert!(budget.lock().holders.len() <= HOLDERS_MAX + 1);
        drop(shares);
        assert_eq!(budget.held(), Amount::default());
    }

    #[test]
    fn bytes_count_until_they_are_dropped() {
        let budget = FairBudget::new(100, 100, &Random::system());
        let bytes = budget.take(&1, 30).unwrap().bind(Bytes::from(vec![0; 30]));
        let part = bytes.slice(..1);
        drop(bytes);
        assert_eq!(budget.held().bytes, 30);
        drop(part);
        assert_eq!(budget.held().bytes, 0);
    }
}
