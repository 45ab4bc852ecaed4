//! The error reference that the store serves, and the links to it.

use countersign_protocol::error_reference::Topic;

use crate::client::{Ask, create_demo};
use crate::running_store::RunningStore;

/// What the store answers at one of its own addresses.
async fn page(store: &RunningStore, path: &str, languages: &str) -> crate::client::Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let page = path.strip_prefix("/_countersign/").unwrap();
    let ask = Ask::new("GET", "_countersign", page).query(query).anonymous();
    ask.host("oss.example.org").header("accept-language", languages).send(store).await
}

#[tokio::test]
async fn the_link_of_a_refusal_opens_at_what_to_do_in_the_readers_language() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for host in ["oss.example.org", "demo.oss.example.org"] {
        let bucket = if host.starts_with("demo") { "" } else { "demo" };
        let refusal = Ask::new("GET", bucket, "missing").anonymous().host(host).send(&store).await;
        let link = refusal.element("RecommendDoc").unwrap();
        let path = link.strip_prefix("http://oss.example.org").expect("the bare endpoint serves it");

        let english = page(&store, path, "en-GB,en;q=0.9").await;
        assert_eq!((english.status, english.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(english.text().contains("What to do") && english.text().contains("lang=\"en\""));
        let chinese = page(&store, path, "zh-CN,zh;q=0.9,en;q=0.8").await;
        assert!(chinese.text().contains("该怎么办") && chinese.text().contains("lang=\"zh\""));
        let named = page(&store, &format!("{path}?lang=zh"), "en").await;
        assert_eq!(named.text(), chinese.text());
        assert_eq!(chinese.header("vary"), "Accept-Language");
        assert!(chinese.header("content-security-policy").starts_with("default-src 'none'"));
    }
}

#[tokio::test]
async fn every_topic_has_a_page_that_the_index_links_to_in_both_languages() {
    let store = RunningStore::start().await;
    for language in ["en", "zh"] {
        let index = page(&store, "/_countersign/docs/errors", language).await;
        assert_eq!(index.status, 200);
        for topic in Topic::all() {
            let name = topic.name();
            assert!(index.text().contains(&format!("href=\"errors/{name}?lang={language}\"")), "{name}");
            let answer = page(&store, &format!("/_countersign/docs/errors/{name}"), language).await;
            assert_eq!(answer.status, 200, "{name}");
            assert!(answer.text().contains(&format!("<html lang=\"{language}\">")), "{name}");
        }
    }
}

#[tokio::test]
async fn a_page_that_does_not_exist_is_no_page() {
    let store = RunningStore::start().await;
    for path in ["docs/errors/NoSuchThing", "docs/errors/<b>", "docs/errorsAccessDenied", "docs/errors/a/b"] {
        let answer = page(&store, &format!("/_countersign/{path}"), "en").await;
        assert_eq!((answer.status, answer.element("Code").as_deref()), (404, Some("NoSuchKey")), "{path}");
    }
}
