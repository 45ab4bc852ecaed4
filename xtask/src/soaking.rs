//! `cargo xtask soak`: the long form of `conformance/tests/soak.rs`, on a fresh build of the binary.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::bail;

use crate::suite_run::build_folder;

/// How long, and from which seed.
#[derive(Debug, clap::Args)]
pub(crate) struct SoakArguments {
    /// How many minutes.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// The seed; a new one when not given. It is printed either way.
    #[arg(long)]
    seed: Option<u64>,
}

/// Builds both programs and lets the one soak the other.
pub(crate) fn run(root: &Path, arguments: &SoakArguments) -> anyhow::Result<ExitCode> {
    let built = Command::new("cargo")
        .current_dir(root)
        .args(["build", "--release", "--quiet", "--package", "countersign", "--bin", "countersign"])
        .status()?;
    if !built.success() {
        bail!("the binary does not build");
    }
    let mut soak = Command::new("cargo");
    soak.current_dir(root)
        .env("COUNTERSIGN_BIN", build_folder(root).join("release/countersign"))
        .args([
            "run",
            "--release",
            "--quiet",
            "--package",
            "countersign-conformance",
            "--bin",
            "soak_long",
            "--",
        ])
        .args(["--minutes", &arguments.minutes.to_string()]);
    if let Some(seed) = arguments.seed {
        soak.args(["--seed", &seed.to_string()]);
    }
    Ok(if soak.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
