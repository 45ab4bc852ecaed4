//! The clock of one instance: it goes as the real one does, and a test may move it forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_store::Clock;

use crate::setup::clock;

/// How far it was moved, in milliseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct ClockOffset(Arc<AtomicU64>);

impl ClockOffset {
    pub(super) fn at_the_real_time() -> Self {
        Self::default()
    }

    pub(super) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn as_clock(&self) -> Clock {
        let (real, moved) = (clock::real(0), Arc::clone(&self.0));
        Clock::with_wall(move || {
            let now = real.wall();
            now.checked_add(Duration::from_millis(moved.load(Ordering::Relaxed))).unwrap_or(now)
        })
    }
}
