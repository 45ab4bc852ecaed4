//! The writer thread: takes all waiting mutations, commits them in one transaction (group commit), and answers.
//!
//! The answers of a batch go to the runtime as one message, and a task there hands them out: one wake-up from
//! this thread per batch, not one per waiter.

use super::bucket_table::{BucketTable, Buckets};
use super::checkpoint::Checkpointer;
use super::commit_queue::{CommitQueue, Request, Task, WrittenReply};
use super::in_place::InPlace;
use super::options::SqliteOptions;
use super::schema;
use super::transaction::{Numbers, Transaction};
use crate::catalog::BatchMetrics;
use crate::catalog::{AnyMutation, PlacedBytes};
use crate::catalog::{CatalogError, EngineError};
use crate::{ApplyError, Clock, HealthFlag};
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Bytes that a transaction writes besides its rows: the inner pages of the trees.
const TRANSACTION_BYTES: u64 = 24 * 1024;
/// What is told to the checkpointer when the log cannot grow: enough to begin at once.
const LOG_FULL_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a mutation's rows besides inline bytes.
const ROW_BYTES: u64 = 600;

/// Takes the answers of whole batches to the runtime.
pub(super) type Completions = mpsc::UnboundedSender<Vec<Answer>>;

/// An answer and who waits for it.
pub(super) struct Answer {
    waiter: WrittenReply,
    outcome: Result<(), ApplyError>,
}

impl Answer {
    fn give(self) {
        // One that hung up needs no answer.
        let _hung_up = self.waiter.send(self.outcome);
    }
}

/// Starts the task that hands out answers.
pub(super) fn complete_in_batches(runtime: &Handle) -> Completions {
    let (completions, mut batches) = mpsc::unbounded_channel::<Vec<Answer>>();
    runtime.spawn(async move {
        while let Some(batch) = batches.recv().await {
            batch.into_iter().for_each(Answer::give);
        }
    });
    completions
}

/// The one who writes.
pub(super) struct Writer {
    connection: Connection,
    shown: Arc<BucketTable>,
    buckets: Buckets,
    numbers: Numbers,
    checkpointer: Arc<Checkpointer>,
    files: InPlace,
    health: HealthFlag,
    clock: Clock,
    grace: Duration,
    metrics: BatchMetrics,
    /// The last batch found no room.
    full: bool,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        options: &SqliteOptions,
        shown: Arc<BucketTable>,
        checkpointer: Arc<Checkpointer>,
    ) -> Result<Writer, CatalogError> {
        let counter = schema::counter(&connection, schema::NEXT_NUMBER)?.unwrap_or(1);
        Ok(Writer {
            connection,
            buckets: shown.copy(),
            shown,
            numbers: Numbers::from_counter(counter),
            checkpointer,
            files: InPlace::of(&options.path),
            health: options.health.clone(),
            clock: options.clock.clone(),
            grace: options.garbage_grace,
            metrics: BatchMetrics::register(),
            full: false,
        })
    }

    /// Until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &CommitQueue, completions: &Completions) {
        let _running = queue.writer_runs();
        while let Some(requests) = queue.take() {
            let answers = self.commit(requests);
            if answers.len() <= 1 {
                answers.into_iter().for_each(Answer::give);
            } else if let Err(unsent) = completions.send(answers) {
                // The runtime is gone; whoever waits has no runtime to be woken by either.
                unsent.0.into_iter().for_each(Answer::give);
            }
        }
    }

    fn commit(&mut self, requests: Vec<Request>) -> Vec<Answer> {
        if let Some(reason) = self.health.refusal() {
            let error = ApplyError::Unhealthy { reason: reason.to_owned() };
            requests.into_iter().for_each(|request| request.refuse(&error));
            return Vec::new();
        }
        let checkpointer = Arc::clone(&self.checkpointer);
        let writing = checkpointer.writing();
        let before = self.numbers;
        let mut waiters = Vec::with_capacity(requests.len());
        let mut bytes = TRANSACTION_BYTES;
        let count = requests.len();
        let outcome = self.transact(requests, &mut waiters, &mut bytes);
        let failure = match outcome {
            Ok(buckets_changed) => {
                if buckets_changed {
                    self.shown.replace(self.buckets.clone());
                }
                self.refuse_when_removed()
            }
            Err(error) => Some(self.roll_back(error, before)),
        };
        drop(writing);
        self.metrics.ended(count, failure.is_some());
        // What is moved out of the log makes room in it; the first batch that finds room again has it moved.
        let full = matches!(failure, Some(ApplyError::Full));
        let begin = std::mem::replace(&mut self.full, full) || full;
        checkpointer.committed(if begin { LOG_FULL_BYTES } else { bytes });
        let outcome = || failure.clone().map_or(Ok(()), Err);
        waiters.into_iter().map(|waiter| Answer { waiter, outcome: outcome() }).collect()
    }

    /// What was committed to files that were taken away is not acknowledged, and nothing more is.
    fn refuse_when_removed(&self) -> Option<ApplyError> {
        let reason = format!("{} was removed or replaced while it was in use", self.files.missing()?);
        self.health.refuse_writes(reason.as_str());
        Some(ApplyError::Unhealthy { reason })
    }

    /// Everything in one transaction; answers whether a bucket changed. When it fails, those who wait for what was
    /// not reached are among the waiters as well.
    fn transact(
        &mut self,
        requests: Vec<Request>,
        waiters: &mut Vec<WrittenReply>,
        bytes: &mut u64,
    ) -> rusqlite::Result<bool> {
        let mut outcome = execute(&self.connection, "BEGIN IMMEDIATE");
        let mut transaction = Transaction {
            connection: &self.connection,
            buckets: &mut self.buckets,
            buckets_changed: false,
            numbers: &mut self.numbers,
            now: self.clock.wall(),
            grace: self.grace,
        };
        for request in requests {
            waiters.extend(request.reply);
            if outcome.is_ok() {
                outcome = write(&mut transaction, request.task, bytes);
            }
        }
        let changed = transaction.buckets_changed;
        outcome.and_then(|()| execute(&self.connection, "COMMIT")).map(|()| changed)
    }

    /// Leaves the tables, the buckets and the numbers as the last commit did, and says what went wrong.
    fn roll_back(&mut self, error: rusqlite::Error, before: Numbers) -> ApplyError {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            self.health.refuse_writes(format!("the catalog could not roll back: {error}"));
        }
        self.buckets = self.shown.copy();
        self.numbers.rolled_back(before);
        tracing::error!(%error, "a batch was not committed");
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => ApplyError::Full,
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                let reason = error.to_string();
                self.health.refuse_writes(format!("the catalog could not commit: {reason}"));
                ApplyError::Unhealthy { reason }
            }
            _ => match schema::trouble_of(&error) {
                Some(trouble) => ApplyError::Trouble { trouble, said: EngineError::new(error.to_string()) },
                None => ApplyError::Engine(EngineError::new(error.to_string())),
            },
        }
    }
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(|_| ())
}

fn write(transaction: &mut Transaction<'_>, task: Task, bytes: &mut u64) -> rusqlite::Result<()> {
    match task {
        Task::Apply(mutations) => mutations.into_iter().try_for_each(|mutation| {
            *bytes += written_bytes(&mutation);
            transaction.apply(mutation)
        }),
        Task::Keep(note) => transaction.keep(&note),
    }
}

fn written_bytes(mutation: &AnyMutation) -> u64 {
    let inline = match mutation {
        AnyMutation::PutObject(asked) => match &asked.mutation.content.bytes {
            PlacedBytes::Inline(_) => asked.mutation.content.len,
            PlacedBytes::Blob(_) => 0,
        },
        AnyMutation::CreateBucket(_)
        | AnyMutation::DeleteBucket(_)
        | AnyMutation::PutSetting(_)
        | AnyMutation::PutAttributes(_)
        | AnyMutation::DeleteObject(_)
        | AnyMutation::CloseOutboxEntry(_) => 0,
    };
    ROW_BYTES + inline
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Answer as MutationAnswer, Asked, PlacedContent};
    use crate::{CreateBucket, Health, PutObject};
    use bytes::Bytes;
    use std::collections::BTreeMap;
    use tokio::sync::oneshot;

    fn writer(folder: &std::path::Path) -> Writer {
        let options = SqliteOptions {
            path: folder.join("catalog.sqlite"),
            clock: Clock::with_wall(|| jiff::Timestamp::UNIX_EPOCH),
            health: HealthFlag::default(),
            durable: true,
            read_connections: 1,
            garbage_grace: Duration::ZERO,
            device: Arc::new(crate::blobs::device::LocalDisk),
        };
        let connection = schema::open_writer(&options.path, true).unwrap();
        let shown = Arc::new(BucketTable::load(&connection).unwrap());
        let checkpointer = Arc::new(Checkpointer::new(&options.clock, options.health.clone()));
        Writer::new(connection, &options, shown, checkpointer).unwrap()
    }

    fn commit(writer: &mut Writer, mutations: Vec<AnyMutation>) -> Result<(), ApplyError> {
        let (reply, mut answer) = oneshot::channel();
        let answers = writer.commit(vec![Request { task: Task::Apply(mutations), reply: Some(reply) }]);
        answers.into_iter().for_each(Answer::give);
        answer.try_recv().unwrap()
    }

    type Answers = (MutationAnswer<CreateBucket>, MutationAnswer<PutObject<PlacedContent>>);

    fn create_and_put(bytes: usize) -> (Vec<AnyMutation>, Answers) {
        let (create, created) = Asked::new(CreateBucket { name: "b".to_owned(), settings: BTreeMap::new() });
        let content = PlacedContent {
            len: bytes as u64,
            md5: Some([0; 16]),
            crc64: 0,
            bytes: PlacedBytes::Inline(vec![Bytes::from(vec![7; bytes])]),
        };
        let (put, stored) = Asked::new(PutObject {
            bucket: "b".to_owned(),
            key: Bytes::from_static(b"k"),
            content,
            attributes: Bytes::new(),
            forbid_overwrite: true,
            outbox_entry: None,
        });
        (vec![create.into(), put.into()], (created, stored))
    }

    #[test]
    fn a_batch_that_finds_no_room_leaves_nothing_and_the_next_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path());
        let pages: i64 = writer.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let limit_pages = |writer: &Writer, pages: i64| {
            writer.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        };
        limit_pages(&writer, pages + 2);
        assert!(matches!(commit(&mut writer, create_and_put(60_000).0), Err(ApplyError::Full)));
        assert_eq!((writer.shown.get("b").is_none(), writer.health.get()), (true, Health::Good));
        limit_pages(&writer, pages + 1000);
        let (batch, (created, stored)) = create_and_put(60_000);
        commit(&mut writer, batch).unwrap();
        assert_eq!(created.read().unwrap().unwrap().name, "b");
        assert_eq!(stored.read().unwrap().unwrap().object.len, 60_000);
        assert!(writer.shown.get("b").is_some());
    }

    #[test]
    fn an_unhealthy_store_commits_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path());
        writer.health.refuse_writes("a sync failed");
        let (reply, mut answer) = oneshot::channel();
        let task = Task::Apply(create_and_put(1).0);
        assert!(writer.commit(vec![Request { task, reply: Some(reply) }]).is_empty());
        assert!(matches!(answer.try_recv(), Ok(Err(ApplyError::Unhealthy { .. }))));
    }
}
