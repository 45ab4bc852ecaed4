//! Runs a batch once: one transaction, two round trips.
//!
//! The first begins the transaction, inserts the batch's id, takes the write lock together with the numbers, and reads
//! the rows that the batch is about. The plan is made here, while the lock keeps them true. The second writes the
//! plan's arrays and commits. What a run came to is one of four things, and only one of them is uncertain.

use crate::buckets::{self, Buckets};
use crate::failure::{Failure, sql_state};
use crate::note::Note;
use crate::pipeline::{FailedAt, Pipeline};
use crate::plan::{AnyAnswer, Found, Numbers, Plan};
use crate::queue::{Request, Task};
use crate::rows::{ObjectRow, bytes, column, number, signed};
use crate::session::{ROUND_TRIP_TIMEOUT, Session};
use crate::write::Writes;
use bytes::Bytes;
use countersign_store::Clock;
use countersign_store::catalog::{AnyMutation, CatalogError, EngineError};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

/// What came of one run.
#[derive(Debug)]
pub(crate) enum Ran {
    /// Committed; what was decided stands.
    Committed,
    /// An earlier run was committed; what was decided in it stands.
    CommittedBefore,
    /// Nothing of this run was committed, and nothing of an earlier one.
    RolledBack(Failure),
    /// An earlier run's outcome is not known yet, or this one's.
    Unknown(Failure),
    /// Another gateway has opened the catalog since.
    Fenced,
}

/// What was decided of a batch.
pub(crate) struct Decided {
    /// The answers of its mutations, in order.
    pub(crate) answers: Vec<AnyAnswer>,
    /// The buckets as it leaves them.
    pub(crate) buckets: Arc<Buckets>,
}

/// A batch and what is known of its runs.
pub(crate) struct Batch {
    requests: Vec<Request>,
    /// The same for every run.
    id: [u8; 16],
    /// What was decided in the last run that sent its COMMIT, while it is not known that it failed. Whenever a later
    /// run could insert the id, the earlier ones are gone.
    pub(crate) sent: Option<Decided>,
    /// Removes ids of batches that are older than this, in microseconds.
    pub(crate) prune_before: Option<i64>,
}

/// What a run needs besides its batch.
pub(crate) struct Circumstances<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) epoch: i64,
    pub(crate) grace: Duration,
    /// The buckets as the last commit left them; `None` when they have to be read.
    pub(crate) buckets: Option<Arc<Buckets>>,
}

/// The place of the statement in the first round trip that inserts the batch's id.
const ID_STATEMENT: usize = 1;

impl Batch {
    /// One of these requests, under a random id.
    pub(crate) fn new(requests: Vec<Request>, id: [u8; 16]) -> Batch {
        Batch { requests, id, sent: None, prune_before: None }
    }

    /// Its requests, in order.
    pub(crate) fn into_requests(self) -> Vec<Request> {
        self.requests
    }

    /// How many requests it has.
    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Its mutations, in order.
    fn mutations(&self) -> impl Iterator<Item = &AnyMutation> {
        let applied = self.requests.iter().filter_map(|request| match &request.task {
            Task::Apply(mutations) => Some(mutations),
            Task::Keep(_) => None,
        });
        applied.flatten()
    }

    fn notes(&self) -> Vec<&Note> {
        let kept = self.requests.iter().filter_map(|request| match &request.task {
            Task::Keep(note) => Some(note),
            Task::Apply(_) => None,
        });
        kept.collect()
    }

    /// Runs it once. Unless it is committed in this run, the session may be left within the transaction, and is of no
    /// more use.
    pub(crate) async fn run(&mut self, session: &Session, circumstances: Circumstances<'_>) -> Ran {
        let clock = circumstances.clock;
        let now = clock.wall();
        let plan =
            match clock.timeout(ROUND_TRIP_TIMEOUT, self.lock_and_plan(session, circumstances, now)).await {
                Ok(Ok(planned)) => planned,
                Ok(Err(ran)) => return ran,
                Err(_) => return self.not_committed(Failure::not_in_time()),
            };
        let (plan, answers) = plan;
        self.sent = Some(Decided { answers, buckets: Arc::clone(&plan.buckets) });
        match clock.timeout(ROUND_TRIP_TIMEOUT, self.write_and_commit(session, &plan)).await {
            Ok(Ok(())) => Ran::Committed,
            Ok(Err((failed, commit))) => match certain(&failed, commit) {
                true => {
                    self.sent = None;
                    Ran::RolledBack(failed.error.into())
                }
                false => Ran::Unknown(failed.error.into()),
            },
            Err(_) => Ran::Unknown(Failure::not_in_time()),
        }
    }

    /// A run that sent no COMMIT has failed: whether the batch is certainly not committed hangs on earlier ones.
    pub(crate) fn not_committed(&self, failure: Failure) -> Ran {
        match self.sent {
            None => Ran::RolledBack(failure),
            Some(_) => Ran::Unknown(failure),
        }
    }

    /// The first round trip, and the plan.
    async fn lock_and_plan(
        &mut self,
        session: &Session,
        circumstances: Circumstances<'_>,
        now: Timestamp,
    ) -> Result<(Plan, Vec<AnyAnswer>), Ran> {
        let count = self.mutations().count();
        let needed = Numbers::needed(count);
        let asked = circumstances.buckets.as_ref().map(|buckets| Asked::new(self, buckets));
        let (id, at, numbers) = (&self.id[..], now.as_microsecond(), signed(needed));
        let mut pipeline = Pipeline::new(&session.client);
        pipeline.add_plain("BEGIN");
        pipeline.add(&session.statements.commit_id, vec![&id, &at]);
        pipeline.add(&session.statements.take_numbers, vec![&numbers, &circumstances.epoch]);
        match &asked {
            Some(asked) => asked.add_to(&mut pipeline, session),
            None => {
                pipeline.add(&session.statements.all_buckets, Vec::new());
                pipeline.add(&session.statements.all_settings, Vec::new());
            }
        }
        let mut answers = match pipeline.run().await {
            Ok(answers) => answers.into_iter().skip(2),
            Err(failed) => return Err(self.first_failed(failed)),
        };
        // The id could be inserted: no earlier run was committed, and none can be any more.
        self.sent = None;
        let broken = |error: CatalogError| Ran::RolledBack(Failure::Engine(EngineError::new(error)));
        let Some(taken) = answers.next().unwrap_or_default().first().map(|row| number(row, 0)) else {
            return Err(Ran::Fenced);
        };
        let above = taken.map_err(broken)?;
        let (buckets, found) = match (circumstances.buckets, asked) {
            (Some(buckets), Some(asked)) => (buckets, asked.found(answers).map_err(broken)?),
            _ => {
                let (rows, settings) =
                    (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
                let buckets = Arc::new(buckets::from_rows(&rows, &settings).map_err(broken)?);
                let asked = Asked::new(self, &buckets);
                let mut pipeline = Pipeline::new(&session.client);
                asked.add_to(&mut pipeline, session);
                let answers = pipeline.run().await.map_err(|failed| Ran::RolledBack(failed.into()))?;
                let found = asked.found(answers.into_iter()).map_err(broken)?;
                (buckets, found)
            }
        };
        let numbers = Numbers::new(above - needed..above);
        let mut plan = Plan::new(now, circumstances.grace, numbers, buckets, found);
        let answers = self.mutations().map(|mutation| plan.decide(mutation)).collect();
        Ok((plan, answers))
    }

    /// What a failure in the first round trip means.
    fn first_failed(&mut self, failed: FailedAt) -> Ran {
        if failed.statement == ID_STATEMENT && sql_state(&failed.error) == Some(&SqlState::UNIQUE_VIOLATION) {
            return match self.sent {
                Some(_) => Ran::CommittedBefore,
                None => Ran::RolledBack(Failure::Engine(EngineError::new("a batch has the id of another"))),
            };
        }
        if failed.statement > ID_STATEMENT {
            self.sent = None;
        }
        self.not_committed(failed.error.into())
    }

    /// The second round trip. A failure says whether it was the COMMIT's own.
    async fn write_and_commit(&self, session: &Session, plan: &Plan) -> Result<(), (FailedAt, bool)> {
        let writes = Writes::new(plan, &self.notes());
        let mut pipeline = Pipeline::new(&session.client);
        writes.add_to(&mut pipeline, &session.statements);
        if let Some(before) = &self.prune_before {
            pipeline.add(&session.statements.prune_commit_ids, vec![before]);
        }
        let commit = pipeline.len();
        pipeline.add_plain("COMMIT");
        match pipeline.run().await {
            Ok(_) => Ok(()),
            Err(failed) => {
                let own = failed.statement == commit;
                Err((failed, own))
            }
        }
    }
}

/// Whether a failure in the second round trip says that nothing was committed. A statement that the database refused
/// has ended the transaction, and the COMMIT behind it rolls back. Of the COMMIT itself only a lost conflict says so:
/// what else a server answers to it, while it shuts down for one, may come after the commit.
fn certain(failed: &FailedAt, commit: bool) -> bool {
    let Some(code) = sql_state(&failed.error) else { return false };
    let conflicts = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    !commit || conflicts.contains(code)
}

/// The rows that a batch is about, as the arrays of its queries.
struct Asked {
    objects: (Vec<i64>, Vec<Vec<u8>>),
    outbox: Vec<i64>,
    /// Buckets that are to be removed, and how many keys of each are asked for.
    held: Vec<(i64, i64)>,
}

impl Asked {
    fn new(batch: &Batch, buckets: &Buckets) -> Asked {
        let mut places: BTreeSet<(u64, &Bytes)> = BTreeSet::new();
        let (mut outbox, mut removed) = (Vec::new(), BTreeSet::new());
        let id = |name: &str| buckets.get(name).map(|bucket| bucket.id);
        for mutation in batch.mutations() {
            let place = match mutation {
                AnyMutation::PutObject(asked) => Some((&asked.mutation.bucket, &asked.mutation.key)),
                AnyMutation::PutAttributes(asked) => Some((&asked.mutation.bucket, &asked.mutation.key)),
                AnyMutation::DeleteObject(asked) => Some((&asked.mutation.bucket, &asked.mutation.key)),
                AnyMutation::CloseOutboxEntry(asked) => {
                    outbox.push(signed(asked.mutation.id));
                    None
                }
                AnyMutation::DeleteBucket(asked) => {
                    removed.extend(id(&asked.mutation.name));
                    None
                }
                AnyMutation::CreateBucket(_) | AnyMutation::PutSetting(_) => None,
            };
            places.extend(place.and_then(|(bucket, key)| Some((id(bucket)?, key))));
        }
        let held = removed.into_iter().map(|bucket| {
            let touched = places.iter().filter(|(id, _)| *id == bucket).count();
            (signed(bucket), crate::rows::limit(touched + 1))
        });
        let held = held.collect();
        let objects = places.into_iter().map(|(bucket, key)| (signed(bucket), key.to_vec())).unzip();
        Asked { objects, outbox, held }
    }

    fn add_to<'a>(&'a self, pipeline: &mut Pipeline<'a>, session: &'a Session) {
        if !self.objects.0.is_empty() {
            pipeline.add(&session.statements.find_objects, vec![&self.objects.0, &self.objects.1]);
        }
        if !self.outbox.is_empty() {
            pipeline.add(&session.statements.find_outbox, vec![&self.outbox]);
        }
        for (bucket, limit) in &self.held {
            pipeline.add(&session.statements.find_held, vec![bucket, limit]);
        }
    }

    /// What was found, from the answers in the order in which they were asked for.
    fn found(&self, mut answers: impl Iterator<Item = Vec<Row>>) -> Result<Found, CatalogError> {
        let mut found = Found::default();
        if !self.objects.0.is_empty() {
            for row in answers.next().unwrap_or_default() {
                found.objects.rows.insert((number(&row, 0)?, bytes(&row, 1)?), ObjectRow::read(&row, 2)?);
            }
        }
        if !self.outbox.is_empty() {
            for row in answers.next().unwrap_or_default() {
                found.outbox.insert(column::<i64>(&row, 0)? as u64);
            }
        }
        let mut held = BTreeMap::new();
        for (bucket, _) in &self.held {
            let rows = answers.next().unwrap_or_default();
            let keys = rows.iter().map(|row| bytes(row, 0)).collect::<Result<Vec<_>, _>>()?;
            held.insert(*bucket as u64, keys);
        }
        found.objects.held = held;
        Ok(found)
    }
}
