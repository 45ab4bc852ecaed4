//! Downloads whose disk or catalog fails, is slow or gives too little.

use std::time::Duration;

use countersign_testkit::{BlobCall, CatalogCall, Fault};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::form::HOST;
use crate::running_store::{LARGE, RunningStore, SMALL, bytes, verdict};
use crate::wire_client::request;

const SLOW: Fault = Fault::Slow(Duration::from_millis(300));

/// The bytes of a body that may break off.
async fn body_of(running: &RunningStore, key: &str) -> Vec<u8> {
    let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
    stream.write_all(&request(&format!("GET /{key}"), HOST, &[], b"")).await.unwrap();
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer).await;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name_and_read_the_next_time() {
    let running = RunningStore::start().await;
    assert_eq!(verdict(&running.put("k", LARGE).await), "200");
    for (fault, expected) in [(Fault::Fails, "500 InternalError"), (SLOW, "200")] {
        running.blobs.faults.set(BlobCall::Open, 1, fault);
        assert_eq!(verdict(&running.get("k").await), expected, "{fault:?}");
        running.goes_on(&format!("{fault:?}")).await;
    }
    for (fault, expected) in [(Fault::Fails, "500 InternalError"), (SLOW, "200")] {
        running.catalog.faults.set(CatalogCall::Object, 1, fault);
        assert_eq!(verdict(&running.get("k").await), expected, "{fault:?}");
        running.goes_on(&format!("catalog {fault:?}")).await;
    }
    assert!(running.get("k").await.body == bytes(LARGE));
}

#[tokio::test]
async fn an_answer_whose_disk_fails_in_the_middle_breaks_off() {
    let running = RunningStore::start().await;
    assert_eq!(verdict(&running.put("k", LARGE).await), "200");
    running.blobs.faults.set(BlobCall::Read, 2, Fault::Fails);
    let body = body_of(&running, "k").await;
    assert!(body.len() < LARGE && bytes(LARGE).starts_with(&body));
    running.goes_on("a failed read").await;
    assert!(running.get("k").await.body == bytes(LARGE));
    running.blobs.faults.set(BlobCall::Read, 2, SLOW);
    assert!(running.get("k").await.body == bytes(LARGE));
}

/// Too few bytes are damage until somebody has looked again.
#[tokio::test]
async fn an_object_that_reads_short_is_not_served_until_a_scrub_finds_it_whole() {
    let running = RunningStore::start().await;
    for len in [LARGE, SMALL] {
        assert_eq!(verdict(&running.put("k", len).await), "200");
        match len {
            LARGE => {
                running.blobs.faults.set(BlobCall::Read, 2, Fault::Short);
                assert!(body_of(&running, "k").await.len() < len);
            }
            _ => {
                running.catalog.faults.set(CatalogCall::Object, 1, Fault::Short);
                assert_eq!(verdict(&running.get("k").await), "500 ObjectDamaged");
            }
        }
        let part = running.ask("GET /k", &[("Range", "bytes=0-5")], b"").await;
        assert_eq!(verdict(&part), "500 ObjectDamaged");
        assert!(running.health().await.text().contains("1 object is damaged"));
        running.scrub_finds_nothing("after a short read").await;
        assert!(running.get("k").await.body == bytes(len));
        running.goes_on(&format!("short {len}")).await;
    }
}

#[tokio::test]
async fn bytes_that_are_missing_are_named_as_damage_and_not_as_a_missing_key() {
    let running = RunningStore::start().await;
    assert_eq!(verdict(&running.put("k", LARGE).await), "200");
    let object = running.store.object("demo", "k").await.unwrap().unwrap();
    let countersign_store::Place::Blob(id) = object.content.place else { panic!("{object:?}") };
    countersign_store::blobs::Blobs::delete(&running.blobs, id).await.unwrap();
    assert_eq!(verdict(&running.get("k").await), "500 ObjectDamaged");
    let report = running.store.scrub().await.unwrap();
    assert_eq!(report.damaged[0].record.what, "its bytes are missing");
    assert_eq!(verdict(&running.put("k", SMALL).await), "200");
    // The count forgets what was overwritten when the sweeper comes by.
    running.store.sweep().await.unwrap();
    running.goes_on("a missing blob").await;
}
