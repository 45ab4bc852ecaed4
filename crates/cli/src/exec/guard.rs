//! The guard process between `exec` and its command. It starts the command, passes signals on to it, answers its exit
//! code, and ends what the command left running. When `exec` itself is killed, the system tells the guard, which then
//! ends the command and all that it started.
//!
//! It is the same program under another name: to run code between `fork` and `exec` of the command would be unsafe.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, WaitOptions, getppid, kill_process, kill_process_group, wait};
use tokio::signal::unix::{SignalKind, signal};

use super::descendants;
use super::passed_on::Signals;
use crate::setup::process_limits::OpenFiles;

/// The name by which the program knows that it is this process.
const NAME: &str = "countersign-exec-guard";
/// What is said of a command that is not found, and of one that cannot be run, as shells do.
const EXIT_NOT_FOUND: u8 = 127;
const EXIT_NOT_RUN: u8 = 126;
/// The signal by which the system tells that the parent has ended.
const PARENT_ENDED: Signal = Signal::USR1;

/// A command that is to run under a guard.
pub(super) struct Guarded<'a> {
    /// How many files the command may open.
    pub(super) open_files: OpenFiles,
    /// Whether the command stays in the process group of the terminal's foreground.
    pub(super) in_foreground: bool,
    /// The program and its arguments.
    pub(super) command: &'a [OsString],
}

impl Guarded<'_> {
    /// The command that starts the guard with it.
    pub(super) fn command(&self) -> anyhow::Result<Command> {
        let mut guard = Command::new(own_program()?);
        guard.arg0(NAME).arg(std::process::id().to_string()).arg(self.open_files.as_word());
        guard.arg(if self.in_foreground { "foreground" } else { "" }).args(self.command);
        if !self.in_foreground {
            guard.process_group(0);
        }
        Ok(guard)
    }
}

/// This program, also when its file was replaced meanwhile.
fn own_program() -> anyhow::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().context("this program cannot be found")
}

/// Is the guard, where this process was started as one.
pub(crate) fn guard_instead() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    if arguments.next().as_deref() != Some(OsStr::new(NAME)) {
        return None;
    }
    let (parent, open_files, group) = (arguments.next()?, arguments.next()?, arguments.next()?);
    OpenFiles::restore(open_files.to_str()?);
    let parent = Pid::from_raw(parent.to_str()?.parse().ok()?)?;
    let (program, arguments) = (arguments.next()?, arguments.collect::<Vec<_>>());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let guarded = runtime.and_then(|runtime| {
        runtime.block_on(guard(parent, group.is_empty(), Command::new(&program).args(arguments)))
    });
    Some(guarded.unwrap_or_else(|error| {
        warn_line!("countersign exec: {}: {error}", program.display());
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        ExitCode::from(if is_missing { EXIT_NOT_FOUND } else { EXIT_NOT_RUN })
    }))
}

/// Runs the command to its end.
async fn guard(parent: Pid, own_group: bool, command: &mut Command) -> io::Result<ExitCode> {
    let mut children = signal(SignalKind::child())?;
    let mut parent_ended = signal(SignalKind::from_raw(PARENT_ENDED.as_raw()))?;
    let mut signals = Signals::new()?;
    descendants::adopt_orphans();
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(PARENT_ENDED))?;
    // It may have ended before it could be told.
    if getppid() != Some(parent) {
        return Ok(ExitCode::FAILURE);
    }
    if own_group {
        command.process_group(0);
    }
    let pid = command.spawn()?.id();
    let pid = pid.try_into().ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    let send = |signal| if own_group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
    loop {
        tokio::select! {
            _ = children.recv() => if let Some(code) = code_when_ended(pid)? {
                let left = descendants::ask_all_to_end();
                if left > 0 {
                    warn_line!("countersign exec: ended what the command left running ({left} processes)");
                }
                return Ok(ExitCode::from(code));
            },
            _ = parent_ended.recv() => if getppid() != Some(parent) {
                let _ended_already = send(Signal::KILL);
                descendants::end_all();
                return Ok(ExitCode::FAILURE);
            },
            // A terminal sends these to all in its foreground by itself.
            sent = signals.next() => if own_group || !matches!(sent, Signal::INT | Signal::QUIT) {
                let _ended_already = send(sent);
            },
        }
    }
}

/// Waits for the children that have ended; the command's exit code, if it is among them.
fn code_when_ended(command: Pid) -> io::Result<Option<u8>> {
    let mut code = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == command {
            let number = status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal));
            code = Some(number.and_then(|number| u8::try_from(number).ok()).unwrap_or(u8::MAX));
        }
    }
    Ok(code)
}
