//! The server of a test: its options, and how it listens. What a test changes about them it changes.

use std::net::SocketAddr;

use countersign_server::listen::{ListenOptions, listen};
use countersign_server::{Credential, EtagSource, Limits, Server, ServerOptions, system_resolver};
use countersign_store::{Clock, Random, Store};
use countersign_sys::RsaMd5Key;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const BUCKET: &str = "demo";
pub(crate) const KEY_ID: &str = "test-key-id";
pub(crate) const KEY_SECRET: &str = "test-key-secret";
/// 2026-11-22T12:00:00Z.
pub(crate) const NOW_SECOND: i64 = 1_795_348_800;

/// The defaults, over this store.
pub(crate) fn options(store: &Store, clock: Clock) -> ServerOptions {
    ServerOptions {
        store: store.clone(),
        clock,
        random: Random::system(),
        credentials: vec![Credential { id: KEY_ID.to_owned(), secret: KEY_SECRET.into() }],
        domains: vec!["oss.test".to_owned()],
        cname: Vec::new(),
        region: "cn-hangzhou".to_owned(),
        advertised_endpoint: None,
        public_store_url: None,
        callback_allow: Vec::new(),
        callback_key: RsaMd5Key::generate_2048().unwrap(),
        callback_key_url: "http://oss.test/_countersign/callback_pub_key_v1.pem".to_owned(),
        callback_extra_roots: Vec::new(),
        callback_resolver: system_resolver(),
        form_etag: EtagSource::Md5,
        limits: Limits::default(),
    }
}

/// Listens on a free port of loopback until the sender is dropped.
pub(crate) async fn serve(
    server: Server,
    options: ListenOptions,
) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let listening = tokio::spawn(async move {
        listen(listener, server, options, async {
            let _ = stopped.await;
        })
        .await;
    });
    (address, stop, listening)
}
