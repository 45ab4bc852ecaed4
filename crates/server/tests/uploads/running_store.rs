//! A store that runs for one test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use countersign_server::listen::ListenOptions;
use countersign_server::{
    AllowedNetwork, EtagSource, Limits, Resolver, Server, ServerOptions, system_resolver,
};
use countersign_store::{Clock, CreateBucket, ObjectRecord, OutboxRecord, PutSetting, Store, StoreOptions};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use tokio::sync::oneshot;

use crate::test_server;
pub(crate) use crate::test_server::{BUCKET, KEY_ID, KEY_SECRET, NOW_SECOND};

pub(crate) struct RunningStore {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) server: Server,
    pub(crate) key_pem: String,
    now_second: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    listening: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// What a test changes about the store.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) form_etag: EtagSource,
    pub(crate) callback_allow: Vec<AllowedNetwork>,
    pub(crate) acl: &'static str,
    pub(crate) callback_extra_roots: Vec<CertificateDer<'static>>,
    pub(crate) callback_resolver: Resolver,
    pub(crate) listen: ListenOptions,
    pub(crate) callback_key_url: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        let limits = Limits {
            callback_timeout: Duration::from_millis(400),
            body_idle_timeout: Duration::from_millis(400),
            refusal_drain_timeout: Duration::from_secs(2),
            ..Limits::default()
        };
        Self {
            limits,
            form_etag: EtagSource::Md5,
            callback_allow: vec!["127.0.0.1/32".parse().unwrap()],
            acl: "private",
            callback_extra_roots: Vec::new(),
            callback_resolver: system_resolver(),
            listen: ListenOptions::default(),
            callback_key_url: None,
        }
    }
}

impl RunningStore {
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now_second = Arc::new(AtomicI64::new(NOW_SECOND));
        let clock = {
            let now_second = Arc::clone(&now_second);
            Clock::with_wall(move || Timestamp::from_second(now_second.load(Ordering::Relaxed)).unwrap())
        };
        let store = Store::open(StoreOptions::new(folder.path(), clock.clone())).await.unwrap();
        let settings = [("acl".to_owned(), setup.acl.as_bytes().to_vec())].into();
        store.commit(CreateBucket { name: BUCKET.to_owned(), settings }).await.unwrap();
        let defaults = test_server::options(&store, clock);
        let options = ServerOptions {
            callback_key_url: setup.callback_key_url.map_or(defaults.callback_key_url, str::to_owned),
            callback_allow: setup.callback_allow,
            callback_extra_roots: setup.callback_extra_roots,
            callback_resolver: setup.callback_resolver,
            form_etag: setup.form_etag,
            limits: setup.limits,
            ..defaults
        };
        let key_pem = options.callback_key.public_key_pem().unwrap();
        let server = Server::new(options).unwrap();
        let (address, stop, listening) = test_server::serve(server.clone(), setup.listen).await;
        Self { address, store, server, key_pem, now_second, stop: Some(stop), listening, _folder: folder }
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take();
    }

    /// Ready when the listener has ended.
    pub(crate) async fn stopped(&mut self) {
        (&mut self.listening).await.unwrap();
    }

    pub(crate) fn move_clock(&self, seconds: i64) {
        self.now_second.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Gives the bucket a CORS rule for one origin.
    pub(crate) async fn allow_origin(&self, origin: &str) {
        let rules = format!(
            "<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin>\
             <AllowedMethod>POST</AllowedMethod></CORSRule></CORSConfiguration>"
        );
        let (bucket, name) = (BUCKET.to_owned(), "cors".to_owned());
        self.store.commit(PutSetting { bucket, name, value: Some(rules.into()) }).await.unwrap();
    }

    pub(crate) async fn object(&self, key: &str) -> Option<ObjectRecord> {
        self.store.object(BUCKET, key.as_bytes()).await.unwrap()
    }

    /// The bytes of an object.
    pub(crate) async fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let object = self.object(key).await?;
        let mut reader = self.store.read(&object, 0..object.len).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        Some(bytes)
    }

    pub(crate) async fn is_empty(&self) -> bool {
        self.store
            .list(BUCKET, countersign_store::ListQuery { limit: 10, ..Default::default() })
            .await
            .unwrap()
            .entries
            .is_empty()
    }

    pub(crate) async fn outbox(&self) -> Vec<OutboxRecord> {
        self.store.outbox(0, 100).await.unwrap()
    }

    /// Waits until the outbox entries are as a test wants them; the closing rides in a batch of its own.
    pub(crate) async fn owed_until(&self, good: impl Fn(&[OutboxRecord]) -> bool) -> Vec<OutboxRecord> {
        for _ in 0..100 {
            let owed = self.outbox().await;
            if good(&owed) {
                return owed;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the outbox entries stay {:?}", self.outbox().await);
    }
}
