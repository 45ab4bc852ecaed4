//! Measures a bucket that grows to a million small objects: whether it slows down more than a raw log does, what a
//! page of its listing costs, what an object takes on the disk, and how soon the store is back after SIGKILL.

use std::path::Path;
use std::time::Duration;

use crate::bench::bench_setup::Bench;
use crate::bench::measurements::{Measurements, Turn, Turns};
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

const KEYS_PER_FOLDER: u64 = 100;
const FILL: &str = "the rest of the fill";
const AT_THE_END: &str = "random keys beside all of them";
const CONNECTIONS: usize = 16;
/// A machine that takes longer than this for a fill is too busy to be measured.
const FILL_SECONDS_MAX: u64 = 300;
const READY_WITHIN_SECONDS: f64 = 2.0;
/// "Costs the same" has to say how much noise it allows.
const LISTING_GROWTH_MAX: f64 = 1.2;

/// What the filled store is asked beyond the loads.
#[derive(Default)]
struct Afterwards {
    bytes_per_object: Option<f64>,
    ready: Option<Duration>,
}

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let (few, many) = if bench.quick { (2_000, 20_000) } else { (10_000, 1_000_000) };
    let turns = Turns { rounds: 1, ..Turns::of(bench, &[Peer::Reference, Peer::Countersign]) };
    let mut afterwards = Afterwards::default();
    let all = turns.measure(|turn| {
        fill(turn, "the first objects", 0, few)?;
        if turn.peer() == Peer::Reference {
            return fill(turn, FILL, few, many - few);
        }
        list(turn, few)?;
        fill(turn, FILL, few, many - few)?;
        list(turn, many)?;
        afterwards.bytes_per_object = Some(disk_bytes(turn.running.folder())? as f64 / many as f64);
        turn.load(
            AT_THE_END,
            &format!(
                "--operation post --connections {CONNECTIONS} --seconds {} --prefix r --random-keys",
                bench.seconds
            ),
        )?;
        afterwards.ready = Some(turn.ready_again_after_kill()?);
        turn.load(
            "get after SIGKILL",
            &format!("--operation get --keys 1 --count 1 --prefix f {}", in_folders()),
        )
    });
    rate_row(&all, outcome);
    for page in ["page of 1,000", "page with delimiter"] {
        listing_row(&all, page, (few, many), outcome);
    }
    outcome.row(
        ("PostObject 4 KiB with random keys beside all of them, p99.9", "stated", Goal::AtLeast(0.0)),
        all.median(Peer::Countersign, AT_THE_END, |figures| figures.p99_9_ms)
            .map(|ms| (format!("{} ms", short(ms)), ms)),
    );
    outcome.row(
        ("bytes on disk per 4 KiB object at the end", "stated", Goal::AtLeast(0.0)),
        afterwards.bytes_per_object.map(|bytes| (format!("{bytes:.0} bytes"), bytes)).ok_or_else(not_reached),
    );
    let ready = afterwards.ready.map(|took| took.as_secs_f64());
    outcome.row(
        ("ready again after SIGKILL with all objects", "≤ 2 s", Goal::AtMost(READY_WITHIN_SECONDS)),
        ready.map(|seconds| (format!("{} s", short(seconds)), seconds)).ok_or_else(not_reached),
    );
    outcome.medians(&all);
    Ok(())
}

fn not_reached() -> String {
    "not measured: the fill before it failed".to_owned()
}

fn in_folders() -> String {
    format!("--keys-per-folder {KEYS_PER_FOLDER}")
}

fn fill(turn: &mut Turn<'_>, case: &str, first: u64, count: u64) -> anyhow::Result<()> {
    let folders = in_folders();
    let load = format!(
        "--operation post --connections {CONNECTIONS} --first {first} --count {count} --seconds {FILL_SECONDS_MAX} --prefix f {folders}"
    );
    turn.load(case, &load)
}

/// Pages from the middle of the bucket: plain, and of common prefixes.
fn list(turn: &mut Turn<'_>, objects: u64) -> anyhow::Result<()> {
    let marker = format!("marker=f{:06}%2F", objects / KEYS_PER_FOLDER / 2);
    let pages = [("page of 1,000", "max-keys=1000"), ("page with delimiter", "delimiter=%2F&max-keys=40")];
    for (page, query) in pages {
        let load = format!("--operation list --prefix f --query {query}&{marker} --seconds 2");
        turn.load(&format!("{page}, {objects} objects"), &load)?;
    }
    Ok(())
}

/// The quotient of the last tenth's rate and the first one's, beside the raw log's.
fn rate_row(all: &Measurements, outcome: &mut Outcome) {
    let quotient = |peer| {
        all.median(peer, FILL, |figures| {
            let tenths = &figures.tenths_per_second;
            tenths.last().copied().unwrap_or(0.0) / tenths.first().copied().unwrap_or(f64::INFINITY)
        })
    };
    let measured = || -> Result<(String, f64), String> {
        let (ours, log) = (quotient(Peer::Countersign)?, quotient(Peer::Reference)?);
        Ok((format!("{} of {}", short(ours), short(log)), ours / log))
    };
    outcome.row(
        (
            "10⁶ small objects: rate at the end ÷ at the start",
            "≥ 0.9 × the same quotient of the raw log",
            Goal::AtLeast(0.9),
        ),
        measured(),
    );
    for peer in [Peer::Countersign, Peer::Reference] {
        let tenths: Vec<String> = (0..10)
            .filter_map(|tenth| {
                all.median(peer, FILL, |figures| figures.tenths_per_second.get(tenth).copied().unwrap_or(0.0))
                    .ok()
            })
            .map(short)
            .collect();
        outcome.note(&format!(
            "{}: objects per second by tenths of the fill: {}.",
            peer.name(),
            tenths.join(", ")
        ));
    }
}

fn listing_row(all: &Measurements, page: &str, (few, many): (u64, u64), outcome: &mut Outcome) {
    let p50 =
        |objects: u64| all.median(Peer::Countersign, &format!("{page}, {objects} objects"), |f| f.p50_ms);
    let measured = || -> Result<(String, f64), String> {
        let (small, large) = (p50(few)?, p50(many)?);
        Ok((format!("{} of {} ms", short(large), short(small)), large / small))
    };
    let work = format!("ListObjects, {page}: at 10⁶ objects ÷ at 10⁴");
    outcome.row((&work, "the same (≤ 1.2 ×)", Goal::AtMost(LISTING_GROWTH_MAX)), measured());
}

/// What the folder takes on the disk, space that was taken ahead included.
fn disk_bytes(folder: &Path) -> anyhow::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}
