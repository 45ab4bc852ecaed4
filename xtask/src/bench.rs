//! `cargo xtask bench`: builds the store and the instruments, measures the store, its bare reference and its
//! peers in turn, and writes `docs/performance.md`.
//!
//! Every row compares figures of one run, in rounds (A B A B), by medians. Nothing is asserted: a row that
//! misses its goal says so, a row that cannot be measured says why, and neither ends the run.

mod bench_options;
mod bench_setup;
mod instrument;
mod machine;
mod measurements;
mod peers;
mod programs;
mod report;
mod rows;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use bench_setup::Bench;
use report::Outcome;
use rows::ROWS;

pub(crate) use bench_options::BenchOptions;

/// No group of rows is begun after this time. A whole run takes about sixteen minutes on an idle machine.
const TOOK_MAX: Duration = Duration::from_secs(25 * 60);

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
