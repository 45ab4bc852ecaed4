//! The conformance suite of the catalog, on SQLite and in memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use countersign_testkit::catalog_suite::GRACE_SECONDS;
use countersign_testkit::{CatalogFixture, MemoryCatalog, TestClock};
use std::sync::Arc;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(GRACE_SECONDS as u64);

mod sqlite {
    use super::*;
    use countersign_store::HealthFlag;
    use countersign_store::catalog::{SqliteCatalog, SqliteOptions};

    async fn fixture() -> CatalogFixture {
        let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
        let catalog = SqliteCatalog::open(SqliteOptions {
            path: folder.path().join("catalog.sqlite"),
            clock: clock.clock(),
            health: HealthFlag::default(),
            durable: true,
            read_connections: 2,
            device: std::sync::Arc::new(countersign_store::blobs::device::LocalDisk),
            garbage_grace: GRACE,
        });
        CatalogFixture { catalog: Arc::new(catalog.unwrap()), clock, keep: Box::new(folder) }
    }

    countersign_testkit::catalog_suite!(fixture);
}

mod memory {
    use super::*;

    async fn fixture() -> CatalogFixture {
        let clock = TestClock::new();
        CatalogFixture {
            catalog: Arc::new(MemoryCatalog::new(clock.clock(), GRACE)),
            clock,
            keep: Box::new(()),
        }
    }

    countersign_testkit::catalog_suite!(fixture);
}
