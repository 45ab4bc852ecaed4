//! Keeps large buffers for the next use: fresh memory comes from the system page by page, which takes longer than
//! filling it, and a buffer used a moment ago is still in the processor's cache.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What nobody uses at the moment, up to a number.
pub(super) struct SparePool<T> {
    spare: Mutex<Vec<T>>,
    spare_max: usize,
}

impl<T> SparePool<T> {
    /// An empty one that keeps so many.
    pub(super) const fn new(spare_max: usize) -> SparePool<T> {
        SparePool { spare: Mutex::new(Vec::new()), spare_max }
    }

    /// What was used last, if there is any.
    pub(super) fn take(&self) -> Option<T> {
        self.lock().pop()
    }

    /// Keeps it for the next, unless there are enough.
    pub(super) fn give_back(&self, used: T) {
        let mut spare = self.lock();
        if spare.len() < self.spare_max {
            spare.push(used);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_used_again_and_no_more_than_a_few_are_kept() {
        let pool = SparePool::new(2);
        [1, 2, 3].into_iter().for_each(|used| pool.give_back(used));
        assert_eq!([pool.take(), pool.take(), pool.take()], [Some(2), Some(1), None]);
    }
}
