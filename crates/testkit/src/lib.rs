//! Fakes, fault devices and conformance suites; never published.
//!
//! A suite is a list of tests, each a function over a trait, and a macro that makes the `#[tokio::test]`s of all
//! of them for one implementation. Two implementations at least run each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is here are the bodies of tests and the fakes they use"
)]

pub mod blobs_suite;
pub mod catalog_suite;
pub mod faults;
pub mod faulty_blobs;
pub mod faulty_catalog;
pub mod listing_suite;
pub mod memory_blobs;
pub mod memory_catalog;
pub mod mutation_pairs;
pub mod postgres_server;
pub mod seeded_random;
pub mod simulated_clock;
pub mod survey_suite;
pub mod test_clock;

pub use blobs_suite::BlobsFixture;
pub use catalog_suite::CatalogFixture;
pub use faults::{Fault, Faults};
pub use faulty_blobs::{BlobCall, FaultyBlobs};
pub use faulty_catalog::{CatalogCall, FaultyCatalog};
pub use memory_blobs::MemoryBlobs;
pub use memory_catalog::MemoryCatalog;
pub use postgres_server::PostgresServer;
pub use seeded_random::seeded_random;
pub use simulated_clock::SimulatedClock;
pub use test_clock::TestClock;
