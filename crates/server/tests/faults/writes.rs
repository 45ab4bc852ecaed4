//! Uploads and deletions whose disk or catalog fails, is slow or is full.

use std::time::Duration;

use countersign_testkit::{BlobCall, CatalogCall, Fault};

use crate::running_store::{LARGE, RunningStore, SMALL, bytes, verdict};

const SLOW: Fault = Fault::Slow(Duration::from_millis(300));
const FAILED: &str = "500 InternalError";
const NO_ROOM: &str = "507 InsufficientStorage";

/// Both ways to upload, with this fault set before each; the key keeps what it held.
async fn both_ways(running: &RunningStore, set: impl Fn(), len: usize, expected: &str, what: &str) {
    for post in [true, false] {
        assert_eq!(verdict(&running.put("k", SMALL).await), "200");
        set();
        let answer = if post { running.post("k", len).await } else { running.put("k", len).await };
        assert_eq!(verdict(&answer), expected, "{what}, post: {post}");
        let held = if expected == "200" { len } else { SMALL };
        assert!(running.get("k").await.body == bytes(held), "{what}, post: {post}");
        running.goes_on(what).await;
    }
}

#[tokio::test]
async fn a_large_upload_whose_disk_fails_is_refused_by_name_and_the_next_succeeds() {
    let running = RunningStore::start().await;
    let cases = [
        (BlobCall::Append, 1, Fault::Fails, FAILED),
        (BlobCall::Append, 3, Fault::Fails, FAILED),
        (BlobCall::Append, 1, Fault::Full, NO_ROOM),
        (BlobCall::Append, 3, Fault::Full, NO_ROOM),
        (BlobCall::Append, 2, SLOW, "200"),
        (BlobCall::Seal, 1, Fault::Fails, FAILED),
        (BlobCall::Seal, 1, Fault::Full, NO_ROOM),
        (BlobCall::Seal, 1, SLOW, "200"),
        (BlobCall::Publish, 1, Fault::Fails, FAILED),
        (BlobCall::Publish, 1, Fault::Full, NO_ROOM),
        (BlobCall::Publish, 1, SLOW, "200"),
    ];
    for (call, nth, fault, expected) in cases {
        let what = format!("{call:?} {nth} {fault:?}");
        both_ways(&running, || running.blobs.faults.set(call, nth, fault), LARGE, expected, &what).await;
    }
}

#[tokio::test]
async fn an_upload_whose_catalog_fails_is_refused_by_name_and_the_next_succeeds() {
    let running = RunningStore::start().await;
    let cases = [
        (CatalogCall::Apply, Fault::Fails, FAILED),
        (CatalogCall::Apply, Fault::Full, NO_ROOM),
        (CatalogCall::Apply, SLOW, "200"),
        (CatalogCall::Bucket, Fault::Fails, FAILED),
    ];
    for (call, fault, expected) in cases {
        for len in [SMALL, LARGE] {
            let what = format!("{call:?} {fault:?} {len}");
            both_ways(&running, || running.catalog.faults.set(call, 1, fault), len, expected, &what).await;
        }
    }
}

#[tokio::test]
async fn a_deletion_whose_catalog_fails_is_refused_and_one_without_room_is_made_all_the_same() {
    let running = RunningStore::start().await;
    let cases = [(Fault::Fails, FAILED, true), (Fault::Full, "204", false), (SLOW, "204", false)];
    for (fault, expected, stays) in cases {
        for len in [SMALL, LARGE] {
            assert_eq!(verdict(&running.put("k", len).await), "200");
            running.catalog.faults.set(CatalogCall::Apply, 1, fault);
            assert_eq!(verdict(&running.delete("k").await), expected, "{fault:?} {len}");
            let left = running.get("k").await;
            assert_eq!(left.status, if stays { 200 } else { 404 }, "{fault:?} {len}");
            running.goes_on(&format!("{fault:?} {len}")).await;
        }
    }
}

#[tokio::test]
async fn a_blob_that_cannot_be_deleted_or_forgotten_is_swept_the_next_time() {
    let running = RunningStore::start().await;
    for forget in [false, true] {
        assert_eq!(verdict(&running.put("k", LARGE).await), "200");
        assert_eq!(verdict(&running.delete("k").await), "204");
        match forget {
            true => running.catalog.faults.set(CatalogCall::Forget, 1, Fault::Fails),
            false => running.blobs.faults.set(BlobCall::Delete, 1, Fault::Fails),
        }
        running.store.sweep().await.unwrap();
        running.goes_on(&format!("forget: {forget}")).await;
        assert!(running.store.sweep().await.is_ok_and(|swept| swept == 0));
    }
}
