//! The numbers that a batch may give.

/// Numbers that were taken from the store's counter in the batch's own transaction.
#[derive(Debug)]
pub(crate) struct Numbers(std::ops::Range<u64>);

impl Numbers {
    /// These.
    pub(crate) fn new(range: std::ops::Range<u64>) -> Numbers {
        Numbers(range)
    }

    /// How many a batch of so many mutations can need: a put takes one for its object and one for what it replaces.
    pub(crate) fn needed(mutations: usize) -> u64 {
        2 * mutations as u64
    }

    /// The next one.
    pub(super) fn take(&mut self) -> u64 {
        self.0.next().expect("a mutation takes two numbers at most, and so many were asked for")
    }
}
