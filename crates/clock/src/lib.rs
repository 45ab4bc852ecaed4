//! The one place that time, waiting and randomness come from.
//!
//! [`Clock`] has the wall clock (what the date is), the monotonic clock (how long something took) and everything that
//! waits for either. [`Random`] has random bytes and the keys of hash functions. A store and a server are given both, and
//! read no other: clippy refuses `Instant::now`, Tokio's timers, `RandomState` and the like in their crates. So a test can
//! put a [`Simulation`] in their place, and an hour of timeouts passes as fast as the processor can run it.
//!
//! In a program that runs for real, each call goes straight to the standard library, to Tokio's timers or to the
//! system; nothing is allocated. It does not know what the time is used for.

mod clock;
mod random;
mod simulation;
mod sleep;
mod timeout;

pub use clock::Clock;
pub use random::{HashKeys, Random, RandomSource};
pub use simulation::{Simulation, TimerId};
pub use sleep::Sleep;
pub use timeout::{Elapsed, Timeout};
