//! Measures downloads against nginx, which has the files in a folder and sends them without reading them.

use super::quotients::{rates, throughputs};
use crate::bench::bench_setup::Bench;
use crate::bench::measurements::{Measurements, Turns};
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

const SMALL_KEYS: usize = 1000;
const LARGE_KEYS: usize = 8;
/// An acknowledgement that is waited for takes 40 ms and a little.
const DELAYED_ANSWER_MS: f64 = 40.0;

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let all = Turns::of(bench, &[Peer::Nginx, Peer::Countersign]).measure(|turn| {
        turn.warm_up(&format!("--operation put --count {SMALL_KEYS} --connections 8 --seconds 30 --prefix s"))?;
        turn.warm_up(&format!("--operation put --size 64M --count {LARGE_KEYS} --seconds 60 --prefix l"))?;
        let seconds = bench.seconds;
        for connections in [1, 64] {
            let load = format!(
                "--operation get --keys {SMALL_KEYS} --connections {connections} --seconds {seconds} --prefix s"
            );
            turn.load(&format!("get 4 KiB ×{connections}"), &load)?;
        }
        for connections in [1, 4] {
            let load = format!(
                "--operation get --size 64M --keys {LARGE_KEYS} --connections {connections} --seconds {seconds} \
                 --prefix l"
            );
            turn.load(&format!("get 64 MiB ×{connections}"), &load)?;
        }
        Ok(())
    });
    outcome.row(
        ("GetObject 4 KiB, 64 connections", "≥ 0.8 × nginx serving the same file", Goal::AtLeast(0.8)),
        rates(&all, "get 4 KiB ×64", Peer::Nginx),
    );
    for (connections, words) in [(1, "one stream"), (4, "four streams")] {
        let work = format!("GetObject 64 MiB, {words}");
        let measured = throughputs(&all, &format!("get 64 MiB ×{connections}"), Peer::Nginx);
        outcome.row((&work, "≥ 0.7 × nginx serving the same file", Goal::AtLeast(0.7)), measured);
    }
    outcome.row(
        (
            "GetObject 4 KiB on one kept-alive connection, p99.9",
            "no 44 ms answers",
            Goal::AtMost(DELAYED_ANSWER_MS),
        ),
        slowest(&all),
    );
    outcome.medians(&all);
    Ok(())
}

fn slowest(all: &Measurements) -> Result<(String, f64), String> {
    let ms = all.median(Peer::Countersign, "get 4 KiB ×1", |figures| figures.p99_9_ms)?;
    Ok((format!("{} ms", short(ms)), ms))
}
