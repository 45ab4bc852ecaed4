//! The store's interface: options, opening and recovery, and one method per thing it does.

mod commit;
mod options;
mod parts;
mod sweeper;

use crate::blobs::Blobs;
use crate::catalog::{Asked, Catalog, DamageRecord, SqliteCatalog};
use crate::damage::{Damage, KnownDamage};
use crate::health::HealthFlag;
use crate::object_reader::ObjectReader;
use crate::object_reader::verified;
use crate::pins::Pins;
use crate::scrub::{ScrubPace, ScrubReport, Scrubbed, background};
use crate::staged_blob::{StagedBlob, spill::BufferQuotas};
use crate::trouble::{Trouble, TroubleNote, Troubles};
use crate::{
    Answered, ApplyError, BucketRecord, Clock, CloseOutboxEntry, CommitError, DeliveryOutcome, Health,
    ListPage, ListQuery, ObjectRecord, OpenError, OutboxRecord, QueryError, ReadError, StageError,
};
pub use commit::Offered;
use options::INLINE_BYTES_MAX;
pub use options::StoreOptions;

use crate::data_folder::CATALOG_FILE;
use crate::data_folder::blob_hold::BlobHold;
use crate::data_folder::bound_folder::refuse_bound;
use crate::data_folder::reserve::Reserve;
use crate::data_folder::state_metrics::{StateMetrics, StateNow};
use crate::engine::Inner;
use bytes::Bytes;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// A store put together from its parts; for other engines, and for tests with fakes.
pub struct StoreParts {
    /// Keeps the records.
    pub catalog: Arc<dyn Catalog>,
    /// Keeps the blobs.
    pub blobs: Arc<dyn Blobs>,
    /// Shared with both, so that each can refuse writes for all.
    pub health: HealthFlag,
    /// Tells the time and waits.
    pub clock: Clock,
    /// Objects up to this size live in the catalog.
    pub inline_bytes_max: u64,
    /// How often the sweeper looks.
    pub sweep_every: Duration,
}

/// The store. Clones are cheap and share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("health", &self.0.health.get()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the embedded store: takes the folder's lock, opens the catalog, and sweeps what a crash left.
    ///
    /// # Errors
    /// [`OpenError`], each in one clear sentence.
    pub async fn open(options: StoreOptions) -> Result<Store, OpenError> {
        let health = HealthFlag::default();
        let (lock, catalog, blobs) = parts::open(&options, &health).await?;
        let parts = StoreParts {
            catalog,
            blobs,
            health,
            clock: options.clock,
            inline_bytes_max: options.inline_bytes_max.min(INLINE_BYTES_MAX),
            sweep_every: options.sweep_every,
        };
        let hold = BlobHold::open(&options.data)?;
        let store = Store::assemble(parts).await?;
        let _first = store.0.hold.set(hold);
        let _first = store.0.metrics.set(StateMetrics::register(&options.data));
        // What may be lost is thrown away when there is no room, and often lies in memory.
        if options.durable {
            let reserve = Reserve::new(&options.data);
            reserve.fill();
            let _first = store.0.reserve.set(reserve);
        }
        *store.0.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
        Ok(store)
    }

    /// Puts a store together from parts and recovers it.
    ///
    /// # Errors
    /// [`OpenError`] when the recovery fails.
    pub async fn assemble(parts: StoreParts) -> Result<Store, OpenError> {
        let suspects = parts.blobs.recover(parts.catalog.blob_mark().await?).await?;
        let orphans = parts.catalog.unnamed(suspects).await?;
        if !orphans.is_empty() {
            tracing::info!(blobs = orphans.len(), "blobs of commits that never were are deleted");
        }
        for orphan in &orphans {
            parts.blobs.delete(*orphan).await?;
        }
        parts.blobs.sync_deletions(orphans).await?;
        let damaged = KnownDamage::from_records(&parts.catalog.scrub_state().await?.damaged);
        let inner = Arc::new(Inner {
            catalog: parts.catalog,
            blobs: parts.blobs,
            health: parts.health,
            troubles: Troubles::default(),
            clock: parts.clock,
            pins: Pins::default(),
            quotas: BufferQuotas::new(),
            damaged,
            ending: Arc::default(),
            inline_bytes_max: parts.inline_bytes_max,
            failed: Mutex::default(),
            lock: Mutex::default(),
            hold: OnceLock::new(),
            reserve: OnceLock::new(),
            metrics: OnceLock::new(),
        });
        tokio::spawn(sweeper::run(Arc::downgrade(&inner), inner.clock.clone(), parts.sweep_every));
        Ok(Store(inner))
    }

    /// A store that is only read, and that nothing sweeps.
    pub(crate) fn frozen(
        catalog: Arc<dyn Catalog>,
        blobs: Arc<dyn Blobs>,
        clock: &Clock,
        damaged: &[DamageRecord],
        hold: BlobHold,
    ) -> Store {
        Store(Arc::new(Inner {
            catalog,
            blobs,
            health: HealthFlag::read_only("it is a snapshot"),
            troubles: Troubles::default(),
            clock: clock.clone(),
            pins: Pins::default(),
            quotas: BufferQuotas::new(),
            damaged: KnownDamage::from_records(damaged),
            ending: Arc::default(),
            inline_bytes_max: INLINE_BYTES_MAX,
            failed: Mutex::default(),
            lock: Mutex::default(),
            hold: OnceLock::from(hold),
            reserve: OnceLock::new(),
            metrics: OnceLock::new(),
        }))
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// [`StageError::Unhealthy`] when the store refuses writes.
    pub async fn stage(&self, expected_bytes: Option<u64>) -> Result<StagedBlob, StageError> {
        let inner = &self.0;
        if let Some(reason) = inner.health.refusal() {
            return Err(StageError::Unhealthy { reason: reason.to_owned() });
        }
        let (blobs, health) = (Arc::clone(&inner.blobs), inner.health.clone());
        Ok(StagedBlob::new(blobs, health, inner.quotas.clone(), inner.inline_bytes_max, expected_bytes))
    }

    /// Applies one mutation, durably, in one transaction with whatever else waits, and answers in its kind.
    ///
    /// It goes on when its caller no longer waits.
    ///
    /// # Errors
    /// The rule that refused it, or the machine's failure.
    pub async fn commit<M: Offered>(&self, mutation: M) -> Result<M::Outcome, CommitError<M::Refusal>> {
        commit::commit(&self.0, mutation).await?.map_err(CommitError::Refused)
    }

    /// Applies mutations of one kind in order, all in one transaction, and answers each; see [`Store::commit`].
    ///
    /// # Errors
    /// [`ApplyError`] when nothing of the batch was applied.
    pub async fn apply<M: Offered>(&self, batch: Vec<M>) -> Result<Vec<Answered<M>>, ApplyError> {
        commit::apply(&self.0, batch).await
    }

    /// Notes how the delivery of an outbox entry ended, with the next batch and without waiting for it.
    pub fn close_outbox_entry(&self, id: u64, outcome: DeliveryOutcome) {
        self.0.catalog.apply_later(Asked::without_answer(CloseOutboxEntry { id, outcome }).into());
    }

    /// A bucket by name.
    ///
    /// # Errors
    /// [`QueryError::Catalog`].
    pub async fn bucket(&self, name: &str) -> Result<Option<Arc<BucketRecord>>, QueryError> {
        Ok(self.0.catalog.bucket(name).await?)
    }

    /// Buckets in byte order: those that begin with `prefix` and come after `after`.
    ///
    /// # Errors
    /// [`QueryError::Catalog`].
    pub async fn buckets(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Arc<BucketRecord>>, QueryError> {
        Ok(self.0.catalog.buckets(prefix, after, limit).await?)
    }

    /// The object that a key holds now; `None` also when there is no such bucket.
    ///
    /// # Errors
    /// [`QueryError::Catalog`].
    pub async fn object(
        &self,
        bucket: &str,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<ObjectRecord>, QueryError> {
        Ok(self.0.catalog.object(bucket, Bytes::copy_from_slice(key.as_ref())).await?)
    }

    /// A page of a listing.
    ///
    /// # Errors
    /// [`QueryError::NoSuchBucket`], [`QueryError::Catalog`].
    pub async fn list(&self, bucket: &str, query: ListQuery) -> Result<ListPage, QueryError> {
        self.0.catalog.list(bucket, query).await?.ok_or(QueryError::NoSuchBucket)
    }

    /// Reads a range of an object's bytes. The first chunk is read before this answers, so that a content that
    /// is gone shows here and not in the middle of an answer. Bytes that are all of the object are compared with
    /// its CRC-64, the last of them before they are given out; see [`ReadError::Damaged`].
    ///
    /// # Errors
    /// [`ReadError`]; after [`ReadError::Gone`] resolve the key again.
    pub async fn read(&self, object: &ObjectRecord, range: Range<u64>) -> Result<ObjectReader, ReadError> {
        verified::read(&self.0, object, range).await
    }

    /// Outbox entries that are open, in the order of their commits, those after the id `after`. A page may be shorter
    /// than `limit`, since its bytes are bounded too; an empty one is the end.
    ///
    /// # Errors
    /// [`QueryError::Catalog`].
    pub async fn outbox(&self, after: u64, limit: usize) -> Result<Vec<OutboxRecord>, QueryError> {
        Ok(self.0.catalog.outbox(after, limit).await?)
    }

    /// Outbox entries that are open in this data folder, read beside a store that may have it open. Blocks.
    ///
    /// # Errors
    /// [`OpenError::Catalog`] when there is no catalog, or it cannot be read.
    pub fn outbox_in(data: &Path) -> Result<Vec<OutboxRecord>, OpenError> {
        refuse_bound(data)?;
        Ok(SqliteCatalog::outbox_in(&data.join(CATALOG_FILE))?)
    }

    /// Whether the store takes writes.
    pub fn health(&self) -> Health {
        self.0.health.get()
    }

    /// Notes that the machine refused something, for the health page: who meets such an error says so here.
    pub fn note_trouble(&self, trouble: Trouble, reason: impl Into<String>) {
        self.0.note_trouble(trouble, reason.into());
    }

    /// What the machine has refused since the store was opened.
    pub fn troubles(&self) -> Vec<TroubleNote> {
        self.0.troubles.all()
    }

    /// Brings the metrics of this store's state up to date, for a monitor that asks. Blocks for a moment.
    pub fn measure(&self) {
        if let Some(metrics) = self.0.metrics.get() {
            let troubles = self.0.troubles.all();
            let times = |kind| troubles.iter().find(|note| note.trouble == kind).map_or(0, |note| note.count);
            metrics.set(&StateNow {
                damaged_objects: self.0.damaged.count() as u64,
                writes_refused: self.0.health.refusal().is_some(),
                open_files_short: times(Trouble::OpenFiles),
                data_folder_refused: times(Trouble::DataFolder),
            });
        }
    }

    /// The bytes of this object, which its key still holds, are gone: it is damaged from now on.
    pub fn missing(&self, object: &ObjectRecord) -> ReadError {
        self.0.damaged.found(object.content.id, object.sequence, Damage::Missing.to_string());
        ReadError::Damaged
    }

    /// How many objects are known to be damaged, which a read or a scrub has found; they are not served.
    pub fn damaged_count(&self) -> usize {
        self.0.damaged.count()
    }

    /// Verifies everything that is stored, now and as fast as it goes. What is damaged is not served any more,
    /// and what was and is whole again is.
    ///
    /// # Errors
    /// [`QueryError::Catalog`].
    pub async fn scrub(&self) -> Result<ScrubReport, QueryError> {
        Ok(background::scrub_now(&self.0).await?)
    }

    /// Starts looking for damage in the background, for as long as the store is open.
    ///
    /// # Errors
    /// When the system gives no thread for it.
    pub fn scrub_in_background(&self, pace: ScrubPace) -> std::io::Result<()> {
        background::start(&self.0, pace)
    }

    /// Sweeps now instead of waiting for the sweeper, and says how many pieces were deleted.
    ///
    /// # Errors
    /// [`QueryError::Catalog`].
    pub async fn sweep(&self) -> Result<usize, QueryError> {
        Ok(sweeper::sweep(&self.0).await?)
    }

    /// Finishes what was accepted, takes no more writes, and frees the folder.
    pub async fn shutdown(&self) {
        self.0.ending.store(true, Ordering::Relaxed);
        self.0.catalog.shutdown().await;
        self.0.blobs.shutdown().await;
        self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Inner {
    /// Whether the store was told to end.
    pub(crate) fn ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    pub(crate) fn note_trouble(&self, trouble: Trouble, reason: String) {
        self.troubles.note(trouble, reason, self.clock.wall());
    }

    /// What a scrub looks at.
    pub(crate) fn scrubbed(&self) -> Scrubbed {
        Scrubbed {
            catalog: Arc::clone(&self.catalog),
            blobs: Arc::clone(&self.blobs),
            pins: self.pins.clone(),
            clock: self.clock.clone(),
            ending: Arc::clone(&self.ending),
        }
    }
}
