//! Small forms: the work that the store exists for.

use super::{Bench, Measurements, Outcome, Peer, rate_ratio};
use crate::bench::report::{Goal, short};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let peers = [Peer::Reference, Peer::Countersign, Peer::Nginx, Peer::Garage];
    let all = Measurements::in_turn(bench, &peers, &[], |turn| {
        let path = if turn.running.peer() == Peer::Nginx { "--path /forms/" } else { "" };
        turn.warm_up(&format!("--operation post --connections 4 --seconds 0.5 --prefix warm {path}"))?;
        for connections in CONNECTIONS {
            let load = format!(
                "--operation post --connections {connections} --seconds {} --prefix c{connections}- {path}",
                bench.seconds
            );
            turn.load(&format!("post 4 KiB ×{connections}"), &load)?;
        }
        Ok(())
    });
    let sixteen = "PostObject 4 KiB, 16 connections";
    outcome.row(
        (sixteen, "≥ 1.0 × reference", Goal::AtLeast(1.0)),
        rate_ratio(&all, "post 4 KiB ×16", Peer::Reference),
    );
    outcome.row(
        ("PostObject 4 KiB, 64 connections", "≥ 0.8 × reference", Goal::AtLeast(0.8)),
        rate_ratio(&all, "post 4 KiB ×64", Peer::Reference),
    );
    for connections in [16, 64] {
        outcome.row(
            (
                &format!("PostObject 4 KiB, {connections} connections"),
                "≥ 10 × garage in its default, unsynced set-up",
                Goal::AtLeast(10.0),
            ),
            rate_ratio(&all, &format!("post 4 KiB ×{connections}"), Peer::Garage),
        );
    }
    outcome.row(
        ("server CPU for 1,000 small uploads, 16 connections", "≤ 1.3 × reference", Goal::AtMost(1.3)),
        cpu_ratio(&all),
    );
    outcome.medians(&all);
    Ok(())
}

fn cpu_ratio(all: &Measurements) -> Result<(String, f64), String> {
    let cpu = |peer| all.median(peer, "post 4 KiB ×16", |figures| figures.cpu_per_thousand());
    let (ours, theirs) = (cpu(Peer::Countersign)?, cpu(Peer::Reference)?);
    Ok((format!("{} of {} s", short(ours), short(theirs)), ours / theirs))
}
