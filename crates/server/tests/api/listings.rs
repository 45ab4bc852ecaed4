//! The lists (LIST-1 to LIST-15, GEN-5, GEN-9).

use crate::client::{Answer, Ask, create_demo, put};
use crate::running_store::RunningStore;

async fn store_with_tree() -> RunningStore {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for key in ["a", "b/1", "b/2", "b/c/3", "d e", "图"] {
        put(&store, key, key.to_owned()).await;
    }
    store
}

async fn list(store: &RunningStore, query: &str) -> Answer {
    let answer = Ask::new("GET", "demo", "").query(query).send(store).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

#[tokio::test]
async fn version_1_folds_pages_and_resumes() {
    let store = store_with_tree().await;
    let all = list(&store, "").await;
    assert_eq!(all.elements("Key"), ["a", "b/1", "b/2", "b/c/3", "d e", "图"]);
    assert!(
        all.text()
            .contains("<Prefix></Prefix><Marker></Marker><MaxKeys>100</MaxKeys><Delimiter></Delimiter>")
    );
    assert_eq!((all.elements("Owner").len(), all.element("Type").as_deref()), (6, Some("Normal")));
    assert!(!all.text().contains("xmlns") && !all.text().contains("NextMarker"));
    assert!(all.element("ETag").unwrap().starts_with('"'));

    let mut marker = String::new();
    let mut seen = Vec::new();
    loop {
        let page = list(&store, &format!("delimiter=%2F&max-keys=1&marker={}", encode(&marker))).await;
        seen.extend(page.elements("Key"));
        seen.extend(
            page.elements("CommonPrefixes")
                .iter()
                .map(|item| item.trim_start_matches("<Prefix>").trim_end_matches("</Prefix>").to_owned()),
        );
        match page.element("NextMarker") {
            Some(next) => marker = next,
            None => break,
        }
    }
    assert_eq!(seen, ["a", "b/", "d e", "图"]);
}

#[tokio::test]
async fn names_are_encoded_on_demand() {
    let store = store_with_tree().await;
    let page = list(&store, "encoding-type=URL&prefix=b%2F&delimiter=%2F&marker=b%2F1&max-keys=1").await;
    assert_eq!(page.element("EncodingType").as_deref(), Some("url"));
    assert_eq!(page.element("Prefix").as_deref(), Some("b%2F"));
    assert_eq!(page.element("Marker").as_deref(), Some("b%2F1"));
    assert_eq!(page.element("Delimiter").as_deref(), Some("%2F"));
    assert_eq!(page.elements("Key"), ["b%2F2"]);
    assert_eq!(page.element("NextMarker").as_deref(), Some("b%2F2"));
    let odd = list(&store, "encoding-type=url&prefix=d").await;
    assert_eq!(odd.elements("Key"), ["d%20e"]);
}

#[tokio::test]
async fn version_2_counts_pages_by_token_and_shows_owners_on_demand() {
    let store = store_with_tree().await;
    let first = list(&store, "list-type=2&max-keys=2&start-after=a").await;
    assert_eq!(first.elements("Key"), ["b/1", "b/2"]);
    assert_eq!(first.element("KeyCount").as_deref(), Some("2"));
    assert_eq!(first.element("StartAfter").as_deref(), Some("a"));
    assert_eq!(first.elements("Owner").len(), 0);
    let token = first.element("NextContinuationToken").unwrap();
    let second =
        list(&store, &format!("list-type=2&fetch-owner=true&continuation-token={}", encode(&token))).await;
    assert_eq!(second.elements("Key"), ["b/c/3", "d e", "图"]);
    assert_eq!(
        (second.element("IsTruncated").as_deref(), second.elements("Owner").len()),
        (Some("false"), 3)
    );
    let folded = list(&store, "list-type=2&delimiter=%2F").await;
    assert_eq!(folded.element("KeyCount").as_deref(), Some("4"));
}

#[tokio::test]
async fn sizes_encodings_and_tokens_that_mean_nothing_are_refused() {
    let store = store_with_tree().await;
    for query in [
        "max-keys=0",
        "max-keys=1001",
        "max-keys=x",
        "encoding-type=hex",
        "list-type=2&continuation-token=%25",
    ] {
        let answer = Ask::new("GET", "demo", "").query(query).send(&store).await;
        assert_eq!((answer.status, answer.refusal().1.as_str()), (400, "InvalidArgument"), "{query}");
    }
    let nowhere = Ask::new("GET", "nowhere", "").send(&store).await;
    assert_eq!((nowhere.status, nowhere.refusal().1.as_str()), (404, "NoSuchBucket"));
}

#[tokio::test]
async fn clean_ups_of_sdks_find_versions_and_nothing_pending() {
    let store = store_with_tree().await;
    let versions = list(&store, "versions&max-keys=4&encoding-type=url").await;
    assert_eq!(versions.elements("Key"), ["a", "b%2F1", "b%2F2", "b%2Fc%2F3"]);
    assert!(versions.elements("VersionId").iter().all(|id| id == "null"));
    let next = versions.element("NextKeyMarker").unwrap();
    let rest = list(&store, &format!("versions&key-marker={next}&version-id-marker=null")).await;
    assert_eq!(rest.elements("Key"), ["d e", "图"]);
    let uploads = list(&store, "uploads&max-uploads=10").await;
    assert!(
        uploads.text().contains("<IsTruncated>false</IsTruncated>") && uploads.elements("Upload").is_empty()
    );
    let channels = list(&store, "live").await;
    assert!(channels.text().contains("<ListLiveChannelResult>"), "{}", channels.text());
}

#[tokio::test]
async fn buckets_are_listed_in_pages() {
    let store = RunningStore::start().await;
    for name in ["one", "three", "two"] {
        assert_eq!(Ask::new("PUT", name, "").send(&store).await.status, 200);
    }
    let all = Ask::new("GET", "", "").send(&store).await;
    assert_eq!(all.elements("Name"), ["one", "three", "two"]);
    assert_eq!((all.element("Region").as_deref(), all.element("IsTruncated")), (Some("cn-hangzhou"), None));
    let page = Ask::new("GET", "", "").query("max-keys=1&marker=one&prefix=t").send(&store).await;
    assert_eq!(
        (page.elements("Name"), page.element("NextMarker").as_deref()),
        (vec!["three".to_owned()], Some("three"))
    );
}

fn encode(text: &str) -> String {
    countersign_protocol::url_encoding::encode(text)
}
