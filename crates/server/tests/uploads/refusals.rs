//! Forms that are refused: the answer says why, nothing is stored, and the browser gets to see the answer.

use countersign_protocol::callback::BodyType;
use jiff::Timestamp;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::form::{Form, HOST, policy};
use crate::running_store::{NOW_SECOND, RunningStore, Setup};
use crate::wire_client::{read, request, send};

/// Asserts one refusal and that nothing was stored.
async fn refused(store: &RunningStore, form: &Form, status: u16, code: &str, message_part: &str) {
    let answer = form.post(store).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!((answer.status, answer.element("Code")), (status, Some(code)), "{text}");
    assert!(answer.element("Message").unwrap().contains(message_part), "{message_part:?} in {text}");
    assert_eq!(answer.header("x-oss-request-id"), answer.element("RequestId"));
    assert_eq!(answer.header("x-oss-ec"), answer.element("EC"));
    assert_eq!(answer.element("HostId"), Some(HOST));
    assert!(store.is_empty().await, "{code} stored something");
}

#[tokio::test]
async fn credentials_that_are_missing_unknown_or_wrong_are_refused() {
    let store = RunningStore::start().await;
    let signed = Form::signed("k", b"x");
    refused(&store, &Form::anonymous("k", b"x"), 403, "AccessDenied", "bucket acl").await;
    refused(&store, &signed.clone().without("Signature"), 400, "InvalidArgument", "").await;
    refused(&store, &signed.clone().without("OSSAccessKeyId"), 400, "InvalidArgument", "").await;
    let unknown = signed.clone().without("OSSAccessKeyId").field("OSSAccessKeyId", "nobody");
    refused(&store, &unknown, 403, "InvalidAccessKeyId", "does not exist in our records").await;
    let wrong = signed.clone().without("Signature").field("Signature", "bm90IHRoZSBzaWduYXR1cmU=");
    refused(&store, &wrong, 403, "SignatureDoesNotMatch", "does not match").await;
    let with_token = signed.field("x-oss-security-token", "token");
    refused(&store, &with_token, 403, "InvalidAccessKeyId", "").await;
}

#[tokio::test]
async fn the_key_id_is_looked_at_before_the_bucket() {
    let store = RunningStore::start().await;
    let headers = [("Content-Type", Form::content_type())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let known = Form::signed("k", b"x");
    let unknown = known.clone().without("OSSAccessKeyId").field("OSSAccessKeyId", "nobody");
    let answer = send(store.address, &request("POST /", "gone.oss.test", &headers, &unknown.body())).await;
    assert_eq!((answer.status, answer.element("Code")), (403, Some("InvalidAccessKeyId")));
    let answer = send(store.address, &request("POST /", "gone.oss.test", &headers, &known.body())).await;
    assert_eq!((answer.status, answer.element("Code")), (404, Some("NoSuchBucket")));
    assert_eq!(answer.element("BucketName"), Some("gone"));
}

#[tokio::test]
async fn a_policy_that_has_expired_or_does_not_hold_is_refused_by_name() {
    let store = RunningStore::start().await;
    let form = Form::anonymous("elsewhere/k", b"x");
    let expired =
        countersign_protocol::policy::PolicyDocument::new(Timestamp::from_second(NOW_SECOND - 1).unwrap());
    refused(
        &store,
        &form.clone().sign(&expired.starts_with("key", "")),
        403,
        "AccessDenied",
        "Policy expired.",
    )
    .await;
    let prefix = policy().starts_with("key", "user-dir/").eq("x-oss-object-acl", "private");
    let both = "Policy Condition failed: [\"starts-with\", \"$key\", \"user-dir/\"]";
    refused(&store, &form.clone().sign(&prefix), 403, "AccessDenied", both).await;
    let other =
        countersign_protocol::policy::PolicyDocument::new(Timestamp::from_second(NOW_SECOND + 60).unwrap())
            .bucket("another-bucket");
    refused(&store, &form.clone().sign(&other), 403, "AccessDenied", "$bucket").await;
    let json = "{\"expiration\":\"2027-01-01T00:00:00Z\",\"conditions\":[[\"matches\",\"$key\",\"a\"]]}";
    let unknown = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, json);
    refused(&store, &form.sign_text(&unknown), 400, "InvalidPolicyDocument", "Invalid Policy").await;
    // The same form is let in as long as its policy is good.
    assert_eq!(Form::signed("k", b"x").post(&store).await.status, 204);
    store.move_clock(3601);
    assert_eq!(Form::signed("k2", b"x").post(&store).await.status, 403);
}

#[tokio::test]
async fn the_size_range_is_enforced_to_the_byte_on_what_arrives() {
    let store = RunningStore::start().await;
    let policy = policy().content_length_range(3, 5);
    let of = |bytes: usize| Form::anonymous("k", &vec![b'x'; bytes]).sign(&policy);
    refused(&store, &of(2), 400, "EntityTooSmall", "smaller than the minimum").await;
    refused(&store, &of(6), 400, "EntityTooLarge", "exceeds the maximum").await;
    refused(&store, &of(300_000), 400, "EntityTooLarge", "exceeds the maximum").await;
    assert_eq!(of(3).post(&store).await.status, 204);
    assert_eq!(of(5).post(&store).await.status, 204);
}

#[tokio::test]
async fn the_servers_own_limit_holds_whatever_the_policy_says() {
    let mut setup = Setup::default();
    setup.limits.object_bytes_max = 10;
    let store = RunningStore::start_with(setup).await;
    refused(&store, &Form::signed("k", &[0; 11]), 400, "EntityTooLarge", "").await;
    let huge = format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        Form::content_type(),
        64 * 1024 * 1024
    );
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(huge.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read(&mut stream).await;
    assert_eq!(answer.element("Message"), Some("Post body size must be less than 5G."));
}

#[tokio::test]
async fn bodies_that_are_no_good_form_are_refused() {
    let store = RunningStore::start().await;
    let form = Form::signed("k", b"x");
    refused(&store, &form.clone().field("Key", "again"), 400, "InvalidArgument", "more than once").await;
    let order = "The bucket POST must contain the specified 'key'. If it is specified, please check the order of the fields";
    refused(&store, &form.clone().without("key"), 400, "InvalidArgument", order).await;
    let mut file_first = form.clone().without("key");
    file_first.after.push(("key".to_owned(), "k".to_owned()));
    refused(&store, &file_first, 400, "InvalidArgument", order).await;
    refused(&store, &Form::signed("", b"x"), 400, "InvalidObjectName", "can not be empty").await;
    refused(&store, &Form::signed("\\a", b"x"), 400, "InvalidObjectName", "not valid").await;
    refused(&store, &Form::signed("a\0b", b"x"), 400, "InvalidObjectName", "not valid").await;
    refused(&store, &Form::signed(&"k".repeat(1024), b"x"), 400, "InvalidObjectName", "less than 1024").await;
    for name in
        ["x-oss-tagging", "X-Oss-Object-Worm-Mode", "x-oss-hash-crc64ecma", "x-oss-persistent-headers"]
    {
        refused(&store, &form.clone().field(name, "a=b"), 501, "NotImplemented", "x-oss-").await;
    }
    refused(&store, &form.clone().field("x-oss-object-acl", "all"), 400, "InvalidArgument", "access control")
        .await;
    let mut twice = form.clone();
    twice.after = vec![("file".to_owned(), "again".to_owned())];
    refused(&store, &twice, 400, "IncorrectNumberOfFilesInPOSTRequest", "exactly one").await;
    let large = form.field("x", &"v".repeat(3 << 20));
    refused(&store, &large, 400, "FieldItemTooLong", "").await;
    let plain = request("POST /", HOST, &[("Content-Type", "application/json")], b"{}");
    let answer = send(store.address, &plain).await;
    assert_eq!((answer.status, answer.element("Code")), (400, Some("RequestIsNotMultiPartContent")));
}

#[tokio::test]
async fn a_wrong_digest_of_the_body_is_refused() {
    let store = RunningStore::start().await;
    for digest in ["1B2M2Y8AsgTpgAmY7PhCfg==", "nonsense"] {
        let answer = send(store.address, &Form::signed("k", b"x").request(&[("Content-MD5", digest)])).await;
        assert_eq!((answer.status, answer.element("Code")), (400, Some("InvalidDigest")), "{digest}");
    }
    assert!(store.is_empty().await);
}

#[tokio::test]
async fn an_object_is_not_overwritten_when_the_form_forbids_it() {
    let store = RunningStore::start().await;
    let form = Form::signed("k", b"first").field("x-oss-forbid-overwrite", "true");
    assert_eq!(form.post(&store).await.status, 204);
    let mut second = form.clone();
    second.file = b"second".to_vec();
    let answer = second.post(&store).await;
    assert_eq!((answer.status, answer.element("Code")), (409, Some("FileAlreadyExists")));
    assert_eq!(store.bytes("k").await.unwrap(), b"first");
    assert_eq!(second.without("x-oss-forbid-overwrite").post(&store).await.status, 204);
    assert_eq!(store.bytes("k").await.unwrap(), b"second");
}

#[tokio::test]
async fn a_callback_parameter_that_is_malformed_is_refused_before_anything_is_stored() {
    let store = RunningStore::start().await;
    let form = Form::signed("k", b"x");
    refused(&store, &form.clone().field("callback", "{}"), 400, "InvalidArgument", "not base64").await;
    let no_body = form.clone().callback("http://127.0.0.1/", "", BodyType::Form);
    refused(&store, &no_body, 400, "InvalidArgument", "callback body is empty").await;
    let bad_url = form.clone().callback("http://my:host/", "a=b", BodyType::Form);
    refused(&store, &bad_url, 400, "InvalidArgument", "callback url configuration is invalid").await;
    let none = form.callback("", "", BodyType::Form);
    assert_eq!(none.post(&store).await.status, 204, "no URL is no callback");
}

#[tokio::test]
async fn the_sender_of_a_refused_body_gets_its_answer_while_it_still_sends() {
    let store = RunningStore::start().await;
    store.allow_origin("http://app.test").await;
    let form = Form::anonymous("k", b"");
    let total = 4 * 1024 * 1024;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://app.test\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        Form::content_type(),
        form.body().len() + total
    );
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&form.head()).await.unwrap();
    // The refusal is there already; a browser sends on all the same and must not be reset before its end.
    for _ in 0..total / 65_536 {
        stream.write_all(&[0; 65_536]).await.expect("the server still reads");
    }
    stream.write_all(&form.tail()).await.expect("the server still reads");
    let answer = read(&mut stream).await;
    assert_eq!((answer.status, answer.header("connection")), (403, Some("close")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://app.test"));
    assert!(store.is_empty().await);
}

#[tokio::test]
async fn heads_that_are_not_yet_authorised_share_one_budget() {
    let mut setup = Setup::default();
    setup.limits.form_heads_bytes_max = 100_000;
    let store = RunningStore::start_with(setup).await;
    assert_eq!(Form::signed("k", b"x").post(&store).await.status, 204);
    let large = Form::signed("k", b"x").field("pad", &"v".repeat(200_000)).post(&store).await;
    assert_eq!((large.status, large.element("Code")), (503, Some("SlowDown")));
    assert_eq!(large.header("retry-after"), Some("1"));
    assert_eq!(Form::signed("k", b"x").post(&store).await.status, 204, "the share was given back");
}

#[tokio::test]
async fn no_more_uploads_stream_at_a_time_than_are_allowed() {
    let mut setup = Setup::default();
    setup.limits.uploads_max = 1;
    let store = RunningStore::start_with(setup).await;
    let form = Form::signed("first", b"0123456789");
    let bytes = form.request(&[]);
    let (begun, rest) = bytes.split_at(bytes.len() - 40);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(begun).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let second = Form::signed("second", b"x").post(&store).await;
    assert_eq!((second.status, second.element("Code")), (503, Some("SlowDown")), "{}", second.text());
    assert_eq!(second.header("retry-after"), Some("1"));
    stream.write_all(rest).await.unwrap();
    assert_eq!(read(&mut stream).await.status, 204);
    assert_eq!(Form::signed("third", b"x").post(&store).await.status, 204, "the place was given back");
}

#[tokio::test]
async fn what_would_have_to_be_encrypted_at_rest_is_refused() {
    let store = RunningStore::start().await;
    let form = Form::signed("k", b"x");
    let known = form.clone().field("x-oss-server-side-encryption", "AES256");
    refused(&store, &known, 501, "NotImplemented", "").await;
    let unknown = form.field("x-oss-server-side-encryption", "ROT13");
    refused(&store, &unknown, 400, "InvalidEncryptionAlgorithmError", "").await;
}
