//! Measures the latency tail: the same small forms for a minute, so that checkpoints fall into it.

use crate::bench::bench_setup::Bench;
use crate::bench::measurements::Turns;
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

const CASE: &str = "post 4 KiB ×16, a minute";

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let seconds = if bench.quick { 3 } else { 60 };
    let turns = Turns { rounds: 1, ..Turns::of(bench, &[Peer::Reference, Peer::Countersign]) };
    let all = turns.measure(|turn| {
        turn.load(CASE, &format!("--operation post --connections 16 --seconds {seconds} --prefix t-"))
    });
    let work = format!("PostObject 4 KiB, 16 connections, over {seconds} s, checkpoints included");
    let p99_9 = all.median(Peer::Countersign, CASE, |figures| figures.p99_9_ms);
    outcome
        .row((&work, "p99.9 ≤ 10 ms", Goal::AtMost(10.0)), p99_9.map(|ms| (format!("{} ms", short(ms)), ms)));
    let longest = all.median(Peer::Countersign, CASE, |figures| figures.longest_ms);
    outcome.row(
        (&work, "longest ≤ 50 ms", Goal::AtMost(50.0)),
        longest.map(|ms| (format!("{} ms", short(ms)), ms)),
    );
    outcome.medians(&all);
    Ok(())
}
