//! Measures memory while many uploads are under way at once: 256 senders that are slower than the store.

use crate::bench::bench_setup::Bench;
use crate::bench::measurements::Turns;
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

const UPLOADS: usize = 256;
const CASE: &str = "256 slow uploads of 4 MiB";
const MIB: f64 = 1_048_576.0;

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let turns = Turns { rounds: 1, ..Turns::of(bench, &[Peer::Reference, Peer::Countersign]) };
    let all = turns.measure(|turn| {
        let load = format!(
            "--operation post --size 4M --pace 640K --connections {UPLOADS} --count {UPLOADS} --seconds 60 --prefix f-"
        );
        turn.load(CASE, &load)
    });
    // 64 MiB, and 256 KiB for each upload.
    let most = 64.0 + UPLOADS as f64 / 4.0;
    let resident =
        all.median(Peer::Countersign, CASE, |figures| figures.server_peak_resident_bytes as f64 / MIB);
    outcome.row(
        (
            "resident memory at 256 uploads in flight",
            "≤ 64 MiB + 256 KiB per upload (128 MiB)",
            Goal::AtMost(most),
        ),
        resident.map(|mib| (format!("{} MiB", short(mib)), mib)),
    );
    outcome.medians(&all);
    Ok(())
}
