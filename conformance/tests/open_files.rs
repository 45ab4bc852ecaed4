//! Too few file descriptors: a store that is given few keeps some for its files, and one that has none left says
//! so on its health page and goes on when there are some again.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use countersign_conformance::wire::{connect, read_answer};
use countersign_conformance::{Answer, Exchange, Form, PolicyText, Running, StoreClient};

/// Asks for the health page over a connection that is open already.
fn health(stream: &mut TcpStream, running: &Running) -> Answer {
    let request = format!("GET /_countersign/healthz HTTP/1.1\r\nHost: {}\r\n\r\n", running.store);
    stream.write_all(request.as_bytes()).expect("a request");
    read_answer(stream, Instant::now(), false).expect("an answer")
}

/// What is answered over a connection that is open already.
fn sent_over(stream: &mut TcpStream, request: &[u8]) -> Answer {
    stream.write_all(request).expect("a request");
    read_answer(stream, Instant::now(), false).expect("an answer")
}

/// An upload large enough to need a file of its own.
fn upload(running: &Running) -> Answer {
    let form = Form::signed("a.bin", &PolicyText::open()).file("x", "a/b", vec![b'x'; 300_000]);
    form.post("photos").send(&running.store)
}

#[test]
fn a_store_that_may_open_few_files_keeps_half_of_them_from_connections() {
    let running = Running::store_with_open_files(256);
    StoreClient::at(&running.store).create_bucket("photos");
    let mut idle: Vec<TcpStream> = (0..120).map(|_| connect(&running.store).expect("a connection")).collect();
    // Half a second without a request, and a connection gives way to any other.
    std::thread::sleep(Duration::from_millis(800));
    idle.extend((0..110).map(|_| connect(&running.store).expect("a connection")));
    std::thread::sleep(Duration::from_millis(800));
    idle.extend((0..60).map(|_| connect(&running.store).expect("a connection")));
    for _ in 0..5 {
        let answer = upload(&running);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let page = Exchange::get("/_countersign/healthz").host(&running.store).send(&running.store);
    assert_eq!((page.status, page.text().contains("descriptor")), (200, false), "{}", page.text());
    drop(idle);
}

#[test]
fn a_store_without_a_descriptor_for_a_connection_says_so_and_recovers() {
    let running = Running::store(&[]);
    StoreClient::at(&running.store).create_bucket("photos");
    let mut kept = connect(&running.store).expect("a connection");
    assert_eq!(health(&mut kept, &running).status, 200);
    running.allow_open_files(8);
    // The system takes it into its queue; the store cannot take it out.
    let waiting = connect(&running.store).expect("a connection");
    let deadline = Instant::now() + Duration::from_secs(10);
    let page = loop {
        let page = health(&mut kept, &running);
        if page.status == 503 {
            break page;
        }
        assert!(Instant::now() < deadline, "nothing on the health page: {}", page.text());
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(page.text().contains("no file descriptor was left"), "{}", page.text());
    // It is tried many times a second, and not logged as often.
    std::thread::sleep(Duration::from_millis(300));
    running.allow_open_files(256);
    let mut waiting = waiting;
    assert_eq!(
        health(&mut waiting, &running).status,
        503,
        "the one that waited is served, and told of the trouble"
    );
    assert_eq!(upload(&running).status, 200);
    let complaints = running.printed().matches("could not be accepted").count();
    assert!((1..=2).contains(&complaints), "{complaints} lines in the log");
}

#[test]
fn a_store_without_a_descriptor_for_a_file_refuses_what_needs_one_and_recovers() {
    let running = Running::store(&[]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    let open_to_all = client.request("PUT", "photos", "", "acl", &[("x-oss-acl", "public-read")], "");
    assert_eq!(open_to_all.status, 200);
    assert_eq!(upload(&running).status, 200);
    let small = |key: &str| Form::signed(key, &PolicyText::open()).file("x", "a/b", "x").post("photos");
    assert_eq!(small("small").send(&running.store).status, 200);
    // What is connected stays connected, for one request each; nothing else can be opened.
    let mut kept: Vec<TcpStream> = (0..10).map(|_| connect(&running.store).expect("a connection")).collect();
    for stream in &mut kept {
        assert_eq!(health(stream, &running).status, 200);
    }
    running.allow_open_files(8);
    let large =
        Form::signed("b.bin", &PolicyText::open()).file("x", "a/b", vec![b'x'; 300_000]).post("photos");
    let get = |path: &str| Exchange::get(path).host(&running.store);
    let mut send = |exchange: &Exchange| sent_over(&mut kept.pop().expect("a connection"), &exchange.whole());
    for _ in 0..2 {
        let refused = send(&large);
        assert_eq!(refused.verdict(), "503 OpenFilesExhausted");
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(send(&get("/photos/a.bin")).verdict(), "503 OpenFilesExhausted");
        let served = send(&get("/photos/small"));
        assert_eq!((served.status, served.body.as_slice()), (200, b"x".as_slice()), "it needs no file");
    }
    assert!(send(&get("/_countersign/healthz")).text().contains("no file descriptor was left"));
    running.allow_open_files(256);
    assert_eq!(send(&large).status, 200);
    assert_eq!(client.get("photos", "a.bin").body.len(), 300_000);
    assert_eq!(client.keys("photos").len(), 3);
}
