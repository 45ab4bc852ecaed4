//! Forms that hold more than their policy mentions, in each bucket mode.

use countersign_store::{CreateBucket, DeleteBucket, PutSetting, Store};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep};

use crate::form::{Form, policy};
use crate::running_store::{BUCKET, RunningStore, Setup};
use crate::wire_client::{Answer, read, send};

async fn store_in(mode: &str) -> RunningStore {
    let store = RunningStore::start().await;
    set_mode(&store.store, mode).await;
    store
}

async fn set_mode(store: &Store, mode: &str) {
    let (bucket, name) = (BUCKET.to_owned(), "mode".to_owned());
    store.commit(PutSetting { bucket, name, value: Some(mode.into()) }).await.unwrap();
}

#[tokio::test]
async fn a_guarded_bucket_refuses_by_name_what_the_policy_does_not_mention() {
    let store = store_in("guarded").await;
    for (name, value) in [
        ("x-oss-object-acl", "public-read"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-content-type", "text/html"),
        ("x-oss-server-side-encryption", "AES256"),
    ] {
        let answer = Form::signed("k", b"x").field(name, value).post(&store).await;
        assert_eq!((answer.status, answer.element("ArgumentName")), (403, Some(name)));
        assert_eq!(answer.element("BucketMode"), Some("guarded"));
    }
    let header = Form::signed("k", b"x").request(&[("x-oss-object-acl", "public-read")]);
    assert_eq!(send(store.address, &header).await.status, 403);
    assert!(store.is_empty().await);
    let mentioned = policy().is_in("x-oss-object-acl", &["public-read"]).eq("x-oss-storage-class", "IA");
    let mentioned = Form::anonymous("k", b"x").sign(&mentioned);
    let mentioned = mentioned.field("x-oss-object-acl", "public-read").field("x-oss-storage-class", "ia");
    assert_eq!(mentioned.post(&store).await.status, 204);
    let accepted = Form::signed("m", b"x").field("x-oss-meta-a", "b").field("success_action_status", "200");
    assert_eq!(accepted.post(&store).await.status, 200, "metadata is accepted with a warning");
}

#[tokio::test]
async fn a_strict_bucket_refuses_every_field_that_the_policy_does_not_mention() {
    let store = store_in("strict").await;
    let mentioned = policy().starts_with("key", "").eq("success_action_status", "200");
    let whole = Form::anonymous("k", b"x").sign(&mentioned).field("success_action_status", "200");
    for (name, value) in
        [("x:name", "n"), ("x-oss-meta-a", "b"), ("x-oss-forbid-overwrite", "true"), ("name", "n")]
    {
        let answer = whole.clone().field(name, value).post(&store).await;
        assert_eq!((answer.status, answer.element("ArgumentName")), (403, Some(name)));
    }
    assert_eq!(Form::signed("k", b"x").post(&store).await.element("ArgumentName"), Some("key"));
    assert!(store.is_empty().await);
    assert_eq!(whole.post(&store).await.status, 200);
}

#[tokio::test]
async fn a_mode_that_cannot_be_read_is_the_strictest() {
    let store = store_in("?").await;
    assert_eq!(Form::signed("k", b"x").post(&store).await.element("BucketMode"), Some("strict"));
}

/// Sends half of a form, changes the bucket, and sends the rest.
async fn changed_meanwhile(store: &RunningStore, form: &Form, change: impl AsyncFnOnce(&Store)) -> Answer {
    let bytes = form.request(&[]);
    let (begun, rest) = bytes.split_at(bytes.len() / 2);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(begun).await.unwrap();
    sleep(Duration::from_millis(60)).await;
    change(&store.store).await;
    stream.write_all(rest).await.unwrap();
    read(&mut stream).await
}

#[tokio::test]
async fn a_mode_that_becomes_stricter_while_the_file_comes_is_held_against_the_form() {
    for (before, after, expected) in [
        ("compat", "guarded", 403),
        ("compat", "strict", 403),
        ("guarded", "strict", 403),
        ("guarded", "compat", 204),
        ("compat", "compat", 204),
    ] {
        let store = store_in(before).await;
        let form = Form::signed("k", &[b'x'; 100_000]);
        let answer = changed_meanwhile(&store, &form, async |store| set_mode(store, after).await).await;
        assert_eq!(answer.status, expected, "{before} to {after}: {}", answer.text());
        assert_eq!(answer.element("BucketMode"), (expected == 403).then_some(after));
        assert_eq!(store.is_empty().await, expected == 403);
    }
}

#[tokio::test]
async fn a_bucket_that_is_deleted_or_made_anew_while_the_file_comes_is_judged_as_it_is_then() {
    let deletion = || DeleteBucket { name: BUCKET.to_owned() };
    let form = Form::signed("k", &[b'x'; 100_000]);
    let store = store_in("compat").await;
    let gone = changed_meanwhile(&store, &form, async |store| {
        store.commit(deletion()).await.unwrap();
    });
    assert_eq!(gone.await.element("Code"), Some("NoSuchBucket"));
    let public = [("acl".to_owned(), b"public-read-write".to_vec())];
    for (form, acl, expected) in [
        (&form, "strict", 403),
        (&Form::anonymous("k", &[b'x'; 100_000]), "private", 403),
        (&form, "private", 204),
    ] {
        let store = RunningStore::start_with(Setup { acl: "public-read-write", ..Setup::default() }).await;
        let anew = changed_meanwhile(&store, form, async |store| {
            store.commit(deletion()).await.unwrap();
            let settings = match acl {
                "strict" => public.iter().cloned().chain([("mode".to_owned(), b"strict".to_vec())]).collect(),
                acl => [("acl".to_owned(), acl.into())].into(),
            };
            store.commit(CreateBucket { name: BUCKET.to_owned(), settings }).await.unwrap();
        });
        assert_eq!(anew.await.status, expected, "made anew: {acl}");
        assert_eq!(store.is_empty().await, expected == 403, "{acl}");
    }
}
