//! A full descriptor table and a data folder that cannot be used each have a code and a sentence of their own, at
//! reads and at writes, and show on the health page; none sends anybody to an administrator of OSS.

use countersign_testkit::{BlobCall, CatalogCall, Fault};

use crate::running_store::{RunningStore, SMALL, bytes, verdict};

/// A length that goes into a blob, at once.
const BLOB: usize = 100_000;

const TROUBLES: [(Fault, &str, &str); 3] = [
    (Fault::NoDescriptor, "503 OpenFilesExhausted", "no file descriptor was left"),
    (Fault::NoPermission, "500 DataFolderUnusable", "the data folder could not be read or written"),
    (Fault::DiskFails, "500 DataFolderUnusable", "the data folder could not be read or written"),
];

#[tokio::test]
async fn what_the_machine_refuses_is_named_at_writes_and_shows_on_the_health_page() {
    for (fault, expected, shown) in TROUBLES {
        let running = RunningStore::start().await;
        for call in [BlobCall::Seal, BlobCall::Publish] {
            running.blobs.faults.set(call, 1, fault);
            let answer = running.post("k", BLOB).await;
            names(&running, &answer, expected, shown).await;
        }
        running.catalog.faults.set(CatalogCall::Apply, 1, fault);
        let answer = running.put("k", SMALL).await;
        names(&running, &answer, expected, shown).await;
    }
}

#[tokio::test]
async fn what_the_machine_refuses_is_named_at_reads_and_shows_on_the_health_page() {
    for (fault, expected, shown) in TROUBLES {
        let running = RunningStore::start().await;
        assert_eq!(verdict(&running.put("k", BLOB).await), "200");
        running.blobs.faults.set(BlobCall::Open, 1, fault);
        let answer = running.get("k").await;
        names(&running, &answer, expected, shown).await;
        assert!(running.get("k").await.body == bytes(BLOB), "{fault:?}");
        if fault != Fault::NoDescriptor {
            running.catalog.faults.set(CatalogCall::Object, 1, fault);
            let answer = running.get("k").await;
            names(&running, &answer, expected, "2 times since the start").await;
        }
    }
}

async fn names(running: &RunningStore, answer: &crate::wire_client::Answer, expected: &str, shown: &str) {
    assert_eq!(verdict(answer), expected);
    assert!(!answer.text().contains("administrator"), "{}", answer.text());
    let health = running.health().await;
    assert_eq!(health.status, 503, "{}", health.text());
    assert!(health.text().contains(shown) && !health.text().contains("ok"), "{}", health.text());
    // It ends nothing: the next write is taken.
    assert_eq!(verdict(&running.put("next", BLOB).await), "200");
}
