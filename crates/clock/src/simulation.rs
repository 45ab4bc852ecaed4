//! Simulated clocks, which tests use in place of the machine's.

use std::task::Waker;
use std::time::Instant;

use jiff::Timestamp;

/// Tells one timer of a simulation from another.
pub type TimerId = u64;

/// Clocks that are moved by hand, and who waits for them. The test kit has one.
pub trait Simulation: Send + Sync {
    /// The date and time.
    fn wall(&self) -> Timestamp;

    /// The moment on the monotonic clock: any to begin with, and never an earlier one than before.
    fn monotonic(&self) -> Instant;

    /// A number that no timer has had.
    fn timer(&self) -> TimerId;

    /// Wakes once this moment has come. What the timer was set to before counts no more.
    fn set(&self, timer: TimerId, deadline: Instant, waker: &Waker);

    /// Wakes no more.
    fn unset(&self, timer: TimerId);
}
