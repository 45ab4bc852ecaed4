//! Security holes that were found in other servers, each with a test that it is not here: forms and their callbacks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_protocol::callback::BodyType;
use countersign_store::{CreateBucket, PutSetting};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep};

use crate::application::Application;
use crate::form::{Form, HOST, policy};
use crate::running_store::{BUCKET, RunningStore, Setup};
use crate::wire_client::{Answer, read, request, send};

async fn get(store: &RunningStore, key: &str) -> Answer {
    send(store.address, &request(&format!("GET /{key}"), HOST, &[], b"")).await
}

async fn public() -> RunningStore {
    RunningStore::start_with(Setup { acl: "public-read-write", ..Setup::default() }).await
}

#[tokio::test]
async fn cve_2023_43040_the_bucket_is_never_taken_from_a_form_field() {
    let store = RunningStore::start().await;
    let creation = CreateBucket { name: "other".to_owned(), settings: [].into() };
    store.store.commit(creation).await.unwrap();
    for name in ["bucket", "Bucket", "$bucket", "x-oss-bucket"] {
        let form = Form::signed(name, b"x").field(name, "other");
        assert_eq!(form.post(&store).await.status, 204, "{name}");
        assert_eq!(store.bytes(name).await.unwrap(), b"x");
        assert!(store.store.object("other", name.as_bytes()).await.unwrap().is_none());
    }
    // A policy for the other bucket is held against the host, whatever the field says.
    let other = policy().bucket("other");
    let form = Form::anonymous("k", b"x").sign(&other).field("bucket", "other");
    assert_eq!(form.post(&store).await.status, 403);
}

#[tokio::test]
async fn cve_2023_28434_a_form_passes_the_same_guards_as_a_put() {
    let store = public().await;
    let mine = Form::signed("mine", b"mine").field("x-oss-object-acl", "private");
    assert_eq!(mine.post(&store).await.status, 204);
    let put = |key: &str| request(&format!("PUT /{key}"), HOST, &[], b"theirs");
    let listed =
        |key: &str| request(&format!("PUT /{key}"), HOST, &[("x-oss-object-acl", "public-read")], b"theirs");
    for (form, by_put) in [
        (Form::anonymous("mine", b"theirs"), put("mine")),
        (Form::anonymous("new", b"theirs").field("x-oss-object-acl", "public-read"), listed("new")),
        (Form::anonymous("\\k", b"theirs"), put("%5Ck")),
        (Form::anonymous(&"k".repeat(1024), b"theirs"), put(&"k".repeat(1024))),
    ] {
        let (form, by_put) = (form.post(&store).await, send(store.address, &by_put).await);
        assert_eq!((form.status, form.element("Code")), (by_put.status, by_put.element("Code")));
        assert!(form.status >= 400, "{}", form.text());
    }
    assert_eq!(store.bytes("mine").await.unwrap(), b"mine");
}

#[tokio::test]
async fn cve_2021_21362_rights_are_checked_when_they_are_used() {
    let store = public().await;
    let bytes = Form::anonymous("k", &[b'x'; 100_000]).request(&[]);
    let (begun, rest) = bytes.split_at(50_000);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(begun).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let (bucket, name, value) = (BUCKET.to_owned(), "acl".to_owned(), Some(b"private".to_vec()));
    store.store.commit(PutSetting { bucket, name, value }).await.unwrap();
    stream.write_all(rest).await.unwrap();
    let answer = read(&mut stream).await;
    assert_eq!((answer.status, answer.element("Code")), (403, Some("AccessDenied")));
    assert!(store.is_empty().await, "it was stored by a right that is gone");
}

#[tokio::test]
async fn s3d_263_the_edges_of_the_length_range_are_held_to_the_byte() {
    let store = RunningStore::start().await;
    for (range, accepted, refused) in [
        ("0,0", vec![0], vec![1]),
        ("1,1", vec![1], vec![0, 2]),
        ("2,18446744073709551615", vec![2, 70_000], vec![0, 1]),
        ("0,9223372036854775808", vec![0, 1], vec![]),
        ("18446744073709551615,18446744073709551615", vec![], vec![0, 1]),
        ("5,4", vec![], vec![4, 5]),
        ("-1,10", vec![], vec![0, 10]),
        ("0,18446744073709551616", vec![], vec![0]),
        ("0,1e3", vec![], vec![0]),
        ("0,10.0", vec![], vec![0]),
        ("\"0\",\"10\"", vec![], vec![0]),
    ] {
        let json = format!(
            "{{\"expiration\":\"2027-01-01T00:00:00Z\",\"conditions\":[[\"content-length-range\",{range}]]}}"
        );
        let text = STANDARD.encode(json);
        let post = async |len: usize| {
            let form = Form::anonymous("k", &vec![b'x'; len]).sign_text(&text);
            form.post(&store).await.status
        };
        for len in accepted {
            assert_eq!(post(len).await, 204, "{len} in {range}");
        }
        for len in refused {
            assert_eq!(post(len).await, 400, "{len} in {range}");
        }
    }
}

#[tokio::test]
async fn an_access_list_in_a_header_meets_the_conditions_as_one_in_a_field_does() {
    let store = RunningStore::start().await;
    let header = [("x-oss-object-acl", "public-read")];
    let lists = ["public-read", "public-read-write"];
    let form = |key: &str| Form::anonymous(key, b"x");
    for (key, form) in [
        ("not-in", form("not-in").sign(&policy().not_in("x-oss-object-acl", &lists))),
        ("in", form("in").sign(&policy().is_in("X-OSS-Object-Acl", &["default", "private"]))),
        (
            "empty",
            form("empty").field("x-oss-object-acl", "").sign(&policy().eq("x-oss-object-acl", "default")),
        ),
    ] {
        assert_eq!(send(store.address, &form.request(&header)).await.status, 403, "{key}");
        assert_eq!(form.post(&store).await.status, 204, "{key} without the header");
    }
    let outweighed = form("outweighed")
        .field("x-oss-object-acl", "private")
        .sign(&policy().not_in("x-oss-object-acl", &lists));
    assert_eq!(send(store.address, &outweighed.request(&header)).await.status, 204);
    assert_eq!(get(&store, "outweighed").await.status, 403, "the field outweighs the header");
    let pinned = form("pinned").sign(&policy().eq("x-oss-object-acl", "public-read"));
    assert_eq!(send(store.address, &pinned.request(&header)).await.status, 204);
    assert_eq!(get(&store, "pinned").await.status, 200);
}

#[tokio::test]
async fn white_space_around_a_word_passes_no_condition() {
    let store = RunningStore::start().await;
    let lists = ["public-read", "public-read-write"];
    let guarded = Form::anonymous("k", b"x")
        .sign(&policy().not_in("x-oss-object-acl", &lists).not_in("content-type", &["text/html"]));
    for (name, value) in [
        ("x-oss-object-acl", "\tpublic-read-write"),
        ("x-oss-object-acl", "public-read "),
        ("x-oss-content-type", "text/html "),
        ("Content-Type", "\u{a0}text/html"),
        ("x-oss-storage-class", "IA\u{b}"),
        ("x-oss-forbid-overwrite", " true"),
        ("success_action_status", "200\r\n"),
    ] {
        let answer = guarded.clone().field(name, value).post(&store).await;
        assert_eq!((answer.status, answer.element("ArgumentName")), (400, Some(name)), "{value:?}");
    }
    let mut guessed = guarded.clone();
    guessed.fields[0].1 = "${filename}".to_owned();
    guessed.filename = Some("c.html".to_owned());
    assert_eq!(guessed.post(&store).await.status, 403, "the type that the final key suggests is judged");
    assert!(store.is_empty().await);
    let mut wrapped = guarded;
    for (_, value) in wrapped.fields.iter_mut().filter(|(name, _)| name == "policy" || name == "Signature") {
        *value = format!(" {value}\r\n");
    }
    assert_eq!(wrapped.post(&store).await.status, 204, "policy and signature are trimmed");
}

#[tokio::test]
async fn cve_2026_21862_an_address_that_a_header_claims_is_not_believed() {
    let store = RunningStore::start().await;
    let application = Application::saying("{}").await;
    let form = Form::signed("k", b"x").callback(&application.url("/"), "${clientIp}", BodyType::Form);
    let claims = [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Real-IP", "203.0.113.9"),
        ("Forwarded", "for=203.0.113.9"),
        ("True-Client-IP", "203.0.113.9"),
    ];
    assert_eq!(send(store.address, &form.request(&claims)).await.status, 200);
    assert_eq!(application.only().text(), "127.0.0.1");
}

#[tokio::test]
async fn an_answer_that_is_a_page_is_relayed_so_that_it_runs_no_scripts() {
    let store = RunningStore::start().await;
    let page = "\"<script>alert(1)</script>\"";
    let length = page.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n");
    let application = Application::answering(format!("{head}{page}").as_bytes()).await;
    let form = Form::signed("k", b"x").callback(&application.url("/"), "a=b", BodyType::Form);
    let answer = form.post(&store).await;
    assert_eq!((answer.status, answer.text()), (200, page));
    assert_eq!(answer.header("content-security-policy"), Some("sandbox"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_field_by_another_spelling_of_its_name_meets_no_condition() {
    let store = RunningStore::start().await;
    let prefix = policy().starts_with("key", "user/4/");
    for (name, value) in
        [("$key", "user/4/a"), (" key", "user/4/a"), ("\u{ff4b}ey", "user/4/a"), ("key\u{200b}", "user/4/a")]
    {
        let form = Form::anonymous("elsewhere", b"x").sign(&prefix).field(name, value);
        assert_eq!(form.post(&store).await.status, 403, "{name:?}");
    }
    // The Kelvin sign is a k in lower case: the field is the key, and named twice.
    for name in ["KEY", "\u{212a}ey"] {
        let form = Form::anonymous("user/4/a", b"x").sign(&prefix).field(name, "elsewhere");
        assert_eq!(form.post(&store).await.status, 400, "{name:?}");
    }
    assert!(store.is_empty().await);
}
