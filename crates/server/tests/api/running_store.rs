//! A server on a free port of loopback, over a store in a temporary folder, with a clock that tests move.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use countersign_protocol::AccessKeySecret;
use countersign_server::listen::{ListenOptions, listen};
use countersign_server::{Credential, EtagSource, Limits, Server, ServerOptions};
use countersign_store::{Clock, Random, Store, StoreOptions};
use countersign_sys::RsaMd5Key;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) const KEY_ID: &str = "test-key-id";
pub(crate) const KEY_SECRET: &str = "test-key-secret";
pub(crate) const REGION: &str = "cn-hangzhou";

pub(crate) struct RunningStore {
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
    pub(crate) store: Store,
    now: Arc<AtomicI64>,
    folder: TempDir,
    _stop: oneshot::Sender<()>,
}

impl RunningStore {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(adjust: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new("2026-11-22T20:00:00Z".parse::<Timestamp>().unwrap().as_second()));
        let hand = Arc::clone(&now);
        let clock = Clock::with_wall(move || Timestamp::from_second(hand.load(Ordering::SeqCst)).unwrap());
        let mut store_options = StoreOptions::new(folder.path(), clock.clone());
        store_options.durable = false;
        store_options.garbage_grace = Duration::ZERO;
        let store = Store::open(store_options).await.unwrap();
        let mut options = ServerOptions {
            store: store.clone(),
            clock,
            random: Random::system(),
            credentials: vec![Credential {
                id: KEY_ID.to_owned(),
                secret: AccessKeySecret::from(KEY_SECRET),
            }],
            domains: vec!["oss.example.org".to_owned()],
            cname: vec![("pictures.example.org".to_owned(), "demo".to_owned())],
            region: REGION.to_owned(),
            advertised_endpoint: None,
            public_store_url: None,
            callback_allow: Vec::new(),
            callback_key: RsaMd5Key::generate_2048().unwrap(),
            callback_key_url: "http://gosspublic.alicdn.com/callback_pub_key_v1.pem".to_owned(),
            callback_extra_roots: Vec::new(),
            callback_resolver: countersign_server::system_resolver(),
            form_etag: EtagSource::Md5,
            limits: Limits::default(),
        };
        adjust(&mut options);
        let server = Server::new(options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let service = server.clone();
        tokio::spawn(listen(listener, service, ListenOptions::default(), async {
            let _ended = stopped.await;
        }));
        Self { address, server, store, now, folder, _stop: stop }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The bytes of all blob files, which is where objects are that are too large for the catalog.
    pub(crate) fn blob_bytes_on_disk(&self) -> u64 {
        fn bytes(folder: &std::path::Path) -> u64 {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .map(|entry| match entry.metadata().unwrap() {
                    metadata if metadata.is_dir() => bytes(&entry.path()),
                    metadata if metadata.len() >= 64 * 1024 && !is_catalog(&entry.path()) => metadata.len(),
                    _ => 0,
                })
                .sum()
        }
        fn is_catalog(path: &std::path::Path) -> bool {
            path.to_string_lossy().contains("catalog") || path.to_string_lossy().contains("sqlite")
        }
        bytes(self.folder.path())
    }
}
