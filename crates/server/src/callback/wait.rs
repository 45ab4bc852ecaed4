//! Measures how long a callback has waited for its application, and ends it when its place is wanted for another
//! destination.
//!
//! The one that has waited longest gives way: an application that hangs does not answer it any more, and one that
//! is only slow has most likely begun to work on it.

use std::time::Instant;

use countersign_clock::Clock;
use tokio_util::sync::CancellationToken;

use countersign_quota::places::Claimant;
use countersign_quota::shares::{Standing, YieldsTo};

/// After so long a callback gives way also to a destination that would then hold as much: applications that work
/// answer within moments.
const PROMPT_MS_MAX: i64 = 1_000;

/// One callback that is under way.
pub(crate) struct CallbackWait {
    clock: Clock,
    begun: Instant,
    wanted: CancellationToken,
}

impl CallbackWait {
    pub(super) fn begun_now(clock: &Clock) -> Self {
        Self { clock: clock.clone(), begun: clock.monotonic(), wanted: CancellationToken::new() }
    }

    /// Ready once the callback has to give way.
    pub(super) async fn gives_way(&self) {
        self.wanted.cancelled().await;
    }
}

impl Claimant for CallbackWait {
    fn standing(&self) -> Standing {
        let behind_ms = i64::try_from(self.clock.since(self.begun).as_millis()).unwrap_or(i64::MAX);
        // Never to its own destination: ending older calls for newer ones would let a slow application answer none.
        let yields = if behind_ms > PROMPT_MS_MAX { YieldsTo::Equal } else { YieldsTo::Smaller };
        Standing { behind_ms, yields, idle: false }
    }

    fn give_way(&self) {
        self.wanted.cancel();
    }
}
