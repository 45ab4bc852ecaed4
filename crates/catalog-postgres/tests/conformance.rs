//! The conformance suite of the catalog, on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use countersign_catalog_postgres::{Location, Patience, PostgresCatalog, PostgresOptions, migrate};
use countersign_store::catalog::BlobFolder;
use countersign_store::{HealthFlag, Random};
use countersign_testkit::catalog_suite::GRACE_SECONDS;
use countersign_testkit::{CatalogFixture, PostgresServer, TestClock};
use std::sync::Arc;
use std::time::Duration;

async fn fixture() -> CatalogFixture {
    let server = PostgresServer::of_this_run();
    let location: Location = server.url_by(server.port(), &server.new_database()).parse().unwrap();
    let clock = TestClock::new();
    migrate(&location, None, &clock.clock()).await.unwrap();
    let catalog = PostgresCatalog::open(PostgresOptions {
        location,
        password: None,
        folder: BlobFolder { id: [1; 16], is_new: true },
        may_forget: true,
        clock: clock.clock(),
        random: Random::system(),
        health: HealthFlag::default(),
        read_connections: 2,
        garbage_grace: Duration::from_secs(GRACE_SECONDS as u64),
        patience: Patience::default(),
    });
    CatalogFixture { catalog: Arc::new(catalog.await.unwrap()), clock, keep: Box::new(()) }
}

countersign_testkit::catalog_suite!(fixture);
