//! How to open the catalog in SQLite.

use crate::blobs::device::Device;
use crate::{Clock, HealthFlag};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How to open the catalog.
#[derive(Clone)]
pub struct SqliteOptions {
    /// The database file; made when it is not there. Its folder must be there.
    pub path: PathBuf,
    /// Tells the time and waits.
    pub clock: Clock,
    /// Refuses writes for all once a commit's sync has failed.
    pub health: HealthFlag,
    /// Whether a commit is synced.
    pub durable: bool,
    /// Connections that answer queries; at least one.
    pub read_connections: usize,
    /// How long garbage stays before the sweeper may have it.
    pub garbage_grace: Duration,
    /// The file system of what a new schema needs besides the database: names of files, and room.
    pub device: Arc<dyn Device>,
}
