//! How to open a store.

use crate::blobs::device::{Device, LocalDisk};
use crate::catalog::SharedCatalog;
use crate::{Clock, Random};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Objects beyond this size have a file each.
pub(super) const INLINE_BYTES_MAX: u64 = 64 * 1024;

/// How to open the embedded store.
#[derive(Clone)]
pub struct StoreOptions {
    /// The data folder; made when it is not there.
    pub data: PathBuf,
    /// Tells the time and waits.
    pub clock: Clock,
    /// What the names of blobs are drawn from.
    pub random: Random,
    /// Objects up to this size live in the catalog. At most 64 KiB, which is where a file of its own begins to
    /// pay (`docs/performance.md`).
    pub inline_bytes_max: u64,
    /// Whether what is acknowledged survives a power loss. Off only where losing it is fine: then nothing is synced, and
    /// no room is kept back for deleting.
    pub durable: bool,
    /// Connections of the catalog that answer queries.
    pub read_connections: usize,
    /// How long deleted bytes stay for readers that have resolved their object but not yet begun.
    pub garbage_grace: Duration,
    /// How often the sweeper looks.
    pub sweep_every: Duration,
    /// Opens the catalog where it is not in the data folder, but in a database.
    pub shared_catalog: Option<Arc<dyn SharedCatalog>>,
    /// The file system of everything but the catalog's database, which has SQLite's.
    pub device: Arc<dyn Device>,
}

impl StoreOptions {
    /// The defaults, in this folder, with this clock and the system's randomness.
    pub fn new(data: impl Into<PathBuf>, clock: Clock) -> StoreOptions {
        StoreOptions {
            data: data.into(),
            clock,
            random: Random::system(),
            inline_bytes_max: INLINE_BYTES_MAX,
            durable: true,
            read_connections: 4,
            garbage_grace: Duration::from_secs(10),
            sweep_every: Duration::from_secs(5),
            shared_catalog: None,
            device: Arc::new(LocalDisk),
        }
    }
}
