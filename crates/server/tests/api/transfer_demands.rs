//! What clients demand of the transfer of an object: ranges, limits, classes and encodings.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Ask, SIGNED, Signing, create_demo, put};
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

#[tokio::test]
async fn a_put_without_a_type_takes_none_from_its_extension() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for signing in SIGNED {
        assert_eq!(
            Ask::new("PUT", "demo", "x.jpg").signing(signing).body("x").send(&store).await.status,
            200
        );
        let shown = Ask::new("HEAD", "demo", "x.jpg").send(&store).await;
        assert_eq!(shown.header("content-type"), "application/octet-stream", "{signing:?}");
    }
}

#[tokio::test]
async fn a_traffic_limit_slows_both_directions_down_and_says_by_how_much() {
    const LIMIT: &str = "x-oss-traffic-limit";
    const DELAY: &str = "x-oss-qos-delay-time";
    let store = RunningStore::start().await;
    create_demo(&store).await;
    // A fifth of a second.
    let (rate, body) = ("838860800", vec![7; 20 << 20]);
    let began = Instant::now();
    let put = Ask::new("PUT", "demo", "k").header(LIMIT, rate).body(body.clone()).send(&store).await;
    assert_eq!((put.status, put.header(DELAY)), (200, "200"));
    assert!(began.elapsed() >= Duration::from_millis(200));
    let asks = [
        Ask::new("GET", "demo", "k").header(LIMIT, rate),
        Ask::new("GET", "demo", "k").query(&format!("{LIMIT}={rate}")).signing(Signing::UrlV4),
    ];
    for ask in asks {
        let began = Instant::now();
        let got = ask.send(&store).await;
        assert_eq!((got.status, got.header(DELAY)), (200, "200"));
        assert!(got.body == body && began.elapsed() >= Duration::from_millis(200));
    }
    for word in ["", "1", "abc", "245759", "838860801", "-1", " 819200"] {
        for method in ["PUT", "GET"] {
            let ask = Ask::new(method, "demo", "k").query(&format!("{LIMIT}={}", word.replace(' ', "%20")));
            let refused = ask.body(if method == "PUT" { "x" } else { "" }).send(&store).await;
            assert_eq!(refused.element("ArgumentName").as_deref(), Some(LIMIT), "{method} {word:?}");
            assert_eq!(refused.element("ArgumentValue").as_deref(), Some(word));
        }
    }
    assert_eq!(Ask::new("HEAD", "demo", "k").send(&store).await.header("content-length"), "20971520");
}

#[tokio::test]
async fn a_list_names_keys_that_xml_cannot_write_by_references_that_lead_back_to_them() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "k-\u{1}x", "1").await;
    put(&store, "k-\u{fffd}x", "2").await;
    for query in ["", "list-type=2", "versions"] {
        let listed = Ask::new("GET", "demo", "").query(query).send(&store).await;
        assert_eq!(listed.elements("Key"), ["k-&#1;x", "k-\u{fffd}x"], "{query}");
    }
    let encoded = Ask::new("GET", "demo", "").query("encoding-type=url").send(&store).await;
    assert_eq!(encoded.elements("Key"), ["k-%01x", "k-%EF%BF%BDx"]);
    let strict = Ask::new("PUT", "demo", "").header("x-oss-countersign-mode", "strict").send(&store).await;
    assert_eq!(strict.status, 200);
    let refused = Ask::new("PUT", "demo", "k-\u{1}y").body("x").send(&store).await;
    assert_eq!(
        (refused.refusal().1.as_str(), refused.element("BucketMode").as_deref()),
        ("InvalidObjectName", Some("strict"))
    );
    put(&store, "k y", "x").await;
    assert_eq!(Ask::new("GET", "demo", "k-\u{1}x").send(&store).await.text(), "1", "what is there is read");
}

#[tokio::test]
async fn names_of_headers_are_written_as_oss_writes_them() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "k", "x").await;
    let raw = async |method: &'static str, key: &str| {
        let (target, headers) = Ask::new(method, "demo", key).prepare(&store);
        let mut request = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
        for (name, value) in headers {
            request.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
        }
        request.extend(b"connection: close\r\n\r\n");
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        stream.write_all(&request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let common = ["Content-Length", "Content-Type", "Date", "Server", "Connection", "x-oss-request-id"];
    let object = ["ETag", "Content-MD5", "Last-Modified", "Accept-Ranges", "x-oss-hash-crc64ecma"];
    for (method, key, names) in [("GET", "k", &object[..]), ("HEAD", "k", &object), ("GET", "missing", &[])] {
        let answer = raw(method, key).await;
        for name in common.iter().chain(names) {
            assert!(answer.contains(&format!("\r\n{name}: ")), "{method} {key} {name}: {answer}");
        }
    }
}

/// A text of 4 KiB that compresses well.
const TEXT: &[u8] = &[b'a'; 4096];

#[tokio::test]
async fn a_text_is_sent_compressed_to_those_that_ask_for_the_whole_of_it() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let put = |key: &'static str, content_type: &'static str| {
        Ask::new("PUT", "demo", key).header("content-type", content_type).body(TEXT)
    };
    for (key, content_type) in [("t", "text/plain; charset=utf-8"), ("p", "image/png")] {
        assert_eq!(put(key, content_type).send(&store).await.status, 200);
    }
    assert_eq!(put("e", "text/plain").header("content-encoding", "br").send(&store).await.status, 200);
    assert_eq!(
        Ask::new("PUT", "demo", "s")
            .header("content-type", "text/plain")
            .body("short")
            .send(&store)
            .await
            .status,
        200
    );
    let get =
        |key: &'static str| Ask::new("GET", "demo", key).header("accept-encoding", "deflate, gzip;q=0.5");

    let answer = get("t").send(&store).await;
    assert_eq!(
        (answer.status, answer.header("content-encoding"), answer.header("vary")),
        (200, "gzip", "Accept-Encoding")
    );
    assert_eq!(
        (answer.header("etag"), answer.header("content-length"), answer.header("content-md5")),
        ("", "", "")
    );
    assert!(answer.body.len() < 200 && answer.body.starts_with(&[0x1f, 0x8b]), "{} bytes", answer.body.len());
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&answer.body[..]), &mut text).unwrap();
    assert_eq!(text, TEXT);

    let plain = Ask::new("GET", "demo", "t").send(&store).await;
    assert_eq!(
        (plain.body.as_ref(), plain.header("vary"), plain.header("content-encoding")),
        (TEXT, "Accept-Encoding", "")
    );
    assert!(!plain.header("etag").is_empty());
    let head = Ask::new("HEAD", "demo", "t").header("accept-encoding", "gzip").send(&store).await;
    assert_eq!(
        (head.header("vary"), head.header("content-length"), head.header("etag")),
        ("Accept-Encoding", "4096", plain.header("etag"))
    );

    let part = get("t").header("range", "bytes=0-9").send(&store).await;
    assert_eq!((part.status, part.header("content-encoding"), part.body.len()), (206, "", 10));
    for (key, encoding) in [("p", ""), ("e", "br"), ("s", "")] {
        let answer = get(key).send(&store).await;
        assert_eq!((answer.header("content-encoding"), answer.header("vary")), (encoding, ""), "{key}");
    }
    assert_eq!(
        Ask::new("GET", "demo", "t").header("accept-encoding", "gzip;q=0").send(&store).await.body,
        TEXT
    );
}
