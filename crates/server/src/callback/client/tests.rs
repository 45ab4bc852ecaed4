//! The callback client alone: it delivers an outbox entry with nothing but the entry.

use std::net::Ipv4Addr;

use countersign_store::{Clock, CreateBucket, OutboxRecord, PutObject, Random, StoreOptions};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::callback::address::system_resolver;

fn client(store: &Store, clock: Clock) -> CallbackClient {
    CallbackClient::new(CallbackClientOptions {
        store: store.clone(),
        clock,
        random: Random::system(),
        allowed: vec!["127.0.0.1/32".parse().unwrap()],
        resolver: system_resolver(),
        key: RsaMd5Key::generate_2048().unwrap(),
        key_url: "http://oss.test/key.pem".to_owned(),
        owner_id: "1",
        extra_roots: Vec::new(),
        answers: FairBudget::new(1 << 20, usize::MAX, &Random::system()),
        limits: Limits::default(),
    })
    .unwrap()
}

fn entry(record: &OutboxRecord) -> OutboxEntry {
    let message = Arc::new(CallbackMessage::from_payload(&record.payload).unwrap());
    OutboxEntry { id: record.id, message, signature: None, shares: None }
}

async fn outbox(store: &Store) -> Vec<OutboxRecord> {
    store.outbox(0, 10).await.unwrap()
}

/// An application that confirms one callback, and gives what it was sent.
async fn confirm_once(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"key=k") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the request ended early");
    }
    stream
        .write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}",
        )
        .await
        .unwrap();
    String::from_utf8(request).unwrap()
}

#[tokio::test]
async fn delivers_and_closes_an_outbox_entry_given_nothing_but_the_entry() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::with_wall(|| Timestamp::UNIX_EPOCH);
    let store = Store::open(StoreOptions::new(folder.path(), clock.clone())).await.unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let application = listener.local_addr().unwrap();
    let payload = format!(
        r#"{{"urls":["http://{application}/cb"],"body":"key=k","content_type":"application/x-www-form-urlencoded",
        "bucket":"bucket","request_id":"id","requester":"r"}}"#
    );
    let creation = CreateBucket { name: "bucket".to_owned(), settings: Default::default() };
    store.commit(creation).await.unwrap();
    let mut staged = store.stage(None).await.unwrap();
    staged.write(b"x".as_slice().into()).await.unwrap();
    let put = PutObject {
        bucket: "bucket".to_owned(),
        key: b"k".as_slice().into(),
        content: staged.seal().await.unwrap(),
        attributes: Default::default(),
        forbid_overwrite: false,
        outbox_entry: Some(countersign_store::OutboxEntry { payload: payload.into_bytes() }),
    };
    store.commit(put).await.unwrap();
    drop(listener);

    let client = client(&store, clock);
    let [record] = outbox(&store).await.try_into().unwrap();
    let failure = client.carry_out(entry(&record), Ipv4Addr::LOCALHOST.into()).await.unwrap_err();
    assert_eq!(failure, CallbackFailure::Unreachable);
    let [record] = outbox(&store).await.try_into().unwrap();
    assert_eq!(record.attempts, 1, "a failed attempt is noted and the callback is still owed");

    let listener = TcpListener::bind(application).await.unwrap();
    let confirming = tokio::spawn(confirm_once(listener));
    let reply = client.carry_out(entry(&record), Ipv4Addr::LOCALHOST.into()).await.unwrap();
    assert_eq!(reply.body, r#"{"ok":true}"#);
    let request = confirming.await.unwrap().to_ascii_lowercase();
    assert!(request.contains("x-oss-request-id: id\r\n") && request.contains("authorization: "), "{request}");
    // What was confirmed is closed with the next batch of commits.
    let closed = async {
        while !outbox(&store).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), closed).await.unwrap();
}
