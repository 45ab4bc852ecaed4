//! The flags of `bench`.

use std::path::PathBuf;

use clap::Args;

/// The flags of `bench`.
#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Measure only these groups of rows, with `,` between (see `--list`); then nothing is written.
    #[arg(long, value_delimiter = ',', value_name = "GROUP")]
    pub(super) rows: Vec<String>,
    /// Measure only these peers beside Countersign: reference, nginx, garage.
    #[arg(long, value_delimiter = ',', value_name = "PEER")]
    pub(super) peers: Vec<String>,
    /// Print the groups of rows and stop.
    #[arg(long)]
    pub(super) list: bool,
    /// How long one measurement takes.
    #[arg(long, default_value_t = 4.0)]
    pub(super) seconds: f64,
    /// How often the peers are measured in turn.
    #[arg(long, default_value_t = 3)]
    pub(super) rounds: usize,
    /// One short round of everything, to see that it runs: the figures say nothing.
    #[arg(long)]
    pub(super) quick: bool,
    /// Where the servers keep their data while they are measured: a folder on the disk to be measured.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The program to measure, when it is not the one that is built here.
    #[arg(long, value_name = "FILE")]
    pub(super) countersign: Option<PathBuf>,
    /// Write `docs/performance.md` although not every row was measured.
    #[arg(long)]
    pub(super) write: bool,
    /// Measure what was built before.
    #[arg(long)]
    pub(super) no_build: bool,
}
