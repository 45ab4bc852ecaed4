//! `cargo xtask bench`: builds the store and the instruments, measures the store, its bare reference and its
//! peers in turn, and writes `docs/performance.md`.
//!
//! Every row compares figures of one run, in rounds (A B A B), by medians. Nothing is asserted: a row that
//! misses its goal says so, a row that cannot be measured says why, and neither ends the run.

mod instrument;
mod machine;
mod measurements;
mod peers;
mod report;
mod rows;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use instrument::Instruments;
use peers::Peer;
use report::Outcome;
use rows::ROWS;

/// No group of rows is begun after this time. A whole run takes about sixteen minutes on an idle machine.
const TOOK_MAX: Duration = Duration::from_secs(25 * 60);

/// The flags of `bench`.
#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Measure only these groups of rows, with `,` between (see `--list`); then nothing is written.
    #[arg(long, value_delimiter = ',', value_name = "GROUP")]
    rows: Vec<String>,
    /// Measure only these peers beside Countersign: reference, nginx, garage.
    #[arg(long, value_delimiter = ',', value_name = "PEER")]
    peers: Vec<String>,
    /// Print the groups of rows and stop.
    #[arg(long)]
    list: bool,
    /// How long one measurement takes.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// How often the peers are measured in turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// One short round of everything, to see that it runs: the figures say nothing.
    #[arg(long)]
    quick: bool,
    /// Where the servers keep their data while they are measured: a folder on the disk to be measured.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The program to measure, when it is not the one that is built here.
    #[arg(long, value_name = "FILE")]
    countersign: Option<PathBuf>,
    /// Write `docs/performance.md` although not every row was measured.
    #[arg(long)]
    write: bool,
    /// Measure what was built before.
    #[arg(long)]
    no_build: bool,
}

/// What every row is measured with.
pub(crate) struct Bench {
    instruments: Instruments,
    data: PathBuf,
    peers: Vec<Peer>,
    seconds: f64,
    rounds: usize,
    quick: bool,
}

/// Measures, prints, and writes the document when everything was measured.
pub(crate) fn run(root: &Path, options: &BenchOptions) -> anyhow::Result<ExitCode> {
    if options.list {
        for row in ROWS {
            println!("{:<12} {}", row.name, row.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let unknown = options.rows.iter().find(|name| !ROWS.iter().any(|row| row.name == name.as_str()));
    if let Some(unknown) = unknown {
        bail!("there is no group of rows named `{unknown}`; `cargo xtask bench --list` names them all");
    }
    ensure!(options.rounds > 0 && options.seconds > 0.0, "rounds and seconds are more than nothing");
    if !options.no_build {
        build(root)?;
    }
    let bench = Bench::new(options)?;
    let machine = machine::describe(&bench.data);
    println!("{}", machine.join("\n"));
    let started = Instant::now();
    let mut outcomes = Vec::new();
    for row in ROWS.iter().filter(|row| options.rows.is_empty() || options.rows.iter().any(|n| n == row.name))
    {
        println!("\n── {} ── {}", row.name, row.about);
        outcomes.push(if started.elapsed() < TOOK_MAX { measure(&bench, row) } else { out_of_time(row) });
    }
    let text = report::text(&outcomes);
    println!("\n{text}\n{:.0} minutes", started.elapsed().as_secs_f64() / 60.0);
    if options.write || (options.rows.is_empty() && !options.quick) {
        let command = report::command(options.seconds, options.rounds, &options.rows);
        report::write(root, &report::Run { command, machine, took: started.elapsed(), outcomes })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn out_of_time(row: &rows::RowGroup) -> Outcome {
    let mut outcome = Outcome::of(row.name);
    outcome.not_measured(
        row.about,
        &format!("not measured: the run was longer than {} minutes", TOOK_MAX.as_secs() / 60),
    );
    outcome
}

/// A group of rows; its failure is its outcome.
fn measure(bench: &Bench, row: &rows::RowGroup) -> Outcome {
    let mut outcome = Outcome::of(row.name);
    if let Err(error) = (row.measure)(bench, &mut outcome) {
        println!("failed: {error:#}");
        outcome.not_measured(row.about, &format!("failed: {error:#}"));
    }
    outcome
}

fn build(root: &Path) -> anyhow::Result<()> {
    let packages = ["--package", "countersign", "--package", "countersign-bench"];
    let built =
        Command::new("cargo").args(["build", "--release"]).args(packages).current_dir(root).status()?;
    ensure!(built.success(), "the build failed");
    Ok(())
}

impl Bench {
    fn new(options: &BenchOptions) -> anyhow::Result<Bench> {
        let own = std::env::current_exe()?;
        let built = own.parent().context("this program lies in no folder")?;
        let instruments = Instruments {
            program: built.join("countersign-bench"),
            countersign: options.countersign.clone().unwrap_or_else(|| built.join("countersign")),
        };
        let data = options.data.clone().unwrap_or_else(|| built.join("bench-data"));
        std::fs::create_dir_all(&data).with_context(|| format!("making {}", data.display()))?;
        let (seconds, rounds) = if options.quick { (1.0, 1) } else { (options.seconds, options.rounds) };
        let peers = Peer::present(&options.peers)?;
        Ok(Bench { instruments, data: data.canonicalize()?, peers, seconds, rounds, quick: options.quick })
    }

    /// Whether this peer is measured: those that only stand in for a part always are.
    fn measures(&self, peer: Peer) -> bool {
        self.peers.contains(&peer) || !peer.is_a_choice()
    }
}
