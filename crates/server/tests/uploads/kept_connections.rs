//! Connections to applications that are kept for the next callback: when they are used, and when they are not.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_protocol::callback::BodyType;

use crate::application::{Application, Conduct, Received, ok};
use crate::form::Form;
use crate::running_store::RunningStore;
use crate::wire_client::Answer;

async fn upload(store: &RunningStore, url: &str) -> Answer {
    Form::signed("k", b"x").callback(url, "a=b", BodyType::Form).post(store).await
}

fn connections(received: &[Received]) -> Vec<usize> {
    received.iter().map(|callback| callback.connection).collect()
}

async fn keeping(answers: &[&[u8]]) -> Application {
    Application::conducting(Conduct::Keep(answers.iter().map(|answer| answer.to_vec()).collect())).await
}

#[tokio::test]
async fn uploads_one_after_the_other_call_over_one_connection() {
    let store = RunningStore::start().await;
    let application = keeping(&[&ok("[1]"), &ok("[2]"), &ok("[3]")]).await;
    for (path, said) in [("/1", "[1]"), ("/2", "[2]"), ("/3", "[3]")] {
        let reply = upload(&store, &application.url(path)).await;
        assert_eq!((reply.status, reply.text()), (200, said));
    }
    assert_eq!(connections(&application.received()), [1, 1, 1]);
}

#[tokio::test]
async fn a_callback_that_met_a_closed_connection_is_sent_again_over_a_fresh_one() {
    let store = RunningStore::start().await;
    let application = keeping(&[&ok("[1]")]).await;
    assert_eq!(upload(&store, &application.url("/")).await.text(), "[1]");
    let reply = upload(&store, &application.url("/")).await;
    assert_eq!((reply.status, reply.text()), (200, "[1]"));
    let received = application.received();
    assert_eq!(connections(&received), [1, 1, 2]);
    let id = |callback: &Received| callback.header("x-oss-request-id").map(str::to_owned);
    assert_eq!(id(&received[1]), id(&received[2]), "the application can tell that it is the same upload");
    assert_ne!(id(&received[0]), id(&received[1]));
}

#[tokio::test]
async fn a_callback_is_not_sent_again_once_an_answer_has_begun_or_over_a_second_fresh_connection() {
    let store = RunningStore::start().await;
    let application = keeping(&[&ok("[1]"), b"HTTP/1.1 200 O"]).await;
    assert_eq!(upload(&store, &application.url("/")).await.status, 200);
    assert_eq!(upload(&store, &application.url("/")).await.status, 203);
    assert_eq!(connections(&application.received()), [1, 1]);
    let silent = Application::conducting(Conduct::HangUp).await;
    assert_eq!(upload(&store, &silent.url("/")).await.status, 203);
    assert_eq!(connections(&silent.received()), [1]);
}

#[tokio::test]
async fn bytes_that_an_application_sends_unasked_are_not_taken_for_an_answer() {
    let store = RunningStore::start().await;
    let application = keeping(&[&[ok("[1]"), ok("[stolen]")].concat()]).await;
    for _ in 0..2 {
        assert_eq!(upload(&store, &application.url("/")).await.text(), "[1]");
    }
    assert_eq!(connections(&application.received()), [1, 2]);
}

#[tokio::test]
async fn another_host_is_another_connection_though_the_address_is_the_same() {
    let store = RunningStore::start().await;
    let application = keeping(&[&ok("[1]"), &ok("[2]")]).await;
    let port = application.address.port();
    upload(&store, &application.url("/")).await;
    upload(&store, &format!("http://localhost:{port}/")).await;
    let json = serde_json::json!({
        "callbackUrl": application.url("/"), "callbackHost": "app.example.com", "callbackBody": "a=b",
    });
    Form::signed("k", b"x").field("callback", &STANDARD.encode(json.to_string())).post(&store).await;
    assert_eq!(connections(&application.received()), [1, 2, 3]);
    upload(&store, &application.url("/")).await;
    assert_eq!(connections(&application.received()), [1, 2, 3, 1]);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let store = RunningStore::start().await;
    let application = keeping(&[&ok("[1]"), &ok("[2]")]).await;
    upload(&store, &application.url("/")).await;
    assert_eq!(application.open(), 1);
    for _ in 0..100 {
        if application.open() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the connection stays open");
}
