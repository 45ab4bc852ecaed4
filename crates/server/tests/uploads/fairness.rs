//! A well-behaved client while others hold what is short: none of its requests is refused.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign_protocol::AccessKeySecret;
use countersign_protocol::authorization::{RequestView, v1};
use countersign_protocol::callback::BodyType;
use countersign_protocol::http_date;
use countersign_server::Resolver;
use jiff::Timestamp;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::application::{Application, Conduct};
use crate::form::Form;
use crate::running_store::{BUCKET, KEY_ID, KEY_SECRET, NOW_SECOND, RunningStore, Setup};
use crate::wire_client::{Answer, connect_from, read, request};

/// Who misbehaves, and who does not.
const GREEDY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const MODEST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

fn patient() -> Setup {
    let mut setup = Setup::default();
    setup.limits.body_idle_timeout = Duration::from_secs(60);
    setup.limits.callback_timeout = Duration::from_secs(20);
    setup.limits.refusal_drain_timeout = Duration::from_millis(100);
    setup
}

/// A request of which only the beginning is sent.
async fn begun(store: &RunningStore, from: Ipv4Addr, form: &Form, keep_back: usize) -> TcpStream {
    let bytes = form.request(&[]);
    let mut stream = connect_from(from, store.address).await;
    stream.write_all(&bytes[..bytes.len() - keep_back]).await.unwrap();
    stream
}

async fn posted(store: &RunningStore, from: Ipv4Addr, form: &Form) -> Answer {
    let mut stream = begun(store, from, form, 0).await;
    read(&mut stream).await
}

/// Whether an answer has come within a moment.
async fn is_answered(stream: &TcpStream) -> bool {
    tokio::time::timeout(Duration::from_millis(100), stream.readable()).await.is_ok()
}

async fn assert_slowed_down(stream: &mut TcpStream) {
    let answer = read(stream).await;
    assert_eq!((answer.status, answer.element("Code")), (503, Some("SlowDown")));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_client_that_fills_all_upload_places_loses_one_to_each_other_client() {
    let mut setup = patient();
    setup.limits.uploads_max = 6;
    let store = RunningStore::start_with(setup).await;
    let crawl = Form::signed("crawl", &[b'x'; 5_000]);
    let mut crawlers = Vec::new();
    for _ in 0..6 {
        crawlers.push(begun(&store, GREEDY, &crawl, 3_000).await);
    }
    sleep(Duration::from_millis(100)).await;
    // Two at once, held open, and a row of quick ones beside them.
    let held = Form::signed("held", &[b'x'; 200]);
    let mut both = [begun(&store, MODEST, &held, 100).await, begun(&store, MODEST, &held, 100).await];
    for number in 0..10 {
        let answer = posted(&store, MODEST, &Form::signed(&number.to_string(), b"x")).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
    let rest = held.request(&[]);
    for stream in &mut both {
        stream.write_all(&rest[rest.len() - 100..]).await.unwrap();
        assert_eq!(read(stream).await.status, 204);
    }
    let mut gone = 0;
    for stream in &mut crawlers {
        if is_answered(stream).await {
            assert_slowed_down(stream).await;
            gone += 1;
        }
    }
    assert_eq!(gone, 3, "no more gave way than had to");
}

#[tokio::test]
async fn behind_one_address_the_slowest_body_gives_way() {
    let mut setup = patient();
    setup.limits.uploads_max = 4;
    let store = RunningStore::start_with(setup).await;
    let crawl = Form::signed("crawl", &[b'x'; 5_000]);
    let mut crawlers = Vec::new();
    for number in 0..4 {
        // The first has sent most.
        crawlers.push(begun(&store, GREEDY, &crawl, 1_000 + 1_000 * number).await);
    }
    sleep(Duration::from_millis(900)).await;
    let mut hurried = begun(&store, GREEDY, &Form::signed("hurried", &[b'x'; 5_000]), 10).await;
    sleep(Duration::from_millis(50)).await;
    for number in 0..10 {
        let answer = posted(&store, GREEDY, &Form::signed(&number.to_string(), b"x")).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
    let rest = Form::signed("hurried", &[b'x'; 5_000]).request(&[]);
    hurried.write_all(&rest[rest.len() - 10..]).await.unwrap();
    assert_eq!(read(&mut hurried).await.status, 204, "a body that comes does not give way");
    assert!(!is_answered(&crawlers[0]).await && !is_answered(&crawlers[1]).await);
    for stream in &mut crawlers[2..] {
        assert_slowed_down(stream).await;
    }
}

/// A PutObject whose headers are signed with the owner's key.
fn put_signed(key: &str, body: &[u8]) -> Vec<u8> {
    let date = http_date::format(Timestamp::from_second(NOW_SECOND).unwrap());
    let view = RequestView {
        method: "PUT",
        bucket: Some(BUCKET),
        key: Some(key),
        raw_query: None,
        headers: vec![("date", date.as_bytes())],
    };
    let signed = v1::sign_header(&view, KEY_ID, &AccessKeySecret::from(KEY_SECRET));
    let headers = [("Date", date.as_str()), ("Authorization", signed.as_str())];
    request(&format!("PUT /{key}"), "demo.oss.test", &headers, body)
}

#[tokio::test]
async fn requests_signed_in_their_headers_share_by_their_key_wherever_they_come_from() {
    let mut setup = patient();
    setup.limits.uploads_max = 6;
    let store = RunningStore::start_with(setup).await;
    let put = put_signed("crawl", &[b'x'; 5_000]);
    let mut crawlers = Vec::new();
    for number in 0..6_u8 {
        let mut stream = connect_from(Ipv4Addr::new(127, 0, 1, number), store.address).await;
        stream.write_all(&put[..put.len() - 3_000]).await.unwrap();
        crawlers.push(stream);
    }
    sleep(Duration::from_millis(100)).await;
    // By their addresses each of the six would hold one place, and a seventh would take none from them at once.
    let held = Form::signed("held", &[b'x'; 200]);
    let mut three = Vec::new();
    for _ in 0..3 {
        three.push(begun(&store, MODEST, &held, 100).await);
        sleep(Duration::from_millis(20)).await;
    }
    let rest = held.request(&[]);
    for stream in &mut three {
        stream.write_all(&rest[rest.len() - 100..]).await.unwrap();
        assert_eq!(read(stream).await.status, 204, "the key holds six places, and this client none");
    }
    drop(crawlers);
}

#[tokio::test]
async fn heads_without_a_key_do_not_block_other_clients() {
    let mut setup = patient();
    setup.limits.form_heads_bytes_max = 1 << 20;
    let store = RunningStore::start_with(setup).await;
    let field = |bytes: usize| Form::anonymous("k", b"x").field("x:pad", &"a".repeat(bytes));
    let mut large = Vec::new();
    for _ in 0..3 {
        large.push(begun(&store, GREEDY, &field(300_000), 1_000).await);
        sleep(Duration::from_millis(50)).await;
    }
    let mut small = Vec::new();
    for _ in 0..20 {
        small.push(begun(&store, GREEDY, &field(60_000), 1_000).await);
    }
    sleep(Duration::from_millis(100)).await;
    for from in [MODEST, GREEDY] {
        let form = Form::signed("k", b"x").field("x:pad", &"a".repeat(60_000));
        let answer = posted(&store, from, &form).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
    for stream in &mut large {
        assert_slowed_down(stream).await;
    }
}

/// Uploads whose callbacks an application does not answer, begun one after the other.
async fn waiting_for(store: &RunningStore, hanging: &Application, forms: &[Form]) -> Vec<TcpStream> {
    let mut waiting = Vec::new();
    for form in forms {
        waiting.push(begun(store, GREEDY, form, 0).await);
        while hanging.received().len() < waiting.len() {
            sleep(Duration::from_millis(5)).await;
        }
    }
    waiting
}

async fn with_callback_places(callbacks_max: usize) -> RunningStore {
    let mut setup = patient();
    setup.limits.callbacks_max = callbacks_max;
    RunningStore::start_with(setup).await
}

fn calling(url: &str) -> Form {
    Form::signed("k", b"x").callback(url, "a=b", BodyType::Form)
}

#[tokio::test]
async fn an_application_that_hangs_does_not_starve_callbacks_to_others() {
    let store = with_callback_places(4).await;
    let hanging = Application::conducting(Conduct::Stall(Vec::new())).await;
    let hangs = calling(&hanging.url("/"));
    let mut waiting =
        waiting_for(&store, &hanging, &[hangs.clone(), hangs.clone(), hangs.clone(), hangs.clone()]).await;
    let healthy = Application::saying("{\"ok\":1}").await;
    for _ in 0..10 {
        let answer = posted(&store, MODEST, &calling(&healthy.url("/"))).await;
        assert_eq!((answer.status, answer.text()), (200, "{\"ok\":1}"));
    }
    let gave_way = read(&mut waiting[0]).await;
    assert_eq!((gave_way.status, gave_way.element("EC")), (203, Some("0007-90000020")));
    for stream in &waiting[1..] {
        assert!(!is_answered(stream).await, "one place was enough");
    }
    let owed = store.owed_until(|owed| owed.iter().any(|entry| entry.attempts == 1)).await;
    assert_eq!(owed.len(), 4, "the one that gave way is still owed: {owed:?}");
    // The destination that holds most takes nothing from itself.
    let _fourth = begun(&store, MODEST, &hangs, 0).await;
    while hanging.received().len() < 5 {
        sleep(Duration::from_millis(5)).await;
    }
    let answer = posted(&store, MODEST, &hangs).await;
    assert_eq!((answer.status, answer.element("Message")), (203, Some("Too many callback requests.")));
}

#[tokio::test]
async fn a_callback_that_gives_way_at_one_url_goes_on_to_the_next() {
    let store = with_callback_places(3).await;
    let hanging = Application::conducting(Conduct::Stall(Vec::new())).await;
    let second = Application::saying("{\"second\":1}").await;
    let two_urls = calling(&format!("{};{}", hanging.url("/"), second.url("/")));
    let hangs = calling(&hanging.url("/"));
    let mut waiting = waiting_for(&store, &hanging, &[two_urls, hangs.clone(), hangs]).await;
    let healthy = Application::saying("{\"ok\":1}").await;
    assert_eq!(posted(&store, MODEST, &calling(&healthy.url("/"))).await.status, 200);
    let answer = read(&mut waiting[0]).await;
    assert_eq!((answer.status, answer.text()), (200, "{\"second\":1}"));
}

#[tokio::test]
async fn unresolvable_names_do_not_block_the_lookups_of_another_client() {
    let healthy = Application::saying("{\"ok\":1}").await;
    let (address, released) = (healthy.address, Arc::new(AtomicBool::new(false)));
    let hanging = Arc::clone(&released);
    let callback_resolver: Resolver = Arc::new(move |host: &str, _| {
        let patience = Instant::now() + Duration::from_secs(25);
        while host.starts_with("hangs") && !hanging.load(Ordering::Relaxed) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(vec![address])
    });
    let mut setup = Setup { callback_resolver, ..patient() };
    setup.limits.callback_lookups_max = 4;
    let store = RunningStore::start_with(setup).await;
    let mut waiting = Vec::new();
    for number in 0..8 {
        waiting.push(begun(&store, GREEDY, &calling(&format!("http://hangs{number}.test/")), 0).await);
    }
    store.owed_until(|owed| owed.len() == 8).await;
    let answer = posted(&store, MODEST, &calling("http://good.test/")).await;
    assert_eq!((answer.status, answer.text()), (200, "{\"ok\":1}"));
    released.store(true, Ordering::Relaxed);
}
