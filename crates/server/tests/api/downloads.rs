//! GetObject and HeadObject (OBJ-12 to OBJ-29).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::{Answer, Ask, Signing, create_demo, put};
use crate::running_store::RunningStore;

async fn store_with_digits() -> RunningStore {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "digits.txt", "0123456789").await;
    store
}

#[tokio::test]
async fn what_was_put_comes_back_with_everything_that_was_kept() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let body = vec![7; 3 << 20];
    let put = Ask::new("PUT", "demo", "a.png")
        .header("content-type", "image/png")
        .header("cache-control", "no-cache")
        .header("content-disposition", "attachment; filename=\"a.png\"")
        .header("content-encoding", "identity")
        .header("expires", "Fri, 28 Feb 2030 05:38:42 GMT")
        .header("x-oss-meta-author", "作者".as_bytes())
        .header("x-oss-storage-class", "IA")
        .body(body.clone());
    assert_eq!(put.send(&store).await.status, 200);
    for method in ["GET", "HEAD"] {
        let answer = Ask::new(method, "demo", "a.png").send(&store).await;
        assert_eq!(answer.status, 200);
        for (name, value) in [
            ("content-type", "image/png"),
            ("content-length", "3145728"),
            ("cache-control", "no-cache"),
            ("content-disposition", "attachment; filename=\"a.png\""),
            ("content-encoding", "identity"),
            ("expires", "Fri, 28 Feb 2030 05:38:42 GMT"),
            ("last-modified", "Sun, 22 Nov 2026 20:00:00 GMT"),
            ("accept-ranges", "bytes"),
            ("x-oss-object-type", "Normal"),
            ("x-oss-storage-class", "IA"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), value, "{method} {name}");
        }
        assert_eq!(answer.headers["x-oss-meta-author"].as_bytes(), "作者".as_bytes());
        assert!(
            answer.headers.contains_key("x-oss-hash-crc64ecma") && answer.headers.contains_key("content-md5")
        );
        assert_eq!(answer.body, if method == "GET" { body.clone() } else { Vec::new() });
    }
}

#[tokio::test]
async fn ranges_are_answered_as_oss_does_and_by_the_standard_on_demand() {
    let store = store_with_digits().await;
    for (range, standard, status, shown, body) in [
        ("bytes=2-4", false, 206, "bytes 2-4/10", "234"),
        ("bytes=7-", false, 206, "bytes 7-9/10", "789"),
        ("bytes=-2", false, 206, "bytes 8-9/10", "89"),
        ("bytes=5-20", false, 200, "", "0123456789"),
        ("bytes=20-", false, 200, "", "0123456789"),
        ("bytes=1-2,4-5", false, 200, "", "0123456789"),
        ("bytes=5-20", true, 206, "bytes 5-9/10", "56789"),
    ] {
        let ask = Ask::new("GET", "demo", "digits.txt").header("range", range);
        let ask = if standard { ask.header("x-oss-range-behavior", "standard") } else { ask };
        let answer = ask.send(&store).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{range}");
        assert_eq!(answer.header("content-range"), shown, "{range}");
        assert_eq!(answer.header("content-length"), body.len().to_string(), "{range}");
        assert_eq!(answer.headers.contains_key("content-md5"), status == 200, "{range}");
    }
    let beyond = Ask::new("GET", "demo", "digits.txt")
        .header("range", "bytes=10-")
        .header("x-oss-range-behavior", "standard");
    let refused = beyond.send(&store).await;
    assert_eq!((refused.status, refused.refusal().1.as_str()), (416, "InvalidRange"));
}

#[tokio::test]
async fn conditions_give_304_and_412() {
    let store = store_with_digits().await;
    let etag = Ask::new("HEAD", "demo", "digits.txt").send(&store).await.header("etag").to_owned();
    let ask =
        |method, header: &str, value: &str| Ask::new(method, "demo", "digits.txt").header(header, value);
    let unmodified: Answer = ask("GET", "if-none-match", &etag).send(&store).await;
    assert_eq!(
        (unmodified.status, unmodified.body.len(), unmodified.header("etag")),
        (304, 0, etag.as_str())
    );
    let date = "Sun, 22 Nov 2026 20:00:00 GMT";
    assert_eq!(ask("HEAD", "if-modified-since", date).send(&store).await.status, 304);
    assert_eq!(ask("GET", "if-match", &etag).send(&store).await.status, 200);
    let failed = ask("GET", "if-match", "\"0\"").send(&store).await;
    assert_eq!((failed.status, failed.element("Condition").as_deref()), (412, Some("If-Match")));
    assert_eq!(
        ask("HEAD", "if-unmodified-since", "Sat, 21 Nov 2026 20:00:00 GMT").send(&store).await.status,
        412
    );
}

#[tokio::test]
async fn signed_requests_may_override_headers_and_anonymous_ones_may_not() {
    let store = store_with_digits().await;
    let query =
        "response-content-type=text%2Fhtml&response-content-disposition=attachment%3B%20filename%3Dx.txt";
    for signing in [Signing::HeaderV1, Signing::UrlV1, Signing::UrlV4] {
        let answer = Ask::new("GET", "demo", "digits.txt").query(query).signing(signing).send(&store).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "text/html");
        assert_eq!(answer.header("content-disposition"), "attachment; filename=x.txt");
        assert_eq!(answer.header("content-security-policy"), "sandbox");
    }
    let split = Ask::new("GET", "demo", "digits.txt").query("response-expires=a%0D%0Ab").send(&store).await;
    assert_eq!(split.refusal().1, "InvalidArgument");
    let open = Ask::new("PUT", "demo", "").query("acl").header("x-oss-acl", "public-read");
    assert_eq!(open.send(&store).await.status, 200);
    let stranger = Ask::new("GET", "demo", "digits.txt").query(query).anonymous().send(&store).await;
    assert_eq!((stranger.status, stranger.refusal().1.as_str()), (400, "InvalidRequest"));
}

#[tokio::test]
async fn a_head_says_in_headers_what_went_wrong() {
    let store = store_with_digits().await;
    let answer = Ask::new("HEAD", "demo", "missing").send(&store).await;
    assert_eq!((answer.status, answer.body.len(), answer.header("x-oss-ec")), (404, 0, "0026-00000001"));
    let document = String::from_utf8(STANDARD.decode(answer.header("x-oss-err")).unwrap()).unwrap();
    assert!(
        document.contains("<Code>NoSuchKey</Code>") && document.contains("<Key>missing</Key>"),
        "{document}"
    );
}
