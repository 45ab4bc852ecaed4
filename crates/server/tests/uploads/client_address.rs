//! The client's address of a request behind a proxy: told to the application, and counted by quotas.

use std::net::Ipv4Addr;
use std::time::Duration;

use countersign_protocol::callback::BodyType;
use countersign_server::listen::ListenOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::application::Application;
use crate::form::Form;
use crate::running_store::{RunningStore, Setup};
use crate::wire_client::{connect_from, read};

const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

async fn store() -> RunningStore {
    let trusted_proxies = ["127.0.0.9".parse().unwrap()].into_iter().collect();
    let listen = ListenOptions { trusted_proxies, ..ListenOptions::default() };
    let mut setup = Setup { listen, ..Setup::default() };
    setup.limits.uploads_max = 4;
    setup.limits.body_idle_timeout = Duration::from_secs(60);
    setup.limits.refusal_drain_timeout = Duration::from_millis(100);
    RunningStore::start_with(setup).await
}

/// What the application is told of the client's address, for a connection that begins so.
async fn client_told(
    store: &RunningStore,
    from: Ipv4Addr,
    beginning: &[u8],
    headers: &[(&str, &str)],
) -> String {
    let application = Application::saying("{}").await;
    let form = Form::signed("k", b"x").callback(&application.url("/"), "${clientIp}", BodyType::Form);
    let mut stream = connect_from(from, store.address).await;
    stream.write_all(beginning).await.unwrap();
    stream.write_all(&form.request(headers)).await.unwrap();
    assert_eq!(read(&mut stream).await.status, 200);
    application.only().text().to_owned()
}

#[tokio::test]
async fn only_a_trusted_proxy_names_the_client() {
    let store = store().await;
    let forwarded = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "192.0.2.1, 127.0.0.9")];
    assert_eq!(client_told(&store, PROXY, b"", &forwarded).await, "192.0.2.1");
    assert_eq!(
        client_told(&store, PROXY, b"", &[("X-Forwarded-For", "6.6.6.6, unknown")]).await,
        "127.0.0.9"
    );
    assert_eq!(
        client_told(&store, PROXY, b"", &[("X-Forwarded-For", "[2001:db8::1]:80")]).await,
        "2001%3Adb8%3A%3A1"
    );
    let own = Ipv4Addr::new(127, 0, 0, 2);
    assert_eq!(client_told(&store, own, b"", &forwarded).await, "127.0.0.2", "a client's own word");
}

#[tokio::test]
async fn the_proxy_protocol_is_read_from_a_trusted_proxy_only() {
    let store = store().await;
    let v1 = b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 80\r\n";
    assert_eq!(client_told(&store, PROXY, v1, &[("X-Forwarded-For", "6.6.6.6")]).await, "192.0.2.7");
    let mut v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    v2.extend_from_slice(&[192, 0, 2, 8, 127, 0, 0, 1, 1, 1, 0, 80]);
    assert_eq!(client_told(&store, PROXY, &v2, &[]).await, "192.0.2.8");
    for (from, beginning) in [(Ipv4Addr::new(127, 0, 0, 2), &v1[..]), (PROXY, b"PROXY TCP4 nonsense\r\n")] {
        let mut stream = connect_from(from, store.address).await;
        stream.write_all(beginning).await.unwrap();
        // The store may end it before all of it is sent.
        let _ = stream.write_all(&Form::signed("spoofed", b"x").request(&[])).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        assert!(store.object("spoofed").await.is_none());
    }
}

#[tokio::test]
async fn clients_behind_a_proxy_share_by_their_own_addresses() {
    let store = store().await;
    let crawl = Form::signed("crawl", &[b'x'; 5_000]).request(&[("X-Forwarded-For", "192.0.2.66")]);
    let mut crawlers = Vec::new();
    for _ in 0..4 {
        let mut stream = connect_from(PROXY, store.address).await;
        stream.write_all(&crawl[..crawl.len() - 3_000]).await.unwrap();
        crawlers.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    for number in 0..5 {
        let form = Form::signed(&number.to_string(), b"x").request(&[("X-Forwarded-For", "192.0.2.1")]);
        let mut stream = connect_from(PROXY, store.address).await;
        stream.write_all(&form).await.unwrap();
        assert_eq!(read(&mut stream).await.status, 204);
    }
}

/// What comes over a connection from here that begins so, to its end.
async fn answered(store: &RunningStore, from: Ipv4Addr, beginning: &[u8]) -> String {
    let mut stream = connect_from(from, store.address).await;
    // The store may end it before all of it is sent.
    let _ = stream.write_all(beginning).await;
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    assert!(end.is_ok(), "it neither ends nor is answered: {:?}", String::from_utf8_lossy(beginning));
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn an_incomplete_proxy_header_times_out_and_blocks_no_other_client() {
    let trusted_proxies = ["127.0.0.9".parse().unwrap()].into_iter().collect();
    let header_read_timeout = Duration::from_millis(500);
    let listen = ListenOptions {
        trusted_proxies,
        header_read_timeout,
        connections_max: 8,
        ..ListenOptions::default()
    };
    let store = RunningStore::start_with(Setup { listen, ..Setup::default() }).await;
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    let v2 = |rest: &[u8]| [&signature[..], rest].concat();
    let get = b"GET /_countersign/healthz HTTP/1.1\r\nHost: oss.test\r\nConnection: close\r\n\r\n";
    let mut halves = Vec::new();
    for half in [&b"P"[..], b"PROXY TCP4 192.0.2.1", signature, &v2(b"\x21\x11\x0f\xff")] {
        for _ in 0..4 {
            let mut stream = connect_from(PROXY, store.address).await;
            stream.write_all(half).await.unwrap();
            halves.push(stream);
        }
        // A client that comes directly.
        let page = answered(&store, Ipv4Addr::new(127, 0, 0, 3), get).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }
    for stream in &mut halves {
        let end = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0])).await;
        assert!(matches!(end, Ok(Ok(0) | Err(_))), "{end:?}");
    }
    for (never, what) in [
        (format!("PROXY TCP4 {}", "1".repeat(107)).into_bytes(), "a first line that does not end"),
        (v2(b"\x21\x11\xff\xff"), "64 KiB of it"),
        (v2(b"\x22\x11\0\x0c"), "no such command"),
    ] {
        assert_eq!(answered(&store, PROXY, &never).await, "", "{what}");
    }
    for (own, what) in [(v2(b"\x20\0\0\0"), "the proxy itself"), (v2(b"\x21\0\0\x03abc"), "no address")] {
        let page = answered(&store, PROXY, &[&own, &get[..]].concat()).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{what}: {page}");
    }
    for beginning in [&b"PROXY TCP4 192.0.2.1 127.0.0.1 1 80\r\n"[..], &v2(b"\x21\x11\0\x0c")] {
        let refused = answered(&store, Ipv4Addr::new(127, 0, 0, 2), &[beginning, &get[..]].concat()).await;
        assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 400"), "{refused}");
    }
}

#[tokio::test]
async fn a_client_behind_a_proxy_gains_nothing_by_naming_another_address() {
    let store = store().await;
    // Each says that it is somebody else; the proxy appends where it really comes from.
    let mut crawlers = Vec::new();
    for number in 0..4 {
        let forwarded = format!("10.1.1.{number}, 192.0.2.66");
        let crawl = Form::signed("crawl", &[b'x'; 5_000]).request(&[("X-Forwarded-For", &forwarded)]);
        let mut stream = connect_from(PROXY, store.address).await;
        stream.write_all(&crawl[..crawl.len() - 3_000]).await.unwrap();
        crawlers.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let held = Form::signed("held", &[b'x'; 200]).request(&[("X-Forwarded-For", "192.0.2.1")]);
    let mut two = Vec::new();
    for _ in 0..2 {
        let mut stream = connect_from(PROXY, store.address).await;
        stream.write_all(&held[..held.len() - 100]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        two.push(stream);
    }
    for stream in &mut two {
        stream.write_all(&held[held.len() - 100..]).await.unwrap();
        assert_eq!(read(stream).await.status, 204, "half of the places are this client's");
    }
}
