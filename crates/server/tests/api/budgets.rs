//! Memory that documents and lists may make the store hold.

use crate::client::{Ask, create_demo, put};
use crate::running_store::RunningStore;

#[tokio::test]
async fn a_document_that_has_no_room_is_refused_and_gives_its_room_back() {
    let store = RunningStore::start_with(|options| options.limits.documents_bytes_max = 1_000).await;
    create_demo(&store).await;
    let rules = |origin: &str| {
        format!(
            "<CORSConfiguration><CORSRule><AllowedOrigin>http://{origin}</AllowedOrigin>\
             <AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"
        )
    };
    let set = |document: String| Ask::new("PUT", "demo", "").query("cors").body(document);
    for _ in 0..3 {
        let refused = set(rules(&"a".repeat(1_000))).send(&store).await;
        assert_eq!((refused.status, refused.element("Code").as_deref()), (503, Some("SlowDown")));
        assert_eq!(set(rules(&"a".repeat(300))).send(&store).await.status, 200);
    }
}

/// Metadata is read along with every name, so a page of a thousand names could be many megabytes.
#[tokio::test]
async fn a_list_is_bounded_in_bytes_and_goes_on_where_it_ended() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for number in 0..200 {
        let object = Ask::new("PUT", "demo", &format!("{number:03}"));
        let stored = object.header("x-oss-meta-a", "m".repeat(8_000)).body("x").send(&store).await;
        assert_eq!(stored.status, 200);
    }
    let (mut keys, mut pages, mut marker) = (Vec::new(), 0, String::new());
    loop {
        let query = format!("max-keys=1000&marker={marker}");
        let page = Ask::new("GET", "demo", "").query(&query).send(&store).await;
        keys.extend(page.elements("Key"));
        pages += 1;
        match page.element("NextMarker") {
            Some(next) => marker = next,
            None => break,
        }
    }
    assert_eq!((keys.len(), pages), (200, 2));
}

#[tokio::test]
async fn an_answer_that_has_no_room_among_those_not_read_yet_is_refused() {
    let store = RunningStore::start_with(|options| options.limits.answers_bytes_max = 8_000).await;
    create_demo(&store).await;
    let list = Ask::new("GET", "demo", "").query("max-keys=1000");
    for number in 0..60 {
        put(&store, &format!("{number:0>200}"), "x".to_owned()).await;
    }
    let refused = list.send(&store).await;
    assert_eq!((refused.status, refused.element("Code").as_deref()), (503, Some("SlowDown")));
    assert_eq!(refused.header("retry-after"), "1");
    for _ in 0..3 {
        let short = Ask::new("GET", "demo", "").query("max-keys=10").send(&store).await;
        assert_eq!(short.status, 200, "what was sent counts no longer");
    }
}
