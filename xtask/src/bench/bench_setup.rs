//! What every row is measured with: the programs, the peers that are there, and how long and how often.

use std::path::PathBuf;

use anyhow::Context as _;

use super::bench_options::BenchOptions;
use super::peers::Peer;
use super::programs::Instruments;

/// What every row is measured with.
pub(super) struct Bench {
    pub(super) instruments: Instruments,
    pub(super) data: PathBuf,
    pub(super) peers: Vec<Peer>,
    pub(super) seconds: f64,
    pub(super) rounds: usize,
    pub(super) quick: bool,
}

impl Bench {
    /// Finds the programs and the peers, and makes the folder for their data.
    pub(super) fn new(options: &BenchOptions) -> anyhow::Result<Bench> {
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
    pub(super) fn measures(&self, peer: Peer) -> bool {
        self.peers.contains(&peer) || !peer.is_a_choice()
    }
}
