//! The application's receiver against forgeries: a real callback is recorded from a real upload, then altered.

use countersign_conformance::running::get;
use countersign_conformance::{Answer, Exchange, Form, Running};
use serde_json::Value;

struct Recorded {
    running: Running,
    headers: Vec<(String, String)>,
    body: String,
    path: String,
}

/// One upload through `serve`, its callback taken from the ledger.
fn record_one() -> Recorded {
    let running = Running::serve(&[]);
    upload(&running, "first.txt");
    // A body comes for a key that is named, and not in the list of all.
    let record = listed(&running, "/uploads?key=user-dir%2Ffirst.txt").remove(0);
    let request = &record["request"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers =
        request["headers"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
    Recorded { headers, body: text(&request["body"]), path: text(&request["path"]), running }
}

fn upload(running: &Running, name: &str) {
    upload_named(running, name, None);
}

/// Uploads under this key, with the file's own name where one is given.
fn upload_named(running: &Running, name: &str, original: Option<&str>) {
    let signed: Value = serde_json::from_slice(&get(&running.app, "/signature").body).unwrap();
    let field = |name: &str| signed[name].as_str().unwrap_or_else(|| panic!("{name} in {signed}")).to_owned();
    let mut form = Form::empty()
        .field("key", field("dir") + name)
        .field("policy", field("policy"))
        .field("OSSAccessKeyId", field("accessid"))
        .field("success_action_status", "200")
        .field("callback", field("callback"))
        .field("signature", field("signature"));
    if let Some(original) = original {
        form = form.field("x:name", original);
    }
    let form = form.file(name, "text/plain", "hello world");
    let mut post = form.post("demo");
    let host = field("host");
    let (authority, path) = host.trim_start_matches("http://").split_once('/').unwrap_or((host.as_str(), ""));
    post.headers[0].1 = authority.into();
    post.target = format!("/{path}");
    let answer = post.send(&running.store);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(said["Status"], "OK");
}

fn ledger(running: &Running) -> Vec<Value> {
    listed(running, "/uploads")
}

fn listed(running: &Running, target: &str) -> Vec<Value> {
    let answer = get(&running.app, target);
    let listed: Value = serde_json::from_slice(&answer.body).unwrap();
    listed["uploads"].as_array().unwrap().clone()
}

impl Recorded {
    fn replay(&self, headers: &[(String, String)], body: &str) -> Answer {
        let mut exchange = Exchange::new("POST", &self.path).host(&self.running.app);
        for (name, value) in headers {
            if !["host", "content-length", "connection"].contains(&name.to_ascii_lowercase().as_str()) {
                exchange = exchange.header(name, value);
            }
        }
        exchange.body(body).send(&self.running.app)
    }

    fn with(&self, name: &str, value: Option<&str>) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> =
            self.headers.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name)).cloned().collect();
        assert!(headers.len() < self.headers.len(), "{name} was sent");
        headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        headers
    }

    fn refuses(&self, what: &str, headers: &[(String, String)], body: &str) {
        let answer = self.replay(headers, body);
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert_eq!(ledger(&self.running).len(), 1, "{what} left a record");
    }
}

#[test]
fn records_an_upload_once_however_often_it_is_called() {
    let recorded = record_one();
    for _ in 0..3 {
        let answer = recorded.replay(&recorded.headers, &recorded.body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(ledger(&recorded.running).len(), 1);
    }
    upload(&recorded.running, "second.txt");
    assert_eq!(ledger(&recorded.running).len(), 2);
    upload(&recorded.running, "second.txt");
    assert_eq!(ledger(&recorded.running).len(), 3, "the same key uploaded again is another upload");
    let one = get(&recorded.running.app, "/uploads?key=user-dir%2Ffirst.txt");
    let one: Value = serde_json::from_slice(&one.body).unwrap();
    assert_eq!(one["uploads"].as_array().map(Vec::len), Some(1));
    let record = &one["uploads"][0];
    assert_eq!(record["key"], "user-dir/first.txt");
    assert_eq!(record["mimeType"], "text/plain");
    assert_eq!(record["size"], 11);
}

#[test]
fn refuses_what_the_store_did_not_sign() {
    use base64::Engine as _;
    let recorded = record_one();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let encode = |url: &str| base64::engine::general_purpose::STANDARD.encode(url);
    let foreign = format!("http://{}/key.pem", listener.local_addr().unwrap());
    let urls = [
        foreign.clone(),
        "http://gosspublic.alicdn.com@evil/callback_pub_key_v1.pem".into(),
        format!("http://gosspublic.alicdn.com@{}/callback_pub_key_v1.pem", listener.local_addr().unwrap()),
        "https://gosspublic.alicdn.com.evil.example/callback_pub_key_v1.pem".into(),
        "https://gosspublic.alicdn.com/callback_pub_key_v1.pem?x".into(),
        "https://gosspublic.alicdn.com/../key.pem".into(),
        "file:///etc/passwd".into(),
        String::new(),
    ];
    for url in urls {
        recorded.refuses(&url, &recorded.with("x-oss-pub-key-url", Some(&encode(&url))), &recorded.body);
    }
    recorded.refuses(
        "a key URL in clear",
        &recorded.with("x-oss-pub-key-url", Some(&foreign)),
        &recorded.body,
    );
    recorded.refuses("no key URL", &recorded.with("x-oss-pub-key-url", None), &recorded.body);
    recorded.refuses("no signature", &recorded.with("authorization", None), &recorded.body);
    recorded.refuses(
        "another signature",
        &recorded.with("authorization", Some(&encode("x".repeat(256).as_str()))),
        &recorded.body,
    );
    recorded.refuses("an altered body", &recorded.headers, &recorded.body.replace("size=11", "size=12"));
    recorded.refuses("an empty body", &recorded.headers, "");
    recorded.refuses("no headers", &[], &recorded.body);
    recorded.refuses("10 MB", &recorded.headers, &"a".repeat(10 << 20));
    assert!(listener.accept().is_err(), "nothing was fetched");
}

#[test]
fn the_files_own_name_goes_from_the_form_to_the_ledger_and_to_the_download() {
    let vectors = include_str!("../../vectors/original_name.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let running = Running::serve(&[]);
    for (index, case) in vectors["cases"].as_array().unwrap().iter().enumerate() {
        let name = case["name"].as_str().unwrap();
        let key = format!("{index}.txt");
        upload_named(&running, &key, Some(name));
        let found = get(&running.app, &format!("/uploads?key=user-dir/{key}"));
        let found: Value = serde_json::from_slice(&found.body).unwrap();
        let record = &found["uploads"][0];
        assert_eq!((&record["name"], &record["proven"]), (&Value::from(name), &Value::Bool(true)));
        let opened = get(&running.app, &format!("/open?key=user-dir/{key}"));
        let location = opened.header("location").unwrap().trim_start_matches("http://").to_owned();
        let (authority, target) = location.split_at(location.find('/').unwrap());
        let object = Exchange::get(target).host(authority).send(&running.store);
        assert_eq!((object.status, object.body.as_slice()), (200, &b"hello world"[..]), "{name}");
        let said = case["attachment"].as_str().unwrap().replacen("attachment", "inline", 1);
        assert_eq!(object.header("content-disposition"), Some(said.as_str()));
    }
}
