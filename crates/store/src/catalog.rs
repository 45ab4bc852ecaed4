//! The seam of the catalog, which keeps the records: buckets, objects, contents, garbage and the outbox.
//!
//! An engine plays four roles, each a trait in a file of its own: [`Records`] changes and answers what users see,
//! [`Journal`] keeps the callbacks that are owed, [`GarbageList`] what may be deleted, and [`Upkeep`] what scrubs and
//! backups need. Whatever plays all four is a [`Catalog`].
//!
//! One entry writes ([`Records::apply`]); everything that waits goes into one durable transaction. Queries are
//! short: none keeps a read transaction beyond its own call.

mod any_mutation;
mod batch_metrics;
mod garbage_list;
mod journal;
mod piece;
mod placed;
mod records;
mod shared_catalog;
pub mod sqlite;
mod upkeep;

pub use crate::catalog_error::{CatalogError, EngineError};
pub use any_mutation::{Answer, AnyMutation, Asked, Placed, Reply};
pub use batch_metrics::BatchMetrics;
pub use garbage_list::{Garbage, GarbageList};
pub use journal::Journal;
pub use piece::{Extent, Piece};
pub use placed::{PlacedBytes, PlacedContent};
pub use records::Records;
pub use shared_catalog::{BlobFolder, Opening, SharedCatalog, SharedCatalogOptions};
pub use sqlite::{SqliteCatalog, SqliteOptions};
pub use upkeep::{DamageRecord, Inventoried, ScrubNote, ScrubProgress, ScrubState, Upkeep};

/// An engine for the records: all four roles.
pub trait Catalog: Records + Journal + GarbageList + Upkeep {}

impl<E: Records + Journal + GarbageList + Upkeep> Catalog for E {}
