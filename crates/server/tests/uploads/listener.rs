//! The accept loop: heads that are too large or too slow, and connections beyond their number.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use countersign_server::listen::ListenOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::form::Form;
use crate::running_store::{RunningStore, Setup};
use crate::wire_client::{Answer, connect_from, read, request};

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
async fn slow_heads_and_silent_connections_are_ended() {
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
    let mut setup = Setup { listen, ..Setup::default() };
    setup.limits.body_idle_timeout = Duration::from_secs(60);
    let store = RunningStore::start_with(setup).await;
    let form = Form::signed("k", b"0123456789").request(&[]);
    let mut first = TcpStream::connect(store.address).await.unwrap();
    first.write_all(&form[..form.len() - 5]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let mut second = TcpStream::connect(store.address).await.unwrap();
    second.write_all(&request("GET /_countersign/healthz", "oss.test", &[], b"")).await.unwrap();
    assert!(timeout(Duration::from_millis(300), second.readable()).await.is_err(), "it has to wait");
    first.write_all(&form[form.len() - 5..]).await.unwrap();
    assert_eq!(read(&mut first).await.status, 204);
    assert_eq!(read(&mut second).await.status, 200);
}

#[tokio::test]
async fn a_client_that_opens_every_connection_does_not_block_others() {
    let listen = ListenOptions { connections_max: 6, ..ListenOptions::default() };
    let mut setup = Setup { listen, ..Setup::default() };
    setup.limits.body_idle_timeout = Duration::from_secs(60);
    let store = RunningStore::start_with(setup).await;
    let (greedy, modest) = (Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3));
    let form = Form::signed("k", b"0123456789").request(&[]);
    let mut held = Vec::new();
    // Busy with an upload, then silent, then in the middle of a head.
    for begun in [&form[..form.len() - 5], &form[..form.len() - 5], b"", b"", b"GET / HT", b"GET / HT"] {
        let mut stream = connect_from(greedy, store.address).await;
        stream.write_all(begun).await.unwrap();
        held.push(stream);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut stream = connect_from(modest, store.address).await;
        stream.write_all(b"GET /_countersign/healthz HTTP/1.1\r\nHost: oss.test\r\n\r\n").await.unwrap();
        let mut beginning = [0; 12];
        stream.read_exact(&mut beginning).await.unwrap();
        assert_eq!(&beginning, b"HTTP/1.1 200");
        kept.push(stream);
    }
    for number in [0, 1] {
        held[number].write_all(&form[form.len() - 5..]).await.unwrap();
        assert_eq!(
            read(&mut held[number]).await.status,
            204,
            "a request under way outlasts silent connections"
        );
    }
}

#[tokio::test]
async fn unfinished_heads_share_a_budget_and_block_no_other_client() {
    let listen = ListenOptions { connections_max: 16, ..ListenOptions::default() };
    let store = RunningStore::start_with(Setup { listen, ..Setup::default() }).await;
    let (greedy, modest) = (Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3));
    let long = |bytes: usize| format!("GET / HTTP/1.1\r\nHost: oss.test\r\nX-Long: {}", "a".repeat(bytes));
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut stream = connect_from(greedy, store.address).await;
        let _may_be_ended = stream.write_all(long(60_000).as_bytes()).await;
        held.push(stream);
    }
    let mut stream = connect_from(modest, store.address).await;
    stream.write_all(format!("{}\r\nConnection: close\r\n\r\n", long(50_000)).as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream).await.status, 403, "a long head that is whole");
    let mut open = 0;
    for stream in &mut held {
        open += usize::from(timeout(Duration::from_millis(50), stream.read(&mut [0])).await.is_err());
    }
    // Each has 52 KiB of the 256 KiB that there are for heads beyond their first 8 KiB.
    assert!((3..=4).contains(&open), "{open} are still open");
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

#[tokio::test]
async fn cve_2022_31028_connections_that_say_nothing_do_not_keep_others_out_for_long() {
    let header_read_timeout = Duration::from_millis(300);
    let listen = ListenOptions { connections_max: 4, header_read_timeout, ..ListenOptions::default() };
    let store = RunningStore::start_with(Setup { listen, ..Setup::default() }).await;
    let mut silent = Vec::new();
    for begun in ["", "", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-A: "] {
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    let mut other = TcpStream::connect(store.address).await.unwrap();
    other.write_all(&request("GET /_countersign/healthz", "oss.test", &[], b"")).await.unwrap();
    let answer = timeout(Duration::from_secs(5), read(&mut other)).await.expect("it was kept out");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_disconnected() {
    let write_stall_timeout = Duration::from_millis(300);
    let listen = ListenOptions { connections_max: 2, write_stall_timeout, ..ListenOptions::default() };
    let setup = Setup { listen, acl: "public-read-write", ..Setup::default() };
    let store = RunningStore::start_with(setup).await;
    // More than the buffers of both ends hold.
    let len = 32 << 20;
    assert_eq!(Form::anonymous("k", &vec![b'x'; len]).post(&store).await.status, 204);
    let get = request("GET /k", "demo.oss.test", &[], b"");
    let mut idle = TcpStream::connect(store.address).await.unwrap();
    idle.write_all(&get).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut bytes = Vec::new();
    let _cut = timeout(Duration::from_secs(5), idle.read_to_end(&mut bytes)).await.expect("it hangs");
    assert!(bytes.len() < len, "{} bytes came", bytes.len());
    // A reader that takes its time, but takes, gets everything.
    let mut slow = TcpStream::connect(store.address).await.unwrap();
    slow.write_all(&get).await.unwrap();
    let (mut taken, mut buffer) = (0, vec![0; 4 << 20]);
    while let Ok(count @ 1..) = slow.read(&mut buffer).await {
        taken += count;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(taken > len, "{taken} bytes came");
}

#[tokio::test]
async fn the_host_of_an_absolute_target_wins_over_the_header() {
    let store = RunningStore::start_with(Setup { acl: "public-read-write", ..Setup::default() }).await;
    let send = async |target: &str, host: &str| {
        let request = format!(
            "PUT {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
        );
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        read(&mut stream).await.status
    };
    assert_eq!(send("http://demo.oss.test/k", "gone.oss.test").await, 200);
    assert_eq!(store.bytes("k").await.as_deref(), Some(b"x".as_slice()));
    assert_eq!(send("http://gone.oss.test/other", "demo.oss.test").await, 404);
    assert_eq!(store.bytes("other").await, None);
}

#[tokio::test]
async fn requests_that_a_proxy_could_read_otherwise_are_refused_and_end_the_connection() {
    let store = RunningStore::start_with(Setup { acl: "public-read-write", ..Setup::default() }).await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: demo.oss.test\r\n\r\n";
    for head in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nHost: other.oss.test\r\n",
    ] {
        let request = format!("PUT /k HTTP/1.1\r\nHost: demo.oss.test\r\n{head}\r\n0\r\n\r\n{hidden}");
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read(&mut stream).await;
        assert_eq!((answer.status, answer.element("Code")), (400, Some("InvalidRequest")), "{head}");
        assert!(store.is_empty().await, "{head}");
    }
    for (head, status) in
        [("PUT /k HTTP/1.1", 400), ("PUT http://demo.oss.test/k HTTP/1.1", 400), ("GET / HTTP/1.0", 403)]
    {
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        stream
            .write_all(format!("{head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        assert_eq!(read(&mut stream).await.status, status, "{head} without a host");
    }
    let lengths =
        "PUT /k HTTP/1.1\r\nHost: demo.oss.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy";
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    stream.write_all(lengths.as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream).await.status, 400, "two lengths");
    assert!(store.is_empty().await);
    // Chunks count before a length, and what stands behind them is not taken for another request.
    for head in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let request = format!("PUT /k HTTP/1.1\r\nHost: demo.oss.test\r\n{head}\r\n0\r\n\r\n{hidden}");
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(
            (read(&mut stream).await.status, store.bytes("k").await),
            (200, Some(Vec::new())),
            "{head}"
        );
    }
}
