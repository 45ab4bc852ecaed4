//! What clients demand of the transfer of an object: ranges, limits, classes and encodings.

use crate::client::{Ask, create_demo, put};
use crate::running_store::RunningStore;

#[tokio::test]
async fn the_rest_of_an_object_is_not_sent_to_a_client_that_has_the_beginning_of_another() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "k", "aaaaaaaaaa").await;
    let old = Ask::new("HEAD", "demo", "k").send(&store).await;
    store.advance(2);
    put(&store, "k", "bbbbbbbbbb").await;
    let new = Ask::new("HEAD", "demo", "k").send(&store).await;
    for (validator, status) in [
        (old.header("etag"), 200),
        (old.header("last-modified"), 200),
        ("W/\"0\"", 200),
        (new.header("etag"), 206),
        (new.header("last-modified"), 206),
    ] {
        let ask = Ask::new("GET", "demo", "k").header("range", "bytes=5-").header("if-range", validator);
        let answer = ask.send(&store).await;
        let body = if status == 206 { "bbbbb" } else { "bbbbbbbbbb" };
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{validator}");
        assert_eq!(answer.headers.contains_key("content-range"), status == 206);
    }
}
