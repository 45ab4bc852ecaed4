//! Damaged bytes are never served as good, are found by a scrub, are named, and are forgotten with their object.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failure here is a failed test, and a test may wait for the machine"
)]

use bytes::Bytes;
use countersign_store::{
    CreateBucket, DeleteObject, ObjectRecord, OpenError, PutObject, ReadError, ScrubOptions, ScrubPace,
    ScrubReport, Store, StoreOptions,
};
use countersign_testkit::TestClock;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LARGE: usize = 700_000;

fn options(folder: &Path) -> StoreOptions {
    let mut options = StoreOptions::new(folder, TestClock::new().clock());
    options.sweep_every = Duration::from_secs(3600);
    options.garbage_grace = Duration::ZERO;
    options
}

async fn with_bucket(folder: &Path) -> Store {
    let store = Store::open(options(folder)).await.unwrap();
    let create = CreateBucket { name: "b".to_owned(), settings: BTreeMap::new() };
    store.commit(create).await.unwrap();
    store
}

async fn put(store: &Store, key: &str, len: usize) -> ObjectRecord {
    let mut staged = store.stage(None).await.unwrap();
    staged.write((0..len).map(|at| (at * 31 % 253) as u8).collect::<Vec<u8>>().into()).await.unwrap();
    let put = PutObject {
        bucket: "b".to_owned(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        content: staged.seal().await.unwrap(),
        attributes: Bytes::new(),
        forbid_overwrite: false,
        outbox_entry: None,
    };
    store.commit(put).await.unwrap().object
}

async fn delete(store: &Store, key: &str) {
    let key = Bytes::copy_from_slice(key.as_bytes());
    let delete = DeleteObject { bucket: "b".to_owned(), key, only_if_sequence: None };
    store.commit(delete).await.unwrap();
}

/// The bytes that a reader of a range gets, and how it ends.
async fn read(store: &Store, key: &str, range: std::ops::Range<u64>) -> (usize, Result<(), ReadError>) {
    let object = store.object("b", key).await.unwrap().unwrap();
    let mut reader = match store.read(&object, range).await {
        Ok(reader) => reader,
        Err(error) => return (0, Err(error)),
    };
    let mut read = 0;
    while let Some(chunk) = reader.next().await {
        match chunk {
            Ok(bytes) => read += bytes.len(),
            Err(error) => return (read, Err(error)),
        }
    }
    (read, Ok(()))
}

/// The only blob's file.
fn blob_file(folder: &Path) -> PathBuf {
    let folders = std::fs::read_dir(folder.join("blobs")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    files.next().unwrap().unwrap().path()
}

fn flip_a_bit(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[at] ^= 4;
    std::fs::write(file, bytes).unwrap();
}

async fn scrub(folder: &Path) -> ScrubReport {
    scrub_with(folder, false).await.unwrap()
}

async fn scrub_with(folder: &Path, remove_orphans: bool) -> Result<ScrubReport, OpenError> {
    let (data, clock) = (folder.to_path_buf(), TestClock::new().clock());
    Store::scrub_folder(
        ScrubOptions { data, shared_catalog: None, clock, bytes_per_second: None, remove_orphans },
        |_| (),
    )
    .await
}

fn names(report: &ScrubReport) -> Vec<(String, String)> {
    let named = report.damaged.iter().map(|damaged| &damaged.record);
    named.map(|record| (String::from_utf8_lossy(&record.key).into_owned(), record.what.clone())).collect()
}

fn is_damaged(outcome: &(usize, Result<(), ReadError>)) -> bool {
    matches!(outcome.1, Err(ReadError::Damaged))
}

#[tokio::test]
async fn an_object_that_rotted_breaks_off_before_its_end_and_is_not_served_again() {
    for at in [0, LARGE / 2, LARGE - 1] {
        let folder = tempfile::tempdir().unwrap();
        let store = with_bucket(folder.path()).await;
        put(&store, "k", LARGE).await;
        flip_a_bit(&blob_file(folder.path()), at);
        let whole = read(&store, "k", 0..LARGE as u64).await;
        assert!(is_damaged(&whole) && whole.0 < LARGE && whole.0 > 0, "{at}: {whole:?}");
        for range in [0..LARGE as u64, 0..10, 500_000..500_001] {
            let outcome = read(&store, "k", range.clone()).await;
            assert!(is_damaged(&outcome) && outcome.0 == 0, "{at} {range:?}: {outcome:?}");
        }
        assert_eq!(store.damaged_count(), 1);
        put(&store, "k", LARGE).await;
        assert!(read(&store, "k", 0..LARGE as u64).await.1.is_ok());
        store.sweep().await.unwrap();
        assert_eq!(store.damaged_count(), 0);
    }
}

#[tokio::test]
async fn what_is_at_hand_is_checked_before_the_first_byte() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path()).await;
    put(&store, "small blob", 100_000).await;
    flip_a_bit(&blob_file(folder.path()), 5);
    assert!(matches!(read(&store, "small blob", 0..100_000).await, (0, Err(ReadError::Damaged))));
    put(&store, "inline", 3_000).await;
    rot_inline(folder.path());
    let part = read(&store, "inline", 7..9).await;
    assert!(is_damaged(&part) && part.0 == 0, "{part:?}");
    assert!(is_damaged(&read(&store, "inline", 0..3_000).await));
}

/// Changes a byte of the only inline row, which the disk under SQLite might.
fn rot_inline(folder: &Path) {
    let connection = rusqlite::Connection::open(folder.join("catalog.sqlite")).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    let changed = connection
        .execute(
            "UPDATE inline SET bytes = CAST(substr(bytes, 1, 99) || x'00' || substr(bytes, 101) AS BLOB)",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
}

#[tokio::test]
async fn what_was_found_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path()).await;
    put(&store, "k", LARGE).await;
    flip_a_bit(&blob_file(folder.path()), 1);
    assert!(is_damaged(&read(&store, "k", 0..LARGE as u64).await));
    store.sweep().await.unwrap();
    let known = Store::damaged_in(folder.path()).unwrap();
    assert_eq!(
        (&known[0].bucket[..], &known[0].key[..], &known[0].what[..]),
        ("b", &b"k"[..], "the CRC-64 differs")
    );
    store.shutdown().await;
    drop(store);
    let store = Store::open(options(folder.path())).await.unwrap();
    assert!(is_damaged(&read(&store, "k", 0..1).await));
    delete(&store, "k").await;
    store.sweep().await.unwrap();
    assert_eq!((store.damaged_count(), Store::damaged_in(folder.path()).unwrap().len()), (0, 0));
}

#[tokio::test]
async fn a_scrub_of_a_stopped_store_names_each_kind_of_damage_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path()).await;
    put(&store, "good", LARGE).await;
    let good = blob_file(folder.path());
    let mut files = vec![good.clone()];
    for key in ["flipped", "cut", "longer", "gone"] {
        put(&store, key, LARGE).await;
        let all = std::fs::read_dir(good.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        files.push(all.into_iter().find(|path| !files.contains(path)).unwrap());
    }
    put(&store, "inline", 3_000).await;
    put(&store, "empty", 0).await;
    store.shutdown().await;
    drop(store);
    assert!(scrub(folder.path()).await.is_good());
    flip_a_bit(&files[1], 77);
    std::fs::OpenOptions::new().write(true).open(&files[2]).unwrap().set_len(5).unwrap();
    std::fs::OpenOptions::new().write(true).open(&files[3]).unwrap().set_len(LARGE as u64 + 9).unwrap();
    std::fs::remove_file(&files[4]).unwrap();
    rot_inline(folder.path());
    let report = scrub(folder.path()).await;
    let named = |key: &str, what: &str| (key.to_owned(), what.to_owned());
    assert_eq!(
        names(&report),
        [
            named("flipped", "MD5 and CRC-64 differ"),
            named("cut", "5 bytes are stored of what were 700000"),
            named("longer", "700009 bytes are stored of what were 700000"),
            named("gone", "its bytes are missing"),
            named("inline", "MD5 and CRC-64 differ"),
        ]
    );
    assert_eq!(report.damaged[0].place, files[1].display().to_string());
    assert_eq!((report.objects, report.orphans.len(), report.catalog.len()), (7, 0, 0));
    // The next start serves none of them, and all of the rest.
    let store = Store::open(options(folder.path())).await.unwrap();
    assert_eq!(store.damaged_count(), 5);
    for key in ["flipped", "cut", "longer", "gone", "inline"] {
        assert!(is_damaged(&read(&store, key, 0..1).await), "{key}");
    }
    assert_eq!(read(&store, "good", 0..LARGE as u64).await.0, LARGE);
    store.shutdown().await;
    drop(store);
    // Bytes that are brought back are found whole.
    flip_a_bit(&files[1], 77);
    let report = scrub(folder.path()).await;
    assert_eq!((report.healed.len(), report.damaged.len()), (1, 4));
    assert_eq!(Store::damaged_in(folder.path()).unwrap().len(), 4);
}

#[tokio::test]
async fn a_scrub_beside_a_running_store_sees_what_it_does_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path()).await;
    put(&store, "k", LARGE).await;
    put(&store, "good", 10).await;
    flip_a_bit(&blob_file(folder.path()), 1);
    let report = scrub(folder.path()).await;
    assert_eq!((names(&report).len(), report.beside), (1, Some(std::process::id())));
    assert_eq!(Store::damaged_in(folder.path()).unwrap().len(), 0);
    let refused = scrub_with(folder.path(), true).await;
    assert!(matches!(refused, Err(OpenError::InUse { .. })));
    let nowhere = tempfile::tempdir().unwrap();
    assert!(matches!(scrub_with(nowhere.path(), false).await, Err(OpenError::NoStore { .. })));
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_blob_that_nothing_names_is_told_and_removed_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path()).await;
    put(&store, "k", LARGE).await;
    store.shutdown().await;
    drop(store);
    let named = blob_file(folder.path());
    let orphan = named.with_file_name("00112233445566778899aabb");
    std::fs::write(&orphan, "nobody's").unwrap();
    let report = scrub(folder.path()).await;
    assert!(report.is_good() && report.orphans == [orphan.display().to_string()], "{report:?}");
    assert!(orphan.exists());
    assert_eq!(scrub_with(folder.path(), true).await.unwrap().orphans_removed, 1);
    assert!(!orphan.exists() && named.exists());
}

#[tokio::test]
async fn the_catalogs_own_damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path()).await;
    put(&store, "k", 10).await;
    put(&store, "l", 10).await;
    store.shutdown().await;
    drop(store);
    let connection = rusqlite::Connection::open(folder.path().join("catalog.sqlite")).unwrap();
    connection
        .execute("UPDATE object SET bucket = 99 WHERE seq = (SELECT min(seq) FROM object)", [])
        .unwrap();
    connection.execute("DELETE FROM object WHERE seq = (SELECT max(seq) FROM object)", []).unwrap();
    connection.execute("DELETE FROM inline WHERE blob = (SELECT min(blob) FROM inline)", []).unwrap();
    drop(connection);
    let told = scrub(folder.path()).await.catalog.join("\n");
    for part in ["a bucket that is not there", "bytes in the catalog that are not there", "named by nothing"]
    {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
}

#[tokio::test]
async fn the_background_scrub_finds_damage_that_nobody_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path()).await;
    put(&store, "good", LARGE).await;
    let good = blob_file(folder.path());
    put(&store, "k", LARGE).await;
    let all = std::fs::read_dir(good.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    flip_a_bit(&all.into_iter().find(|path| *path != good).unwrap(), 1);
    store.scrub_in_background(ScrubPace { bytes_per_second: u64::MAX, ..ScrubPace::default() }).unwrap();
    for _ in 0..500 {
        if Store::damaged_in(folder.path()).unwrap().len() == 1 {
            assert!(is_damaged(&read(&store, "k", 0..1).await));
            assert!(read(&store, "good", 0..LARGE as u64).await.1.is_ok());
            store.shutdown().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the damage was not found in five seconds");
}

#[tokio::test]
async fn nothing_is_deleted_while_a_backup_holds_the_blobs() {
    use rustix::fs::{FlockOperation, flock};
    let folder = tempfile::tempdir().unwrap();
    let store = with_bucket(folder.path()).await;
    put(&store, "k", LARGE).await;
    let blob = blob_file(folder.path());
    let backup = std::fs::File::open(folder.path().join("BACKUP")).unwrap();
    flock(&backup, FlockOperation::NonBlockingLockShared).unwrap();
    delete(&store, "k").await;
    assert_eq!(store.sweep().await.unwrap(), 0);
    assert!(blob.exists());
    drop(backup);
    assert_eq!(store.sweep().await.unwrap(), 1);
    assert!(!blob.exists());
}
