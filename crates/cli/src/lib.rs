//! Countersign as a program, and in the tests of Rust applications.
//!
//! [`testing::Instance`] is for tests: a store and an application server within the test's process, which are gone with
//! it. [`run_program`] is the command line: it reads settings, makes the few things that are real only here (the
//! clock, the first credentials, the listeners) and wires store, server and application together. It decides nothing
//! about uploads.
//!
//! Exit codes: 0 done; 1 an upload was refused or failed, or stored bytes are damaged; 2 a setting, an address
//! or a folder cannot be used; 3 stored, and the application declined; 4 stored, and the application did not
//! confirm. `exec` ends with the code of its command.

#[macro_use]
mod wording;
mod xml_text;

mod admin;
mod app_alone;
mod bucket;
mod callbacks;
mod command_line;
mod config_command;
mod configuration;
mod env_command;
mod environment;
mod exec;
mod health;
mod instance;
#[cfg(feature = "postgres")]
mod migrate;
mod network;
mod seed;
mod serve;
mod setup;
mod shown_address;
mod store_alone;
pub mod testing;
mod upkeep;
mod upload;

use std::process::ExitCode;

use command_line::callbacks_flags::CallbacksCommand;
use command_line::{Command, CommandRead};
use setup::process_limits;

/// How many threads may wait for the disk or hash at the same time: more make no disk faster, and each keeps
/// memory of its own.
const BLOCKING_THREADS_MAX: usize = 96;
/// The exit code for "cannot start like this".
const EXIT_SETTINGS: u8 = 2;

/// The program `countersign`, from its arguments to its exit code.
#[must_use]
pub fn run_program() -> ExitCode {
    if let Some(code) = exec::guard_instead() {
        return code;
    }
    let ended = run();
    setup::log::finish();
    match ended {
        Ok(code) => code,
        Err(error) => {
            warn_line!("countersign: {}", wording::sentence(&error));
            ExitCode::from(EXIT_SETTINGS)
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let CommandRead { command, warnings } = command_line::read(std::env::args_os())?;
    setup::log::start(command.log_format(), command.logs_requests())?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    // What a test's command writes is not this program's, and inherits the mask.
    if !matches!(command, Command::Exec(_)) {
        process_limits::keep_files_private();
    }
    let open_files = process_limits::raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()?;
    let code = runtime.block_on(async {
        match command {
            Command::Serve(flags) => Box::pin(serve::run(*flags)).await,
            Command::Store(flags) => Box::pin(store_alone::run(*flags)).await,
            Command::App(flags) => Box::pin(app_alone::run(*flags)).await,
            Command::Exec(flags) => Box::pin(exec::run(flags, open_files)).await,
            Command::Instance(flags) => Box::pin(instance::until_asked::run(flags)).await,
            Command::Env(flags) => env_command::run(&flags),
            Command::Upload(flags) => upload::run(flags).await,
            Command::Scrub(flags) => upkeep::scrub::run(flags).await,
            Command::Backup(flags) => upkeep::backup::run(flags).await,
            Command::Restore(flags) => upkeep::backup::restore(flags),
            #[cfg(feature = "postgres")]
            Command::Migrate(flags) => migrate::run(flags).await,
            Command::Export(flags) => upkeep::export::run(flags).await,
            Command::Bucket { command } => bucket::run(command).await,
            Command::Callbacks { command: CallbacksCommand::List(flags) } => callbacks::list(&flags).await,
            Command::Callbacks { command: CallbacksCommand::Check(flags) } => callbacks::check(&flags).await,
            Command::Callbacks { command: CallbacksCommand::Drop(flags) } => {
                callbacks::drop_owed(&flags).await
            }
            Command::Config { command } => config_command::run(&command),
            Command::Completions { shell } => command_line::completions(shell),
            Command::Man { into: Some(folder), .. } => command_line::write_man_pages(&folder),
            Command::Man { command, into: None } => command_line::man(command.as_deref()),
            Command::Health(flags) => health::run(flags).await,
        }
    });
    runtime.shutdown_background();
    code
}
