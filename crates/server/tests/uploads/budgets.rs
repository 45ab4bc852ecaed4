//! Memory that uploads, their callbacks and answers may make the store hold, and what is refused when that is full.

use std::time::Duration;

use countersign_protocol::callback::BodyType;
use countersign_server::{CallbackMessage, Server};

use crate::application::{Application, Conduct, ok};
use crate::form::{Form, HOST};
use crate::running_store::{RunningStore, Setup};
use crate::test_server;
use crate::wire_client::{request, send};

const DEAD: &str = "http://127.0.0.1:1/cb";

#[tokio::test]
async fn a_body_that_could_grow_beyond_its_limit_is_refused_before_anything_is_stored() {
    let mut setup = Setup::default();
    setup.limits.callback_body_bytes_max = 2_000;
    setup.acl = "public-read-write";
    let store = RunningStore::start_with(setup).await;
    let application = Application::saying("{}").await;
    let form = |value: &str| {
        Form::signed("k", b"x").field("x:v", value).callback(
            &application.url("/"),
            "${x:v}${x:v}&${object}${etag}${size}${mimeType}${imageInfo.height}${contentMd5}${crc64}${reqId}",
            BodyType::Form,
        )
    };
    let reply = form(&"a".repeat(1_000)).post(&store).await;
    assert_eq!((reply.status, reply.element("Code")), (400, Some("InvalidArgument")));
    assert_eq!(reply.element("Message"), Some("The callback body would be too long."));
    assert!(store.is_empty().await && store.outbox().await.is_empty() && application.received().is_empty());
    assert_eq!(form(&"a".repeat(700)).post(&store).await.status, 200, "nothing is refused that fits");
    let by_put = [
        (
            "x-oss-callback",
            "eyJjYWxsYmFja1VybCI6ImEuY29tIiwiY2FsbGJhY2tCb2R5IjoiJHt4OmF9JHt4OmF9JHt4OmF9JHt4OmF9In0=",
        ),
        ("x-oss-callback-var", &variables("x:a", &"a".repeat(600))),
    ];
    let reply = send(store.address, &request("PUT /put", HOST, &by_put, b"x")).await;
    assert_eq!((reply.status, reply.element("Message")), (400, Some("The callback body would be too long.")));
    assert!(store.object("put").await.is_none());
}

fn variables(name: &str, value: &str) -> String {
    use base64::Engine as _;
    let json = serde_json::json!({ name: value }).to_string();
    base64::engine::general_purpose::STANDARD.encode(json)
}

#[tokio::test]
async fn the_outbox_has_a_budget_and_the_destination_that_holds_most_is_refused_first() {
    let mut setup = Setup::default();
    setup.limits.callbacks_owed_max = 6;
    let limits = setup.limits.clone();
    let store = RunningStore::start_with(setup).await;
    let application = Application::saying("{}").await;
    let upload = |key: &str, url: &str| Form::signed(key, b"x").callback(url, "a", BodyType::Form);
    for key in ["1", "2", "3"] {
        assert_eq!(upload(key, DEAD).post(&store).await.status, 203);
    }
    let reply = upload("4", DEAD).post(&store).await;
    assert_eq!((reply.status, reply.element("Code")), (503, Some("SlowDown")));
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert!(reply.element("Message").unwrap().contains("are owed"));
    assert!(store.object("4").await.is_none(), "nothing is stored");
    assert_eq!(upload("5", &application.url("/")).post(&store).await.status, 200, "others have room");
    assert_eq!(
        Form::signed("6", b"x").post(&store).await.status,
        204,
        "and so have uploads without a callback"
    );
    let owed = store.owed_until(|owed| owed.len() == 3 && owed.iter().all(|entry| entry.attempts == 1)).await;
    assert!(health(&store).await.contains("3 callbacks are owed or under way"), "{owed:?}");

    // Another server over the same store is a restart: it counts what is there.
    let mut options = test_server::options(
        &store.store,
        countersign_store::Clock::with_wall(|| {
            jiff::Timestamp::from_second(test_server::NOW_SECOND).unwrap()
        }),
    );
    options.limits = limits;
    let again = Server::new(options).unwrap();
    let (address, _stop, _) = test_server::serve(again, Default::default()).await;
    let reply = send(address, &upload("4", DEAD).request(&[])).await;
    assert_eq!((reply.status, reply.element("Code")), (503, Some("SlowDown")), "{}", reply.text());
}

#[tokio::test]
async fn a_refused_destination_keeps_the_beginning_of_its_body_and_the_oldest_make_room() {
    let mut setup = Setup { callback_allow: Vec::new(), ..Setup::default() };
    setup.limits.callbacks_refused_bytes_max = 12_000;
    setup.limits.callbacks_owed_max = 4;
    let store = RunningStore::start_with(setup).await;
    for key in ["1", "2", "3", "4", "5"] {
        let form = Form::signed(key, b"x").field("x:v", &"界".repeat(2_000)).callback(
            DEAD,
            "${x:v}",
            BodyType::Json,
        );
        let reply = form.post(&store).await;
        assert_eq!((reply.status, reply.element("Code")), (203, Some("CallbackFailed")), "it is no promise");
    }
    let owed = store.owed_until(|owed| owed.len() == 2 && owed.iter().all(|entry| entry.attempts == 1)).await;
    assert_eq!(owed.iter().map(|entry| &entry.key[..]).collect::<Vec<_>>(), [b"4", b"5"]);
    let message = CallbackMessage::from_payload(&owed[0].payload).unwrap();
    assert!(
        message.refused && message.body.len() <= 4096 && message.body.len() > 4090,
        "{}",
        message.body.len()
    );
    assert_eq!(message.body_bytes, Some(6_002));
    assert!(store.bytes("1").await.is_some(), "the objects stay");
    assert!(
        health(&store).await.contains("2 callbacks to destinations that are not permitted are kept; 3 older")
    );
}

#[tokio::test]
async fn an_answer_beyond_the_budget_fails_the_callback() {
    let mut setup = Setup::default();
    setup.limits.answers_bytes_max = 40_000;
    let store = RunningStore::start_with(setup).await;
    let long = format!("{{\"a\":\"{}\"}}", "a".repeat(30_000));
    let application = Application::saying(&long).await;
    let upload = |key: &str| Form::signed(key, b"x").callback(&application.url("/"), "a", BodyType::Form);
    let reply = upload("k").post(&store).await;
    assert_eq!((reply.status, reply.element("Code")), (203, Some("CallbackFailed")));
    assert_eq!(reply.element("Message"), Some("The answer of the callback could not be held."));
    store.owed_until(|owed| owed.len() == 1 && owed[0].attempts == 1).await;
    let short = Application::saying(&format!("{{\"a\":\"{}\"}}", "a".repeat(15_000))).await;
    for key in ["1", "2", "3"] {
        let form = Form::signed(key, b"x").callback(&short.url("/"), "a", BodyType::Form);
        assert_eq!(form.post(&store).await.status, 200, "what was sent no longer counts");
    }
}

#[tokio::test]
async fn bodies_under_way_share_a_budget_and_give_their_room_back() {
    let mut setup = Setup::default();
    setup.limits.callback_bodies_bytes_max = 2_500;
    let store = RunningStore::start_with(setup).await;
    let slow = Application::conducting(Conduct::Answer(Duration::from_millis(250), ok("{}"))).await;
    let upload = |key: &str| {
        Form::signed(key, b"x").field("x:v", &"a".repeat(1_000)).callback(
            &slow.url("/"),
            "${x:v}",
            BodyType::Form,
        )
    };
    let one = upload("1");
    let (first, second) = tokio::join!(one.post(&store), async {
        while slow.received().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        upload("2").post(&store).await
    });
    assert_eq!((first.status, second.status), (200, 503));
    assert!(second.element("Message").unwrap().contains("are under way"));
    assert_eq!(upload("3").post(&store).await.status, 200);
}

#[tokio::test]
async fn what_a_grant_holds_while_the_file_comes_is_bounded() {
    let store = RunningStore::start().await;
    let long = "a".repeat(9_000);
    for (field, value) in [
        ("Content-Disposition", long.clone()),
        ("Cache-Control", long.clone()),
        ("x-oss-content-type", format!("text/{long}")),
        ("success_action_redirect", format!("http://a/{long}")),
    ] {
        let reply = Form::signed("k", b"x").field(field, &value).post(&store).await;
        assert_eq!((reply.status, reply.element("Code")), (400, Some("InvalidArgument")), "{field}");
        assert!(reply.body.len() < 40_000);
    }
    // Names behind `x-oss-meta-` and values together, in as many fields as one likes.
    let with = |bytes: usize| {
        let half = "a".repeat(4 * 1024 - 1);
        let rest = "b".repeat(bytes - 4 * 1024 - 1);
        Form::signed("k", b"x").field("x-oss-meta-a", &half).field("x-oss-meta-b", &rest)
    };
    assert_eq!(with(8 * 1024 + 1).post(&store).await.status, 400);
    assert!(store.is_empty().await);
    assert_eq!(with(8 * 1024).post(&store).await.status, 204);
}

async fn health(store: &RunningStore) -> String {
    let page = request("GET /_countersign/healthz", "oss.test", &[], b"");
    send(store.address, &page).await.text().to_owned()
}
