//! The catalog: a writer, a pool of readers, and the buckets that both know.

use crate::buckets::{BUCKETS, KnownBuckets, SETTINGS, from_rows};
use crate::location::{Location, Password};
use crate::note::Note;
use crate::opening::{self, OpenPostgresError};
use crate::queue::{Queue, Request, Task, queue};
use crate::readers::Readers;
use crate::session::Connecting;
use crate::writer::{Patience, Writer};
use crate::{listing, queries, survey};
use bytes::Bytes;
use countersign_store::blobs::{BlobId, Work};
use countersign_store::catalog::{
    AnyMutation, BatchMetrics, BlobFolder, CatalogError, Extent, Garbage, GarbageList, Inventoried, Journal,
    Records, ScrubNote, ScrubState, Upkeep,
};
use countersign_store::{
    ApplyError, BucketRecord, Clock, HealthFlag, ListPage, ListQuery, ObjectRecord, OutboxRecord, Random,
};
use jiff::Timestamp;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How to open the catalog.
#[derive(Clone)]
pub struct PostgresOptions {
    /// The database.
    pub location: Location,
    /// Its password, where it asks for one.
    pub password: Option<Password>,
    /// The folder that the files of its objects are in.
    pub folder: BlobFolder,
    /// Whether the server may lose what it has acknowledged.
    pub may_forget: bool,
    /// Tells the time and waits.
    pub clock: Clock,
    /// What the ids of batches are drawn from.
    pub random: Random,
    /// Refuses writes for all once another gateway has taken over.
    pub health: HealthFlag,
    /// Connections that answer queries, besides the one that writes.
    pub read_connections: usize,
    /// How long garbage stays before the sweeper may have it.
    pub garbage_grace: Duration,
    /// How long callers are let wait for a database that is away.
    pub patience: Patience,
}

/// The catalog in a database that speaks PostgreSQL's protocol.
pub struct PostgresCatalog {
    queue: Queue,
    buckets: Arc<KnownBuckets>,
    readers: Readers,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for PostgresCatalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresCatalog")
    }
}

impl PostgresCatalog {
    /// Opens the catalog for the gateway of this data folder, and takes the right to write: what another one that still
    /// runs has under way is waited for, and its next batch is refused.
    ///
    /// # Errors
    /// [`OpenPostgresError`], each in one clear sentence.
    pub async fn open(options: PostgresOptions) -> Result<PostgresCatalog, OpenPostgresError> {
        let connecting = Connecting::new(&options.location, options.password.as_ref(), &options.clock)?;
        let mut client = opening::reach(&options.location, &connecting).await?;
        opening::check(&client, &options.location, options.may_forget).await?;
        let epoch = opening::claim(&mut client, &options.location, options.folder).await?;
        drop(client);
        let (queue, taker) = queue(&options.clock);
        let catalog = PostgresCatalog::reading(&connecting, options.read_connections, queue).await?;
        let writer = Writer {
            connecting,
            session: None,
            shown: Arc::clone(&catalog.buckets),
            buckets_known: true,
            epoch,
            health: options.health,
            clock: options.clock,
            random: options.random,
            grace: options.garbage_grace,
            patience: options.patience,
            metrics: BatchMetrics::register(),
            pruned: None,
        };
        let writer = tokio::spawn(writer.run(taker));
        *catalog.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
        Ok(catalog)
    }

    /// The catalog for reading only, beside a gateway that may have it open; a write is answered
    /// [`ApplyError::Closed`]. What that gateway changes of its buckets is not seen.
    ///
    /// # Errors
    /// [`OpenPostgresError`].
    pub async fn open_beside(
        location: &Location,
        password: Option<&Password>,
        clock: &Clock,
        read_connections: usize,
    ) -> Result<PostgresCatalog, OpenPostgresError> {
        let connecting = Connecting::new(location, password, clock)?;
        let client = opening::reach(location, &connecting).await?;
        opening::check(&client, location, true).await?;
        let (queue, _) = queue(clock);
        queue.close();
        Ok(PostgresCatalog::reading(&connecting, read_connections, queue).await?)
    }

    async fn reading(
        connecting: &Connecting,
        connections: usize,
        queue: Queue,
    ) -> Result<PostgresCatalog, CatalogError> {
        let readers = Readers::new(connecting, connections)?;
        let buckets = from_rows(&readers.rows(BUCKETS, &[]).await?, &readers.rows(SETTINGS, &[]).await?)?;
        let known = KnownBuckets::default();
        known.replace(Arc::new(buckets));
        Ok(PostgresCatalog { queue, buckets: Arc::new(known), readers, writer: Mutex::default() })
    }

    /// Has it written with the next batch; ready when that is durable.
    fn write(&self, task: Task) -> Work<Result<(), ApplyError>> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Request { task, reply: Some(reply) });
        Box::pin(async move { answer.await.unwrap_or(Err(ApplyError::Closed)) })
    }

    fn ask<T, F>(&self, query: impl FnOnce(Readers) -> F) -> Work<Result<T, CatalogError>>
    where
        F: Future<Output = Result<T, CatalogError>> + Send + 'static,
    {
        Box::pin(query(self.readers.clone()))
    }
}

impl Records for PostgresCatalog {
    fn apply(&self, batch: Vec<AnyMutation>) -> Work<Result<(), ApplyError>> {
        self.write(Task::Apply(batch))
    }

    fn apply_later(&self, mutation: AnyMutation) {
        self.queue.push(Request { task: Task::Apply(vec![mutation]), reply: None });
    }

    fn bucket(&self, name: &str) -> Work<Result<Option<Arc<BucketRecord>>, CatalogError>> {
        Box::pin(ready(Ok(self.buckets.get(name).map(|bucket| bucket.record))))
    }

    fn buckets(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Work<Result<Vec<Arc<BucketRecord>>, CatalogError>> {
        Box::pin(ready(Ok(self.buckets.page(prefix, after, limit))))
    }

    fn object(&self, bucket: &str, key: Bytes) -> Work<Result<Option<ObjectRecord>, CatalogError>> {
        match self.buckets.get(bucket) {
            None => Box::pin(ready(Ok(None))),
            Some(bucket) => {
                self.ask(move |readers| async move { queries::object(&readers, bucket.id, key).await })
            }
        }
    }

    fn list(&self, bucket: &str, query: ListQuery) -> Work<Result<Option<ListPage>, CatalogError>> {
        match self.buckets.get(bucket) {
            None => Box::pin(ready(Ok(None))),
            Some(bucket) => {
                self.ask(
                    move |readers| async move { listing::page(&readers, bucket.id, &query).await.map(Some) },
                )
            }
        }
    }

    fn inline_bytes(&self, row: u64) -> Work<Result<Option<Bytes>, CatalogError>> {
        self.ask(move |readers| async move { queries::inline_bytes(&readers, row).await })
    }

    /// No object has several pieces yet.
    fn extents(&self, _content: u64) -> Work<Result<Vec<Extent>, CatalogError>> {
        Box::pin(ready(Ok(Vec::new())))
    }
}

impl Journal for PostgresCatalog {
    fn outbox(&self, after: u64, limit: usize) -> Work<Result<Vec<OutboxRecord>, CatalogError>> {
        self.ask(move |readers| async move { queries::outbox(&readers, after, limit).await })
    }
}

impl GarbageList for PostgresCatalog {
    fn garbage(
        &self,
        now: Timestamp,
        after: Option<Garbage>,
        limit: usize,
    ) -> Work<Result<Vec<Garbage>, CatalogError>> {
        self.ask(move |readers| async move { queries::garbage(&readers, now, after, limit).await })
    }

    fn forget_garbage(&self, gone: Vec<Garbage>) -> Work<Result<(), ApplyError>> {
        self.write(Task::Keep(Note::Forget(gone)))
    }

    fn unnamed(&self, blobs: Vec<BlobId>) -> Work<Result<Vec<BlobId>, CatalogError>> {
        self.ask(move |readers| async move { queries::unnamed(&readers, blobs).await })
    }

    fn blob_mark(&self) -> Work<Result<u64, CatalogError>> {
        self.ask(move |readers| async move {
            let mark: Option<i64> = readers.value("SELECT blob_mark FROM state WHERE one = 1", &[]).await?;
            Ok(mark.unwrap_or(0) as u64)
        })
    }

    fn put_blob_mark(&self, mark: u64) -> Work<Result<(), ApplyError>> {
        self.write(Task::Keep(Note::Mark(mark)))
    }
}

impl Upkeep for PostgresCatalog {
    fn inventory(&self, after: u64, limit: usize) -> Work<Result<Vec<Inventoried>, CatalogError>> {
        self.ask(move |readers| async move { survey::objects(&readers, after, limit).await })
    }

    fn check(&self) -> Work<Result<Vec<String>, CatalogError>> {
        self.ask(move |readers| async move { survey::check(&readers).await })
    }

    fn scrub_state(&self) -> Work<Result<ScrubState, CatalogError>> {
        self.ask(move |readers| async move { survey::state(&readers).await })
    }

    fn note_scrub(&self, note: ScrubNote) -> Work<Result<(), ApplyError>> {
        self.write(Task::Keep(Note::Scrubbed(note)))
    }

    fn shutdown(&self) -> Work<()> {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let readers = self.readers.clone();
        Box::pin(async move {
            if let Some(writer) = writer {
                // One that panicked has answered with its queue.
                let _panicked = writer.await;
            }
            readers.close();
        })
    }
}
