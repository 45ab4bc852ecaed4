//! The commands and their flags. What the environment and the configuration file say is turned into flags too, and
//! read by the same parser ([`crate::configuration`]).

pub(crate) mod admin_address;
pub(crate) mod app_flags;
pub(crate) mod bucket_flags;
pub(crate) mod callbacks_flags;
pub(crate) mod catalog_flags;
pub(crate) mod config_flags;
pub(crate) mod flag_groups;
mod given_address;
pub(crate) mod health_flags;
mod help;
pub(crate) mod instance_flags;
#[cfg(test)]
mod packaged_settings;
mod quantity;
mod scrub_schedule;
pub(crate) mod serve_flags;
pub(crate) mod store_flags;
pub(crate) mod upkeep_flags;
pub(crate) mod upload_flags;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::configuration::{self, ConfigError, EnvironmentVariables, Warning};
use crate::shown_address::without_secrets;
use app_flags::AppFlags;
use bucket_flags::BucketCommand;
use callbacks_flags::CallbacksCommand;
#[cfg(feature = "postgres")]
use catalog_flags::MigrateFlags;
use config_flags::ConfigCommand;
use flag_groups::LogFormat;
use health_flags::HealthFlags;
use instance_flags::{EnvFlags, ExecFlags, InstanceFlags};
use serve_flags::ServeFlags;
use store_flags::StoreFlags;
use upkeep_flags::{BackupFlags, ExportFlags, RestoreFlags, ScrubFlags};
use upload_flags::UploadFlags;

/// Uploads straight to the store, countersigned by your application.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, args_override_self = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run store, application server and page together; the way to try it.
    #[command(args_override_self = true)]
    Serve(Box<ServeFlags>),
    /// Run the store alone.
    #[command(args_override_self = true)]
    Store(Box<StoreFlags>),
    /// Run the application server alone, in front of this store or of the real OSS.
    #[command(args_override_self = true)]
    App(Box<AppFlags>),
    /// Run a command, a test most often, beside a throw-away store and application server.
    Exec(ExecFlags),
    /// Run a throw-away store and application server until standard input ends; for test libraries.
    Instance(InstanceFlags),
    /// Print the environment variables of what runs on a data folder, for a shell.
    Env(EnvFlags),
    /// Upload files as the page does, with progress bars.
    Upload(UploadFlags),
    /// Verify everything that is stored, and name what is damaged; beside a running store too.
    Scrub(ScrubFlags),
    /// Take a backup of a data folder, while the store on it runs or not.
    Backup(BackupFlags),
    /// Bring a backup back into an empty data folder.
    Restore(RestoreFlags),
    /// Make the tables of a catalog in a database, or bring them to what this program needs; no gateway may run on it.
    #[cfg(feature = "postgres")]
    Migrate(MigrateFlags),
    /// Write what a data folder holds as a folder of files, for --seed and for a repository; beside a running store too.
    Export(ExportFlags),
    /// Make, change, show, list and delete buckets, of this store or of the real OSS.
    Bucket {
        #[command(subcommand)]
        command: BucketCommand,
    },
    /// Show what is configured and whence, or check a configuration file.
    #[command(
        after_help = "Every flag is also an environment variable, COUNTERSIGN_ and its name in capitals with _ for -, and a \
                      key of the TOML file that --config or COUNTERSIGN_CONFIG names, at the top or in a table, [serve] or \
                      [signing] say. A flag counts before a variable, and that before the file."
    )]
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the completions of a shell, for its completion folder.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff) of the program, or of one command.
    Man {
        /// The command; the whole program when not given.
        command: Option<String>,
        /// Write the pages of the program and of all its commands into this folder instead.
        #[arg(long, value_name = "DIR", conflicts_with = "command")]
        into: Option<PathBuf>,
    },
    /// Ask the health pages of the store and the application server that run on a data folder, for a monitor or a
    /// container: exits with 1 unless all are well.
    Health(HealthFlags),
    /// Look at the callbacks that the store still owes.
    Callbacks {
        #[command(subcommand)]
        command: CallbacksCommand,
    },
}

impl Command {
    /// How the log is written.
    pub(crate) fn log_format(&self) -> LogFormat {
        match self {
            Command::Serve(flags) => flags.log.log_format,
            Command::Store(flags) => flags.log.log_format,
            Command::App(flags) => flags.log.log_format,
            Command::Instance(flags) => flags.log.log_format,
            Command::Exec(flags) => flags.instance.log.log_format,
            _ => LogFormat::Text,
        }
    }

    /// Whether the log has a line for each request when nothing else is chosen.
    pub(crate) fn logs_requests(&self) -> bool {
        !matches!(self, Command::Instance(_) | Command::Exec(_))
    }
}

/// The whole description of the command line.
pub(crate) fn program() -> clap::Command {
    help::complete(configuration::with_own_flags(CommandLine::command()))
}

fn parse(program: &mut clap::Command, arguments: &[OsString]) -> Result<CommandLine, clap::Error> {
    let matches = program.try_get_matches_from_mut(arguments).map_err(without_password)?;
    CommandLine::from_arg_matches(&matches).map_err(|error| error.format(program))
}

/// The refusal of a value repeats it: an address without the password that may be in it.
fn without_password(mut error: clap::Error) -> clap::Error {
    let refused = ContextKind::InvalidValue;
    if let Some(ContextValue::String(value)) = error.get(refused) {
        let shown = without_secrets(value);
        error.insert(refused, ContextValue::String(shown));
    }
    error
}

/// Prints the completions of a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut program(), "countersign", &mut text);
    crate::wording::print(&String::from_utf8(text)?);
    Ok(ExitCode::SUCCESS)
}

/// Prints a manual page.
pub(crate) fn man(command: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut program = program();
    program.build();
    let page = match command {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            found.with_context(|| format!("{name:?} is no command; see countersign --help"))?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    crate::wording::print(&String::from_utf8(text)?);
    Ok(ExitCode::SUCCESS)
}

/// Writes the manual pages of the program and of all its commands, as in `countersign-bucket-create.1`.
pub(crate) fn write_man_pages(folder: &Path) -> anyhow::Result<ExitCode> {
    clap_mangen::generate_to(program(), folder)
        .with_context(|| format!("the manual pages cannot be written into {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// A command line that was read.
#[derive(Debug)]
pub(crate) struct CommandRead {
    pub(crate) command: Command,
    /// What is to be said once there is a log.
    pub(crate) warnings: Vec<Warning>,
}

/// Why a command line is not read.
#[derive(Debug)]
enum NotRead {
    /// What was typed is wrong, or asks for help.
    Typed(clap::Error),
    /// What the environment or the file says is wrong.
    Elsewhere(ConfigError),
}

/// Reads the arguments, the environment, and the configuration file that they name. A wrong argument ends the process
/// with clap's own message and code 2.
///
/// # Errors
/// What the environment or the file says and cannot, with the variable or the line.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<CommandRead> {
    let arguments: Vec<OsString> = arguments.collect();
    match read_in(&arguments, &EnvironmentVariables::of_process()) {
        Ok(read) => Ok(read),
        Err(NotRead::Typed(error)) => error.exit(),
        Err(NotRead::Elsewhere(error)) => Err(error.into()),
    }
}

fn read_in(arguments: &[OsString], environment: &EnvironmentVariables) -> Result<CommandRead, NotRead> {
    let mut program = program();
    let resolved = configuration::resolve(&program, arguments, environment).map_err(NotRead::Elsewhere)?;
    let all = resolved.as_ref().map_or(arguments, |resolved| &resolved.arguments);
    match parse(&mut program, all) {
        Ok(CommandLine { command }) => Ok(CommandRead {
            command,
            warnings: resolved.map(|resolved| resolved.warnings).unwrap_or_default(),
        }),
        Err(error) => match resolved.and_then(|resolved| resolved.explain(&program, &error)) {
            Some(reason) => Err(NotRead::Elsewhere(reason)),
            None => Err(NotRead::Typed(error)),
        },
    }
}

#[cfg(test)]
mod tests;
