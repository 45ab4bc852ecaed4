//! A clock that tests move by hand.

use countersign_store::Clock;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

/// Stands still until it is moved.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    /// Stands at a fixed time in 2026.
    pub fn new() -> TestClock {
        TestClock(Arc::new(Mutex::new(Timestamp::constant(1_790_000_000, 0))))
    }

    /// The time it shows.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves it on.
    pub fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(*now);
    }

    /// As the crates take it.
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Clock::with_wall(move || clock.now())
    }
}

impl Default for TestClock {
    fn default() -> TestClock {
        TestClock::new()
    }
}
