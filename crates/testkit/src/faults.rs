//! Faults to inject: each happens once, at the n-th call of a kind.

use countersign_store::blobs::Work;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a call does instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and nothing is said of why.
    Fails,
    /// It takes this long, and then does what it should.
    Slow(Duration),
    /// It finds no room.
    Full,
    /// The process has no file descriptor left.
    NoDescriptor,
    /// It may not read or write there.
    NoPermission,
    /// The disk does not give, or take, the bytes.
    DiskFails,
    /// It gives fewer bytes than there are.
    Short,
    /// It fails at the sync: nobody knows what is on the disk.
    SyncFails,
}

/// Faults to come, by the kind of call `K`. Clones share them.
#[derive(Debug)]
pub struct Faults<K>(Arc<Mutex<Vec<Coming<K>>>>);

#[derive(Debug)]
struct Coming<K> {
    call: K,
    /// The fault is the next call's when this is 1.
    in_calls: usize,
    fault: Fault,
}

impl<K> Clone for Faults<K> {
    fn clone(&self) -> Faults<K> {
        Faults(Arc::clone(&self.0))
    }
}

impl<K> Default for Faults<K> {
    fn default() -> Faults<K> {
        Faults(Arc::default())
    }
}

impl<K: Copy + PartialEq> Faults<K> {
    /// Lets the `nth` call of this kind from now on, counted from 1, do something else.
    pub fn set(&self, call: K, nth: usize, fault: Fault) {
        let mut coming = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        coming.push(Coming { call, in_calls: nth.max(1), fault });
    }

    /// Whether every fault that was set has happened.
    pub fn all_happened(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// A call of this kind: the fault that is its own, if one is.
    pub(crate) fn at(&self, call: K) -> Option<Fault> {
        let mut coming = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        coming.iter_mut().filter(|fault| fault.call == call).for_each(|fault| fault.in_calls -= 1);
        let due = coming.iter().position(|fault| fault.in_calls == 0)?;
        Some(coming.remove(due).fault)
    }
}

/// The call as the fault wants it. `shorten` makes its outcome a short one, `error` names a failure.
pub(crate) fn call_with<T: Send + 'static, E: Send + 'static>(
    fault: Option<Fault>,
    call: impl FnOnce() -> Work<Result<T, E>>,
    shorten: impl FnOnce(T) -> T + Send + 'static,
    error: impl FnOnce(Fault) -> E,
) -> Work<Result<T, E>> {
    match fault {
        None => call(),
        Some(Fault::Slow(time)) => {
            let work = call();
            Box::pin(async move {
                tokio::time::sleep(time).await;
                work.await
            })
        }
        Some(Fault::Short) => {
            let work = call();
            Box::pin(async move { work.await.map(shorten) })
        }
        Some(fault) => Box::pin(ready(Err(error(fault)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_once_at_the_call_it_was_set_for() {
        let faults = Faults::default();
        faults.set('a', 2, Fault::Fails);
        faults.set('b', 1, Fault::Full);
        assert_eq!([faults.at('a'), faults.at('b')], [None, Some(Fault::Full)]);
        assert!(!faults.all_happened());
        assert_eq!([faults.at('a'), faults.at('a'), faults.at('b')], [Some(Fault::Fails), None, None]);
        assert!(faults.all_happened());
    }
}
