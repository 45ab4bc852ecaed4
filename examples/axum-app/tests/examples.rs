//! The examples as a reader starts them: each is run as a program and called as a store calls it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends in a panic")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign::testing::Instance;
use countersign_protocol::callback::signature::{CallbackSignError, sign};
use countersign_sys::RsaMd5Key;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

const KEY_URL: &str = "http://127.0.0.1:9817/keys/v1.pem";
const BODY: &str = "filename=user-dir%2Fa.jpg&size=3&mimeType=image%2Fjpeg&height=2&width=1";

/// A running example; it ends with the test.
struct Running {
    child: Child,
    address: String,
    key: RsaMd5Key,
    /// Open for as long as the example may print.
    _printed: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Starts what `command` makes of a folder with a store's key in it, and waits until it says where it listens.
fn start(command: impl FnOnce(&Path, &Path) -> Command) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let key = RsaMd5Key::generate_2048().unwrap();
    let key_file = folder.path().join("store_key.pem");
    std::fs::write(&key_file, key.public_key_pem().unwrap()).unwrap();
    let mut child = command(folder.path(), &key_file).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut printed = BufReader::new(child.stdout.take().unwrap());
    printed.read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    Running { child, address, key, _printed: printed, _folder: folder }
}

fn axum_app() -> Running {
    start(|folder, key_file| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-example-axum-app"));
        command
            .current_dir(folder)
            .env("COUNTERSIGN_ACCESS_KEY_ID", "ak")
            .env("COUNTERSIGN_ACCESS_KEY_SECRET", "sk")
            .env("BUCKET", "demo")
            .env("UPLOAD_HOST", "http://demo.localhost:9817")
            .env("CALLBACK_URL", "http://127.0.0.1:8000/callback")
            .env("STORE_KEY_URL", KEY_URL)
            .env("STORE_KEY_FILE", key_file)
            .env("LISTEN", "127.0.0.1:0");
        command
    })
}

fn callback_server(key_url: Option<&str>) -> Running {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../callback-server/callback_server.py");
    start(|_, key_file| {
        let mut command = Command::new("python3");
        command.arg("-u").arg(script).arg("0").arg("--key").arg(key_file);
        command.args(key_url.iter().flat_map(|url| ["--key-url", url]));
        command
    })
}

struct Heard {
    status: u16,
    head: String,
    body: String,
}

impl Running {
    fn send(&self, request: &[u8]) -> Heard {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The other side may answer and close before it has everything.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Heard { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn fetch(&self, target: &str) -> Heard {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
    }

    /// A callback as a store sends it, signed for the path, the body and this key's address.
    fn call(&self, target: &str, signed: &str, sent: &str, key_url: &str) -> Heard {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let rsa_md5 = |message: &[u8]| {
            self.key.sign(message).map_err(|error| CallbackSignError { reason: error.to_string() })
        };
        let authorization = sign(&rsa_md5, path, query, signed.as_bytes()).unwrap();
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nAuthorization: {authorization}\r\n\
             x-oss-pub-key-url: {}\r\nx-oss-request-id: 5C\r\n\r\n{sent}",
            sent.len(),
            STANDARD.encode(key_url)
        );
        self.send(request.as_bytes())
    }
}

fn json(heard: &Heard) -> Value {
    serde_json::from_str(&heard.body).unwrap_or_else(|_| panic!("not JSON: {}", heard.body))
}

#[test]
fn the_axum_application_signs_and_receives() {
    let app = axum_app();
    let signed = json(&app.fetch("/signature?path=user-dir/"));
    assert_eq!((&signed["accessid"], &signed["dir"]), (&"ak".into(), &"user-dir/".into()));
    for _ in 0..3 {
        let heard = app.call("/callback", BODY, BODY, KEY_URL);
        assert_eq!(heard.status, 200, "{}", heard.body);
        assert_eq!(json(&heard)["Status"], "OK");
    }
    assert_eq!(app.call("/callback", BODY, "filename=x", KEY_URL).status, 400);
    assert_eq!(app.call("/callback", BODY, BODY, "http://evil/v1.pem").status, 400);
    let ten_megabytes = "a".repeat(10 << 20);
    let refused = app.call("/callback", &ten_megabytes, &ten_megabytes, KEY_URL);
    assert_eq!((refused.status, json(&refused)["Status"].as_str()), (400, Some("BodyTooLong")));
    let uploads = json(&app.fetch("/uploads"))["uploads"].clone();
    assert_eq!(uploads.as_array().unwrap().len(), 1);
    assert_eq!(uploads[0]["key"], "user-dir/a.jpg");
}

/// As the tests of any Rust application would have it: its own process beside a store in the test's.
#[tokio::test]
async fn an_upload_to_a_store_is_countersigned_by_the_axum_application() {
    let instance = Instance::start().unwrap();
    let variables: BTreeMap<&str, String> = instance.variables().into_iter().collect();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let app = start(|folder, _| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-example-axum-app"));
        command
            .current_dir(folder)
            .env("COUNTERSIGN_ACCESS_KEY_ID", &variables["OSS_ACCESS_KEY_ID"])
            .env("COUNTERSIGN_ACCESS_KEY_SECRET", &variables["OSS_ACCESS_KEY_SECRET"])
            .env("BUCKET", &variables["OSS_BUCKET"])
            .env("UPLOAD_HOST", format!("{}/{}", instance.store_url(), variables["OSS_BUCKET"]))
            .env("CALLBACK_URL", format!("http://{listen}/callback"))
            .env("STORE_KEY_URL", instance.callback_key_url())
            .env("STORE_KEY_FILE", instance.callback_key_file())
            .env("LISTEN", &listen);
        command
    });
    let signed = json(&app.fetch("/signature?path=user-dir/&fields=1"));
    let fields: Vec<(String, String)> = serde_json::from_value(signed["fields"].clone()).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let upload = |name: &'static str| {
        let form = fields.iter().cloned().fold(Form::new(), |form, (name, value)| form.text(name, value));
        let form = form.part("file", Part::text("hello").file_name(name));
        client.post(signed["host"].as_str().unwrap()).multipart(form).send()
    };
    for name in ["a.txt", "b.txt"] {
        let answer = upload(name).await.unwrap();
        let (status, said) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&said["Status"], &said["key"]), (&"OK".into(), &format!("user-dir/{name}").into()));
    }
    assert_eq!(json(&app.fetch("/uploads"))["uploads"].as_array().unwrap().len(), 2);
}

#[test]
fn the_plain_form_is_handed_out_filled_in_and_without_script() {
    let app = axum_app();
    let page = app.fetch("/plain-form");
    assert_eq!(page.status, 200);
    assert!(page.head.contains("content-type: text/html"));
    assert!(!page.body.contains("{{") && !page.body.contains("<script"), "{}", page.body);
    assert!(page.body.contains(r#"<form action="http://demo.localhost:9817" method="post""#));
    assert!(page.body.contains(r#"name="key" value="user-dir/${filename}""#));
    let names: Vec<&str> =
        page.body.split(" name=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let tutorial_and_no_overwriting = [
        "viewport",
        "key",
        "policy",
        "OSSAccessKeyId",
        "success_action_status",
        "x-oss-forbid-overwrite",
        "callback",
        "signature",
        "file",
    ];
    assert_eq!(names, tutorial_and_no_overwriting);
}

#[test]
fn the_callback_server_in_one_file_verifies_and_says_ok() {
    let server = callback_server(Some(KEY_URL));
    for target in ["/", "/callback", "/a%20b/%E7%85%A7?x=1&y=%20"] {
        let heard = server.call(target, BODY, BODY, KEY_URL);
        assert_eq!((heard.status, heard.body.as_str()), (200, r#"{"Status": "OK"}"#), "{target}");
        assert!(heard.head.contains("content-type: application/json"));
        assert!(heard.head.contains(&format!("content-length: {}", heard.body.len())));
    }
    assert_eq!(server.call("/", BODY, "filename=x", KEY_URL).status, 400);
    for url in ["http://evil/v1.pem", "http://127.0.0.1:9817@evil/keys/v1.pem", ""] {
        assert_eq!(server.call("/", BODY, BODY, url).status, 400, "{url}");
    }
    let without_headers = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na";
    assert_eq!(server.send(without_headers).status, 400);
    let ten_megabytes = "a".repeat(10 << 20);
    assert_eq!(server.call("/", &ten_megabytes, &ten_megabytes, KEY_URL).status, 400);
    assert_eq!(server.call("/", BODY, BODY, KEY_URL).status, 200, "and it goes on");
}

#[test]
fn the_callback_server_believes_the_key_it_was_given_and_no_other() {
    let mut server = callback_server(None);
    assert_eq!(server.call("/", BODY, BODY, "http://anywhere/v1.pem").status, 200);
    server.key = RsaMd5Key::generate_2048().unwrap();
    assert_eq!(server.call("/", BODY, BODY, "http://anywhere/v1.pem").status, 400);
}
