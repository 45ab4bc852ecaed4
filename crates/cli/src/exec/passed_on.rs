//! The signals that `exec` passes on to its command.

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Those by which people and service managers ask a program to end.
const PASSED_ON: [(SignalKind, Signal); 4] = [
    (SignalKind::interrupt(), Signal::INT),
    (SignalKind::terminate(), Signal::TERM),
    (SignalKind::hangup(), Signal::HUP),
    (SignalKind::quit(), Signal::QUIT),
];

/// The signals that this process is sent from now on. They do not end it any more. What it was started to ignore, as by
/// `nohup`, it goes on ignoring, and so does the command.
pub(super) struct Signals(UnboundedReceiver<Signal>);

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        let (told, heard) = unbounded_channel();
        let ignored = ignored();
        for (kind, number) in PASSED_ON.into_iter().filter(|(_, number)| !ignored.contains(*number)) {
            let (mut stream, told) = (signal(kind)?, told.clone());
            tokio::spawn(async move { while stream.recv().await.is_some() && told.send(number).is_ok() {} });
        }
        Ok(Signals(heard))
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

/// A set of signals, the lowest bit for number 1.
struct SignalSet(u64);

impl SignalSet {
    fn contains(&self, signal: Signal) -> bool {
        let bit = u32::try_from(signal.as_raw() - 1).unwrap_or(u32::MAX);
        1_u64.checked_shl(bit).is_some_and(|bit| self.0 & bit != 0)
    }
}

/// What this process ignores, as far as the system says so.
fn ignored() -> SignalSet {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    SignalSet(ignored_in(&status).unwrap_or_default())
}

fn ignored_in(status: &str) -> Option<u64> {
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(set.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_which_signals_a_process_ignores() {
        let ignored = SignalSet(ignored_in("Name:\tx\nSigIgn:\t0000000000001003\nSigCgt:\t0\n").unwrap());
        assert!(
            ignored.contains(Signal::HUP) && ignored.contains(Signal::INT) && ignored.contains(Signal::PIPE)
        );
        assert!(!ignored.contains(Signal::TERM));
        assert_eq!(ignored_in("Name:\tx\n"), None);
    }
}
