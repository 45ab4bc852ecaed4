//! The accept loop: heads that are too large or too slow, and connections beyond their number.

use std::time::{Duration, Instant};

use countersign_server::listen::ListenOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::form::Form;
use crate::running_store::{RunningStore, Setup};
use crate::wire_client::{Answer, read, request};

#[tokio::test]
async fn a_header_that_never_ends_is_refused() {
    let store = RunningStore::start().await;
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: demo.oss.test\r\nX-Long: ").await.unwrap();
    let mut sent = 0;
    while sent < 1 << 20 && stream.write_all(&[b'a'; 4096]).await.is_ok() {
        sent += 4096;
    }
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    assert!(bytes.is_empty() || Answer::parse(&bytes).status == 431);
    assert!(sent < 1 << 20 || !bytes.is_empty(), "the server took a megabyte of header");
}

#[tokio::test]
async fn a_head_that_crawls_and_a_connection_that_says_nothing_are_ended() {
    let listen =
        ListenOptions { header_read_timeout: Duration::from_millis(300), ..ListenOptions::default() };
    let store = RunningStore::start_with(Setup { listen, ..Setup::default() }).await;
    for begun in ["", "POST / HTTP/1.1\r\nHost: d"] {
        let started = Instant::now();
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let ended = timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes)).await;
        assert!(ended.is_ok() && started.elapsed() >= Duration::from_millis(250), "{begun:?}");
    }
}

#[tokio::test]
async fn connections_beyond_their_number_wait_for_one_to_end() {
    let listen = ListenOptions { connections_max: 1, ..ListenOptions::default() };
    let store = RunningStore::start_with(Setup { listen, ..Setup::default() }).await;
    let mut first = TcpStream::connect(store.address).await.unwrap();
    first.write_all(b"GET /_countersign/healthz HTTP/1.1\r\nHost: oss.test\r\n\r\n").await.unwrap();
    let mut beginning = [0; 12];
    first.read_exact(&mut beginning).await.unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200");
    let mut second = TcpStream::connect(store.address).await.unwrap();
    second.write_all(&request("GET /_countersign/healthz", "oss.test", &[], b"")).await.unwrap();
    assert!(timeout(Duration::from_millis(200), second.readable()).await.is_err(), "it has to wait");
    drop(first);
    assert_eq!(read(&mut second).await.status, 200);
}

#[tokio::test]
async fn a_connection_serves_one_form_after_the_other() {
    let store = RunningStore::start().await;
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    for key in ["one", "two"] {
        let bytes = Form::signed(key, b"x").request(&[]);
        let kept = String::from_utf8(bytes).unwrap().replace("Connection: close\r\n", "");
        stream.write_all(kept.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.unwrap());
        }
        let answer = Answer::parse(&bytes);
        assert_eq!((answer.status, answer.header("connection")), (204, None));
    }
    assert!(store.object("one").await.is_some() && store.object("two").await.is_some());
}
