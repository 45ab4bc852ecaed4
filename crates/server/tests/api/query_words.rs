//! No query parameter of the API reaches another operation: every method with every parameter, on buckets and
//! objects, full and empty. Nothing changes but where an operation says so.

use countersign_protocol::authorization::sub_resource;
use countersign_store::{BucketRecord, Entry, ListQuery};
use std::sync::Arc;

use crate::bucket_operations;
use crate::client::{Answer, Ask, put};
use crate::object_operations;
use crate::running_store::RunningStore;

/// Where the words are tried. `demo` holds `key`, `empty` holds nothing.
const PLACES: [(&str, &str); 4] = [("demo", ""), ("empty", ""), ("demo", "key"), ("empty", "key")];
/// Names that the API does not know.
const UNKNOWN: [&str; 5] = ["responseheader", "ACL", "1700000000", "prefix.", "%E5%9B%BE"];

/// A form that a bucket which anyone may write takes without a policy.
const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nposted\r\n\
    --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n";

type State = Vec<(Arc<BucketRecord>, Vec<Entry>)>;

async fn state(store: &RunningStore) -> State {
    let mut found = Vec::new();
    for bucket in store.store.buckets("", "", 10).await.unwrap() {
        let all = ListQuery { limit: 10, ..ListQuery::default() };
        let entries = store.store.list(&bucket.name, all).await.unwrap().entries;
        found.push((bucket, entries));
    }
    found
}

/// A request that would change something if it reached the operation without the word.
async fn ask(store: &RunningStore, method: &'static str, place: (&str, &str), query: &str) -> Answer {
    let ask = Ask::new(method, place.0, place.1).query(query);
    let ask = match (method, place.1) {
        ("PUT", "") => ask.header("x-oss-acl", "private"),
        ("PUT", _) => ask.body("another"),
        ("POST", _) => ask.header("content-type", "multipart/form-data; boundary=b").body(FORM),
        _ => ask,
    };
    ask.send(store).await
}

async fn start() -> RunningStore {
    let store = RunningStore::start().await;
    restore(&store).await;
    store
}

/// Makes both buckets and their contents what they were, by requests without words.
async fn restore(store: &RunningStore) {
    for bucket in ["demo", "empty"] {
        let made = Ask::new("PUT", bucket, "").header("x-oss-acl", "public-read-write").send(store).await;
        assert_eq!(made.status, 200);
        for key in ["key", "posted"] {
            assert_eq!(Ask::new("DELETE", bucket, key).send(store).await.status, 204);
        }
    }
    put(store, "key", "content").await;
}

async fn try_every_word(method: &'static str) {
    let store = start().await;
    let mut before = state(&store).await;
    for word in sub_resource::words().chain(["x-oss-not-yet-known"]) {
        for (place, query) in
            PLACES.into_iter().flat_map(|place| [(place, word.to_owned()), (place, format!("{word}=1"))])
        {
            let (changes, answers) = match place.1 {
                "" => (bucket_operations::CHANGES, bucket_operations::ANSWERS),
                _ => (object_operations::CHANGES, object_operations::ANSWERS),
            };
            let answer = ask(&store, method, place, &query).await;
            let after = state(&store).await;
            let (shown, status) = (format!("{method} {place:?} {query}: {}", answer.status), answer.status);
            if changes.contains(&(method, word)) {
                if after != before {
                    restore(&store).await;
                    before = state(&store).await;
                }
                continue;
            }
            assert!(after == before, "{shown} changed what is stored");
            if !answers.contains(&(method, word)) {
                assert!(matches!(status, 400 | 404 | 405 | 501), "{shown} was not refused");
            }
        }
    }
}

#[tokio::test]
async fn no_parameter_turns_a_get_into_another_operation() {
    try_every_word("GET").await;
}

#[tokio::test]
async fn no_parameter_turns_a_head_into_another_operation() {
    try_every_word("HEAD").await;
}

#[tokio::test]
async fn no_parameter_of_another_operation_reaches_a_put() {
    try_every_word("PUT").await;
}

#[tokio::test]
async fn no_parameter_of_another_operation_reaches_a_post() {
    try_every_word("POST").await;
}

#[tokio::test]
async fn no_parameter_of_another_operation_reaches_a_deletion() {
    try_every_word("DELETE").await;
}

#[tokio::test]
async fn an_unknown_parameter_deletes_no_bucket_and_without_a_value_changes_nothing() {
    let store = start().await;
    let before = state(&store).await;
    for name in UNKNOWN {
        for (method, place, query) in [
            ("DELETE", ("empty", ""), name.to_owned()),
            ("DELETE", ("empty", ""), format!("{name}=1")),
            ("DELETE", ("demo", "key"), name.to_owned()),
            ("PUT", ("demo", ""), name.to_owned()),
            ("PUT", ("demo", "key"), name.to_owned()),
        ] {
            let answer = ask(&store, method, place, &query).await;
            assert_eq!(answer.refusal().1, "InvalidArgument", "{method} {place:?} {query}");
            assert!(state(&store).await == before, "{method} {place:?} {query} changed what is stored");
        }
        for method in ["GET", "HEAD"] {
            assert_eq!(ask(&store, method, ("demo", "key"), name).await.status, 200, "{method} {name}");
        }
    }
    assert_eq!(ask(&store, "POST", ("empty", ""), "1700000000").await.status, 204);
    assert_ne!(state(&store).await, before);
}

#[tokio::test]
async fn a_parameter_that_is_not_served_is_refused_by_name_to_callers_with_a_key() {
    let store = start().await;
    let refused = ask(&store, "DELETE", ("empty", ""), "responseHeader").await;
    assert_eq!(
        refused.refusal(),
        (501, "NotImplemented".to_owned(), "This store does not implement responseHeader.".to_owned())
    );
    let stranger = Ask::new("DELETE", "empty", "").query("responseHeader").credentials("nobody", "x");
    assert_eq!(stranger.send(&store).await.refusal().1, "InvalidAccessKeyId");
}

#[tokio::test]
async fn a_head_on_a_bucket_says_whether_it_is_there_and_its_region() {
    let store = start().await;
    let there = ask(&store, "HEAD", ("demo", ""), "").await;
    assert_eq!((there.status, there.header("x-oss-bucket-region")), (200, "oss-cn-hangzhou"));
    assert_eq!(there.header("x-oss-countersign-mode"), "compat");
    assert_eq!(ask(&store, "HEAD", ("missing", ""), "").await.status, 404);
    let closed = Ask::new("PUT", "closed", "").send(&store).await;
    assert_eq!(closed.status, 200);
    for (bucket, status) in [("demo", 200), ("closed", 403)] {
        assert_eq!(Ask::new("HEAD", bucket, "").anonymous().send(&store).await.status, status, "{bucket}");
    }
}
