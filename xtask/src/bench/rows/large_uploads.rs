//! Measures large bodies: limited by MD5 within a stream, and by the disk across streams.

use super::quotients::throughputs;
use crate::bench::bench_setup::Bench;
use crate::bench::measurements::{Measurements, Turns};
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

/// How many bodies of each size one measurement sends.
const COUNTS: [(&str, usize); 2] = [("64M", 12), ("1G", 2)];
const SECONDS_MAX: usize = 60;
/// Each peer writes more than 10 GB in a round, so there are no more rounds than this.
const ROUNDS_MAX: usize = 3;

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let rounds = bench.rounds.min(ROUNDS_MAX);
    let turns = Turns { rounds, ..Turns::of(bench, &[Peer::Reference, Peer::Countersign]) };
    let all = turns.measure(|turn| {
        if turn.peer() == Peer::Countersign {
            turn.limit("md5")?;
            turn.limit("disk")?;
        }
        turn.warm_up("--operation post --size 1M --count 20 --seconds 5 --prefix warm")?;
        for operation in ["post", "put"] {
            for (size, count) in COUNTS {
                let count = if bench.quick { 1 } else { count };
                let load = format!(
                    "--operation {operation} --size {size} --count {count} --seconds {SECONDS_MAX} \
                     --prefix {operation}{size}-"
                );
                turn.load(&format!("{operation} {size} ×1"), &load)?;
            }
        }
        let load = format!(
            "--operation post --size 1G --connections 4 --count 4 --seconds {SECONDS_MAX} --prefix four-"
        );
        turn.load("post 1G ×4", &load)
    });
    for (operation, name) in [("post", "PostObject"), ("put", "PutObject")] {
        for (size, size_name) in [("64M", "64 MiB"), ("1G", "1 GiB")] {
            let work = format!("{name} {size_name}, one stream, with MD5");
            let goal = (work.as_str(), "≥ 0.85 × `openssl speed -evp md5`", Goal::AtLeast(0.85));
            outcome.row(goal, of_md5(&all, &format!("{operation} {size} ×1")));
        }
    }
    outcome.row(
        ("four streams of 1 GiB", "≥ 1.0 × reference with the same MD5", Goal::AtLeast(1.0)),
        throughputs(&all, "post 1G ×4", Peer::Reference),
    );
    let memory =
        all.median(Peer::Countersign, "post 1G ×4", |figures| figures.server_peak_resident_bytes as f64);
    outcome.row(
        ("resident memory at 4 × 1 GiB", "≤ 48 MB", Goal::AtMost(48.0)),
        memory.map(|bytes| (format!("{} MB", short(bytes / 1e6)), bytes / 1e6)),
    );
    outcome.medians(&all);
    disk_note(&all, outcome);
    without_md5(bench, outcome);
    Ok(())
}

/// A stream's rate beside MD5's; without openssl, beside that of the MD5 that is built in.
fn of_md5(all: &Measurements, case: &str) -> Result<(String, f64), String> {
    let ours = all.median(Peer::Countersign, case, |figures| figures.megabytes_per_second)?;
    let openssl = all.limit("md5", "openssl_bytes_per_second").map(|rate| (rate, "openssl"));
    let (md5, whose) = match openssl {
        Ok(found) => found,
        Err(_) => (all.limit("md5", "own_bytes_per_second")?, "aws-lc, no openssl here"),
    };
    Ok((format!("{} of {} MB/s ({whose})", short(ours), short(md5 / 1e6)), ours * 1e6 / md5))
}

fn disk_note(all: &Measurements, outcome: &mut Outcome) {
    let rate = |name| all.limit("disk", name).map_or("–".to_owned(), |rate| short(rate / 1e6));
    outcome.note(&format!(
        "Bare sequential writing, durable at the end, MB/s: one file of 1 GiB {} through the page cache and {} past \
         it, four at once {} and {}. MD5 of aws-lc on one core: {} MB/s.",
        rate("one_cached_bytes_per_second"),
        rate("one_direct_bytes_per_second"),
        rate("four_cached_bytes_per_second"),
        rate("four_direct_bytes_per_second"),
        all.limit("md5", "own_bytes_per_second").map_or("–".to_owned(), |rate| short(rate / 1e6)),
    ));
}

/// Four streams that nobody computes an MD5 of, beside the disk: whichever way of writing is the faster one.
fn without_md5(bench: &Bench, outcome: &mut Outcome) {
    let turns = Turns {
        rounds: bench.rounds.min(ROUNDS_MAX),
        extra: &["--form-etag", "crc64"],
        reference_extra: &["--no-md5"],
        ..Turns::of(bench, &[Peer::Reference, Peer::Countersign])
    };
    let case = "post 1G ×4, no MD5";
    let load =
        format!("--operation post --size 1G --connections 4 --count 4 --seconds {SECONDS_MAX} --prefix n-");
    let all = turns.measure(|turn| {
        if turn.peer() == Peer::Countersign {
            turn.limit("disk")?;
        }
        turn.warm_up("--operation post --size 1M --count 20 --seconds 5 --prefix warm")?;
        turn.load(case, &load)
    });
    let measured = || -> Result<(String, f64), String> {
        let ours = all.median(Peer::Countersign, case, |figures| figures.megabytes_per_second)?;
        let (cached, direct) = (
            all.limit("disk", "four_cached_bytes_per_second")?,
            all.limit("disk", "four_direct_bytes_per_second")?,
        );
        let disk = cached.max(direct) / 1e6;
        Ok((format!("{} of {} MB/s", short(ours), short(disk)), ours / disk))
    };
    outcome.row(
        (
            "four streams of 1 GiB, MD5 switched off (`--form-etag crc64`)",
            "≥ 0.8 × the disk",
            Goal::AtLeast(0.8),
        ),
        measured(),
    );
    outcome.medians(&all);
}
