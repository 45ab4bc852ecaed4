//! Memory that clients can make the two servers hold: 2,000 connections of each pattern, against a figure in bytes.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_conformance::application::{Application, Reply};
use countersign_conformance::running::open_files_allowed;
use countersign_conformance::wire::connect;
use countersign_conformance::{Form, PolicyText, Running, StoreClient};

const CONNECTIONS: usize = 2_000;
/// As many as the store takes.
const CONNECTIONS_MAX: usize = 4_096;
const MEBIBYTE: u64 = 1 << 20;
const STORE_BYTES_MAX: u64 = 256 * MEBIBYTE;
const APP_BYTES_MAX: u64 = 128 * MEBIBYTE;

fn enough_open_files() -> bool {
    enough_for(CONNECTIONS as u64 + 200)
}

fn enough_for(open_files: u64) -> bool {
    let enough = open_files_allowed() >= open_files;
    if !enough {
        println!("SKIPPED: {open_files} open files are more than are allowed here");
    }
    enough
}

/// Connections that have sent as much of this as is taken at once, and read nothing.
fn sent(address: &str, bytes: &[u8]) -> Vec<TcpStream> {
    sent_over(CONNECTIONS, address, bytes)
}

fn sent_over(connections: usize, address: &str, bytes: &[u8]) -> Vec<TcpStream> {
    (0..connections)
        .map(|_| {
            let mut stream = connect(address).expect("a connection");
            stream.set_write_timeout(Some(Duration::from_millis(200))).expect("a timeout");
            // What is refused is closed, and then no more is taken.
            let _taken = stream.write_all(bytes);
            stream
        })
        .collect()
}

#[test]
fn unsigned_callbacks_cost_the_application_server_little_memory() {
    if !enough_open_files() {
        return;
    }
    let key_url = STANDARD.encode("https://gosspublic.alicdn.com/callback_pub_key_v1.pem");
    // The second kind has everything but a good signature, and a body that lacks its last byte.
    for (headers, bytes) in [
        (String::new(), 1_048_576),
        (format!("Authorization: {}\r\nx-oss-pub-key-url: {key_url}\r\n", STANDARD.encode([7; 64])), 65_536),
    ] {
        // A server for each kind: connections of the first that are still ending would count as the second's.
        let running =
            Running::app(&["--host", "https://b.oss-cn-hangzhou.aliyuncs.com", "--token", "secret-token"]);
        let mut request =
            format!("POST /callback HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {bytes}\r\n\r\n")
                .into_bytes();
        request.resize(request.len() + bytes - 1, b'a');
        let held = sent(&running.app, &request);
        std::thread::sleep(Duration::from_millis(300));
        let resident = running.peak_resident_bytes();
        println!("{CONNECTIONS} callbacks without a good signature: {} MiB", resident / MEBIBYTE);
        assert!(resident <= APP_BYTES_MAX, "{resident} bytes");
        drop(held);
    }
}

/// Each asks for a megabyte and reads nothing beyond its first bytes.
#[test]
fn a_reader_that_does_not_read_costs_at_most_96_kib() {
    if !enough_open_files() {
        return;
    }
    let running = Running::store(&[]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    assert_eq!(client.put("photos", "large", vec![b'x'; 24 << 20]).status, 200);
    let before = running.peak_resident_bytes();
    let readers: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|_| {
            let mut stream = connect(&running.store).expect("a connection");
            stream.write_all(&signed_get(&running.store)).expect("a request");
            stream.read_exact(&mut [0; 64]).expect("the beginning of an answer");
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    let grown = running.peak_resident_bytes() - before;
    println!("{CONNECTIONS} readers that do not read: {} KiB each", grown / 1024 / CONNECTIONS as u64);
    assert!(grown <= CONNECTIONS as u64 * 96 * 1024, "{grown} bytes");
    assert!(running.peak_resident_bytes() <= STORE_BYTES_MAX);
    drop(readers);
}

/// A form with a callback to this application, whose body has so many bytes of the client's own, as it goes over the
/// wire.
fn form_calling(url: &str, bucket: &str, key: &str, own_bytes: usize) -> Vec<u8> {
    let callback = format!(r#"{{"callbackUrl":"{url}","callbackBody":"big=${{x:big}}"}}"#);
    let form = Form::signed(key, &PolicyText::open())
        .field("callback", STANDARD.encode(callback))
        .field("x:big", "a".repeat(own_bytes))
        .file("x", "text/plain", "x");
    form.post(bucket).whole()
}

fn store_with_a_bucket() -> Running {
    Running::store(&["--bucket", "photos", "--callback-allow", "127.0.0.0/8", "--log-format", "text"])
}

#[test]
fn hanging_callbacks_cost_the_store_little_memory() {
    if !enough_open_files() {
        return;
    }
    let running = store_with_a_bucket();
    // Connections are taken by the system, and nothing ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    let held = sent(&running.store, &form_calling(&url, "photos", "k", 60_000));
    std::thread::sleep(Duration::from_millis(500));
    let resident = running.peak_resident_bytes();
    println!("{CONNECTIONS} uploads whose callbacks hang: {} MiB", resident / MEBIBYTE);
    assert!(resident <= STORE_BYTES_MAX, "{resident} bytes");
    drop(held);
}

#[test]
fn unread_answers_cost_the_store_little_memory() {
    if !enough_open_files() {
        return;
    }
    let running = store_with_a_bucket();
    let json = format!(r#"{{"Status":"OK","text":"{}"}}"#, "a".repeat(2 << 20));
    let application = Application::answering(Reply::status(200, "application/json", &json));
    let held = sent(&running.store, &form_calling(&application.url(), "photos", "k", 10));
    std::thread::sleep(Duration::from_secs(2));
    let resident = running.peak_resident_bytes();
    println!("{CONNECTIONS} answers of 2 MiB that are not read: {} MiB", resident / MEBIBYTE);
    assert!(resident <= STORE_BYTES_MAX, "{resident} bytes");
    drop(held);
}

#[test]
fn unread_lists_of_uploads_cost_the_servers_little_memory() {
    if !enough_open_files() {
        return;
    }
    let running = Running::serve(&[]);
    let url = format!("http://{}/callback", running.app);
    for number in 0..150 {
        let request = form_calling(&url, "demo", &format!("user-dir/{number}"), 60_000);
        let mut stream = connect(&running.store).expect("a connection");
        stream.write_all(&request).expect("a request");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    let held = sent(&running.app, b"GET /uploads?limit=1000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    std::thread::sleep(Duration::from_secs(2));
    let resident = running.peak_resident_bytes();
    println!("{CONNECTIONS} lists of uploads that are not read: {} MiB", resident / MEBIBYTE);
    // One process is both servers here.
    assert!(resident <= APP_BYTES_MAX + 64 * MEBIBYTE, "{resident} bytes");
    drop(held);
}

/// Requests that never become whole, and small ones that are refused while their bodies come as fast as they are taken.
#[test]
fn unfinished_heads_on_every_connection_cost_the_store_little_memory() {
    // The store gives half of its descriptors to connections.
    if !enough_for(CONNECTIONS_MAX as u64 * 2) {
        return;
    }
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}", "a".repeat(64_000));
    let refused =
        format!("PUT /photos/k HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n{}", "a".repeat(300_000));
    for (what, bytes) in [("heads that do not end", head), ("bodies of refused uploads", refused)] {
        let running = store_with_a_bucket();
        let held = sent_over(CONNECTIONS_MAX, &running.store, bytes.as_bytes());
        std::thread::sleep(Duration::from_millis(500));
        let resident = running.peak_resident_bytes();
        println!("{CONNECTIONS_MAX} {what}: {} MiB", resident / MEBIBYTE);
        assert!(resident <= STORE_BYTES_MAX, "{resident} bytes");
        drop(held);
    }
}

fn signed_get(store: &str) -> Vec<u8> {
    let expires = jiff::Timestamp::now().as_second() + 600;
    let text = format!("GET\n\n\n{expires}\n/photos/large");
    let signature = countersign_conformance::signing::hmac_sha1_base64(
        countersign_conformance::ACCESS_KEY_SECRET,
        text.as_bytes(),
    );
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let id = countersign_conformance::ACCESS_KEY_ID;
    format!(
        "GET /photos/large?OSSAccessKeyId={id}&Expires={expires}&Signature={signature} HTTP/1.1\r\n\
         Host: {store}\r\n\r\n"
    )
    .into_bytes()
}
