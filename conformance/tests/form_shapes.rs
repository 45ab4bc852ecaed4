//! The body shapes that real form clients send (curl, requests, aiohttp, axios, plupload, Dropzone, wx.uploadFile …),
//! written out by hand; each is stored and read back.

use std::io::Write;
use std::time::{Duration, Instant};

use countersign_conformance::wire::{connect, read_answer};
use countersign_conformance::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, Exchange, PolicyText, Running, StoreClient, sign_policy_v1,
};

struct Shapes {
    running: Running,
    client: StoreClient,
    policy: PolicyText,
}

impl Shapes {
    fn new() -> Shapes {
        let running = Running::store(&[]);
        let client = StoreClient::at(&running.store);
        client.create_bucket("photos");
        Shapes { running, client, policy: PolicyText::open() }
    }

    /// The signed fields as parts, each head made by `head_of(name)`, joined with `--B CRLF`.
    fn fields(&self, key: &str, head_of: impl Fn(&str) -> String) -> String {
        let signature = sign_policy_v1(ACCESS_KEY_SECRET, &self.policy);
        [
            ("key", key),
            ("policy", &self.policy.0),
            ("OSSAccessKeyId", ACCESS_KEY_ID),
            ("success_action_status", "200"),
            ("signature", &signature),
        ]
        .iter()
        .map(|(name, value)| format!("--B\r\n{}\r\n\r\n{value}\r\n", head_of(name)))
        .collect()
    }

    fn accepts(&self, what: &str, key: &str, content_type: &str, body: &str) {
        let exchange = Exchange::new("POST", "/")
            .host("photos.oss-cn-hangzhou.aliyuncs.com")
            .header("Content-Type", content_type)
            .body(body);
        let answer = exchange.send(&self.running.store);
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        assert_eq!(self.client.get("photos", key).text(), "DATA", "{what}");
    }
}

fn plain(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"")
}

#[test]
fn accepts_the_form_shapes_of_many_clients() {
    let shapes = Shapes::new();
    let usual = "multipart/form-data; boundary=B";
    let file = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nDATA\r\n--B--\r\n";
    let fields = |key: &str| shapes.fields(key, plain);
    shapes.accepts("curl", "curl", usual, &(fields("curl") + file));
    shapes.accepts(
        "a quoted boundary",
        "quoted",
        "multipart/form-data; boundary=\"B\"",
        &(fields("quoted") + file),
    );
    shapes.accepts(
        "parameters in another order",
        "order",
        "Multipart/Form-Data; charset=utf-8; BOUNDARY=B",
        &(fields("order") + file),
    );
    shapes.accepts(
        "a preamble",
        "preamble",
        usual,
        &format!("This is a multi-part message.\r\n{}{file}", fields("preamble")),
    );
    shapes.accepts("an empty line in front", "crlf", usual, &format!("\r\n{}{file}", fields("crlf")));
    shapes.accepts("no final line end", "bare-end", usual, (fields("bare-end") + file).trim_end());
    shapes.accepts("an epilogue", "epilogue", usual, &(fields("epilogue") + file + "epilogue bytes"));
    let lower = |name: &str| format!("content-disposition: form-data; name=\"{name}\"");
    shapes.accepts("header names in lower case", "lower", usual, &(shapes.fields("lower", lower) + file));
    let encoded = |name: &str| {
        format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\ncontent-Disposition: FORM-DATA; name={name}"
        )
    };
    shapes.accepts(
        "types, encodings, bare names",
        "dotnet",
        usual,
        &(shapes.fields("dotnet", encoded) + file),
    );
    let lengths =
        |name: &str| format!("Content-Disposition: form-data; name=\"{name}\"\r\nContent-Length: 1");
    shapes.accepts("lengths in parts", "lengths", usual, &(shapes.fields("lengths", lengths) + file));
    shapes.accepts(
        "plupload's name in front",
        "plupload",
        usual,
        &format!("--B\r\n{}\r\n\r\no_1.txt\r\n{}{file}", plain("name"), fields("plupload")),
    );
    for (what, head) in [
        (
            "filename*",
            "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"; filename*=utf-8''%E7%85%A7.txt",
        ),
        ("a file without a name", "Content-Disposition: form-data; name=\"file\""),
        (
            "an empty name",
            "Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\nContent-Type: application/octet-stream",
        ),
        ("escaped quotes", "Content-Disposition: form-data; name=\"file\"; filename=\"a\\\"b.txt\""),
        ("a semicolon inside", "Content-Disposition: form-data; name=\"file\"; filename=\"a;b=c.txt\""),
        (
            "binary encoding",
            "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Transfer-Encoding: binary",
        ),
        (
            "type first",
            "Content-Type: image/png\r\nContent-Disposition: form-data; filename=\"a\"; name=\"file\"",
        ),
    ] {
        shapes.accepts(what, what, usual, &format!("{}--B\r\n{head}\r\n\r\nDATA\r\n--B--\r\n", fields(what)));
    }
    let submit = format!(
        "{}--B\r\n{}\r\n\r\nDATA\r\n--B\r\n{}\r\n\r\nUpload\r\n--B--\r\n",
        fields("submit"),
        plain("file"),
        plain("submit")
    );
    shapes.accepts("submit behind", "submit", usual, &submit);
}

#[test]
fn accepts_chunked_bodies_and_bodies_sent_byte_by_byte() {
    let shapes = Shapes::new();
    let file =
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nDATA\r\n--B--\r\n";
    let body = shapes.fields("chunked", plain) + file;
    let mut chunked = Vec::new();
    for piece in body.as_bytes().chunks(7) {
        chunked.extend(format!("{:x}\r\n", piece.len()).bytes());
        chunked.extend(piece);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let exchange = Exchange::new("POST", "/")
        .host("photos.oss-cn-hangzhou.aliyuncs.com")
        .header("Content-Type", "multipart/form-data; boundary=B")
        .header("Transfer-Encoding", "chunked")
        .body(chunked);
    let answer = exchange.send(&shapes.running.store);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(shapes.client.get("photos", "chunked").text(), "DATA");

    let body = shapes.fields("slowly", plain) + file;
    let exchange = Exchange::new("POST", "/")
        .host("photos.oss-cn-hangzhou.aliyuncs.com")
        .header("Content-Type", "multipart/form-data; boundary=B")
        .body(body);
    let mut stream = connect(&shapes.running.store).unwrap();
    stream.write_all(&exchange.head()).unwrap();
    for byte in &exchange.body {
        stream.write_all(std::slice::from_ref(byte)).unwrap();
        std::thread::sleep(Duration::from_micros(300));
    }
    let answer = read_answer(&mut stream, Instant::now(), false).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(shapes.client.get("photos", "slowly").text(), "DATA");
}

#[test]
fn invites_a_client_that_waits_for_100_continue() {
    let shapes = Shapes::new();
    let file = "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nDATA\r\n--B--\r\n";
    let exchange = Exchange::new("POST", "/")
        .host("photos.oss-cn-hangzhou.aliyuncs.com")
        .header("Content-Type", "multipart/form-data; boundary=B")
        .header("Expect", "100-continue")
        .body(shapes.fields("continue", plain) + file);
    let mut stream = connect(&shapes.running.store).unwrap();
    stream.write_all(&exchange.head()).unwrap();
    let mut first = [0u8; 12];
    std::io::Read::read_exact(&mut stream, &mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 100");
    stream.write_all(&exchange.body).unwrap();
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut rest).unwrap();
    assert!(String::from_utf8_lossy(&rest).contains("HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(shapes.client.get("photos", "continue").text(), "DATA");
}
