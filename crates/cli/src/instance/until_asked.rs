//! `countersign instance`: runs an instance for a test library of any language. One line of JSON says where it is,
//! and it runs until its standard input ends: also when the test's process was killed.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::{InstanceOptions, RunningInstance, SAID};
use crate::command_line::instance_flags::InstanceFlags;
use crate::setup::{clock, readiness};

/// Runs until standard input ends or a signal asks to stop.
pub(crate) async fn run(flags: InstanceFlags) -> anyhow::Result<ExitCode> {
    // Before anything is made that would have to be removed.
    let mut signals =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal).into_iter();
    let mut next_signal = || signals.next().ok_or(std::io::ErrorKind::Other)?;
    let (mut interrupt, mut terminate, mut hangup) = (next_signal()?, next_signal()?, next_signal()?);
    let instance = RunningInstance::start(InstanceOptions {
        buckets: flags.bucket,
        seed: flags.seed,
        within: flags.ephemeral_in,
        clock: clock::real(flags.clock.clock_offset),
    })
    .await?;
    warn_line!("countersign instance: {SAID} ({})", instance.folder_in_words());
    say!("{}", instance.environment.to_json(|name| std::env::var_os(name)));
    readiness::ready();
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
        () = input_ended() => {}
    }
    readiness::stopping();
    instance.end().await?;
    Ok(ExitCode::SUCCESS)
}

/// Ready when standard input has ended. A terminal is not read: there, Ctrl-C ends it, and a process in the background
/// that reads would be stopped.
async fn input_ended() {
    if std::io::stdin().is_terminal() {
        return std::future::pending().await;
    }
    let (ended, at_end) = oneshot::channel();
    // A thread of its own, for which nobody waits at the end.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut thrown_away = [0; 4096];
        while input.read(&mut thrown_away).is_ok_and(|read| read > 0) {}
        let _ending_already = ended.send(());
    });
    let _ended = at_end.await;
}
