//! Security holes that were found in other servers, each with a test that it is not here: requests signed in header
//! or URL.

use countersign_protocol::url_encoding::encode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep};

use crate::client::{Ask, Signing, create_demo, put};
use crate::running_store::RunningStore;

/// Sends a head and a body as they are, and gives the status of the answer.
async fn status_of(store: &RunningStore, head: &str, headers: &[(String, Vec<u8>)], body: &[u8]) -> u16 {
    let mut bytes = format!("{head} HTTP/1.1\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn unsigned_headers_and_copy_sources_on_presigned_urls_are_refused() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "secret", "secret").await;
    for signing in [Signing::UrlV1, Signing::UrlV4] {
        for (name, value) in [
            ("x-oss-object-acl", "public-read"),
            ("x-oss-meta-owner", "somebody"),
            ("x-oss-copy-source", "/demo/secret"),
            ("x-oss-callback", "e30="),
            ("x-oss-forbid-overwrite", "false"),
            ("content-type", "text/html"),
        ] {
            let ask = Ask::new("PUT", "demo", "k").signing(signing);
            let (target, mut headers) = ask.prepare(&store);
            headers.push((name.to_owned(), value.as_bytes().to_vec()));
            headers.push(("content-length".to_owned(), b"1".to_vec()));
            let status = status_of(&store, &format!("PUT {target}"), &headers, b"x").await;
            assert_eq!(status, 403, "{name} beside {signing:?}");
        }
    }
    assert_eq!(Ask::new("GET", "demo", "k").send(&store).await.status, 404);
}

#[tokio::test]
async fn unsigned_parameters_on_presigned_urls_are_refused() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "k", "x").await;
    for signing in [Signing::UrlV1, Signing::UrlV4] {
        let (target, headers) = Ask::new("GET", "demo", "k").signing(signing).prepare(&store);
        for added in ["acl", "%61cl", "callback=e30%3D", "response-content-type=text/html", "versionId=null"]
        {
            for target in [format!("{target}&{added}"), target.replace('?', &format!("?{added}&"))] {
                let status = status_of(&store, &format!("GET {target}"), &headers, b"").await;
                assert_eq!(status, 403, "{added} beside {signing:?}");
            }
        }
        assert_eq!(status_of(&store, &format!("GET {target}"), &headers, b"").await, 200);
    }
}

#[tokio::test]
async fn cve_2023_28433_no_key_reaches_into_another_bucket() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "secret", "secret").await;
    let public = Ask::new("PUT", "public", "").header("x-oss-acl", "public-read-write");
    assert_eq!(public.send(&store).await.status, 200);
    let host = ("host".to_owned(), store.address.to_string().into_bytes());
    let keys =
        ["../demo/secret", "..\\demo\\secret", "\\..\\demo\\secret", "/demo/secret", "./../demo/secret"];
    let spellings = |key: &str| [key.to_owned(), encode(key), key.replace('/', "%2f").replace('.', "%2e")];
    for path in keys.into_iter().flat_map(spellings) {
        let status =
            status_of(&store, &format!("GET /public/{path}"), std::slice::from_ref(&host), b"").await;
        assert!(status == 404 || status == 400, "{path}: {status}");
    }
    let headers = [host, ("content-length".to_owned(), b"5".to_vec())];
    for path in keys.into_iter().flat_map(spellings) {
        status_of(&store, &format!("PUT /public/{path}"), &headers, b"other").await;
    }
    assert_eq!(Ask::new("GET", "demo", "secret").send(&store).await.text(), "secret");
}

#[tokio::test]
async fn cve_2021_21362_rights_are_checked_when_they_are_used() {
    let store = RunningStore::start().await;
    let bucket = |list: &str| Ask::new("PUT", "demo", "").query("acl").header("x-oss-acl", list);
    create_demo(&store).await;
    for closed_by in ["the bucket", "the object"] {
        assert_eq!(bucket("public-read-write").send(&store).await.status, 200);
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        let head = "PUT /demo/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\nthe";
        stream.write_all(head.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        let mine = Ask::new("PUT", "demo", "k").body("mine");
        if closed_by == "the bucket" {
            assert_eq!(mine.send(&store).await.status, 200);
            assert_eq!(bucket("private").send(&store).await.status, 200);
        } else {
            assert_eq!(mine.header("x-oss-object-acl", "private").send(&store).await.status, 200);
        }
        stream.write_all(b"irs").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "{closed_by}: {answer}");
        assert_eq!(Ask::new("GET", "demo", "k").send(&store).await.text(), "mine", "{closed_by}");
        assert_eq!(Ask::new("DELETE", "demo", "k").send(&store).await.status, 204);
    }
}

#[tokio::test]
async fn cve_2026_40344_and_cve_2026_41145_a_body_proves_nothing_by_trailers() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let digests =
        ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "e3b0c44298fc"];
    for digest in digests {
        let ask = Ask::new("PUT", "demo", "k").header("x-oss-content-sha256", digest).body("x");
        let refused = ask.clone().signing(Signing::HeaderV4).send(&store).await;
        assert!((400..=403).contains(&refused.status), "{digest}: {}", refused.status);
        // Who proves nothing is nobody, whatever is said of the body.
        assert_eq!(ask.clone().anonymous().send(&store).await.status, 403, "{digest}");
        assert_eq!(ask.credentials("nobody", "guess").send(&store).await.status, 403, "{digest}");
    }
    // What stands behind the last chunk is neither a proof nor kept.
    let (target, mut headers) = Ask::new("PUT", "demo", "k").prepare(&store);
    headers.push(("transfer-encoding".to_owned(), b"chunked".to_vec()));
    let body = b"1\r\nx\r\n0\r\nx-oss-object-acl: public-read\r\nx-oss-meta-a: b\r\n\r\n";
    assert_eq!(status_of(&store, &format!("PUT {target}"), &headers, body).await, 200);
    assert_eq!(Ask::new("GET", "demo", "k").anonymous().send(&store).await.status, 403);
    assert_eq!(Ask::new("GET", "demo", "k").send(&store).await.header("x-oss-meta-a"), "");
}

#[tokio::test]
async fn ghsa_3rh2_v3gr_35p9_metadata_comes_from_its_own_headers_only() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let foreign = [
        "x-minio-replication-server-side-encryption-sealed-key",
        "x-minio-internal-server-side-encryption-iv",
        "x-amz-meta-a",
        "x-oss-replication-status",
        "x-oss-object-type",
        "x-oss-hash-sha1",
        "x-oss-next-append-position",
        "x-oss-expiration",
        "etag",
        "last-modified",
    ];
    let mut ask = Ask::new("PUT", "demo", "k").header("x-oss-meta-kept", "yes").body("x");
    for name in foreign {
        ask = ask.header(name, "injected");
    }
    assert_eq!(ask.send(&store).await.status, 200);
    let answer = Ask::new("GET", "demo", "k").send(&store).await;
    assert_eq!((answer.status, answer.header("x-oss-meta-kept")), (200, "yes"));
    let injected = answer.headers.iter().find(|(_, value)| value.as_bytes() == b"injected");
    assert!(injected.is_none(), "{injected:?}");
}
