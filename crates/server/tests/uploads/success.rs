//! Answers to forms that are accepted, and what is stored (POST-34 to POST-60).

use countersign_protocol::authorization::{RequestView, v1};
use countersign_protocol::callback::BodyType;
use countersign_protocol::{AccessKeySecret, CredentialScope, post_signature};
use countersign_server::EtagSource;
use jiff::Timestamp;

use crate::application::Application;
use crate::form::{Form, HOST, policy};
use crate::running_store::{BUCKET, KEY_ID, KEY_SECRET, NOW_SECOND, RunningStore, Setup};
use crate::wire_client::{Answer, request, send};

#[tokio::test]
async fn a_signed_form_is_stored_and_answered_204_with_its_digests() {
    let store = RunningStore::start().await;
    let answer = Form::signed("user-dir/你好.txt", b"hello world").post(&store).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(answer.header("etag"), Some("\"5EB63BBBE01EEED093CB22BB8F5ACDC3\""));
    assert_eq!(answer.header("content-md5"), Some("XrY7u+Ae7tCTyyK7j1rNww=="));
    assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some("5981764153023615706"));
    assert_eq!(answer.header("x-oss-request-id").unwrap().len(), 24);
    assert_eq!(answer.header("server"), Some("AliyunOSS"));
    assert_eq!(answer.header("date"), Some("Sun, 22 Nov 2026 12:00:00 GMT"));
    assert_eq!(store.bytes("user-dir/你好.txt").await.unwrap(), b"hello world");
}

/// Small and large, with and without a callback: one tag wherever it is told, no Content-MD5, and the bytes verified.
#[tokio::test]
async fn the_operator_can_make_the_etag_of_a_form_differ_from_its_md5() {
    let store = RunningStore::start_with(Setup { form_etag: EtagSource::Crc64, ..Setup::default() }).await;
    let application = Application::saying("{}").await;
    for (key, bytes) in
        [("small", vec![b'x'; 3]), ("middle", vec![b'y'; 60_000]), ("large", vec![7; 700_000])]
    {
        let plain = Form::signed(key, &bytes).post(&store).await;
        let crc64: u64 = plain.header("x-oss-hash-crc64ecma").unwrap().parse().unwrap();
        let etag = format!("{crc64:016X}{:016X}-1", bytes.len());
        assert_eq!(plain.header("etag"), Some(format!("\"{etag}\"").as_str()), "{key}");
        assert_eq!(plain.header("content-md5"), None);
        let called = Form::signed(key, &bytes)
            .callback(&application.url("/"), "${etag} ${contentMd5}", BodyType::Form)
            .post(&store)
            .await;
        assert_eq!(called.header("etag"), plain.header("etag"));
        assert_eq!(application.received().last().unwrap().text(), format!("{etag} "));
        assert_eq!(store.bytes(key).await.unwrap(), bytes);
    }
    assert!(store.store.scrub().await.unwrap().is_good());
}

#[tokio::test]
async fn success_action_status_chooses_the_answer_and_nonsense_means_204() {
    let store = RunningStore::start().await;
    for (status, expected) in [("200", 200), ("201", 201), ("204", 204), ("202", 204), ("", 204)] {
        let answer = Form::signed("a b", b"x").field("success_action_status", status).post(&store).await;
        assert_eq!(answer.status, expected);
        if status == "201" {
            assert_eq!(answer.header("content-type"), Some("application/xml"));
            assert_eq!(answer.element("Bucket"), Some(BUCKET));
            assert_eq!(answer.element("Key"), Some("a b"));
            assert_eq!(answer.element("ETag"), Some("9DD4E461268C8034F5C8564E155C67A6"));
            assert_eq!(answer.element("Location"), Some("http://demo.oss.test/a%20b"));
        } else {
            assert!(answer.body.is_empty());
        }
    }
}

#[tokio::test]
async fn the_address_in_an_answer_leads_to_the_object_whatever_its_key() {
    let store = RunningStore::start_with(Setup { acl: "public-read", ..Setup::default() }).await;
    for key in ["a+b", "a b", "a%2Bb", "a#b?c&d", "图+ 1.txt", "//a/../+"] {
        let form = Form::signed(key, key.as_bytes()).field("success_action_status", "201");
        let answer = form.post(&store).await;
        let address = answer.element("Location").unwrap();
        assert!(!address.contains('+'), "{address}");
        let read = send(store.address, &request(&format!("GET {address}"), "demo.oss.test", &[], b"")).await;
        assert_eq!((read.status, read.text()), (200, key), "{address}");
    }
}

#[tokio::test]
async fn a_redirect_wins_over_the_status_and_is_never_followed_on_failure() {
    let store = RunningStore::start().await;
    let form = Form::signed("a", b"x")
        .field("success_action_status", "201")
        .field("success_action_redirect", "http://app.test/done?a=1");
    let answer = form.post(&store).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("http://app.test/done?a=1")));
    let refused = form.without("Signature").post(&store).await;
    assert_eq!((refused.status, refused.header("location")), (400, None));
}

#[tokio::test]
async fn a_form_may_come_by_path_and_through_the_names_of_oss() {
    let store = RunningStore::start().await;
    let content_type = Form::content_type();
    for (line, host) in [
        ("POST /demo/", "127.0.0.1:9817"),
        ("POST /demo", "oss.test"),
        ("POST /", "demo.oss.aliyuncs.com"),
        ("POST /", "demo.oss-cn-beijing.aliyuncs.com"),
    ] {
        let form = Form::signed(host, host.as_bytes()).field("success_action_status", "201");
        let headers = [("Content-Type", content_type.as_str())];
        let answer = send(store.address, &request(line, host, &headers, &form.body())).await;
        assert_eq!(answer.status, 201, "{line} {host}: {}", answer.text());
        let bucket = if line == "POST /" { "" } else { "demo/" };
        assert_eq!(
            answer.element("Location").unwrap(),
            format!("http://{host}/{bucket}{}", host.replace(':', "%3A"))
        );
        assert_eq!(store.bytes(host).await.unwrap(), host.as_bytes());
    }
}

#[tokio::test]
async fn the_file_name_is_put_into_the_key_after_the_policy_has_been_held_against_the_literal_one() {
    let store = RunningStore::start().await;
    let policy = policy().eq("key", "user-dir/${filename}").content_length_range(0, 10);
    let mut form = Form::anonymous("user-dir/${filename}", b"x").sign(&policy);
    form.filename = Some("C:\\\\photos\\\\照片 1.jpg".to_owned());
    assert_eq!(form.post(&store).await.status, 204);
    let object = store.object("user-dir/照片 1.jpg").await.expect("the last segment of the path");
    assert!(String::from_utf8_lossy(&object.attributes).contains("image/jpeg"));
    form.filename = Some("n".repeat(1100));
    let refused = form.post(&store).await;
    assert_eq!((refused.status, refused.element("Code")), (400, Some("InvalidObjectName")));
}

#[tokio::test]
async fn keeps_what_the_fields_say_and_accepts_unknown_fields() {
    let store = RunningStore::start().await;
    let mut form = Form::signed("k", b"x")
        .field("Content-Type", "text/plain")
        .field("Cache-Control", "no-cache")
        .field("Content-Disposition", "attachment; filename=a.txt")
        .field("content-encoding", "identity")
        .field("Expires", "Thu, 01 Dec 2033 16:00:00 GMT")
        .field("X-Oss-Meta-Author", "作者")
        .field("x-oss-object-acl", "public-read")
        .field("x-oss-storage-class", "IA")
        .field("x-oss-tagging", "")
        .field("name", "whatever")
        .field("anything else", "x");
    form.part_type = Some("image/jpg".to_owned());
    form.after = vec![("submit".to_owned(), "Upload".to_owned()), ("key".to_owned(), "late".to_owned())];
    assert_eq!(form.post(&store).await.status, 204);
    let attributes = String::from_utf8(store.object("k").await.unwrap().attributes.to_vec()).unwrap();
    for kept in [
        "image/jpg",
        "no-cache",
        "attachment; filename=a.txt",
        "identity",
        "2033",
        "x-oss-meta-author",
        "作者",
        "public-read",
        "IA",
    ] {
        assert!(attributes.contains(kept), "{kept} in {attributes}");
    }
    assert!(!attributes.contains("text/plain"), "the part's own type wins");
    let typed = form.field("x-oss-content-type", "image/png");
    assert_eq!(typed.post(&store).await.status, 204);
    assert!(String::from_utf8_lossy(&store.object("k").await.unwrap().attributes).contains("image/png"));
}

#[tokio::test]
async fn a_v4_form_is_accepted() {
    let store = RunningStore::start().await;
    let now = Timestamp::from_second(NOW_SECOND - 60).unwrap();
    let scope = CredentialScope::new(now, "cn-hangzhou");
    let credential = scope.credential(KEY_ID);
    let policy = policy()
        .field("x-oss-signature-version", "OSS4-HMAC-SHA256")
        .field("x-oss-credential", &credential)
        .field("x-oss-date", "20261122T115900Z")
        .to_base64();
    let signature = post_signature::sign_v4(&AccessKeySecret::from(KEY_SECRET), &scope, &policy);
    let form = Form::anonymous("v4", b"x")
        .field("x-oss-signature-version", "OSS4-HMAC-SHA256")
        .field("x-oss-credential", &credential)
        .field("x-oss-date", "20261122T115900Z")
        .field("x-oss-signature", &signature)
        .field("policy", &policy)
        .field("x-oss-security-token", "");
    let answer = form.post(&store).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}

#[tokio::test]
async fn only_the_fields_of_a_form_authenticate_it() {
    let store = RunningStore::start().await;
    let wrong = [("Authorization", "OSS nobody:bm90IHRoZSBzaWduYXR1cmU=")];
    let signed = send(store.address, &Form::signed("k", b"x").request(&wrong)).await;
    assert_eq!(signed.status, 204, "{}", signed.text());
    // A header that would be right for this very request is no proof for a form that has none.
    let date = "Sun, 22 Nov 2026 12:00:00 GMT";
    let form = Form::anonymous("k2", b"x");
    let content_type = Form::content_type();
    let view = RequestView {
        method: "POST",
        bucket: Some(BUCKET),
        headers: vec![("Content-Type", content_type.as_bytes()), ("Date", date.as_bytes())],
        ..RequestView::default()
    };
    let right = v1::sign_header(&view, KEY_ID, &AccessKeySecret::from(KEY_SECRET));
    let headers = [("Date", date), ("Authorization", right.as_str())];
    let refused = send(store.address, &form.request(&headers)).await;
    assert_eq!((refused.status, refused.element("Code")), (403, Some("AccessDenied")), "{}", refused.text());
    assert!(store.object("k2").await.is_none());
}

#[tokio::test]
async fn anonymous_forms_are_accepted_by_a_public_read_write_bucket() {
    let store = RunningStore::start_with(Setup { acl: "public-read-write", ..Setup::default() }).await;
    assert_eq!(Form::anonymous("a", b"x").post(&store).await.status, 204);
    let listed = Form::anonymous("a", b"x").field("x-oss-object-acl", "private").post(&store).await;
    assert_eq!(listed.status, 403, "a list of its own is the owner's to give");
    // An object that its owner has closed stays his.
    let closed = Form::signed("b", b"mine").field("x-oss-object-acl", "private");
    assert_eq!(closed.post(&store).await.status, 204);
    let refused = Form::anonymous("b", b"yours").post(&store).await;
    assert_eq!((refused.status, refused.element("Code")), (403, Some("AccessDenied")));
    assert_eq!(store.bytes("b").await.unwrap(), b"mine");
}

#[tokio::test]
async fn odd_bytes_and_sizes_read_back_unchanged() {
    let store = RunningStore::start().await;
    let tricky = [b"\r\n------countersignTest7MA4YWx".as_slice(), b"\r\n--", &[0; 70_000], b"\r\n"].concat();
    let large: Vec<u8> = (0..900_000_u32).flat_map(|number| number.to_le_bytes()).take(1 << 20).collect();
    for (key, file) in [("empty", Vec::new()), ("tricky", tricky), ("large", large)] {
        let answer = Form::signed(key, &file).post(&store).await;
        assert_eq!(answer.status, 204, "{key} {}", answer.text());
        assert!(store.bytes(key).await.unwrap() == file, "{key}");
    }
}

#[tokio::test]
async fn a_chunked_form_and_the_digest_of_the_whole_body_are_accepted() {
    let store = RunningStore::start().await;
    let form = Form::signed("chunked", b"0123456789");
    let content_type = Form::content_type();
    let mut bytes = format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for piece in form.body().chunks(7) {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(send(store.address, &bytes).await.status, 204);
    let mut digest = countersign_sys::Md5::new();
    digest.update(&form.body());
    let digest = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest.finish());
    let answer = send(store.address, &form.request(&[("Content-MD5", &digest)])).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}

/// A form with every `@` of its body replaced by bytes that are GBK and not UTF-8.
async fn post_in_gbk(store: &RunningStore, form: &Form) -> Answer {
    let letters = form.body().into_iter();
    let body: Vec<u8> = letters
        .flat_map(|byte| if byte == b'@' { vec![0xd5, 0xd5, 0xc6, 0xac] } else { vec![byte] })
        .collect();
    let content_type = Form::content_type();
    send(store.address, &request("POST /", HOST, &[("Content-Type", content_type.as_str())], &body)).await
}

#[tokio::test]
async fn text_that_is_not_utf8_is_accepted_where_nothing_depends_on_it() {
    let store = RunningStore::start().await;
    let policy = policy().content_length_range(0, 10);
    let named = |key: &str| {
        let mut form = Form::anonymous(key, b"x");
        form.filename = Some("@.jpg".to_owned());
        form
    };
    let accepted = [
        named("a.jpg"),
        named("a.jpg").field("name", "@.jpg").field("x:name", "@").field("@", "b"),
        named("u/\\${filename}"),
    ];
    for form in accepted {
        let answer = post_in_gbk(&store, &form.sign(&policy)).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
    let called = |template| named("k").callback("http://127.0.0.1:9/", template, BodyType::Form);
    let refused = [
        named("${filename}").sign(&policy),
        named("@").sign(&policy),
        named("k").field("x-oss-meta-a", "@").sign(&policy),
        named("k").field("name", "@").sign(&policy.clone().starts_with("name", "")),
        called("a=${x:name}").field("x:name", "@").sign(&policy),
    ];
    for form in refused {
        let answer = post_in_gbk(&store, &form).await;
        assert_eq!(
            (answer.status, answer.element("Code")),
            (400, Some("InvalidArgument")),
            "{}",
            answer.text()
        );
    }
    assert!(store.object("k").await.is_none());
    // Nobody listens at that address, so the upload is only accepted.
    let unused = called("a=1").field("x:name", "@").sign(&policy);
    assert_eq!(post_in_gbk(&store, &unused).await.status, 203);
}
