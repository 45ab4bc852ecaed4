//! Measures a throw-away instance as a test suite uses it: from nothing to its line of JSON, and what it holds while
//! idle.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::bench::bench_setup::Bench;
use crate::bench::report::{Goal, Outcome, short};

const STARTS: usize = 21;
const KIB_PER_MIB: f64 = 1_024.0;

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut starts = (0..STARTS).map(|_| start(bench)).collect::<anyhow::Result<Vec<_>>>()?;
    starts.sort_by_key(|start| start.ready);
    let at = |index: usize| starts.get(index).map_or(f64::NAN, |start| start.ready.as_secs_f64() * 1e3);
    let (median, longest) = (at(STARTS / 2), at(STARTS - 1));
    outcome.row(
        ("a throw-away instance, from its start to its line, median of 21", "≤ 30 ms", Goal::AtMost(30.0)),
        Ok((format!("{} ms, longest {} ms", short(median), short(longest)), median)),
    );
    let resident = starts.iter().map(|start| start.resident_mib).fold(0.0, f64::max);
    outcome.row(
        ("the same, resident after half a second of nothing, highest of 21", "≤ 20 MiB", Goal::AtMost(20.0)),
        Ok((format!("{} MiB", short(resident)), resident)),
    );
    Ok(())
}

struct Start {
    ready: Duration,
    resident_mib: f64,
}

/// Starts an instance and ends it by closing its standard input.
fn start(bench: &Bench) -> anyhow::Result<Start> {
    let mut command = Command::new(&bench.instruments.countersign);
    command.arg("instance").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut instance = command.spawn().context("countersign does not start")?;
    let mut line = String::new();
    BufReader::new(instance.stdout.take().context("piped")?).read_line(&mut line)?;
    let ready = begun.elapsed();
    std::thread::sleep(Duration::from_millis(500));
    let status = std::fs::read_to_string(format!("/proc/{}/status", instance.id())).unwrap_or_default();
    drop(instance.stdin.take());
    ensure!(instance.wait()?.success() && line.starts_with('{'), "the instance did not start");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(Start { ready, resident_mib: kib.context("the system does not say what is resident")? / KIB_PER_MIB })
}
