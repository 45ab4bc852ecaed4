//! SQLite and local files together, as the store's users see them, and what a restart finds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use bytes::Bytes;
use countersign_store::{
    CommitError, CreateBucket, ObjectRecord, PutObject, PutRefusal, SealedBlob, Store, StoreOptions,
};
use countersign_testkit::{TestClock, seeded_random};
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::path::Path;

async fn open(folder: &Path) -> Store {
    Store::open(StoreOptions::new(folder, TestClock::new().clock())).await.unwrap()
}

async fn sealed(store: &Store, bytes: &[u8]) -> SealedBlob {
    let mut staged = store.stage(None).await.unwrap();
    for chunk in bytes.chunks(50_000) {
        staged.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    staged.seal().await.unwrap()
}

fn create(name: &str) -> CreateBucket {
    CreateBucket { name: name.to_owned(), settings: BTreeMap::new() }
}

fn put(key: &str, content: SealedBlob) -> PutObject {
    PutObject {
        bucket: "b".to_owned(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        content,
        attributes: Bytes::from_static(b"{}"),
        forbid_overwrite: false,
        outbox_entry: None,
    }
}

async fn put_bytes(store: &Store, key: &str, bytes: &[u8]) -> ObjectRecord {
    let content = sealed(store, bytes).await;
    store.commit(put(key, content)).await.unwrap().object
}

async fn read(store: &Store, object: &ObjectRecord, range: std::ops::Range<u64>) -> Vec<u8> {
    let chunks: Vec<Bytes> = store.read(object, range).await.unwrap().try_collect().await.unwrap();
    chunks.concat()
}

/// Bytes of every length class: none, inline, a blob in one batch, a blob in many.
fn lengths() -> [usize; 7] {
    [0, 1, 16 * 1024 + 1, 64 * 1024, 64 * 1024 + 1, 300_001, 9 * 1024 * 1024]
}

fn some_bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 % 253) as u8).collect()
}

#[tokio::test]
async fn what_was_put_is_read_back_whole_and_in_part_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    store.commit(create("b")).await.unwrap();
    for len in lengths() {
        let put = put_bytes(&store, &len.to_string(), &some_bytes(len)).await;
        assert_eq!(put.len, len as u64);
    }
    store.shutdown().await;
    drop(store);
    let store = open(folder.path()).await;
    for len in lengths() {
        let (bytes, size) = (some_bytes(len), len as u64);
        let object = store.object("b", len.to_string()).await.unwrap().unwrap();
        assert_eq!(read(&store, &object, 0..size).await, bytes, "{len}");
        let (from, to) = (size / 3, size - size / 4);
        assert_eq!(read(&store, &object, from..to).await, bytes[from as usize..to as usize], "{len}");
    }
}

#[tokio::test]
async fn a_refused_put_is_a_value_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let content = sealed(&store, b"x").await;
    let error = store.commit(put("k", content)).await.unwrap_err();
    assert!(matches!(error, CommitError::Refused(PutRefusal::NoSuchBucket)));
}

#[tokio::test]
async fn the_names_of_blobs_are_drawn_from_the_randomness_that_was_handed_in() {
    let mut places = Vec::new();
    for seed in [1, 1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let mut options = StoreOptions::new(folder.path(), TestClock::new().clock());
        (options.durable, options.random) = (false, seeded_random(seed));
        let store = Store::open(options).await.unwrap();
        store.commit(create("b")).await.unwrap();
        places.push(put_bytes(&store, "k", &[7; 100_000]).await.content.place);
        store.shutdown().await;
    }
    assert_eq!(places[0], places[1]);
    assert_ne!(places[0], places[2]);
}
