//! How long a soak lasts, and what it begins with.

use std::time::Duration;

/// How long, and from which seed.
#[derive(Debug, Clone, Copy)]
pub struct SoakOptions {
    /// The seed of everything random.
    pub seed: u64,
    /// At least so long.
    pub least_time: Duration,
    /// At least so many kills.
    pub least_kills: u64,
    /// At least so many acknowledged writes.
    pub least_acknowledged: u64,
    /// The longest time between two stops.
    pub longest_round: Duration,
    /// The largest object.
    pub bytes_max: u64,
    /// Whether to wait at the end until the disk holds no more than the objects need.
    pub settle: bool,
}
