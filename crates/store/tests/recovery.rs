//! Recovery: what a start finds after an unclean end, and what faults leave behind.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use bytes::Bytes;
use countersign_store::blobs::{Blobs, LocalFiles, LocalFilesOptions};
use countersign_store::{
    ApplyError, CommitError, CreateBucket, DeleteObject, DeliveryOutcome, Health, HealthFlag, ObjectRecord,
    OpenError, OutboxEntry, PutObject, ReadError, SealedBlob, StageError, Store, StoreOptions, StoreParts,
};
use countersign_testkit::{BlobCall, Fault, FaultyBlobs, MemoryBlobs, MemoryCatalog, TestClock};
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LARGE: usize = 200_000;

async fn open_at(folder: &Path, clock: &TestClock) -> Store {
    let mut options = StoreOptions::new(folder, clock.clock());
    options.sweep_every = Duration::from_secs(3600);
    Store::open(options).await.unwrap()
}

async fn with_bucket(folder: &Path, clock: &TestClock) -> Store {
    let store = open_at(folder, clock).await;
    let create = CreateBucket { name: "b".to_owned(), settings: BTreeMap::new() };
    store.commit(create).await.unwrap();
    store
}

async fn seal(store: &Store, bytes: Vec<u8>) -> Result<SealedBlob, StageError> {
    let mut staged = store.stage(Some(bytes.len() as u64)).await?;
    staged.write(Bytes::from(bytes)).await?;
    staged.seal().await
}

fn put(key: &str, content: SealedBlob) -> PutObject {
    PutObject {
        bucket: "b".to_owned(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        content,
        attributes: Bytes::new(),
        forbid_overwrite: false,
        outbox_entry: Some(OutboxEntry { payload: key.as_bytes().to_vec() }),
    }
}

async fn put_bytes(store: &Store, key: &str, bytes: Vec<u8>) -> (ObjectRecord, u64) {
    let content = seal(store, bytes).await.unwrap();
    let put = store.commit(put(key, content)).await.unwrap();
    (put.object, put.outbox_id.unwrap())
}

async fn read(store: &Store, object: &ObjectRecord) -> Result<Vec<u8>, ReadError> {
    let chunks: Vec<Bytes> = store.read(object, 0..object.len).await?.try_collect().await?;
    Ok(chunks.concat())
}

/// The files of blobs, published or staged.
fn blob_files(folder: &Path) -> usize {
    let folders = std::fs::read_dir(folder.join("blobs")).unwrap();
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

#[tokio::test]
async fn a_second_store_in_the_same_folder_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_at(folder.path(), &TestClock::new()).await;
    let error = Store::open(StoreOptions::new(folder.path(), TestClock::new().clock())).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    store.shutdown().await;
    open_at(folder.path(), &TestClock::new()).await;
}

#[tokio::test]
async fn a_start_deletes_what_no_commit_names_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path(), &TestClock::new()).await;
    let (kept, _) = put_bytes(&store, "kept", vec![1; LARGE]).await;
    store.shutdown().await;
    drop(store);
    let options =
        LocalFilesOptions { unnamed_files: false, ..LocalFilesOptions::new(folder.path().join("blobs")) };
    let blobs = LocalFiles::open(options).unwrap();
    blobs.recover(1).await.unwrap();
    let sealed = blobs.stage(None).seal(Arc::new(vec![Bytes::from_static(b"orphan")])).await.unwrap();
    sealed.publish().await.unwrap();
    std::mem::forget(blobs.stage(None).seal(Arc::new(vec![Bytes::from_static(b"staged")])).await.unwrap());
    assert_eq!(blob_files(folder.path()), 3);
    let store = open_at(folder.path(), &TestClock::new()).await;
    assert_eq!(blob_files(folder.path()), 1);
    assert_eq!(read(&store, &kept).await.unwrap(), vec![1; LARGE]);
}

#[tokio::test]
async fn sequences_go_on_rising_and_owed_entries_stay_open_after_a_restart() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = with_bucket(folder.path(), &clock).await;
    let (first, first_id) = put_bytes(&store, "k", vec![1; 10]).await;
    let (_, second_id) = put_bytes(&store, "l", vec![1; 10]).await;
    store.close_outbox_entry(first_id, DeliveryOutcome::Delivered);
    let delete = DeleteObject { bucket: "b".to_owned(), key: "k".into(), only_if_sequence: None };
    store.commit(delete).await.unwrap();
    store.shutdown().await;
    drop(store);
    let store = open_at(folder.path(), &clock).await;
    let owed = store.outbox(0, 9).await.unwrap();
    assert_eq!(
        owed.iter().map(|owed| (owed.id, &owed.payload[..])).collect::<Vec<_>>(),
        [(second_id, &b"l"[..])]
    );
    assert!(put_bytes(&store, "k", vec![1; 10]).await.0.sequence > first.sequence + 1);
    assert!(store.object("b", "l").await.unwrap().is_some());
}

#[tokio::test]
async fn a_reader_keeps_its_bytes_until_it_is_done_and_then_they_go() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = with_bucket(folder.path(), &clock).await;
    let (object, _) = put_bytes(&store, "k", vec![7; LARGE]).await;
    put_bytes(&store, "k", vec![8; 5]).await;
    assert_eq!(read(&store, &object).await.unwrap(), vec![7; LARGE], "within the grace");
    clock.advance(3600);
    let reader = store.read(&object, 0..object.len).await.unwrap();
    assert_eq!((store.sweep().await.unwrap(), blob_files(folder.path())), (0, 1));
    let chunks: Vec<Bytes> = reader.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), vec![7; LARGE]);
    assert_eq!((store.sweep().await.unwrap(), blob_files(folder.path())), (1, 0));
    assert!(matches!(read(&store, &object).await, Err(ReadError::Gone)));
}

#[tokio::test]
async fn many_commits_at_once_are_each_there_after_a_restart() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = with_bucket(folder.path(), &clock).await;
    let mut tasks = Vec::new();
    for number in 0..100usize {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            put_bytes(&store, &number.to_string(), vec![number as u8; 100 + number * 700]).await
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    drop(store);
    let store = open_at(folder.path(), &clock).await;
    for number in 0..100usize {
        let object = store.object("b", number.to_string()).await.unwrap().unwrap();
        assert_eq!(read(&store, &object).await.unwrap(), vec![number as u8; 100 + number * 700]);
    }
}

#[tokio::test]
async fn after_a_shutdown_nothing_is_written_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path(), &TestClock::new()).await;
    let content = seal(&store, vec![1; 5]).await.unwrap();
    store.shutdown().await;
    let error = store.commit(put("k", content)).await.unwrap_err();
    assert!(matches!(error, CommitError::Failed(ApplyError::Closed)), "{error}");
}

#[tokio::test]
async fn a_dropped_upload_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path(), &TestClock::new()).await;
    let mut staged = store.stage(None).await.unwrap();
    for _ in 0..10 {
        staged.write(Bytes::from(vec![1; 100_000])).await.unwrap();
    }
    drop(staged);
    drop(seal(&store, vec![1; LARGE]).await.unwrap());
    assert_eq!(blob_files(folder.path()), 0);
}

#[tokio::test]
async fn more_than_the_disk_has_is_refused_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path(), &TestClock::new()).await;
    let mut staged = store.stage(Some(1 << 60)).await.unwrap();
    staged.write(Bytes::from(vec![1; LARGE])).await.unwrap();
    assert!(matches!(staged.seal().await, Err(StageError::Full)));
    assert_eq!(store.health(), Health::Good);
}

async fn faulty() -> (Store, FaultyBlobs, MemoryBlobs) {
    let (clock, memory) = (TestClock::new(), MemoryBlobs::default());
    let blobs = FaultyBlobs::new(Arc::new(memory.clone()));
    let store = Store::assemble(StoreParts {
        catalog: Arc::new(MemoryCatalog::new(clock.clock(), Duration::ZERO)),
        blobs: Arc::new(blobs.clone()),
        health: HealthFlag::default(),
        clock: clock.clock(),
        inline_bytes_max: 16 * 1024,
        sweep_every: Duration::from_secs(3600),
    });
    (store.await.unwrap(), blobs, memory)
}

#[tokio::test]
async fn a_failed_sync_ends_all_writing_and_says_so() {
    for call in [BlobCall::Seal, BlobCall::Publish] {
        let (store, blobs, _) = faulty().await;
        blobs.faults.set(call, 1, Fault::SyncFails);
        match seal(&store, vec![1; LARGE]).await {
            Err(error) => {
                assert!(matches!(error, StageError::Blob(_)) && call == BlobCall::Seal, "{error}")
            }
            Ok(content) => {
                let error = store.commit(put("k", content)).await.unwrap_err();
                assert!(matches!(error, CommitError::Failed(ApplyError::Unhealthy { .. })), "{error}");
            }
        }
        assert!(matches!(store.health(), Health::WritesRefused { .. }));
        assert!(matches!(store.stage(None).await, Err(StageError::Unhealthy { .. })));
        let create = CreateBucket { name: "c".to_owned(), settings: BTreeMap::new() };
        let error = store.commit(create).await.unwrap_err();
        assert!(matches!(error, CommitError::Failed(ApplyError::Unhealthy { .. })), "{error}");
    }
}

#[tokio::test]
async fn a_full_disk_is_named_and_the_next_upload_succeeds() {
    let (store, blobs, memory) = faulty().await;
    let create = CreateBucket { name: "b".to_owned(), settings: BTreeMap::new() };
    store.commit(create).await.unwrap();
    blobs.faults.set(BlobCall::Seal, 1, Fault::Full);
    assert!(matches!(seal(&store, vec![1; LARGE]).await, Err(StageError::Full)));
    put_bytes(&store, "k", vec![1; LARGE]).await;
    assert_eq!((store.health(), memory.count()), (Health::Good, 1));
}

#[tokio::test]
async fn the_blob_of_a_refused_put_is_swept_and_not_deleted_by_its_uploader() {
    let (store, _, memory) = faulty().await;
    let content = seal(&store, vec![1; LARGE]).await.unwrap();
    store.commit(put("k", content)).await.unwrap_err();
    assert_eq!(memory.count(), 1);
    store.sweep().await.unwrap();
    assert_eq!(memory.count(), 0);
}

/// A round takes 256 pieces.
#[tokio::test]
async fn what_cannot_be_deleted_keeps_nothing_behind_it_waiting() {
    let (store, blobs, memory) = faulty().await;
    for _ in 0..300 {
        let content = seal(&store, vec![1; 20_000]).await.unwrap();
        store.commit(put("k", content)).await.unwrap_err();
    }
    (1..=256).for_each(|nth| blobs.faults.set(BlobCall::Delete, nth, Fault::Fails));
    assert_eq!((store.sweep().await.unwrap(), memory.count()), (44, 256));
    assert_eq!((store.sweep().await.unwrap(), memory.count()), (256, 0));
}
