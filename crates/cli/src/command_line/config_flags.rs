//! The flags of `config`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done about the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what every setting of a command is and whence: a flag, a variable, a line of the file, or the default.
    #[command(after_help = "Example: countersign config show store --config countersign.toml\n\
                            Example: countersign config show serve -- --max-size 5MB")]
    Show(ConfigShowFlags),
    /// Say whether a configuration file is understood; exits with 2 and names the line when it is not.
    #[command(after_help = "Example: countersign config check countersign.toml store")]
    Check(ConfigCheckFlags),
}

/// Flags of `config show`.
#[derive(Debug, Args)]
pub(crate) struct ConfigShowFlags {
    /// The command, as in store or "bucket list".
    #[arg(value_name = "COMMAND", default_value = "serve")]
    pub(crate) command: String,
    /// The configuration file; the one that COUNTERSIGN_CONFIG names when not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Flags of the command, as they would be typed.
    #[arg(last = true, value_name = "FLAG")]
    pub(crate) flags: Vec<OsString>,
}

/// Flags of `config check`.
#[derive(Debug, Args)]
pub(crate) struct ConfigCheckFlags {
    /// The configuration file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The command that is to read it; any of serve, store and app when not given.
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}
