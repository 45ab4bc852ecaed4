//! The queue of what waits for the writer: pushed by many, taken by one, as much as one transaction shall hold.

use crate::note::Note;
use countersign_store::catalog::{AnyMutation, PlacedBytes};
use countersign_store::{ApplyError, Clock};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a request that nothing waits for waits for company.
const LAZY_WAIT: Duration = Duration::from_millis(20);
/// A transaction takes no more requests once it has so many mutations.
const MUTATIONS_MAX: usize = 1024;
/// A transaction takes no more requests once it has so many inline bytes.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Something to be written.
pub(crate) struct Request {
    pub(crate) task: Task,
    /// `None` where nothing waits.
    pub(crate) reply: Option<oneshot::Sender<Result<(), ApplyError>>>,
}

/// What is to be written.
pub(crate) enum Task {
    /// Mutations in order; each has the reply of its own kind.
    Apply(Vec<AnyMutation>),
    /// What the store notes for itself.
    Keep(Note),
}

impl Request {
    /// Answers whether it was done.
    pub(crate) fn answer(self, outcome: Result<(), ApplyError>) {
        match (self.reply, outcome) {
            // One that hung up needs no answer.
            (Some(reply), outcome) => drop(reply.send(outcome)),
            (None, Err(error)) => tracing::warn!(%error, "a change that nothing waits for was lost"),
            (None, Ok(())) => {}
        }
    }

    fn size(&self) -> (usize, usize) {
        let Task::Apply(mutations) = &self.task else { return (1, 0) };
        let bytes = mutations.iter().map(|mutation| match mutation {
            AnyMutation::PutObject(put) => match &put.mutation.content.bytes {
                PlacedBytes::Inline(chunks) => chunks.iter().map(bytes::Bytes::len).sum(),
                PlacedBytes::Blob(_) => 0,
            },
            _ => 0,
        });
        (mutations.len(), bytes.sum())
    }
}

/// The end that requests are pushed to; closed once it is empty.
pub(crate) struct Queue(Mutex<Option<mpsc::UnboundedSender<Request>>>);

/// The writer's end.
pub(crate) struct Taker {
    requests: mpsc::UnboundedReceiver<Request>,
    /// One that did not fit into the last batch.
    left: Option<Request>,
    clock: Clock,
}

/// Both ends.
pub(crate) fn queue(clock: &Clock) -> (Queue, Taker) {
    let (sender, requests) = mpsc::unbounded_channel();
    (Queue(Mutex::new(Some(sender))), Taker { requests, left: None, clock: clock.clone() })
}

impl Queue {
    /// Adds a request.
    pub(crate) fn push(&self, request: Request) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(sender) = sender else { return request.answer(Err(ApplyError::Closed)) };
        if let Err(unsent) = sender.send(request) {
            unsent.0.answer(Err(ApplyError::Closed));
        }
    }

    /// Takes no more; what was pushed is still taken.
    pub(crate) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Taker {
    /// Waits for requests and takes those that are there; `None` once the queue is closed and empty.
    pub(crate) async fn take(&mut self) -> Option<Vec<Request>> {
        let first = match self.left.take() {
            Some(left) => left,
            None => self.requests.recv().await?,
        };
        let lazy = first.reply.is_none();
        let mut taken = Taken::default();
        taken.add(first);
        if lazy && let Ok(Some(next)) = self.clock.timeout(LAZY_WAIT, self.requests.recv()).await {
            taken.add(next);
        }
        while let Ok(next) = self.requests.try_recv() {
            if taken.is_full() {
                self.left = Some(next);
                break;
            }
            taken.add(next);
        }
        Some(taken.requests)
    }
}

#[derive(Default)]
struct Taken {
    requests: Vec<Request>,
    mutations: usize,
    bytes: usize,
}

impl Taken {
    fn add(&mut self, request: Request) {
        let (mutations, bytes) = request.size();
        self.mutations += mutations;
        self.bytes += bytes;
        self.requests.push(request);
    }

    fn is_full(&self) -> bool {
        self.mutations >= MUTATIONS_MAX || self.bytes >= BYTES_MAX
    }
}
