//! Lifecycle rules delete objects and free their bytes, with the clock moved.

use std::time::Duration;

use crate::client::{Ask, create_demo, put};
use crate::running_store::RunningStore;

const DAY: i64 = 24 * 3600;

async fn rules(store: &RunningStore, rules: &str) {
    let document = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    let answer = Ask::new("PUT", "demo", "").query("lifecycle").body(document).send(store).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn rule(prefix: &str, status: &str, expiration: &str) -> String {
    format!(
        "<Rule><Prefix>{prefix}</Prefix><Status>{status}</Status><Expiration>{expiration}</Expiration></Rule>"
    )
}

async fn keys(store: &RunningStore) -> Vec<String> {
    Ask::new("GET", "demo", "").send(store).await.elements("Key")
}

#[tokio::test]
async fn objects_under_the_prefix_go_after_their_days_and_their_bytes_with_them() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    rules(&store, &(rule("tmp/", "Enabled", "<Days>1</Days>") + &rule("off/", "Disabled", "<Days>1</Days>")))
        .await;
    for key in ["tmp/old", "off/old", "kept"] {
        put(&store, key, vec![1; 256 * 1024]).await;
    }
    store.advance(DAY - 1);
    put(&store, "tmp/new", vec![2; 256 * 1024]).await;
    assert_eq!(store.server.expire_objects().await.unwrap(), 0);
    assert_eq!(keys(&store).await, ["kept", "off/old", "tmp/new", "tmp/old"]);
    let before = store.blob_bytes_on_disk();
    store.advance(1);
    assert_eq!(store.server.expire_objects().await.unwrap(), 1);
    assert_eq!(keys(&store).await, ["kept", "off/old", "tmp/new"]);
    store.store.sweep().await.unwrap();
    assert_eq!(before - store.blob_bytes_on_disk(), 256 * 1024);
}

#[tokio::test]
async fn overwriting_an_object_restarts_its_days() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    rules(&store, &rule("", "Enabled", "<Days>2</Days>")).await;
    put(&store, "a", "1").await;
    store.advance(DAY);
    put(&store, "a", "2").await;
    store.advance(DAY);
    assert_eq!(store.server.expire_objects().await.unwrap(), 0);
    store.advance(DAY);
    assert_eq!(store.server.expire_objects().await.unwrap(), 1);
    assert_eq!(keys(&store).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_date_rule_spares_newer_objects() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "old", "1").await;
    store.advance(DAY);
    put(&store, "new", "2").await;
    let date = "<CreatedBeforeDate>2026-11-23T00:00:00.000Z</CreatedBeforeDate>";
    rules(&store, &rule("", "Enabled", date)).await;
    assert_eq!(store.server.expire_objects().await.unwrap(), 1);
    assert_eq!(keys(&store).await, ["new"]);
}

#[tokio::test]
async fn more_objects_than_a_page_go_in_one_pass() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    rules(&store, &rule("", "Enabled", "<Days>1</Days>")).await;
    for number in 0..520 {
        put(&store, &format!("{number:04}"), "x").await;
    }
    store.advance(DAY);
    assert_eq!(store.server.expire_objects().await.unwrap(), 520);
}

#[tokio::test]
async fn the_background_task_expires_objects() {
    let store = RunningStore::start_with(|options| {
        options.limits.lifecycle_interval = Duration::from_millis(20);
    })
    .await;
    create_demo(&store).await;
    rules(&store, &rule("", "Enabled", "<Days>1</Days>")).await;
    put(&store, "a", "x").await;
    let server = store.server.clone();
    let background = tokio::spawn(async move { server.run_background(std::future::pending()).await });
    store.advance(DAY);
    for _ in 0..250 {
        if keys(&store).await.is_empty() {
            background.abort();
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the object is still there");
}
