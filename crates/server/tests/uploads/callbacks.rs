//! Callbacks to a real application: what it receives, what the uploader is answered, what stays in the outbox.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_protocol::callback::BodyType;
use countersign_protocol::callback::signature::{PublicKey, verify};
use countersign_server::CallbackMessage;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::application::{Application, Conduct, ok};
use crate::form::{Form, policy};
use crate::running_store::{BUCKET, RunningStore, Setup};
use crate::wire_client::{request, send};

const BODY: &str = "filename=${object}&size=${size}&mimeType=${mimeType}&height=${imageInfo.height}&w=${imageInfo.width}&v=${x:who}";

#[tokio::test]
async fn the_applications_answer_is_relayed_byte_for_byte() {
    let store = RunningStore::start().await;
    let answer = "{\"Status\" : \"OK\",\n \"你\":1}";
    let bytes = format!(
        "HTTP/1.1 200 Fine\r\nContent-Type: application/json; charset=utf-8\r\nX-Private: 1\r\nContent-Length: {}\r\n\r\n{answer}",
        answer.len()
    );
    let application = Application::answering(bytes.as_bytes()).await;
    let form = Form::signed("user-dir/a b.txt", b"hello world")
        .field("success_action_status", "201")
        .field("x:who", "张 三/&")
        .callback(&application.url("/callback?id=1&b=%2F"), BODY, BodyType::Form);
    let reply = form.post(&store).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), answer);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("x-private"), None);
    assert_eq!(reply.header("etag"), Some("\"5EB63BBBE01EEED093CB22BB8F5ACDC3\""));
    let received = application.only();
    assert_eq!(received.target, "/callback?id=1&b=%2F");
    assert_eq!(
        received.text(),
        "filename=user-dir%2Fa%20b.txt&size=11&mimeType=text%2Fplain&height=&w=&v=%E5%BC%A0%20%E4%B8%89%2F%26"
    );
    store.owed_until(<[_]>::is_empty).await;
}

#[tokio::test]
async fn the_request_has_exactly_the_headers_of_oss_and_a_good_signature() {
    let store = RunningStore::start().await;
    let application = Application::saying("{}").await;
    let form =
        Form::signed("k", b"x").callback(&application.url("/c%2Fb?q=%2F"), "a=${object}", BodyType::Form);
    let reply = form.post(&store).await;
    assert_eq!(reply.status, 200);
    let received = application.only();
    let mut names: Vec<String> = received.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    let expected = [
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "host",
        "user-agent",
        "x-oss-additional-headers",
        "x-oss-bucket",
        "x-oss-owner",
        "x-oss-pub-key-url",
        "x-oss-request-id",
        "x-oss-requester",
        "x-oss-signature-version",
        "x-oss-tag",
    ];
    assert_eq!(names, expected);
    let address = application.address.to_string();
    for (name, value) in [
        ("connection", "keep-alive"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("date", "Sun, 22 Nov 2026 12:00:00 GMT"),
        ("host", address.as_str()),
        ("user-agent", "aliyun-oss-callback"),
        ("x-oss-additional-headers", ""),
        ("x-oss-bucket", BUCKET),
        ("x-oss-request-id", reply.header("x-oss-request-id").unwrap()),
        ("x-oss-signature-version", "1.0"),
        ("x-oss-tag", "CALLBACK"),
    ] {
        assert_eq!(received.header(name), Some(value), "{name}");
    }
    let key_url = STANDARD.decode(received.header("x-oss-pub-key-url").unwrap()).unwrap();
    assert_eq!(key_url, b"http://oss.test/_countersign/callback_pub_key_v1.pem");
    let key =
        send(store.address, &request("GET /_countersign/callback_pub_key_v1.pem", "oss.test", &[], b""))
            .await;
    assert_eq!((key.status, key.text()), (200, store.key_pem.as_str()));
    let key = PublicKey::from_pem(key.text()).unwrap();
    let authorization = received.header("authorization").unwrap();
    assert_eq!(verify(&key, authorization, &received.target, &received.body), Ok(()));
    assert!(verify(&key, authorization, &received.target, b"a=other").is_err());
}

/// The rule of the Ruby SDK's receiver: a key's address begins so, and the key is fetched from there.
const RUBY_KEY_PREFIX: &str = "http://gosspublic.alicdn.com/";

#[tokio::test]
async fn a_receiver_that_insists_on_alibabas_key_address_verifies_with_an_address_that_begins_so() {
    let callback_key_url = Some("http://gosspublic.alicdn.com/_countersign/callback_pub_key_v1.pem");
    let store = RunningStore::start_with(Setup { callback_key_url, ..Setup::default() }).await;
    let application = Application::saying("{}").await;
    let form =
        Form::signed("k", b"x").callback(&application.url("/done%20it?a=1"), "size=${size}", BodyType::Form);
    assert_eq!(form.post(&store).await.status, 200);
    let received = application.only();
    let named = STANDARD.decode(received.header("x-oss-pub-key-url").unwrap()).unwrap();
    let named = String::from_utf8(named).unwrap();
    assert!(named.starts_with(RUBY_KEY_PREFIX), "{named}");
    // open-uri with http_proxy set to the store: the whole address is the target.
    let fetched = request(&format!("GET {named}"), "gosspublic.alicdn.com", &[], b"");
    let key = PublicKey::from_pem(send(store.address, &fetched).await.text()).unwrap();
    let authorization = received.header("authorization").unwrap();
    assert_eq!(verify(&key, authorization, &received.target, &received.body), Ok(()));
}

#[tokio::test]
async fn a_json_body_its_own_host_and_every_variable_are_sent() {
    let store = RunningStore::start().await;
    let application = Application::saying("{}").await;
    let template = "{\"b\":${bucket},\"o\":${object},\"e\":${etag},\"s\":${size},\"m\":${mimeType},\"c\":${crc64},\
                    \"d\":${contentMd5},\"ip\":${clientIp},\"r\":${reqId},\"op\":${operation},\"v\":${vpcId},\
                    \"i\":${imageInfo.format},\"x\":${x:none}}";
    let json = serde_json::json!({
        "callbackUrl": format!("{}/cb", application.address), "callbackHost": "app.example.com",
        "callbackBody": template, "callbackBodyType": "application/json",
    });
    let form = Form::signed("k\"1.txt", b"hello world").field("callback", &STANDARD.encode(json.to_string()));
    let reply = form.post(&store).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let received = application.only();
    assert_eq!(received.header("host"), Some("app.example.com"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    let sent: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    let expected = serde_json::json!({
        "b": BUCKET, "o": "k\"1.txt", "e": "5EB63BBBE01EEED093CB22BB8F5ACDC3", "s": 11, "m": "text/plain",
        "c": 5_981_764_153_023_615_706_u64, "d": "XrY7u+Ae7tCTyyK7j1rNww==", "ip": "127.0.0.1",
        "r": reply.header("x-oss-request-id").unwrap(), "op": "PostObject", "v": null, "i": null, "x": null,
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn the_answer_waits_for_the_callback() {
    let store = RunningStore::start().await;
    let wait = Duration::from_millis(250);
    let application = Application::conducting(Conduct::Answer(wait, ok("[1]"))).await;
    let started = Instant::now();
    let reply =
        Form::signed("k", b"x").callback(&application.url("/"), "a", BodyType::Form).post(&store).await;
    assert_eq!((reply.status, reply.text()), (200, "[1]"));
    assert!(started.elapsed() >= wait);
}

#[tokio::test]
async fn urls_are_tried_in_order_until_one_answers_well() {
    let store = RunningStore::start().await;
    let broken = Application::answering(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}").await;
    let good = Application::saying("{\"n\":2}").await;
    let never = Application::saying("{\"n\":3}").await;
    let urls =
        [broken.url("/1"), "http://127.0.0.1:1/".to_owned(), good.url("/2"), never.url("/3")].join(";");
    let reply = Form::signed("k", b"x").callback(&urls, "a", BodyType::Form).post(&store).await;
    assert_eq!((reply.status, reply.text()), (200, "{\"n\":2}"));
    assert_eq!((broken.received().len(), good.received().len(), never.received().len()), (1, 1, 0));
}

#[tokio::test]
async fn a_destination_that_is_not_permitted_is_named_with_the_line_that_would_permit_it() {
    let application = Application::saying("{}").await;
    let other_port = application.address.port().wrapping_add(1);
    let callback_allow = vec![format!("127.0.0.1/32:{other_port}").parse().unwrap()];
    let store = RunningStore::start_with(Setup { callback_allow, ..Setup::default() }).await;
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", application.address.port());
        let reply = Form::signed("k", b"x").callback(&url, "a", BodyType::Form).post(&store).await;
        assert_eq!((reply.status, reply.element("Code")), (203, Some("CallbackFailed")));
        let line = format!("--callback-allow 127.0.0.1/32:{}", application.address.port());
        assert_eq!(reply.element("CallbackAllow"), Some(line.as_str()));
    }
    assert!(application.received().is_empty());
    assert_eq!(store.bytes("k").await.unwrap(), b"x", "the object stays");
}

#[tokio::test]
async fn what_was_not_acknowledged_stays_owed_with_every_value_in_it() {
    let store = RunningStore::start().await;
    let form =
        Form::signed("k", b"x").callback("http://127.0.0.1:1/cb", "k=${object}&s=${size}", BodyType::Form);
    let reply = form.post(&store).await;
    assert_eq!(reply.status, 203);
    let owed = store.outbox().await;
    assert_eq!(owed[0].attempts, 1, "the answer comes when it is noted");
    let message = CallbackMessage::from_payload(&owed[0].payload).unwrap();
    assert_eq!(message.body, "k=k&s=1");
    assert_eq!(message.urls.iter().map(ToString::to_string).collect::<Vec<_>>(), ["http://127.0.0.1:1/cb"]);
    assert_eq!(Some(message.request_id.as_str()), reply.header("x-oss-request-id"));
    assert!(owed[0].last_error.as_deref().unwrap().contains("can not connect to your callbackUrl"));
}

#[tokio::test]
async fn the_callback_is_made_though_the_client_hangs_up() {
    let store = RunningStore::start().await;
    let application = Application::conducting(Conduct::Answer(Duration::from_millis(150), ok("{}"))).await;
    let form = Form::signed("k", b"x").callback(&application.url("/"), "a=${object}", BodyType::Form);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(&form.request(&[])).await.unwrap();
    while application.received().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    store.owed_until(<[_]>::is_empty).await;
    assert_eq!(application.only().text(), "a=k");
    assert_eq!(store.bytes("k").await.unwrap(), b"x");
}

#[tokio::test]
async fn a_callback_that_leads_back_to_the_store_does_not_deadlock() {
    let mut setup = Setup::default();
    (setup.limits.uploads_max, setup.limits.callbacks_max) = (1, 1);
    let store = RunningStore::start_with(setup).await;
    let url = format!("http://{}/{BUCKET}/", store.address);
    let reply = Form::signed("k", b"x").callback(&url, "a=b", BodyType::Form).post(&store).await;
    // A deadlock would end with the callback's time instead: "Cost too long time."
    assert_eq!((reply.status, reply.element("Message")), (203, Some("Error status : 400.")));
    // One more callback than may be under way is told so instead of waiting.
    let slow = Application::conducting(Conduct::Answer(Duration::from_millis(300), ok("{}"))).await;
    let form = Form::signed("k", b"x").callback(&slow.url("/"), "a=b", BodyType::Form);
    let (first, second) = tokio::join!(form.post(&store), async {
        while slow.received().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        form.post(&store).await
    });
    assert_eq!(first.status, 200);
    assert_eq!((second.status, second.element("Message")), (203, Some("Too many callback requests.")));
}

#[tokio::test]
async fn a_refused_upload_makes_no_callback() {
    let store = RunningStore::start().await;
    let application = Application::saying("{}").await;
    let policy = policy().content_length_range(0, 3);
    let form =
        Form::anonymous("k", b"four").sign(&policy).callback(&application.url("/"), "a", BodyType::Form);
    assert_eq!(form.post(&store).await.status, 400);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    let whole = Form::signed("k", b"x").callback(&application.url("/"), "a", BodyType::Form).request(&[]);
    stream.write_all(&whole[..whole.len() - 10]).await.unwrap();
    drop(stream);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(application.received().is_empty() && store.is_empty().await && store.outbox().await.is_empty());
}

#[tokio::test]
async fn put_object_makes_the_same_callback_as_a_form() {
    let store = RunningStore::start_with(Setup { acl: "public-read-write", ..Setup::default() }).await;
    let application = Application::saying("{\"put\":1}").await;
    let encode = |json: serde_json::Value| STANDARD.encode(json.to_string());
    let callback = encode(serde_json::json!({
        "callbackUrl": application.url("/put"), "callbackBody": "${operation} ${object} ${x:a}"
    }));
    let variables = encode(serde_json::json!({"x:a": "1"}));
    let headers = [("x-oss-callback", callback.as_str()), ("x-oss-callback-var", &variables)];
    let answer = send(store.address, &request("PUT /by-put", "demo.oss.test", &headers, b"x")).await;
    assert_eq!((answer.status, answer.text()), (200, "{\"put\":1}"));
    assert_eq!(answer.header("etag"), Some("\"9DD4E461268C8034F5C8564E155C67A6\""));
    assert_eq!(application.only().text(), "PutObject by-put 1");
    store.owed_until(<[_]>::is_empty).await;
}

#[tokio::test]
async fn variables_of_the_field_callback_var_are_judged_and_sent_like_fields_of_their_own() {
    let store = RunningStore::start().await;
    let application = Application::saying("{}").await;
    let encoded = |json: &str| STANDARD.encode(json);
    let policy = policy().eq("x:order", "42");
    let form = |variables: &str| {
        Form::anonymous("k", b"x").sign(&policy).field("callback-var", variables).callback(
            &application.url("/"),
            "order=${x:order}&who=${x:who}",
            BodyType::Form,
        )
    };
    let good = form(&encoded(r#"{"x:order":"42","x:who":"li","other":1}"#));
    assert_eq!(good.post(&store).await.status, 200);
    assert_eq!(application.only().text(), "order=42&who=li");

    let refusals = [
        (form(&encoded(r#"{"x:order":"43"}"#)), 403, None),
        (form("@@not base64@@"), 400, Some("0007-00000103")),
        (form(&encoded(r#"{"x:order":42}"#)), 400, Some("0007-00000103")),
        (form(&encoded(&format!(r#"{{"x:order":"{}"}}"#, "9".repeat(5000)))), 400, Some("0007-00000101")),
        (form(&encoded(r#"{"x:order":"42","x:who":"li"}"#)).field("x:who", "wu"), 400, Some("0007-90000010")),
    ];
    for (form, status, ec) in refusals {
        let reply = form.without("key").field("key", "refused").post(&store).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        assert!(ec.is_none_or(|ec| reply.text().contains(ec)), "{}", reply.text());
    }
    assert_eq!(application.received().len(), 1);
    assert!(store.object("refused").await.is_none());
}
