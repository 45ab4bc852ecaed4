//! Limits how fast a scrub reads, so that uploads are not slowed down.

use crate::Clock;
use std::time::Duration;

/// So many bytes are read in one go before the scrub rests.
const REST_AFTER_BYTES: u64 = 512 * 1024;
/// What looking at an object costs besides its bytes, in bytes.
const OBJECT_BYTES: u64 = 4096;

/// Rests after bytes that were read.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    clock: Clock,
    bytes_per_second: Option<u64>,
    unrested: u64,
}

impl Pace {
    /// At most so many bytes per second; `None` does not rest.
    pub(crate) fn new(clock: &Clock, bytes_per_second: Option<u64>) -> Pace {
        Pace {
            clock: clock.clone(),
            bytes_per_second: bytes_per_second.filter(|rate| *rate > 0),
            unrested: 0,
        }
    }

    /// After an object.
    pub(crate) async fn object(&mut self) {
        self.bytes(OBJECT_BYTES).await;
    }

    /// After so many bytes.
    pub(crate) async fn bytes(&mut self, bytes: u64) {
        let rest = self.rest_after(bytes);
        if !rest.is_zero() {
            self.clock.sleep(rest).await;
        }
    }

    fn rest_after(&mut self, bytes: u64) -> Duration {
        self.unrested = self.unrested.saturating_add(bytes);
        match self.bytes_per_second {
            Some(rate) if self.unrested >= REST_AFTER_BYTES.min(rate) => {
                let rest = self.unrested.saturating_mul(1_000_000) / rate;
                self.unrested = 0;
                Duration::from_micros(rest)
            }
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_as_long_as_the_bytes_may_take() {
        let mut pace = Pace::new(&Clock::system(), Some(1024 * 1024));
        let rested: Duration = (0..40).map(|_| pace.rest_after(256 * 1024)).sum();
        assert_eq!(rested, Duration::from_secs(10));
        assert_eq!(Pace::new(&Clock::system(), None).rest_after(u64::MAX / 2), Duration::ZERO);
    }
}
