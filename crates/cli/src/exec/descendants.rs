//! Ends every process that a process has started, however deep. Orphans become this process's children, and children
//! are ended until there are none. A child's number cannot be another process's until it is waited for, which only
//! this process does, so that no other process is ever hit.

use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

/// How long what was asked to end gets.
const GRACE: Duration = Duration::from_secs(2);
/// How long it is tried at all; a process that cannot be killed is stuck in the system.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// From now on, processes below this one that lose their parent become its children.
pub(super) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::debug!(%error, "orphans go to the system's first process");
    }
}

/// Asks all children to end, and ends those that do not. Says how many there were. Blocks.
pub(super) fn ask_all_to_end() -> usize {
    let started = Instant::now();
    let mut asked: Vec<Pid> = Vec::new();
    while started.elapsed() < GRACE && !reap() {
        for child in children() {
            // One that was asked and has children of its own may be waiting for them.
            if !asked.contains(&child) {
                let _ended_already = kill_process(child, Signal::TERM);
                asked.push(child);
            }
        }
        std::thread::sleep(PAUSE);
    }
    end_all();
    asked.len()
}

/// Ends all children, and theirs. Blocks until they are gone.
pub(super) fn end_all() {
    let started = Instant::now();
    while !reap() && started.elapsed() < PATIENCE {
        for child in children() {
            let _ended_already = kill_process(child, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Waits for all children that have ended; whether there is none left.
fn reap() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

/// The children of this process, as the system lists processes.
#[cfg(target_os = "linux")]
fn children() -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_pid().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_child = |stat: &str| {
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(own.as_str())
    };
    processes
        .filter_map(|process| {
            let pid = Pid::from_raw(process.file_name().to_str()?.parse().ok()?)?;
            let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
            is_child(&stat).then_some(pid)
        })
        .collect()
}

/// Elsewhere the command's process group is all that is known of them.
#[cfg(not(target_os = "linux"))]
fn children() -> Vec<Pid> {
    Vec::new()
}
