//! The catalog of the store in a database that speaks PostgreSQL's protocol.
//!
//! One task writes: what waits goes into one transaction of two round trips (group commit), decided in memory between
//! them while one row is locked ([`PostgresCatalog`]). Each transaction inserts its batch's random id, so that one
//! whose answer was lost is run again under the same id and found to be committed, or not. A pool of connections
//! answers queries.
//!
//! The files of objects stay in a local data folder; the database remembers which. The schema is made and changed by
//! [`migrate`] only. Why it is so: `docs/decisions/a-catalog-in-postgresql.md`.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test may wait for the machine"))]

mod batch;
mod buckets;
mod catalog;
mod failure;
mod listing;
mod location;
mod note;
mod opening;
mod pipeline;
mod plan;
mod queries;
mod queue;
mod readers;
mod rows;
mod schema;
mod session;
mod shared_database;
mod survey;
mod tls;
mod write;
mod writer;

pub use catalog::{PostgresCatalog, PostgresOptions};
pub use location::{Location, LocationError, Password};
pub use opening::{OpenPostgresError, migrate, migrations_needed};
pub use schema::{Migration, SCHEMA};
pub use shared_database::SharedDatabase;
pub use tls::TlsError;
pub use writer::Patience;
