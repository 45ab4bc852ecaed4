//! Calls `countersign-bench` and reads what it reports.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::peers::RunningPeer;
use super::programs::Instruments;

/// The figures of one load, as `bench/src/load/load_report.rs` prints them.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct LoadFigures {
    pub(super) requests: u64,
    pub(super) failures: u64,
    pub(super) failures_told: Vec<String>,
    pub(super) per_second: f64,
    pub(super) megabytes_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) p99_9_ms: f64,
    pub(super) longest_ms: f64,
    pub(super) server_cpu_seconds: f64,
    pub(super) server_peak_resident_bytes: u64,
    pub(super) other_cpu_cores: f64,
    pub(super) written_per_stored: Option<f64>,
    pub(super) tenths_per_second: Vec<f64>,
}

impl LoadFigures {
    /// The servers' processor seconds for a thousand requests.
    pub(super) fn cpu_per_thousand(&self) -> f64 {
        self.server_cpu_seconds * 1000.0 / self.requests.max(1) as f64
    }
}

impl Instruments {
    /// Loads a peer and wants no failure. `arguments` are those of `countersign-bench load` in one line.
    pub(super) fn load(&self, peer: &RunningPeer, arguments: &str) -> anyhow::Result<LoadFigures> {
        let figures: LoadFigures = answer(&mut self.load_command(peer, arguments))?;
        let told = figures.failures_told.join("; ");
        ensure!(figures.failures == 0, "{} of the requests failed: {told}", figures.failures);
        ensure!(figures.requests > 0, "nothing was answered");
        Ok(figures)
    }

    /// The command that loads a peer.
    pub(super) fn load_command(&self, peer: &RunningPeer, arguments: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("load").args(["--endpoint", peer.address()]).args(peer.load_arguments());
        command.args(["--watch", &peer.process_id().to_string()]).args(arguments.split_whitespace());
        command
    }

    /// Measures what the machine itself can do; figures by name, none where a tool is missing.
    pub(super) fn limit(&self, measure: &str, data: &Path) -> anyhow::Result<BTreeMap<String, Option<f64>>> {
        answer(Command::new(&self.program).args(["limits", "--measure", measure, "--data"]).arg(data))
    }
}

fn answer<T: DeserializeOwned>(command: &mut Command) -> anyhow::Result<T> {
    let output = command.output().context("countersign-bench does not start")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("countersign-bench printed no report")
}
