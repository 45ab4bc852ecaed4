//! `cargo xtask fuzz`: builds the targets of `fuzz/` with libFuzzer and coverage counters on the stable compiler,
//! runs them one after the other, and can bring what they found into the committed corpora.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

/// The folder of each target's corpus is its name.
const CORPORA: &str = "fuzz/corpus";
/// Where instrumented code is built, and where what a run finds is kept.
const WORK: &str = "target/fuzz";
/// How many inputs of a target are committed besides seeds and findings, and how long they are at most.
const KEPT_INPUTS_MAX: usize = 120;
const KEPT_BYTES_MAX: u64 = 600;
/// What cargo-fuzz passes too, without its sanitizers, which need the nightly compiler.
const INSTRUMENTATION: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    "-Ccodegen-units=4",
];

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct FuzzArguments {
    /// How long each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Afterwards replace the committed corpora by the smallest inputs that reach as much.
    #[arg(long)]
    keep: bool,
    /// The targets; all when none is named.
    targets: Vec<String>,
}

/// Runs the targets; fails at the first finding.
pub(crate) fn run(root: &Path, arguments: &FuzzArguments) -> anyhow::Result<ExitCode> {
    let all = targets(root)?;
    if let Some(unknown) = arguments.targets.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown}; there are {}", all.join(", "));
    }
    let engine = build(root)?;
    let chosen = if arguments.targets.is_empty() { &all } else { &arguments.targets };
    for target in chosen {
        let found = root.join(WORK).join("found").join(target);
        std::fs::create_dir_all(&found)?;
        println!("== {target}: {} s", arguments.seconds);
        let committed = root.join(CORPORA).join(target);
        let status = Command::new(&engine)
            .env("FUZZ_TARGET", target)
            .args([&found, &committed])
            .arg(format!("-max_total_time={}", arguments.seconds))
            .arg(format!("-artifact_prefix={}/finding-{target}-", root.join(WORK).display()))
            .args([
                "-timeout=30",
                "-rss_limit_mb=512",
                "-max_len=4096",
                "-print_final_stats=1",
                "-verbosity=1",
            ])
            .status()?;
        if !status.success() {
            bail!(
                "{target} found something; the input lies in {WORK}. Fix it, and keep the input in {CORPORA}/{target}"
            );
        }
        if arguments.keep {
            minimise(&engine, target, &[&committed, &found], &committed)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The folders of the corpora, by name.
fn targets(root: &Path) -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(root.join(CORPORA)).context("the corpora")?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    // With a target named, the flags stay away from build scripts, which have no engine to report to.
    let host = host()?;
    let status = Command::new("cargo")
        .current_dir(root)
        .env("RUSTFLAGS", INSTRUMENTATION.join(" "))
        .env("CARGO_TARGET_DIR", root.join(WORK))
        .args(["build", "--release", "--package", "countersign-fuzz", "--features", "engine"])
        .args(["--bin", "countersign-fuzz-engine", "--target", &host])
        .status()?;
    if !status.success() {
        bail!("the targets do not build");
    }
    Ok(root.join(WORK).join(host).join("release/countersign-fuzz-engine"))
}

fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    Ok(host.to_owned())
}

/// Keeps some of the inputs that together reach what all do, short and long ones.
fn minimise(engine: &Path, target: &str, from: &[&Path], to: &Path) -> anyhow::Result<()> {
    let merged = to.with_extension("merged");
    std::fs::create_dir_all(&merged)?;
    let status = Command::new(engine)
        .env("FUZZ_TARGET", target)
        .args(["-set_cover_merge=1"])
        .arg(&merged)
        .args(from)
        .status()?;
    if !status.success() {
        bail!("the corpus of {target} could not be minimised");
    }
    for entry in std::fs::read_dir(to)?.flatten().filter(|entry| !is_kept(&entry.path())) {
        std::fs::remove_file(entry.path())?;
    }
    let mut inputs: Vec<(u64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(&merged)?.flatten() {
        inputs.push((entry.metadata()?.len(), entry.path()));
    }
    inputs.retain(|(bytes, _)| *bytes <= KEPT_BYTES_MAX);
    inputs.sort();
    for (_, input) in inputs.iter().step_by(inputs.len().div_ceil(KEPT_INPUTS_MAX).max(1)) {
        if let Some(name) = input.file_name() {
            std::fs::copy(input, to.join(name))?;
        }
    }
    std::fs::remove_dir_all(merged)?;
    Ok(())
}

/// Seeds are written by their own program, and a finding is a regression test.
fn is_kept(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.starts_with("seed-") || name.starts_with("finding-")
}
