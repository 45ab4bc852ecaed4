//! After a failed sync it is unknown what is on the disk: the store takes no more writes until it is opened again,
//! and says so; it still reads.

use countersign_testkit::{BlobCall, CatalogCall, Fault};

use crate::running_store::{LARGE, RunningStore, SMALL, bytes, verdict};

const REFUSED: &str = "503 WritesRefused";

type SetFault = fn(&RunningStore);

#[tokio::test]
async fn a_failed_sync_ends_all_writing_until_the_next_start_and_health_says_why() {
    let faults: [(&str, SetFault); 3] = [
        ("seal", |running| running.blobs.faults.set(BlobCall::Seal, 1, Fault::SyncFails)),
        ("publish", |running| running.blobs.faults.set(BlobCall::Publish, 1, Fault::SyncFails)),
        ("commit", |running| running.catalog.faults.set(CatalogCall::Apply, 1, Fault::SyncFails)),
    ];
    for (what, set) in faults {
        for post in [true, false] {
            let running = RunningStore::start().await;
            assert_eq!(verdict(&running.put("before", LARGE).await), "200");
            set(&running);
            let answer = if post { running.post("k", LARGE).await } else { running.put("k", LARGE).await };
            assert_eq!(verdict(&answer), REFUSED, "{what}, post: {post}");
            refuses_writes_and_reads_on(&running, what).await;
            let running = running.restart().await;
            assert_eq!(running.get("k").await.status, 404, "{what}");
            assert!(running.get("before").await.body == bytes(LARGE), "{what}");
            running.goes_on(what).await;
        }
    }
}

async fn refuses_writes_and_reads_on(running: &RunningStore, what: &str) {
    for len in [SMALL, LARGE] {
        assert_eq!(verdict(&running.post("next", len).await), REFUSED, "{what}");
        assert_eq!(verdict(&running.put("next", len).await), REFUSED, "{what}");
    }
    assert_eq!(verdict(&running.delete("before").await), REFUSED, "{what}");
    assert!(running.get("before").await.body == bytes(LARGE), "{what}");
    let health = running.health().await;
    assert_eq!(health.status, 503, "{what}");
    assert!(
        health.text().starts_with("writes are refused: ") && health.text().contains("injected"),
        "{what}"
    );
}

#[tokio::test]
async fn a_deletion_whose_sync_fails_ends_all_writing_too() {
    let running = RunningStore::start().await;
    assert_eq!(verdict(&running.put("before", LARGE).await), "200");
    running.catalog.faults.set(CatalogCall::Apply, 1, Fault::SyncFails);
    assert_eq!(verdict(&running.delete("before").await), REFUSED);
    refuses_writes_and_reads_on(&running, "delete").await;
}
