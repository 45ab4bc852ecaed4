//! The flags that say where the records are: in the data folder, or in a database, where this build knows one.

#[cfg(not(feature = "postgres"))]
mod embedded;
#[cfg(feature = "postgres")]
mod postgres;

#[cfg(not(feature = "postgres"))]
pub(crate) use embedded::CatalogFlags;
#[cfg(feature = "postgres")]
pub(crate) use postgres::{CatalogFlags, MigrateFlags};
