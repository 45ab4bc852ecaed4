//! Records how far an attempt came, for the one line of the log about its failure: phase, address and reason.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was being done when an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The host's name was asked for.
    Resolve,
    /// The addresses were judged.
    Judge,
    /// The request was made and signed.
    Sign,
    /// A connection was opened.
    Connect,
    /// TLS was agreed upon.
    Tls,
    /// The request was written.
    Send,
    /// The answer's head was waited for.
    Wait,
    /// The answer was read.
    Read,
}

impl Phase {
    /// All of them, in order.
    pub(super) const ALL: [Phase; 8] = [
        Phase::Resolve,
        Phase::Judge,
        Phase::Sign,
        Phase::Connect,
        Phase::Tls,
        Phase::Send,
        Phase::Wait,
        Phase::Read,
    ];

    /// Its word in log and metrics.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Phase::Resolve => "resolve",
            Phase::Judge => "judge",
            Phase::Sign => "sign",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Send => "send",
            Phase::Wait => "wait",
            Phase::Read => "read",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The state of one attempt. It outlives the attempt's future, which a timeout drops wherever it stands.
pub(super) struct Progress {
    client: IpAddr,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    address: Option<SocketAddr>,
    reasons: Vec<String>,
    sending: Option<Sending>,
}

/// How much has to be written before an answer can be waited for.
struct Sending {
    written: Arc<AtomicU64>,
    before: u64,
    body_bytes: u64,
}

impl Progress {
    /// An attempt that has not begun, for an upload of this client.
    pub(super) fn of(client: IpAddr) -> Self {
        let state = State { phase: Phase::Resolve, address: None, reasons: Vec::new(), sending: None };
        Self { client, state: Mutex::new(state) }
    }

    /// The client that waits for the answer.
    pub(super) fn client(&self) -> IpAddr {
        self.client
    }

    /// Says what is being done now.
    pub(super) fn enter(&self, phase: Phase) {
        tracing::trace!(%phase, "a callback goes on");
        let mut state = self.lock();
        (state.phase, state.sending) = (phase, None);
    }

    /// Says which address is being tried.
    pub(super) fn try_address(&self, address: SocketAddr) {
        tracing::trace!(phase = %Phase::Connect, %address, "a callback goes on");
        let mut state = self.lock();
        (state.phase, state.address) = (Phase::Connect, Some(address));
    }

    /// Says that a request is being written; `written` counts what has left on its connection.
    pub(super) fn send(&self, written: Arc<AtomicU64>, body_bytes: u64) {
        tracing::trace!(phase = %Phase::Send, body_bytes, "a callback goes on");
        let before = written.load(Ordering::Acquire);
        let mut state = self.lock();
        (state.phase, state.sending) = (Phase::Send, Some(Sending { written, before, body_bytes }));
    }

    /// Keeps a reason in the words of the library that gave it, as in `certificate expired`.
    pub(super) fn because(&self, reason: impl fmt::Display) {
        let mut state = self.lock();
        let reason = match state.address {
            Some(address) => format!("{address}: {reason}"),
            None => reason.to_string(),
        };
        state.reasons.push(reason);
    }

    /// What was being done last.
    pub(super) fn phase(&self) -> Phase {
        let state = self.lock();
        match &state.sending {
            Some(sending) if sending.is_written() => Phase::Wait,
            _ => state.phase,
        }
    }

    /// The address tried last; empty before one was known.
    pub(super) fn address(&self) -> String {
        self.lock().address.map(|address| address.to_string()).unwrap_or_default()
    }

    /// The reasons in order, one per address that was tried.
    pub(super) fn reasons(&self) -> String {
        self.lock().reasons.join("; ")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    /// A request is longer than its body.
    fn is_written(&self) -> bool {
        self.written.load(Ordering::Acquire).saturating_sub(self.before) > self.body_bytes
    }
}
