//! A process is killed while it puts objects: what it had acknowledged is whole after it.
//!
//! The child is this very test program, told by its environment what to do. A kill proves nothing against a
//! power loss; it proves that an acknowledgement waits for its commit and that a start recovers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use bytes::Bytes;
use countersign_store::{CreateBucket, PutObject, Store, StoreOptions};
use countersign_testkit::TestClock;
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const FOLDER: &str = "COUNTERSIGN_KILLED_FOLDER";

fn bytes_of(number: usize) -> Vec<u8> {
    vec![(number % 251) as u8; 10 + number * 977 % 60_000]
}

async fn put_for_ever(store: Store, first: usize) {
    for number in (first..).step_by(4) {
        let mut staged = store.stage(None).await.unwrap();
        staged.write(Bytes::from(bytes_of(number))).await.unwrap();
        let put = PutObject {
            bucket: "b".to_owned(),
            key: Bytes::from(number.to_string()),
            content: staged.seal().await.unwrap(),
            attributes: Bytes::new(),
            forbid_overwrite: true,
            outbox_entry: None,
        };
        match store.commit(put).await {
            Ok(_) => println!("stored {number}"),
            Err(error) => assert!(error.to_string().contains("exists"), "{error}"),
        }
    }
}

#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn child_that_puts_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = Store::open(StoreOptions::new(folder, TestClock::new().clock())).await.unwrap();
    let create = CreateBucket { name: "b".to_owned(), settings: BTreeMap::new() };
    let _exists_already = store.commit(create).await;
    let tasks: Vec<_> = (0..4).map(|first| tokio::spawn(put_for_ever(store.clone(), first))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Lets a child put until it has acknowledged `count` more objects, then kills it.
fn acknowledged_before_the_kill(folder: &std::path::Path, count: usize) -> Vec<usize> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_puts_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let numbers = lines.filter_map(|line| line.ok()?.strip_prefix("stored ")?.parse().ok());
    let mut numbers = numbers.fuse();
    let mut acknowledged: Vec<usize> = numbers.by_ref().take(count).collect();
    child.kill().unwrap();
    acknowledged.extend(numbers);
    child.wait().unwrap();
    acknowledged
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_whole_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for kill in 0..5 {
        let more = acknowledged_before_the_kill(folder.path(), 20 + kill * 13);
        assert!(more.len() >= 20, "the child ended by itself");
        acknowledged.extend(more);
        let store = Store::open(StoreOptions::new(folder.path(), TestClock::new().clock())).await.unwrap();
        for number in &acknowledged {
            let object = store.object("b", number.to_string()).await.unwrap().unwrap();
            let reader = store.read(&object, 0..object.len).await.unwrap();
            let chunks: Vec<Bytes> = reader.try_collect().await.unwrap();
            assert!(chunks.concat() == bytes_of(*number), "object {number} after kill {kill}");
        }
        store.shutdown().await;
    }
}
