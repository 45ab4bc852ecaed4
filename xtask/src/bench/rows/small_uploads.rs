//! Measures small forms, the work that the store exists for.

use super::quotients::{quotient, rates};
use crate::bench::bench_setup::Bench;
use crate::bench::measurements::{Measurements, Turns};
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

const CONNECTIONS: [usize; 3] = [1, 16, 64];
const WARM_UP: &str = "--operation post --connections 4 --seconds 0.5 --prefix warm";

pub(super) fn measure_four_kib(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let peers = [Peer::Reference, Peer::Countersign, Peer::Nginx, Peer::Garage];
    let all = Turns::of(bench, &peers).measure(|turn| {
        let path = if turn.peer() == Peer::Nginx { "--path /forms/" } else { "" };
        if turn.peer() == Peer::Countersign {
            turn.limit("append")?;
        }
        turn.warm_up(&format!("{WARM_UP} {path}"))?;
        for connections in CONNECTIONS {
            let seconds = bench.seconds;
            let load = format!(
                "--operation post --connections {connections} --seconds {seconds} --prefix c{connections}- {path}"
            );
            turn.load(&format!("post 4 KiB ×{connections}"), &load)?;
        }
        Ok(())
    });
    four_kib_rows(&all, outcome);
    outcome.medians(&all);
    Ok(())
}

fn four_kib_rows(all: &Measurements, outcome: &mut Outcome) {
    let of_reference = |case| rates(all, case, Peer::Reference);
    outcome.row(
        ("PostObject 4 KiB, 16 connections", "≥ 1.0 × reference", Goal::AtLeast(1.0)),
        of_reference("post 4 KiB ×16"),
    );
    outcome.row(
        ("PostObject 4 KiB, 64 connections", "≥ 0.8 × reference", Goal::AtLeast(0.8)),
        of_reference("post 4 KiB ×64"),
    );
    for connections in [16, 64] {
        let work = format!("PostObject 4 KiB, {connections} connections");
        let goal = (work.as_str(), "≥ 10 × garage in its default, unsynced set-up", Goal::AtLeast(10.0));
        outcome.row(goal, rates(all, &format!("post 4 KiB ×{connections}"), Peer::Garage));
    }
    outcome.row(
        ("PostObject 4 KiB, 1 connection, p50", "≤ 2 × a bare 4 KiB append + fdatasync", Goal::AtMost(2.0)),
        p50_of_appends(all),
    );
    outcome.row(
        ("server CPU for 1,000 small uploads, 16 connections", "≤ 1.3 × reference", Goal::AtMost(1.3)),
        quotient(all, "post 4 KiB ×16", (Peer::Countersign, Peer::Reference), "s", |figures| {
            figures.cpu_per_thousand()
        }),
    );
}

fn p50_of_appends(all: &Measurements) -> Result<(String, f64), String> {
    let ours = all.median(Peer::Countersign, "post 4 KiB ×1", |figures| figures.p50_ms)?;
    let growing = all.limit("append", "growing_p50_ms")?;
    let preallocated = all.limit("append", "preallocated_p50_ms")?;
    let told = format!(
        "{} of {} ms ({} ms into preallocated space)",
        short(ours),
        short(growing),
        short(preallocated)
    );
    Ok((told, ours / growing))
}

pub(super) fn measure_medium(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let all = Turns::of(bench, &[Peer::Reference, Peer::Countersign]).measure(|turn| {
        turn.warm_up(WARM_UP)?;
        for kib in [16, 64] {
            let seconds = bench.seconds;
            let load = format!(
                "--operation post --size {kib}K --connections 16 --seconds {seconds} --prefix s{kib}-"
            );
            turn.load(&format!("post {kib} KiB ×16"), &load)?;
        }
        Ok(())
    });
    for kib in [16, 64] {
        let work = format!("PostObject {kib} KiB, 16 connections");
        let measured = rates(&all, &format!("post {kib} KiB ×16"), Peer::Reference);
        outcome.row((&work, "≥ 0.8 × reference", Goal::AtLeast(0.8)), measured);
    }
    outcome.medians(&all);
    Ok(())
}
