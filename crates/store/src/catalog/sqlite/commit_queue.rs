//! What waits for the writer: pushed by many, taken whole by one.
//!
//! The writer is woken only when it sleeps, and a lazy request wakes nobody: it rides with the next urgent
//! one, or goes alone after a short while.

use crate::catalog::{BatchOutcome, Garbage, PlacedContent};
use crate::{ApplyError, Mutation};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a lazy request waits for company.
const LAZY_WAIT: Duration = Duration::from_millis(20);

/// Something to be written.
pub(super) enum Request {
    /// Mutations in order; who does not wait gives no reply.
    Apply { mutations: Vec<Mutation<PlacedContent>>, reply: Option<oneshot::Sender<BatchOutcome>> },
    /// Garbage that is deleted.
    Forget { gone: Vec<Garbage>, reply: oneshot::Sender<Result<(), ApplyError>> },
    /// The mark of the blobs.
    Mark { mark: u64, reply: oneshot::Sender<Result<(), ApplyError>> },
}

/// The queue.
pub(super) struct CommitQueue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    urgent: bool,
    sleeping: bool,
    closed: bool,
}

impl CommitQueue {
    /// An empty one.
    pub(super) fn new() -> CommitQueue {
        CommitQueue { state: Mutex::default(), wake: Condvar::new() }
    }

    /// Adds a request that someone waits for.
    pub(super) fn push(&self, request: Request) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            return request.refuse(&ApplyError::Closed);
        }
        state.requests.push(request);
        let wake = state.sleeping && !state.urgent;
        state.urgent = true;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Adds a request that nobody waits for.
    pub(super) fn push_lazy(&self, request: Request) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            return request.refuse(&ApplyError::Closed);
        }
        state.requests.push(request);
        let wake = state.sleeping && state.requests.len() == 1;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Takes no more; what was pushed is still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Waits for requests and takes them all; `None` once it is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Request>> {
        let mut state = self.lock();
        loop {
            if state.urgent || (state.closed && !state.requests.is_empty()) {
                state.urgent = false;
                return Some(std::mem::take(&mut state.requests));
            }
            if state.closed {
                return None;
            }
            state.sleeping = true;
            let lazy = !state.requests.is_empty();
            if lazy {
                let (woken, timeout) =
                    self.wake.wait_timeout(state, LAZY_WAIT).unwrap_or_else(PoisonError::into_inner);
                state = woken;
                state.urgent |= timeout.timed_out();
            } else {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.sleeping = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request {
    /// Answers that nothing was done.
    pub(super) fn refuse(self, error: &ApplyError) {
        match self {
            Request::Apply { reply: Some(reply), .. } => drop(reply.send(Err(error.clone()))),
            Request::Apply { reply: None, .. } => {
                tracing::warn!(%error, "a change that nobody waits for was lost")
            }
            Request::Forget { reply, .. } | Request::Mark { reply, .. } => {
                drop(reply.send(Err(error.clone())))
            }
        }
    }
}
