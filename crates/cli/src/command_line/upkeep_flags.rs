//! The flags of `scrub`, `backup`, `restore` and `export`.

use std::path::PathBuf;

use clap::Args;

use super::catalog_flags::CatalogFlags;
use super::flag_groups::DEFAULT_DATA;

/// Flags of `scrub`.
#[derive(Debug, Args)]
pub(crate) struct ScrubFlags {
    /// The store's data folder; the store may be running.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) catalog: CatalogFlags,
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Only list what is known to be damaged, and look for no more.
    #[arg(long, conflicts_with_all = ["rate", "remove_orphans"])]
    pub(crate) known: bool,
    /// Read at most so much per second, as in 50MB; a bare number counts MiB. As fast as it goes when not given.
    #[arg(long, value_name = "SIZE", value_parser = super::quantity::bytes_per_second)]
    pub(crate) rate: Option<u64>,
    /// Remove the blobs that nothing names; only while no store runs on the folder.
    #[arg(long)]
    pub(crate) remove_orphans: bool,
}

/// Flags of `backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupFlags {
    /// The backup folder, made when it is not there; with older backups in it, only what is new is copied.
    #[arg(value_name = "TARGET")]
    pub(crate) target: PathBuf,
    /// The store's data folder; the store may be running.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// Copy every new blob even on the same file system, where its bytes would else be shared by a link.
    #[arg(long)]
    pub(crate) copy: bool,
    /// Keep so many backups, the newest, and delete the older ones; all are kept when not given.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) keep: Option<u16>,
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreFlags {
    /// The backup folder.
    #[arg(value_name = "SOURCE")]
    pub(crate) source: PathBuf,
    /// The data folder to restore into: an empty one, or one that is not there yet.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// The backup by its name, such as 20261122T231211Z; the newest when not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) backup: Option<String>,
    /// Restore although files of the backup are damaged.
    #[arg(long)]
    pub(crate) accept_damage: bool,
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportFlags {
    /// The folder to write, an empty or a new one; --seed takes it again.
    #[arg(value_name = "DIR")]
    pub(crate) target: PathBuf,
    /// The store's data folder; the store may be running.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
