//! The callback of PutObject: asked for in a header or in the query, relayed like a form's (CB-1, CB-5, CB-59 to CB-61).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::client::{Ask, Signing, create_demo};
use crate::running_store::RunningStore;

const ANSWER: &str = "{ \"Status\" : \"OK\" }";

/// An application that answers every call alike and tells what it was sent.
async fn application(status: &'static str) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/called", listener.local_addr().unwrap());
    let (heard, calls) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !ended(&request) {
                let mut bytes = [0; 4096];
                match stream.read(&mut bytes).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend_from_slice(&bytes[..read]),
                }
            }
            heard.send(String::from_utf8_lossy(&request).into_owned()).unwrap();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{ANSWER}",
                ANSWER.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, calls)
}

fn ended(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split("content-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
    body.len() >= length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}

async fn store() -> RunningStore {
    let store = RunningStore::start_with(|options| {
        options.callback_allow = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    create_demo(&store).await;
    store
}

fn parameter(url: &str) -> String {
    let body = "bucket=${bucket}&object=${object}&size=${size}&operation=${operation}&mine=${x:mine}";
    STANDARD.encode(format!("{{\"callbackUrl\":\"{url}\",\"callbackBody\":\"{body}\"}}"))
}

#[tokio::test]
async fn the_applications_answer_is_the_puts_answer() {
    let store = store().await;
    let (url, mut calls) = application("200 OK").await;
    let variables = STANDARD.encode("{\"x:mine\":\"a b\"}");
    let in_headers = Ask::new("PUT", "demo", "a b.txt")
        .header("x-oss-callback", parameter(&url))
        .header("x-oss-callback-var", &variables);
    let encode = |text: &str| countersign_protocol::url_encoding::encode(text);
    let query = format!("callback={}&callback-var={}", encode(&parameter(&url)), encode(&variables));
    let in_query = Ask::new("PUT", "demo", "a b.txt").query(&query);
    for ask in [
        in_headers.clone(),
        in_headers.signing(Signing::HeaderV4),
        in_query.clone().signing(Signing::UrlV1),
        in_query.signing(Signing::UrlV4),
    ] {
        let answer = ask.body("hello").send(&store).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, ANSWER));
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("etag"), "\"5D41402ABC4B2A76B9719D911017C592\"");
        let call = calls.recv().await.unwrap();
        assert!(
            call.ends_with("bucket=demo&object=a%20b.txt&size=5&operation=PutObject&mine=a%20b"),
            "{call}"
        );
    }
}

#[tokio::test]
async fn an_application_that_fails_leaves_the_object_and_203() {
    let store = store().await;
    let (url, _calls) = application("500 Internal Server Error").await;
    let ask = Ask::new("PUT", "demo", "k").header("x-oss-callback", parameter(&url)).body("hello");
    let answer = ask.send(&store).await;
    assert_eq!((answer.status, answer.refusal().1.as_str()), (203, "CallbackFailed"));
    assert_eq!(Ask::new("GET", "demo", "k").send(&store).await.text(), "hello");
    assert_eq!(store.store.outbox(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_callback_in_both_places_is_refused_before_anything_is_stored() {
    let store = store().await;
    let parameter = parameter("http://127.0.0.1:1/");
    let query = format!("callback={}", countersign_protocol::url_encoding::encode(&parameter));
    let ask = Ask::new("PUT", "demo", "k").query(&query).header("x-oss-callback", &parameter).body("hello");
    let answer = ask.send(&store).await;
    assert_eq!((answer.status, answer.header("x-oss-ec")), (400, "0007-00000027"));
    assert_eq!(Ask::new("GET", "demo", "k").send(&store).await.status, 404);
}
