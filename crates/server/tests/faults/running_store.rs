//! A server over a real store whose two engines fail when they are told to.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_server::Server;
use countersign_server::listen::ListenOptions;
use countersign_store::blobs::{LocalFiles, LocalFilesOptions};
use countersign_store::catalog::{SqliteCatalog, SqliteOptions};
use countersign_store::{Clock, CreateBucket, HealthFlag, Store, StoreParts};
use countersign_testkit::{FaultyBlobs, FaultyCatalog};
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::form::{Form, HOST, policy};
use crate::test_server;
pub(crate) use crate::test_server::{BUCKET, KEY_ID, KEY_SECRET, NOW_SECOND};
use crate::wire_client::{Answer, request, send};

/// A length that goes into a blob, in several batches: no more than 2 MiB are held and written at once.
pub(crate) const LARGE: usize = 8_000_000;
/// A length that stays in the catalog.
pub(crate) const SMALL: usize = 3_000;

pub(crate) struct RunningStore {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) blobs: FaultyBlobs,
    pub(crate) catalog: FaultyCatalog,
    folder: Option<tempfile::TempDir>,
    _stop: oneshot::Sender<()>,
}

async fn assemble(folder: &Path, clock: &Clock) -> (Store, FaultyBlobs, FaultyCatalog) {
    let health = HealthFlag::default();
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: folder.join("catalog.sqlite"),
        clock: clock.clone(),
        health: health.clone(),
        durable: true,
        read_connections: 2,
        device: Arc::new(countersign_store::blobs::device::LocalDisk),
        garbage_grace: Duration::ZERO,
    });
    let catalog = FaultyCatalog::new(Arc::new(catalog.unwrap()), health.clone());
    let local = LocalFiles::open(LocalFilesOptions::new(folder.join("blobs"))).unwrap();
    let blobs = FaultyBlobs::new(Arc::new(local));
    let parts = StoreParts {
        catalog: Arc::new(catalog.clone()),
        blobs: Arc::new(blobs.clone()),
        health,
        clock: clock.clone(),
        inline_bytes_max: 16 * 1024,
        sweep_every: Duration::from_secs(3600),
    };
    (Store::assemble(parts).await.unwrap(), blobs, catalog)
}

impl RunningStore {
    /// With a bucket that anybody may write to.
    pub(crate) async fn start() -> Self {
        let running = Self::start_in(tempfile::tempdir().unwrap()).await;
        let settings = [("acl".to_owned(), b"public-read-write".to_vec())].into();
        running.store.commit(CreateBucket { name: BUCKET.to_owned(), settings }).await.unwrap();
        running
    }

    async fn start_in(folder: tempfile::TempDir) -> Self {
        let clock = Clock::with_wall(|| Timestamp::from_second(NOW_SECOND).unwrap());
        let (store, blobs, catalog) = assemble(folder.path(), &clock).await;
        let server = Server::new(test_server::options(&store, clock)).unwrap();
        let (address, stop, _listening) = test_server::serve(server, ListenOptions::default()).await;
        Self { address, store, blobs, catalog, folder: Some(folder), _stop: stop }
    }

    /// Ends it and starts it again on the same folder.
    pub(crate) async fn restart(mut self) -> Self {
        self.store.shutdown().await;
        let folder = self.folder.take().unwrap();
        drop(self);
        Self::start_in(folder).await
    }

    pub(crate) async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(self.address, &request(line, HOST, headers, body)).await
    }

    pub(crate) async fn put(&self, key: &str, len: usize) -> Answer {
        self.ask(&format!("PUT /{key}"), &[], &bytes(len)).await
    }

    pub(crate) async fn post(&self, key: &str, len: usize) -> Answer {
        let form = Form::anonymous(key, &bytes(len)).sign(&policy().content_length_range(0, 1 << 30));
        form.field("success_action_status", "200").post(self).await
    }

    pub(crate) async fn get(&self, key: &str) -> Answer {
        self.ask(&format!("GET /{key}"), &[], b"").await
    }

    pub(crate) async fn delete(&self, key: &str) -> Answer {
        self.ask(&format!("DELETE /{key}"), &[], b"").await
    }

    pub(crate) async fn health(&self) -> Answer {
        send(self.address, &request("GET /_countersign/healthz", "oss.test", &[], b"")).await
    }

    /// The next upload succeeds and is read back, and a scrub finds nothing, once what is garbage is swept.
    pub(crate) async fn goes_on(&self, what: &str) {
        assert!(self.blobs.faults.all_happened() && self.catalog.faults.all_happened(), "{what}: no fault");
        for len in [LARGE, SMALL] {
            assert_eq!(verdict(&self.post("next", len).await), "200", "{what}");
            assert!(self.get("next").await.body == bytes(len), "{what}");
        }
        assert_eq!(self.health().await.text(), "ok\n", "{what}");
        self.scrub_finds_nothing(what).await;
    }

    pub(crate) async fn scrub_finds_nothing(&self, what: &str) {
        self.store.sweep().await.unwrap();
        let report = self.store.scrub().await.unwrap();
        assert!(report.is_good() && report.orphans.is_empty() && report.objects > 0, "{what}: {report:?}");
    }
}

/// The status, and the code of an error.
pub(crate) fn verdict(answer: &Answer) -> String {
    match std::str::from_utf8(&answer.body).ok().and_then(|_| answer.element("Code")) {
        Some(code) => format!("{} {code}", answer.status),
        None => answer.status.to_string(),
    }
}

pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 253) as u8).collect()
}
