//! Watches how fast a request's body comes, and tells its reader when its place or its memory is wanted by another.
//!
//! Clauses POST-66.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_clock::Clock;
use tokio_util::sync::CancellationToken;

use countersign_quota::places::Claimant;
use countersign_quota::shares::{Standing, YieldsTo};

/// The pace that a body is compared with, in bytes per second. Telling which body is slow needs one figure; what is
/// slower is no upload that anybody waits for on a link of today, and is served all the same while places are free.
const PACE_BYTES_PER_SECOND: u64 = 16 * 1024;
/// How long a body may be behind that pace before it gives way to any other.
const BEHIND_MS_MAX: i64 = 500;
/// How much waiting is looked back at: once or twice this, so that a fast beginning does not pay for crawling.
const WINDOW: Duration = Duration::from_secs(5);
/// A body that the server is busy with does not get its place free sooner by being refused: it comes last.
const BUSY_MS: i64 = 3_600_000;

/// The pace of one body.
pub(crate) struct BodyWatch {
    clock: Clock,
    pace: Mutex<Pace>,
    wanted: CancellationToken,
}

#[derive(Default)]
struct Pace {
    last: Window,
    current: Window,
    waiting_since: Option<Instant>,
}

#[derive(Default, Clone, Copy)]
struct Window {
    bytes: u64,
    waited: Duration,
}

impl BodyWatch {
    /// Of a body of which nothing has come.
    pub(crate) fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), pace: Mutex::default(), wanted: CancellationToken::new() }
    }

    /// The sender is waited for from now on.
    pub(crate) fn waits(&self) {
        self.lock().waiting_since = Some(self.clock.monotonic());
    }

    /// So many bytes came; gives how long they were waited for.
    pub(crate) fn came(&self, bytes: u64) -> Duration {
        let mut pace = self.lock();
        let waited = pace.waiting_since.take().map_or(Duration::ZERO, |since| self.clock.since(since));
        pace.add(bytes, waited);
        waited
    }

    /// Ready once the body has to give way.
    pub(crate) async fn wanted(&self) {
        self.wanted.cancelled().await;
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn add(&mut self, bytes: u64, waited: Duration) {
        self.current.bytes += bytes;
        self.current.waited += waited;
        if self.current.waited >= WINDOW {
            self.last = std::mem::take(&mut self.current);
        }
    }

    /// How it stands when the sender is being waited for since so long, or when the server is busy with it.
    fn standing(&self, waiting: Option<Duration>) -> Standing {
        // For how much longer it was waited than its bytes would take at the pace.
        let waited = (self.last.waited + self.current.waited + waiting.unwrap_or_default()).as_millis();
        let due = u128::from(self.last.bytes + self.current.bytes) * 1000 / u128::from(PACE_BYTES_PER_SECOND);
        let signed = |millis: u128| i64::try_from(millis).unwrap_or(i64::MAX);
        let behind_ms = signed(waited) - signed(due);
        if waiting.is_none() {
            return Standing {
                behind_ms: behind_ms.saturating_sub(BUSY_MS),
                yields: YieldsTo::Smaller,
                idle: false,
            };
        }
        let yields = if behind_ms > BEHIND_MS_MAX { YieldsTo::Own } else { YieldsTo::Smaller };
        Standing { behind_ms, yields, idle: false }
    }
}

impl Claimant for BodyWatch {
    fn standing(&self) -> Standing {
        let pace = self.lock();
        pace.standing(pace.waiting_since.map(|since| self.clock.since(since)))
    }

    fn give_way(&self) {
        self.wanted.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn the_slower_body_is_further_behind_and_a_fast_beginning_is_forgotten() {
        let (mut fast, mut slow) = (Pace::default(), Pace::default());
        fast.add(10, Duration::ZERO);
        slow.add(10 << 20, Duration::ZERO);
        for _ in 0..60 {
            fast.add(20_000, 200 * MILLI);
            slow.add(1, 200 * MILLI);
        }
        let [fast, slow] = [fast, slow].map(|pace| pace.standing(Some(200 * MILLI)));
        assert_eq!((fast.yields, slow.yields), (YieldsTo::Smaller, YieldsTo::Own));
        assert!(slow.behind_ms > 5_000 && fast.behind_ms < 0, "{slow:?} {fast:?}");
    }

    #[test]
    fn a_body_that_has_just_begun_and_one_the_server_is_busy_with_do_not_give_way_to_their_equals() {
        let mut pace = Pace::default();
        assert_eq!(pace.standing(Some(400 * MILLI)).yields, YieldsTo::Smaller);
        assert_eq!(pace.standing(Some(600 * MILLI)).yields, YieldsTo::Own);
        pace.add(1, 5_000 * MILLI);
        assert_eq!(pace.standing(None).yields, YieldsTo::Smaller);
    }
}
