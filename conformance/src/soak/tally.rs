//! Counts what happened in a soak.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

/// What happened, counted.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Mutex<std::collections::BTreeMap<&'static str, u64>>,
    /// Writes that were answered with a success.
    pub acknowledged: AtomicU64,
}

impl Tally {
    pub(crate) fn count(&self, what: &'static str) {
        self.add(what, 1);
    }

    pub(crate) fn add(&self, what: &'static str, times: u64) {
        *self.counts.lock().expect("not poisoned").entry(what).or_default() += times;
    }

    /// Keeps the largest value.
    pub(crate) fn peak(&self, what: &'static str, value: u64) {
        let mut counts = self.counts.lock().expect("not poisoned");
        let known = counts.entry(what).or_default();
        *known = value.max(*known);
    }

    /// How often something happened.
    pub fn of(&self, what: &str) -> u64 {
        self.counts.lock().expect("not poisoned").get(what).copied().unwrap_or_default()
    }

    /// All counts, a line each.
    pub fn table(&self) -> String {
        let counts = self.counts.lock().expect("not poisoned");
        counts.iter().map(|(what, times)| format!("{times:>10}  {what}\n")).collect()
    }
}
