//! SIGKILL while everything runs: thirty times at least, over at least a thousand acknowledged writes, also
//! between commit and callback. What was acknowledged is there and whole, what was deleted is gone, and every
//! callback that never arrived is still owed. `cargo xtask soak` does the same for ten minutes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign_conformance::soak::{SoakOptions, run};

#[test]
fn loses_nothing_that_was_acknowledged() {
    let tally = run(SoakOptions {
        seed: 20_261_122,
        least_time: Duration::ZERO,
        least_kills: 30,
        least_acknowledged: 1_000,
        longest_round: Duration::from_millis(450),
        bytes_max: 1 << 20,
        settle: false,
    });
    assert!(tally.acknowledged.load(Ordering::SeqCst) >= 1_000);
    for kind in
        ["posts", "posts with a callback that was answered", "puts", "deletes", "listings", "gets of a range"]
    {
        assert!(tally.of(kind) > 0, "no {kind}");
    }
    assert!(tally.of("outcomes that were open at a stop") > 0, "no stop met a write");
}
