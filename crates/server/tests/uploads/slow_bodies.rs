//! Bodies that stop, break off or crawl: answered while the client is still there, never stored.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::form::Form;
use crate::running_store::{RunningStore, Setup};
use crate::wire_client::{Answer, read};

async fn begin(store: &RunningStore, keep_back: usize) -> TcpStream {
    let bytes = Form::signed("k", &[b'x'; 1000]).request(&[]);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(&bytes[..bytes.len() - keep_back]).await.unwrap();
    stream
}

#[tokio::test]
async fn a_body_that_stops_is_answered_request_timeout() {
    let store = RunningStore::start().await;
    for keep_back in [10, 500, 1400] {
        let started = Instant::now();
        let mut stream = begin(&store, keep_back).await;
        let answer = read(&mut stream).await;
        assert_eq!((answer.status, answer.element("Code")), (400, Some("RequestTimeout")), "{keep_back}");
        assert!(started.elapsed() < Duration::from_secs(4));
    }
    assert!(store.is_empty().await);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_answered_and_not_stored() {
    let store = RunningStore::start().await;
    for keep_back in [4, 500] {
        let mut stream = begin(&store, keep_back).await;
        stream.shutdown().await.unwrap();
        // Whoever has only ended his own sending side still hears why.
        let answer = read(&mut stream).await;
        assert_eq!((answer.status, answer.element("Code")), (400, Some("MalformedPOSTRequest")));
    }
    assert!(store.is_empty().await);
}

#[tokio::test]
async fn a_whole_body_without_its_closing_delimiter_is_refused() {
    let store = RunningStore::start().await;
    let form = Form::signed("k", b"x");
    let body = [form.head(), b"half a file".to_vec()].concat();
    let content_type = Form::content_type();
    let headers = [("Content-Type", content_type.as_str())];
    let bytes = crate::wire_client::request("POST /", crate::form::HOST, &headers, &body);
    let answer = crate::wire_client::send(store.address, &bytes).await;
    assert_eq!((answer.status, answer.element("Code")), (400, Some("MalformedPOSTRequest")));
    assert_eq!(answer.element("EC"), Some("0006-00000104"));
    assert!(store.is_empty().await);
}

#[tokio::test]
async fn a_body_that_crawls_is_given_up_though_it_never_stops() {
    let mut setup = Setup::default();
    setup.limits.body_rate_min = 10_000;
    let store = RunningStore::start_with(setup).await;
    let mut stream = begin(&store, 900).await;
    assert_eq!(answer_to_a_crawl(&mut stream).await.element("Code"), Some("RequestTimeout"));
    assert!(store.is_empty().await);
}

#[tokio::test]
async fn the_least_rate_is_judged_within_one_idle_timeout() {
    let mut setup = Setup::default();
    setup.limits.body_idle_timeout = Duration::from_secs(1);
    setup.limits.body_rate_min = 10_000;
    let store = RunningStore::start_with(setup).await;
    let mut stream = begin(&store, 900).await;
    // Nothing more comes behind this byte, so that only the window's own end can tell.
    sleep(Duration::from_millis(700)).await;
    stream.write_all(b"x").await.unwrap();
    let answered = tokio::time::timeout(Duration::from_millis(800), stream.readable()).await;
    assert!(answered.is_ok(), "that is the idle timeout's doing, which comes later");
    assert_eq!(read(&mut stream).await.element("Code"), Some("RequestTimeout"));
}

/// Sends a byte now and then until the server answers, which it does long before the body's end.
async fn answer_to_a_crawl(stream: &mut TcpStream) -> Answer {
    let (mut reader, mut writer) = stream.split();
    let crawl = async {
        for _ in 0..100 {
            // Nobody reads any more once the answer is there, which the other side of this will find.
            let _ = writer.write_all(b"x").await;
            sleep(Duration::from_millis(50)).await;
        }
    };
    let mut bytes = Vec::new();
    let answer = async { reader.read_to_end(&mut bytes).await };
    tokio::select! {
        () = crawl => panic!("the server let it crawl"),
        _ = answer => {}
    }
    Answer::parse(&bytes)
}

#[tokio::test]
async fn stopping_waits_for_an_upload_that_hangs_no_longer_than_the_grace() {
    let mut setup = Setup::default();
    setup.listen.shutdown_grace = Duration::from_millis(300);
    setup.limits.body_idle_timeout = Duration::from_secs(60);
    let mut store = RunningStore::start_with(setup).await;
    let _hanging = begin(&store, 500).await;
    sleep(Duration::from_millis(100)).await;
    store.stop();
    tokio::time::timeout(Duration::from_secs(10), store.stopped()).await.expect("it ends though one hangs");
    assert!(store.is_empty().await);
}

#[tokio::test]
async fn stopping_lets_an_upload_that_is_under_way_end() {
    let mut store = RunningStore::start().await;
    let bytes = Form::signed("k", b"x").request(&[]);
    let (begun, rest) = bytes.split_at(bytes.len() - 30);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(begun).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    store.stop();
    sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(store.address).await.is_err(), "no new connections");
    stream.write_all(rest).await.unwrap();
    assert_eq!(read(&mut stream).await.status, 204);
    store.server.finish().await;
    assert_eq!(store.bytes("k").await.unwrap(), b"x");
}

#[tokio::test]
async fn a_fast_beginning_does_not_pay_for_crawling() {
    let mut setup = Setup::default();
    setup.limits.body_idle_timeout = Duration::from_millis(200);
    setup.limits.body_rate_min = 1_000;
    let store = RunningStore::start_with(setup).await;
    let bytes = Form::signed("k", &[b'x'; 1 << 20]).request(&[]);
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(&bytes[..1_000_000]).await.unwrap();
    assert_eq!(answer_to_a_crawl(&mut stream).await.element("Code"), Some("RequestTimeout"));
    assert!(store.is_empty().await);
}

#[tokio::test]
async fn fields_that_crawl_are_given_up_and_free_their_share_of_the_budget() {
    let mut setup = Setup::default();
    setup.limits.form_heads_bytes_max = 1 << 20;
    setup.limits.form_head_timeout = Duration::from_millis(500);
    let store = RunningStore::start_with(setup).await;
    let large = Form::anonymous("k", b"x").field("x:large", &"a".repeat(700_000)).request(&[]);
    let mut holder = TcpStream::connect(store.address).await.unwrap();
    holder.write_all(&large[..700_000]).await.unwrap();
    assert_eq!(answer_to_a_crawl(&mut holder).await.element("Code"), Some("RequestTimeout"));
    let larger = Form::signed("k", b"x").field("x:large", &"a".repeat(900_000));
    assert_eq!(
        larger.post(&store).await.status,
        204,
        "the largest would have to give way if it were still held"
    );
}
