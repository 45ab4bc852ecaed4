//! Forms that hold more than their policy mentions, in each bucket mode.

use countersign_store::PutSetting;

use crate::form::{Form, policy};
use crate::running_store::{BUCKET, RunningStore};
use crate::wire_client::send;

async fn store_in(mode: &str) -> RunningStore {
    let store = RunningStore::start().await;
    let (bucket, name) = (BUCKET.to_owned(), "mode".to_owned());
    let value = Some(mode.as_bytes().to_vec());
    store.store.commit(PutSetting { bucket, name, value }).await.unwrap();
    store
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
