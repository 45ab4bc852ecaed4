//! The commands and their flags. Every flag of `serve`, `store` and `app` is also a line of the configuration
//! file under the same name: the file is turned into flags and read by the same parser, so that the two cannot
//! differ in what they accept.

mod app_flags;
mod bucket_flags;
mod config_file;
mod flag_groups;
mod help;
mod quantity;
mod serve_flags;
mod store_flags;
mod upkeep_flags;
mod upload_flags;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use app_flags::AppFlags;
pub(crate) use bucket_flags::{BucketCommand, BucketPlace, BucketSettings};
pub(crate) use flag_groups::{KeyFlags, LogFormat, ProxyFlags, SigningFlags, StoreSettings, TlsFlags};
pub(crate) use serve_flags::{Lan, ServeFlags};
pub(crate) use store_flags::StoreFlags;
pub(crate) use upkeep_flags::{BackupFlags, RestoreFlags, ScrubFlags};
pub(crate) use upload_flags::UploadFlags;

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
    /// Upload files as the page does, with progress bars.
    Upload(UploadFlags),
    /// Verify everything that is stored, and name what is damaged; beside a running store too.
    Scrub(ScrubFlags),
    /// Take a backup of a data folder, while the store on it runs or not.
    Backup(BackupFlags),
    /// Bring a backup back into an empty data folder.
    Restore(RestoreFlags),
    /// Make, change, show, list and delete buckets, of this store or of the real OSS.
    Bucket {
        #[command(subcommand)]
        command: BucketCommand,
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
    },
    /// Look at the callbacks that the store still owes.
    Callbacks {
        #[command(subcommand)]
        command: CallbacksCommand,
    },
}

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
    /// Count what has been owed for longer than this, as in 5m; a bare number counts seconds.
    #[arg(long, value_name = "TIME", value_parser = quantity::duration, default_value = "1m")]
    pub(crate) older_than: std::time::Duration,
}

/// The data folder when none is named.
pub(crate) const DEFAULT_DATA: &str = "countersign-data";

impl Command {
    /// How the log is written.
    pub(crate) fn log_format(&self) -> LogFormat {
        match self {
            Command::Serve(flags) => flags.log.log_format,
            Command::Store(flags) => flags.log.log_format,
            Command::App(flags) => flags.log.log_format,
            _ => LogFormat::Text,
        }
    }
}

fn parse(arguments: &[OsString]) -> Result<CommandLine, clap::Error> {
    let mut program = help::complete(CommandLine::command());
    let matches = program.try_get_matches_from_mut(arguments)?;
    CommandLine::from_arg_matches(&matches).map_err(|error| error.format(&mut program))
}

/// Prints the completions of a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut help::complete(CommandLine::command()), "countersign", &mut text);
    crate::wording::print(&String::from_utf8(text)?);
    Ok(ExitCode::SUCCESS)
}

/// Prints a manual page.
pub(crate) fn man(command: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut program = help::complete(CommandLine::command());
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

/// Reads the arguments and the configuration file that they name. A wrong argument ends the process with
/// clap's own message and code 2.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Command> {
    let arguments: Vec<OsString> = arguments.collect();
    let first = parse(&arguments).unwrap_or_else(|error| error.exit()).command;
    let (name, file) = match &first {
        Command::Serve(flags) => ("serve", flags.config.as_deref()),
        Command::Store(flags) => ("store", flags.config.as_deref()),
        Command::App(flags) => ("app", flags.config.as_deref()),
        Command::Upload(_)
        | Command::Scrub(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Bucket { .. }
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Callbacks { .. } => return Ok(first),
    };
    let Some(file) = file else { return Ok(first) };
    let from_file = config_file::arguments(file, &CommandLine::command(), name)?;
    // The program and the command first, then the file, then what was typed: the later wins.
    let mut all: Vec<OsString> = arguments.iter().take(2).cloned().collect();
    all.extend(from_file);
    all.extend(arguments.into_iter().skip(2));
    let parsed = parse(&all).map_err(|error| {
        // What is wrong stands before the first empty line; usage and hints follow.
        let text = error.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let sentence = lines.join(" ").trim_start_matches("error: ").to_owned();
        anyhow::anyhow!("{}: {sentence}", file.display())
    })?;
    Ok(parsed.command)
}
