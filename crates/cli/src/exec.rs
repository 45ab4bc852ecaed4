//! `countersign exec`: runs a command with a throw-away instance, with the instance's addresses and keys in its
//! environment, and ends as the command ends.
//!
//! The command is not started by this process but by a guard between the two ([`guard`]), so that the command and all
//! that it started end also when this process is killed.

mod descendants;
mod guard;
mod passed_on;
mod terminal;

use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context as _;
use rustix::process::{Pid, Signal};

use crate::command_line::instance_flags::ExecFlags;
use crate::instance::{InstanceOptions, RunningInstance, SAID};
use crate::setup::clock;
use crate::setup::process_limits::OpenFiles;
use guard::Guarded;
pub(crate) use guard::guard_instead;
use passed_on::Signals;

/// Runs the command, and answers its exit code: 128 and the signal's number when a signal ended it, 127 when it is not
/// found and 126 when it cannot be run.
pub(crate) async fn run(flags: ExecFlags, open_files: OpenFiles) -> anyhow::Result<ExitCode> {
    // From here on a signal is passed on, and does not end this process with all its files in place.
    let mut signals = Signals::new()?;
    let instance = RunningInstance::start(InstanceOptions {
        buckets: flags.instance.bucket,
        seed: flags.instance.seed,
        within: flags.instance.ephemeral_in,
        clock: clock::real(flags.instance.clock.clock_offset),
    })
    .await?;
    warn_line!("countersign exec: {SAID} ({})", instance.folder_in_words());
    let in_foreground = terminal::has_the_foreground();
    let mut command = Guarded { open_files, in_foreground, command: &flags.command }.command()?;
    for name in instance.environment.removed() {
        command.env_remove(name);
    }
    command.envs(instance.environment.variables(|name| std::env::var_os(name)));
    let ended = guarded(command, &mut signals, in_foreground).await;
    instance.end().await?;
    ended
}

/// Runs the guard with the command, and passes on what it is sent.
async fn guarded(command: Command, signals: &mut Signals, in_foreground: bool) -> anyhow::Result<ExitCode> {
    // Should the guard be killed, what it guards comes to this process.
    descendants::adopt_orphans();
    let mut guard =
        tokio::process::Command::from(command).spawn().context("the command's guard cannot be started")?;
    let pid = guard.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    let status = loop {
        tokio::select! {
            status = guard.wait() => break status?,
            sent = signals.next() => {
                // A terminal sends these to all in the foreground by itself.
                let is_sent_already = in_foreground && matches!(sent, Signal::INT | Signal::QUIT);
                if let Some(pid) = pid.filter(|_| !is_sent_already) {
                    let _ended_already = rustix::process::kill_process(pid, sent);
                }
            }
        }
    };
    Ok(code_of(status))
}

/// The guard's own code is the command's. One that was killed cannot end what it guarded any more.
fn code_of(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt as _;
    if let Some(code) = status.code() {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    descendants::end_all();
    warn_line!("countersign exec: the process that guards the command was killed, and the command with it");
    let number = status.signal().unwrap_or_default();
    ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX))
}
