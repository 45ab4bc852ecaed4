//! The catalog in SQLite: one writer thread that commits all waiting mutations in one transaction (group commit), a
//! pool of connections that answer queries, and a thread that checkpoints the write-ahead log.
//!
//! The process owns the database alone (the data folder is locked), so buckets, which every request needs and
//! which seldom change, are answered from memory.

mod bucket_table;
mod checkpoint;
mod commit_queue;
pub(crate) mod file_copy;
mod in_place;
mod inventory;
mod listing;
mod migrations;
mod older_schema;
mod options;
mod outbox_table;
mod read_pool;
mod rows;
mod schema;
mod schema_on_disk;
mod transaction;
mod writer;

use super::{
    AnyMutation, CatalogError, EngineError, Extent, Garbage, GarbageList, Inventoried, Journal, Records,
    ScrubNote, ScrubState, Upkeep,
};
use crate::blobs::{BlobId, Work};
use crate::{ApplyError, BucketRecord, Clock, HealthFlag, ListPage, ListQuery, ObjectRecord, OutboxRecord};
use bucket_table::BucketTable;
use bytes::Bytes;
use checkpoint::Checkpointer;
use commit_queue::{CommitQueue, Note, Request, Task};
use jiff::Timestamp;
pub use options::SqliteOptions;
use read_pool::ReadPool;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use writer::Writer;

/// The catalog in SQLite.
pub struct SqliteCatalog {
    queue: Arc<CommitQueue>,
    buckets: Arc<BucketTable>,
    readers: ReadPool,
    checkpointer: Arc<Checkpointer>,
    workers: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl std::fmt::Debug for SqliteCatalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteCatalog")
    }
}

impl SqliteCatalog {
    /// Opens or makes the database, after bringing one of an older schema to this program's, and starts the workers.
    /// Blocks; call it within a Tokio runtime.
    ///
    /// # Errors
    /// [`CatalogError`] when it cannot be opened or is of an unknown schema.
    pub fn open(options: SqliteOptions) -> Result<SqliteCatalog, CatalogError> {
        if migrations::is_older(&options.path)? {
            migrations::run(&options)?;
        } else {
            migrations::tell_of_copy(&options);
        }
        let connection = schema::open_writer(&options.path, options.durable)?;
        let checkpoint_connection = schema::open_checkpointer(&options.path, options.durable)?;
        Checkpointer::begin(&checkpoint_connection)?;
        let buckets = Arc::new(BucketTable::load(&connection)?);
        let readers = ReadPool::open(&options.path, &options.clock, options.read_connections.max(1))?;
        let checkpointer = Arc::new(Checkpointer::new(&options.clock, options.health.clone()));
        let queue = Arc::new(CommitQueue::new(&options.clock));
        let writer = Writer::new(connection, &options, Arc::clone(&buckets), Arc::clone(&checkpointer))?;
        let completions = writer::complete_in_batches(&tokio::runtime::Handle::current());
        let (taken, checkpoints) = (Arc::clone(&queue), Arc::clone(&checkpointer));
        let workers = vec![
            spawn("catalog-writer", &options.health, move || writer.run(&taken, &completions))?,
            spawn("catalog-checkpoint", &options.health, move || checkpoints.run(&checkpoint_connection))?,
        ];
        Ok(SqliteCatalog { queue, buckets, readers, checkpointer, workers: Arc::new(Mutex::new(workers)) })
    }

    /// Whether the database in this file, which no connection of this process may have open, has an older schema than
    /// this program's; the next [`SqliteCatalog::open`] changes that. Writes nothing. Blocks.
    ///
    /// # Errors
    /// [`CatalogError::UnknownSchema`] for a newer one.
    pub fn is_older(path: &Path) -> Result<bool, CatalogError> {
        migrations::is_older(path)
    }

    /// The catalog in this file for reading only, beside a process that may have it open; a write is answered
    /// [`ApplyError::Closed`]. What that process changes of its buckets is not seen. Blocks.
    ///
    /// # Errors
    /// [`CatalogError`] when it cannot be read.
    pub fn open_beside(
        path: &Path,
        clock: &Clock,
        read_connections: usize,
    ) -> Result<SqliteCatalog, CatalogError> {
        let readers = ReadPool::open(path, clock, read_connections.max(1))?;
        let buckets = Arc::new(BucketTable::load(&schema::open_reader(path)?)?);
        let queue = Arc::new(CommitQueue::new(clock));
        queue.close();
        let checkpointer = Arc::new(Checkpointer::new(clock, crate::HealthFlag::default()));
        Ok(SqliteCatalog { queue, buckets, readers, checkpointer, workers: Arc::default() })
    }

    /// The open outbox entries of the database in this file, read beside a process that may have it open. Blocks.
    ///
    /// # Errors
    /// [`CatalogError`] when it cannot be read.
    pub fn outbox_in(path: &Path) -> Result<Vec<OutboxRecord>, CatalogError> {
        let connection = schema::open_reader(path)?;
        let mut all: Vec<OutboxRecord> = Vec::new();
        loop {
            let after = all.last().map_or(0, |record| record.id);
            let page = outbox_table::page(&connection, after, u32::MAX as usize)?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// What scrubs have kept in the database in this file, read beside a process that may have it open. Blocks.
    ///
    /// # Errors
    /// [`CatalogError`] when it cannot be read.
    pub fn scrub_state_in(path: &Path) -> Result<ScrubState, CatalogError> {
        inventory::state(&schema::open_reader(path)?)
    }

    /// Has it written with the next batch; ready when that is durable.
    fn write(&self, task: Task) -> Work<Result<(), ApplyError>> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Request { task, reply: Some(reply) });
        Box::pin(async move { answer.await.unwrap_or(Err(ApplyError::Closed)) })
    }

    fn stop(&self) -> impl FnOnce() + Send + use<> {
        self.queue.close();
        let (workers, checkpointer) = (Arc::clone(&self.workers), Arc::clone(&self.checkpointer));
        move || {
            let workers = std::mem::take(&mut *workers.lock().unwrap_or_else(PoisonError::into_inner));
            for worker in workers {
                // The writer comes first: once it is gone, the last checkpoint may run.
                let _panicked = worker.join();
                checkpointer.close();
            }
        }
    }
}

/// Starts a thread that the store cannot write without: should it end by a panic, the health page says so.
fn spawn(
    name: &'static str,
    health: &HealthFlag,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, CatalogError> {
    let health = health.clone();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            if std::panic::catch_unwind(AssertUnwindSafe(run)).is_err() {
                health.refuse_writes(format!("the thread {name} ended by a panic; the log has it"));
            }
        })
        .map_err(|error| CatalogError::Engine(EngineError::new(format!("no thread for {name}: {error}"))))
}

impl Drop for SqliteCatalog {
    fn drop(&mut self) {
        self.stop()();
    }
}

impl Records for SqliteCatalog {
    fn apply(&self, batch: Vec<AnyMutation>) -> Work<Result<(), ApplyError>> {
        self.write(Task::Apply(batch))
    }

    fn apply_later(&self, mutation: AnyMutation) {
        self.queue.push_lazy(Request { task: Task::Apply(vec![mutation]), reply: None });
    }

    fn bucket(&self, name: &str) -> Work<Result<Option<Arc<BucketRecord>>, CatalogError>> {
        let found = self.buckets.get(name).map(|bucket| bucket.record);
        Box::pin(std::future::ready(Ok(found)))
    }

    fn buckets(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Work<Result<Vec<Arc<BucketRecord>>, CatalogError>> {
        Box::pin(std::future::ready(Ok(self.buckets.page(prefix, after, limit))))
    }

    fn object(&self, bucket: &str, key: Bytes) -> Work<Result<Option<ObjectRecord>, CatalogError>> {
        match self.buckets.get(bucket) {
            None => Box::pin(std::future::ready(Ok(None))),
            Some(bucket) => self.readers.point(move |connection| rows::object(connection, bucket.id, key)),
        }
    }

    fn list(&self, bucket: &str, query: ListQuery) -> Work<Result<Option<ListPage>, CatalogError>> {
        match self.buckets.get(bucket) {
            None => Box::pin(std::future::ready(Ok(None))),
            Some(bucket) => {
                self.readers.run(move |connection| listing::page(connection, bucket.id, &query).map(Some))
            }
        }
    }

    fn inline_bytes(&self, row: u64) -> Work<Result<Option<Bytes>, CatalogError>> {
        self.readers.point(move |connection| rows::inline_bytes(connection, row))
    }

    fn extents(&self, content: u64) -> Work<Result<Vec<Extent>, CatalogError>> {
        self.readers.run(move |connection| rows::extents(connection, content))
    }
}

impl Journal for SqliteCatalog {
    fn outbox(&self, after: u64, limit: usize) -> Work<Result<Vec<OutboxRecord>, CatalogError>> {
        self.readers.run(move |connection| outbox_table::page(connection, after, limit))
    }
}

impl GarbageList for SqliteCatalog {
    fn garbage(
        &self,
        now: Timestamp,
        after: Option<Garbage>,
        limit: usize,
    ) -> Work<Result<Vec<Garbage>, CatalogError>> {
        self.readers.run(move |connection| rows::garbage(connection, now, after.as_ref(), limit))
    }

    fn forget_garbage(&self, gone: Vec<Garbage>) -> Work<Result<(), ApplyError>> {
        self.write(Task::Keep(Note::Forget(gone)))
    }

    fn unnamed(&self, blobs: Vec<BlobId>) -> Work<Result<Vec<BlobId>, CatalogError>> {
        if blobs.is_empty() {
            return Box::pin(std::future::ready(Ok(blobs)));
        }
        self.readers.run(move |connection| rows::unnamed(connection, blobs))
    }

    fn blob_mark(&self) -> Work<Result<u64, CatalogError>> {
        self.readers
            .run(|connection| schema::counter(connection, schema::BLOB_MARK).map(|mark| mark.unwrap_or(0)))
    }

    fn put_blob_mark(&self, mark: u64) -> Work<Result<(), ApplyError>> {
        self.write(Task::Keep(Note::Mark(mark)))
    }
}

impl Upkeep for SqliteCatalog {
    fn inventory(&self, after: u64, limit: usize) -> Work<Result<Vec<Inventoried>, CatalogError>> {
        self.readers.run(move |connection| inventory::objects(connection, after, limit))
    }

    fn check(&self) -> Work<Result<Vec<String>, CatalogError>> {
        self.readers.run(inventory::check)
    }

    fn scrub_state(&self) -> Work<Result<ScrubState, CatalogError>> {
        self.readers.run(inventory::state)
    }

    fn note_scrub(&self, note: ScrubNote) -> Work<Result<(), ApplyError>> {
        self.write(Task::Keep(Note::Scrubbed(note)))
    }

    fn shutdown(&self) -> Work<()> {
        let stop = tokio::task::spawn_blocking(self.stop());
        Box::pin(async move {
            let _panicked = stop.await;
        })
    }
}
