//! How a store opens a catalog that lies outside of its data folder, in a database that others can reach too.

use super::Catalog;
use crate::blobs::Work;
use crate::{Clock, HealthFlag, Random};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// What opens the catalog.
pub trait SharedCatalog: Send + Sync {
    /// Opens it for the store of this folder, which is the only one that writes from then on. What writes of another
    /// are under way is waited for, so that what is read afterwards is not changed by them any more.
    fn open(&self, options: SharedCatalogOptions) -> Opening;

    /// Opens it for reading, beside a store that may have it open; a write is answered [`crate::ApplyError::Closed`].
    fn open_beside(&self, clock: &Clock) -> Opening;
}

/// A catalog on its way, or a sentence that says why it cannot be opened.
pub type Opening = Work<Result<Arc<dyn Catalog>, Box<dyn Error + Send + Sync>>>;

/// For which store it is opened, and how.
#[derive(Clone)]
pub struct SharedCatalogOptions {
    /// The folder that the blobs of its objects are in.
    pub folder: BlobFolder,
    /// Tells the time and waits.
    pub clock: Clock,
    /// What ids are drawn from.
    pub random: Random,
    /// Refuses writes for all once another store has taken over.
    pub health: HealthFlag,
    /// Connections that answer queries.
    pub read_connections: usize,
    /// How long garbage stays before the sweeper may have it.
    pub garbage_grace: Duration,
}

/// The data folder that holds the blobs of a shared catalog's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobFolder {
    /// The random id that lies in the folder, and in its catalog.
    pub id: [u8; 16],
    /// Whether it holds no blob yet: only then may a new catalog be bound to it, which would take what lies there for
    /// left over.
    pub is_new: bool,
}
