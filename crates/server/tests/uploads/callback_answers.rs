//! Answers of applications that are no good: 203 with OSS's own words, and the object stays (CB-54 to CB-65).

use std::time::Duration;

use countersign_protocol::callback::BodyType;

use crate::application::{Application, Conduct, ok};
use crate::form::Form;
use crate::running_store::RunningStore;

/// Uploads with a callback to this application and asserts the refusal that the uploader sees.
async fn fails(conduct: Conduct, message: &str, ec: &str) {
    let application = Application::conducting(conduct).await;
    fails_at(&application.url("/"), message, ec).await;
    assert!(!application.received().is_empty());
}

async fn fails_at(url: &str, message: &str, ec: &str) {
    let store = RunningStore::start().await;
    let reply = Form::signed("k", b"x").callback(url, "a=b", BodyType::Form).post(&store).await;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert_eq!((reply.status, reply.element("Code")), (203, Some("CallbackFailed")), "{text}");
    assert_eq!(reply.element("Message"), Some(message));
    assert_eq!((reply.element("EC"), reply.header("x-oss-ec")), (Some(ec), Some(ec)));
    assert!(reply.element("RecommendDoc").unwrap().contains("/_countersign/docs/errors/"));
    assert_eq!(reply.header("etag"), Some("\"9DD4E461268C8034F5C8564E155C67A6\""));
    assert_eq!(store.bytes("k").await.unwrap(), b"x", "the object stays");
    store.owed_until(|owed| owed.len() == 1 && owed[0].attempts == 1).await;
}

fn at_once(bytes: &[u8]) -> Conduct {
    Conduct::Answer(Duration::ZERO, bytes.to_vec())
}

#[tokio::test]
async fn any_status_but_200_fails_and_redirects_are_not_followed() {
    for status in [201_u16, 204, 301, 302, 400, 404, 500, 502] {
        let bytes =
            format!("HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\n{{}}");
        fails(at_once(bytes.as_bytes()), &format!("Error status : {status}."), "0007-00000203").await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_fails() {
    for body in ["OK", "<html></html>", "\u{feff}{}", "{\"a\":1"] {
        fails(at_once(&ok(body)), "Response body is not valid json format.", "0007-00000205").await;
    }
}

#[tokio::test]
async fn an_answer_without_a_good_length_fails() {
    let missing = "Error Status : 400.User server missing content-length.";
    let invalid = "Error Status : 400.User server return invalid conent-length value.";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let both =
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let cases: [(&[u8], &str); 7] = [
        (chunked, missing),
        (both, missing),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}", missing),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", missing),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", invalid),
        (b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}", invalid),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", invalid),
    ];
    for (bytes, message) in cases {
        let application = Application::answering(bytes).await;
        let store = RunningStore::start().await;
        let form = Form::signed("k", b"x").callback(&application.url("/"), "a=b", BodyType::Form);
        let reply = form.post(&store).await;
        assert_eq!(reply.status, 203);
        assert_eq!(reply.element("Message"), Some(message), "{}", String::from_utf8_lossy(bytes));
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_fails_before_it_is_read() {
    let application = Application::conducting(Conduct::Stall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3145729\r\n\r\n".to_vec(),
    ))
    .await;
    let store = RunningStore::start().await;
    let form = Form::signed("k", b"x").callback(&application.url("/"), "a=b", BodyType::Form);
    let reply = form.post(&store).await;
    assert_eq!(
        (reply.status, reply.element("Message")),
        (203, Some("Error Status : 400.User server return too long content-length value"))
    );
    let most = format!("\"{}\"", "x".repeat((3 << 20) - 2));
    let application = Application::saying(&most).await;
    let form = Form::signed("k", b"x").callback(&application.url("/"), "a=b", BodyType::Form);
    let reply = form.post(&store).await;
    assert!(reply.status == 200 && reply.body == most.as_bytes());
}

#[tokio::test]
async fn an_answer_that_takes_too_long_fails() {
    let late = Conduct::Answer(Duration::from_secs(30), ok("{}"));
    fails(late, "Cost too long time.", "0007-00000202").await;
    let half = Conduct::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec());
    fails(half, "Cost too long time.", "0007-00000202").await;
}

#[tokio::test]
async fn an_application_that_cannot_be_reached_or_found_fails() {
    let message = "Error status : -1.OSS can not connect to your callbackUrl, please check it.";
    fails_at("http://127.0.0.1:1/", message, "0007-00000203").await;
    fails_at("http://no-such-host.invalid/", message, "0007-00000203").await;
}

#[tokio::test]
async fn connections_that_end_early_and_bad_tls_are_203_too() {
    let plain = Application::saying("{}").await;
    let hang_up = Application::conducting(Conduct::HangUp).await;
    let half = Application::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").await;
    let noise = Application::answering(b"not http at all\r\n\r\n").await;
    let urls = [format!("https://{}/", plain.address), hang_up.url("/"), half.url("/"), noise.url("/")];
    for url in urls {
        let store = RunningStore::start().await;
        let reply = Form::signed("k", b"x").callback(&url, "a=b", BodyType::Form).post(&store).await;
        assert_eq!((reply.status, reply.element("Code")), (203, Some("CallbackFailed")), "{url}");
        assert!(reply.element("RecommendDoc").is_some());
        assert_eq!(store.bytes("k").await.unwrap(), b"x");
    }
}
