//! The parts of one open store, as its handles, its readers and its background work share them. It does nothing by
//! itself.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use crate::Clock;
use crate::blobs::{BlobId, Blobs};
use crate::catalog::Catalog;
use crate::damage::KnownDamage;
use crate::data_folder::blob_hold::BlobHold;
use crate::data_folder::folder_lock::FolderLock;
use crate::data_folder::reserve::Reserve;
use crate::data_folder::state_metrics::StateMetrics;
use crate::health::HealthFlag;
use crate::pins::Pins;
use crate::staged_blob::spill::BufferQuotas;
use crate::trouble::Troubles;

/// What all clones share. The catalog goes before the lock when the last one is dropped.
pub(crate) struct Inner {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) health: HealthFlag,
    pub(crate) troubles: Troubles,
    pub(crate) clock: Clock,
    pub(crate) pins: Pins,
    pub(crate) quotas: BufferQuotas,
    /// What must not be served.
    pub(crate) damaged: KnownDamage,
    pub(crate) ending: Arc<AtomicBool>,
    pub(crate) inline_bytes_max: u64,
    pub(crate) failed: Mutex<Vec<BlobId>>,
    pub(crate) lock: Mutex<Option<FolderLock>>,
    /// Of the embedded store: whether a backup needs the blobs to stay.
    pub(crate) hold: OnceLock<BlobHold>,
    /// Of the embedded store: room kept back for deleting.
    pub(crate) reserve: OnceLock<Reserve>,
    /// Of the embedded store: what monitors are told of its state.
    pub(crate) metrics: OnceLock<StateMetrics>,
}
