//! The writer: takes all waiting mutations, commits them in one transaction (group commit), and answers.
//!
//! A run that lost its connection says nothing of its outcome, so the batch is run again with the same id until it is
//! known, for as long as the callers may be let wait. Unlike a failed sync of local files nothing of this is for good:
//! the next batch begins anew, with another connection.

use crate::batch::{Batch, Circumstances, Decided, Ran};
use crate::buckets::KnownBuckets;
use crate::failure::Failure;
use crate::queue::{Request, Taker, Task};
use crate::session::{Connecting, Session};
use countersign_store::catalog::{BatchMetrics, EngineError};
use countersign_store::{ApplyError, Clock, HealthFlag, Random};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Ids of batches are kept for so long.
const IDS_KEPT: Duration = Duration::from_secs(60 * 60);
/// They are removed at most so often.
const PRUNED_EVERY: Duration = Duration::from_secs(10);
/// How long the writer waits between two runs of a batch, at first and at most.
const PAUSE: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];

/// How long callers are let wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a database that is away, before anything was sent to it.
    pub unreachable: Duration,
    /// For an outcome that is not known.
    pub unknown: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { unreachable: Duration::from_secs(2), unknown: Duration::from_secs(30) }
    }
}

/// The one task that writes.
pub(crate) struct Writer {
    pub(crate) connecting: Connecting,
    pub(crate) session: Option<Session>,
    pub(crate) shown: Arc<KnownBuckets>,
    /// Whether what is shown is what the database holds: not after a batch whose outcome stayed unknown.
    pub(crate) buckets_known: bool,
    pub(crate) epoch: i64,
    pub(crate) health: HealthFlag,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) grace: Duration,
    pub(crate) patience: Patience,
    pub(crate) metrics: BatchMetrics,
    pub(crate) pruned: Option<Instant>,
}

/// How a batch ended.
enum Ended {
    Committed(Decided),
    Failed(ApplyError),
    /// The database refuses a value, of one of the requests.
    Values(Failure),
}

impl Writer {
    /// Until the queue is closed and empty.
    pub(crate) async fn run(mut self, mut queue: Taker) {
        while let Some(requests) = queue.take().await {
            if let Some(reason) = self.health.refusal() {
                let error = ApplyError::Unhealthy { reason: reason.to_owned() };
                requests.into_iter().for_each(|request| request.answer(Err(error.clone())));
                continue;
            }
            self.commit(requests).await;
        }
    }

    async fn commit(&mut self, requests: Vec<Request>) {
        let (ended, requests) = self.settle(requests).await;
        match ended {
            Ended::Committed(decided) => answer(requests, decided),
            Ended::Failed(error) => refuse(requests, &error),
            Ended::Values(failure) if requests.len() == 1 => refuse(requests, &failure.into_apply_error()),
            // One of them alone is to blame, and the others are not to suffer for it.
            Ended::Values(_) => {
                for request in requests {
                    let (ended, requests) = self.settle(vec![request]).await;
                    match ended {
                        Ended::Committed(decided) => answer(requests, decided),
                        Ended::Failed(error) => refuse(requests, &error),
                        Ended::Values(failure) => refuse(requests, &failure.into_apply_error()),
                    }
                }
            }
        }
    }

    /// Runs a batch until its outcome is known, or the callers have waited long enough.
    async fn settle(&mut self, requests: Vec<Request>) -> (Ended, Vec<Request>) {
        let id = match self.random.bytes() {
            Ok(id) => id,
            Err(error) => {
                return (Ended::Failed(ApplyError::Engine(EngineError::new(error))), requests);
            }
        };
        let mut batch = Batch::new(requests, id);
        let ended = self.run_until_known(&mut batch).await;
        let failed = !matches!(ended, Ended::Committed(_));
        self.metrics.ended(batch.len(), failed);
        (ended, batch.into_requests())
    }

    async fn run_until_known(&mut self, batch: &mut Batch) -> Ended {
        let began = self.clock.monotonic();
        let mut pause = PAUSE[0];
        loop {
            let ran = self.run_once(batch).await;
            if !matches!(ran, Ran::Committed) {
                self.session = None;
            }
            let (failure, known) = match ran {
                Ran::Committed | Ran::CommittedBefore => return self.committed(batch),
                Ran::Fenced => return Ended::Failed(self.fenced()),
                Ran::RolledBack(Failure::Values(words)) => return Ended::Values(Failure::Values(words)),
                Ran::RolledBack(failure @ (Failure::Lost(_) | Failure::Again(_))) => (failure, true),
                Ran::RolledBack(failure) => return Ended::Failed(self.failed(failure)),
                Ran::Unknown(failure) => (failure, false),
            };
            let waited = self.clock.since(began);
            let patience = if known { self.patience.unreachable } else { self.patience.unknown };
            if waited + pause > patience {
                return Ended::Failed(self.given_up(failure, known));
            }
            tracing::debug!(%failure, known, "a batch is run again");
            self.clock.sleep(pause).await;
            pause = (pause * 2).min(PAUSE[1]);
        }
    }

    async fn run_once(&mut self, batch: &mut Batch) -> Ran {
        let session = match self.session.take() {
            Some(session) if !session.client.is_closed() => session,
            _ => match self.connecting.session().await {
                Ok(session) => session,
                Err(failure) => return batch.not_committed(failure),
            },
        };
        batch.prune_before = self.prune_before();
        let circumstances = Circumstances {
            clock: &self.clock,
            epoch: self.epoch,
            grace: self.grace,
            buckets: self.buckets_known.then(|| self.shown.all()),
        };
        let ran = batch.run(&session, circumstances).await;
        self.session = Some(session);
        ran
    }

    fn prune_before(&self) -> Option<i64> {
        let due = self.pruned.is_none_or(|pruned| self.clock.since(pruned) >= PRUNED_EVERY);
        let kept = i64::try_from(IDS_KEPT.as_micros()).unwrap_or(i64::MAX);
        due.then(|| self.clock.wall().as_microsecond().saturating_sub(kept))
    }

    fn committed(&mut self, batch: &mut Batch) -> Ended {
        if batch.prune_before.is_some() {
            self.pruned = Some(self.clock.monotonic());
        }
        let Some(decided) = batch.sent.take() else {
            let said = EngineError::new("a batch was committed before it was decided");
            return Ended::Failed(ApplyError::Engine(said));
        };
        self.shown.replace(Arc::clone(&decided.buckets));
        self.buckets_known = true;
        Ended::Committed(decided)
    }

    fn fenced(&self) -> ApplyError {
        let reason = "another gateway has opened this catalog, and this one writes no more".to_owned();
        self.health.refuse_writes(reason.clone());
        ApplyError::Unhealthy { reason }
    }

    fn failed(&self, failure: Failure) -> ApplyError {
        tracing::error!(%failure, "a batch was not committed");
        failure.into_apply_error()
    }

    fn given_up(&mut self, failure: Failure, known: bool) -> ApplyError {
        if known {
            tracing::warn!(%failure, "a batch was not committed, since the catalog's database is away");
            return failure.into_apply_error();
        }
        tracing::error!(%failure, "it is not known whether a batch was committed");
        self.buckets_known = false;
        ApplyError::OutcomeUnknown(failure.said())
    }
}

/// Gives each mutation its answer, and then tells those who wait that they may read it.
fn answer(requests: Vec<Request>, decided: Decided) {
    let mut answers = decided.answers.into_iter();
    for mut request in requests {
        if let Task::Apply(mutations) = &mut request.task {
            for mutation in std::mem::take(mutations) {
                if let Some(answer) = answers.next() {
                    answer.give(mutation);
                }
            }
        }
        request.answer(Ok(()));
    }
}

fn refuse(requests: Vec<Request>, error: &ApplyError) {
    requests.into_iter().for_each(|request| request.answer(Err(error.clone())));
}
