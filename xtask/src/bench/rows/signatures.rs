//! Measures `GET /signature` of the application server against a bare handler.

use super::quotients::quotient;
use crate::bench::bench_setup::Bench;
use crate::bench::measurements::Turns;
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome};

const CASE: &str = "signature ×64";

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let all = Turns::of(bench, &[Peer::BareSigner, Peer::Signer]).measure(|turn| {
        turn.warm_up("--operation raw --path /signature --connections 4 --seconds 0.5")?;
        let seconds = bench.seconds;
        turn.load(CASE, &format!("--operation raw --path /signature --connections 64 --seconds {seconds}"))
    });
    outcome.row(
        (
            "signature endpoint, 64 connections",
            "≥ 0.9 × a bare axum handler that makes the same policy",
            Goal::AtLeast(0.9),
        ),
        quotient(&all, CASE, (Peer::Signer, Peer::BareSigner), "/s", |figures| figures.per_second),
    );
    outcome.medians(&all);
    Ok(())
}
