//! The flags of `exec`, `instance` and `env`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::flag_groups::{ClockFlags, DEFAULT_DATA, LogFlags};
use crate::environment::shell::Shell;

/// Flags of `instance`.
#[derive(Debug, Args)]
pub(crate) struct InstanceFlags {
    /// Make this bucket; repeatable. The application server signs for the first. When none is named, those of the seed,
    /// else demo.
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Vec<String>,
    /// Begin with the files of this folder: DIR/BUCKET/KEY, as `countersign export` writes it.
    #[arg(long, value_name = "DIR")]
    pub(crate) seed: Option<PathBuf>,
    /// Make the throw-away data folder in this one. Without it /dev/shm where that is in memory and has room, else the
    /// folder for temporary files.
    #[arg(long, value_name = "DIR")]
    pub(crate) ephemeral_in: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) log: LogFlags,
    #[command(flatten)]
    pub(crate) clock: ClockFlags,
}

/// Flags of `exec`.
#[derive(Debug, Args)]
pub(crate) struct ExecFlags {
    #[command(flatten)]
    pub(crate) instance: InstanceFlags,
    /// The command and its arguments.
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// Flags of `env`.
#[derive(Debug, Args)]
pub(crate) struct EnvFlags {
    /// The data folder that a store, or store and application server, runs on.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// Print a JSON object instead.
    #[arg(long, conflicts_with = "shell")]
    pub(crate) json: bool,
    /// The shell to print for.
    #[arg(long, value_name = "sh|fish|powershell", value_parser = shell, default_value = "sh")]
    pub(crate) shell: Shell,
}

fn shell(text: &str) -> Result<Shell, String> {
    match text {
        "sh" => Ok(Shell::Sh),
        "fish" => Ok(Shell::Fish),
        "powershell" => Ok(Shell::Pwsh),
        _ => Err("write sh, fish or powershell".to_owned()),
    }
}
