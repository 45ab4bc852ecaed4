//! The flags of `callbacks`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::catalog_flags::CatalogFlags;
use super::flag_groups::DEFAULT_DATA;
use super::quantity;

/// What can be done about owed callbacks.
#[derive(Debug, Subcommand)]
pub(crate) enum CallbacksCommand {
    /// List the callbacks that no application has acknowledged.
    List(CallbacksListFlags),
    /// Say whether callbacks are owed, for a monitor: exits with 1 when some are.
    Check(CallbacksCheckFlags),
    /// Forget callbacks that are owed, so that their room is free again; the store must be stopped. The objects stay.
    Drop(CallbacksDropFlags),
}

/// Flags of `callbacks list`.
#[derive(Debug, Args)]
pub(crate) struct CallbacksListFlags {
    /// The store's data folder; the store may be running.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) catalog: CatalogFlags,
    /// Answer in JSON: one array, in which each has its state, owed or under-way.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `callbacks drop`.
#[derive(Debug, Args)]
pub(crate) struct CallbacksDropFlags {
    /// The store's data folder.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) catalog: CatalogFlags,
    #[command(flatten)]
    pub(crate) which: CallbacksDropped,
    /// Only say how many would be forgotten.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Which callbacks are forgotten; one of these must be said.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct CallbacksDropped {
    /// The one with this id, as `callbacks list --json` names it; repeatable.
    #[arg(long, value_name = "N")]
    pub(crate) id: Vec<u64>,
    /// All that have been owed for this long or longer.
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub(crate) older_than: Option<std::time::Duration>,
    /// All.
    #[arg(long)]
    pub(crate) all: bool,
}

/// Flags of `callbacks check`.
#[derive(Debug, Args)]
pub(crate) struct CallbacksCheckFlags {
    /// The store's data folder; the store may be running.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) catalog: CatalogFlags,
    /// Count what has been owed for longer than this, as in 5m; a bare number counts seconds.
    #[arg(long, value_name = "TIME", value_parser = quantity::duration, default_value = "1m")]
    pub(crate) older_than: std::time::Duration,
}
