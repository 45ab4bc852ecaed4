//! The queue of mutations that wait for the writer thread: pushed by many, taken whole by one.
//!
//! The writer is woken only when it sleeps, and a lazy request wakes nobody: it rides with the next urgent
//! one, or goes alone after a short while.

use crate::catalog::{AnyMutation, Garbage, ScrubNote};
use crate::{ApplyError, Clock};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a lazy request waits for company.
const LAZY_WAIT: Duration = Duration::from_millis(20);

/// Where it is said that something was written, or why it was not.
pub(super) type WrittenReply = oneshot::Sender<Result<(), ApplyError>>;

/// Something to be written.
pub(super) struct Request {
    pub(super) task: Task,
    /// `None` where nobody waits.
    pub(super) reply: Option<WrittenReply>,
}

/// What is to be written.
pub(super) enum Task {
    /// Mutations in order; each has the reply of its own kind.
    Apply(Vec<AnyMutation>),
    /// What the store notes for itself.
    Keep(Note),
}

/// Something that no user asked for, and no rule refuses.
pub(super) enum Note {
    /// Garbage that is deleted.
    Forget(Vec<Garbage>),
    /// The mark of the blobs.
    Mark(u64),
    /// What a scrub found.
    Scrubbed(ScrubNote),
}

/// The queue.
pub(super) struct CommitQueue {
    clock: Clock,
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
    pub(super) fn new(clock: &Clock) -> CommitQueue {
        CommitQueue { clock: clock.clone(), state: Mutex::default(), wake: Condvar::new() }
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
                let (woken, time_is_over) = self.clock.wait_timeout(&self.wake, state, LAZY_WAIT);
                state = woken;
                state.urgent |= time_is_over;
            } else {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.sleeping = false;
        }
    }

    /// Held by the writer while it runs. However it ends, nobody is left waiting for it.
    pub(super) fn writer_runs(&self) -> WriterRuns<'_> {
        WriterRuns(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`CommitQueue::writer_runs`].
pub(super) struct WriterRuns<'a>(&'a CommitQueue);

impl Drop for WriterRuns<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.requests);
        drop(state);
        left.into_iter().for_each(|request| request.refuse(&ApplyError::Closed));
    }
}

impl Request {
    /// Answers that nothing was done.
    pub(super) fn refuse(self, error: &ApplyError) {
        match self.reply {
            Some(reply) => drop(reply.send(Err(error.clone()))),
            None => tracing::warn!(%error, "a change that nobody waits for was lost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_testkit::SimulatedClock;

    fn request() -> (Request, oneshot::Receiver<Result<(), ApplyError>>) {
        let (reply, answer) = oneshot::channel();
        (Request { task: Task::Keep(Note::Mark(1)), reply: Some(reply) }, answer)
    }

    #[test]
    fn a_writer_that_ends_leaves_nobody_waiting() {
        let queue = CommitQueue::new(&Clock::system());
        let running = queue.writer_runs();
        let (waiting, mut before) = request();
        queue.push(waiting);
        drop(running);
        assert!(matches!(before.try_recv(), Ok(Err(ApplyError::Closed))));
        let (late, mut after) = request();
        queue.push(late);
        assert!(matches!(after.try_recv(), Ok(Err(ApplyError::Closed))));
    }

    #[test]
    fn a_lazy_request_rides_with_the_next_urgent_one() {
        let queue = CommitQueue::new(&Clock::system());
        queue.push_lazy(request().0);
        queue.push(request().0);
        assert_eq!(queue.take().map(|taken| taken.len()), Some(2));
    }

    #[test]
    fn a_lazy_request_goes_alone_when_no_other_comes_and_before_the_end() {
        let clock = SimulatedClock::new();
        let queue = CommitQueue::new(&clock.clock());
        queue.push_lazy(request().0);
        std::thread::scope(|scope| {
            let taking = scope.spawn(|| queue.take());
            while !queue.lock().sleeping {
                std::thread::yield_now();
            }
            clock.advance(LAZY_WAIT - Duration::from_nanos(1));
            assert!(!taking.is_finished(), "it waits for company");
            clock.advance(Duration::from_nanos(1));
            assert_eq!(taking.join().unwrap().map(|taken| taken.len()), Some(1));
        });
        queue.push_lazy(request().0);
        queue.close();
        assert_eq!(queue.take().map(|taken| taken.len()), Some(1));
        assert!(queue.take().is_none());
    }
}
