//! PutObject and the deletions (OBJ-1 to OBJ-8, OBJ-30, OBJ-31, GEN-15, GEN-19).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Ask, Signing, create_demo, put};
use crate::running_store::RunningStore;

#[tokio::test]
async fn a_put_is_answered_with_its_digests() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let answer = Ask::new("PUT", "demo", "a.txt").body("123456789").send(&store).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
    assert_eq!(answer.header("content-md5"), "JfnnlDI7RTiF9RgfG2JNCw==");
    assert_eq!(answer.header("x-oss-hash-crc64ecma"), "11051210869376104954");
}

#[tokio::test]
async fn digests_that_are_not_the_bodys_store_nothing() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for (header, value, code) in [
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", "InvalidDigest"),
        ("content-md5", "not base64", "InvalidDigest"),
        ("x-oss-hash-crc64ecma", "11051210869376104954", "InvalidCRC64"),
        ("x-oss-hash-crc64ecma", "eleven", "InvalidArgument"),
        ("x-oss-object-acl", "world", "InvalidArgument"),
        ("x-oss-storage-class", "Gold", "InvalidArgument"),
        ("x-oss-server-side-encryption", "AES256", "NotImplemented"),
        ("x-oss-tagging", "a=b", "NotImplemented"),
        ("x-oss-callback", "bm90IGpzb24=", "InvalidArgument"),
    ] {
        let answer = Ask::new("PUT", "demo", "a").header(header, value).body("other").send(&store).await;
        assert_eq!(answer.refusal().1, code, "{header}: {value}");
        assert_eq!(Ask::new("GET", "demo", "a").send(&store).await.status, 404, "{header}: {value}");
    }
    let right = Ask::new("PUT", "demo", "a")
        .header("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")
        .header("x-oss-hash-crc64ecma", "11051210869376104954");
    assert_eq!(right.body("123456789").send(&store).await.status, 200);
}

#[tokio::test]
async fn overwriting_can_be_forbidden() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "a", "old").await;
    let again = Ask::new("PUT", "demo", "a").header("x-oss-forbid-overwrite", "true").body("new");
    let refused = again.send(&store).await;
    assert_eq!((refused.status, refused.refusal().1.as_str()), (409, "FileAlreadyExists"));
    assert_eq!(Ask::new("GET", "demo", "a").send(&store).await.text(), "old");
    put(&store, "a", "new").await;
    assert_eq!(Ask::new("GET", "demo", "a").send(&store).await.text(), "new");
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_and_while_it_is_sent() {
    let store = RunningStore::start_with(|options| options.limits.object_bytes_max = 10).await;
    create_demo(&store).await;
    put(&store, "fits", "0123456789").await;
    let announced = Ask::new("PUT", "demo", "large").body("0123456789a").send(&store).await;
    assert_eq!((announced.status, announced.refusal().1.as_str()), (400, "EntityTooLarge"));
    let chunked = chunked_put(&store, "large", &["01234", "56789", "a"]).await;
    assert!(chunked.starts_with("HTTP/1.1 400") && chunked.contains("EntityTooLarge"), "{chunked}");
    assert_eq!(Ask::new("GET", "demo", "large").send(&store).await.status, 404);
}

#[tokio::test]
async fn chunked_bodies_need_no_length_and_bodies_without_either_are_refused() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let answer = chunked_put(&store, "chunked", &["123", "456", "789"]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(Ask::new("GET", "demo", "chunked").send(&store).await.text(), "123456789");
    let without = raw(&store, &head(&store, "neither", "")).await;
    assert!(without.starts_with("HTTP/1.1 411") && without.contains("MissingContentLength"), "{without}");
}

#[tokio::test]
async fn a_client_that_waits_is_invited_only_when_its_head_is_authorised() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let expecting = "Expect: 100-continue\r\nContent-Length: 3\r\n";
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(head(&store, "invited", expecting).as_bytes()).await.unwrap();
    let mut invitation = [0; 25];
    stream.read_exact(&mut invitation).await.unwrap();
    assert_eq!(&invitation, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");

    let forged = head(&store, "refused", expecting)
        .replace("uthorization: OSS test-key-id:", "uthorization: OSS nobody:");
    let refused = raw(&store, &forged).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
}

#[tokio::test]
async fn a_body_that_stops_leaves_nothing() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(head(&store, "half", "Content-Length: 100\r\n").as_bytes()).await.unwrap();
    stream.write_all(b"not a hundred").await.unwrap();
    drop(stream);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(Ask::new("GET", "demo", "half").send(&store).await.status, 404);
}

#[tokio::test]
async fn deleting_what_is_not_there_succeeds_and_many_go_at_once() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    assert_eq!(Ask::new("DELETE", "demo", "missing").send(&store).await.status, 204);
    for key in ["a", "b & c", "图"] {
        put(&store, key, "x").await;
    }
    let document = "<Delete><Quiet>false</Quiet><Object><Key>a</Key></Object>\
                    <Object><Key>b &amp; c</Key></Object><Object><Key>missing</Key></Object></Delete>";
    let ask = |document: &str| {
        Ask::new("POST", "demo", "").query("delete&encoding-type=url").body(document.to_owned())
    };
    assert_eq!(ask(document).send(&store).await.refusal().1, "MissingArgument");
    let deleted = ask(document).header("content-md5", md5(document)).send(&store).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(deleted.elements("Key"), ["a", "b%20%26%20c", "missing"]);
    let quiet = document.replace("false", "true").replace("<Key>a<", "<Key>图<");
    let silent = ask(&quiet).header("content-md5", md5(&quiet)).send(&store).await;
    assert_eq!((silent.status, silent.body.len()), (200, 0));
    let left = Ask::new("GET", "demo", "").send(&store).await;
    assert_eq!(left.elements("Key"), Vec::<String>::new());
    let wrong = ask(document).header("content-md5", md5("other")).send(&store).await;
    assert_eq!(wrong.refusal().1, "InvalidDigest");
}

fn md5(text: &str) -> String {
    use base64::Engine as _;
    let mut digest = countersign_sys::Md5::new();
    digest.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(digest.finish())
}

/// The head of a signed PutObject, with these headers at its end.
fn head(store: &RunningStore, key: &str, more: &str) -> String {
    let (target, headers) = Ask::new("PUT", "demo", key).signing(Signing::HeaderV1).prepare(store);
    let lines = headers.iter().map(|(name, value)| format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
    format!("PUT {target} HTTP/1.1\r\n{}{more}Connection: close\r\n\r\n", lines.collect::<String>())
}

async fn raw(store: &RunningStore, request: &str) -> String {
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn chunked_put(store: &RunningStore, key: &str, chunks: &[&str]) -> String {
    let chunks = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    let body = format!("{}0\r\n\r\n", chunks.collect::<String>());
    raw(store, &format!("{}{body}", head(store, key, "Transfer-Encoding: chunked\r\n"))).await
}
