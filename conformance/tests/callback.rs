//! Callbacks through the built binary: the uploader gets the application's answer, and every way in which a callback
//! can fail is a 203 with OSS's own message, the object stored and the callback still in the outbox.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_conformance::application::{Application, Reply, callback_parameter};
use countersign_conformance::running::run;
use countersign_conformance::{Answer, Form, PolicyText, Running, StoreClient, free_port};

const FORM: &str = "application/x-www-form-urlencoded";
const BODY: &str = "bucket=${bucket}&filename=${object}&size=${size}&mimeType=${mimeType}&height=${imageInfo.height}&width=${imageInfo.width}&etag=${etag}&crc64=${crc64}&md5=${contentMd5}&ip=${clientIp}&req=${reqId}&op=${operation}&vpc=${vpcId}&format=${imageInfo.format}&who=${x:who}&none=${x:none}";

struct Calling {
    running: Running,
    client: StoreClient,
}

impl Calling {
    fn new() -> Calling {
        let running = Running::store(&["--callback-allow", "127.0.0.0/8"]);
        let client = StoreClient::at(&running.store);
        client.create_bucket("photos");
        Calling { running, client }
    }

    fn upload(&self, key: &str, callback: &str) -> Answer {
        Form::signed(key, &PolicyText::open())
            .field("callback", callback)
            .field("x:who", "爱丽丝 & co")
            .file("x.txt", "text/plain", "hello world")
            .post("photos")
            .send(&self.running.store)
    }

    /// Waits until nothing named `key` is owed: closing an entry rides in the batch after the answer.
    fn assert_settled(&self, key: &str) {
        let deadline = std::time::Instant::now() + Duration::from_secs(3);
        while self.outbox().contains(key) {
            assert!(
                std::time::Instant::now() < deadline,
                "{key} was acknowledged and is still owed:\n{}",
                self.outbox()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn outbox(&self) -> String {
        let data = self.running.data().display().to_string();
        let (code, out, error) = run(&["callbacks", "list", "--data", &data]);
        assert_eq!(code, Some(0), "{error}");
        out
    }
}

#[test]
fn relays_the_applications_answer_byte_for_byte_after_it_came() {
    let calling = Calling::new();
    let body = "{\"Status\":\"OK\",  \"名\":\"\\u00e9\"}\n";
    let application = Application::answering(
        Reply::status(200, "application/json;charset=x", body).after(Duration::from_secs(2)),
    );
    let answer = calling.upload("held.txt", &application.callback("/done?a=%20b", BODY, FORM));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.body, body.as_bytes());
    assert_eq!(answer.header("content-type"), Some("application/json;charset=x"));
    assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some("5981764153023615706"));
    assert!(answer.took >= Duration::from_secs(2), "{:?}", answer.took);
    let received = application.received();
    assert_eq!(received.len(), 1);
    let request_id = answer.header("x-oss-request-id").unwrap_or_default();
    let expected = format!(
        "bucket=photos&filename=held.txt&size=11&mimeType=text%2Fplain&height=&width=&etag=5EB63BBBE01EEED093CB22BB8F5ACDC3&crc64=5981764153023615706&md5=XrY7u%2BAe7tCTyyK7j1rNww%3D%3D&ip=127.0.0.1&req={request_id}&op=PostObject&vpc=&format=&who=%E7%88%B1%E4%B8%BD%E4%B8%9D%20%26%20co&none="
    );
    assert_eq!(received[0].text(), expected);
    assert_eq!(received[0].target, "/done?a=%20b");
    assert_eq!(received[0].header("user-agent"), Some("aliyun-oss-callback"));
    assert_eq!(received[0].header("content-type"), Some(FORM));
    assert_eq!(received[0].header("x-oss-bucket"), Some("photos"));
    assert_eq!(received[0].header("x-oss-request-id"), Some(request_id));
    assert_eq!(received[0].header("x-oss-tag"), Some("CALLBACK"));
    assert_eq!(received[0].header("host"), Some(application.url().trim_start_matches("http://")));
    calling.assert_settled("held.txt");
}

#[test]
fn signs_so_that_the_published_key_verifies() {
    let calling = Calling::new();
    let application = Application::answering(Reply::ok());
    assert_eq!(calling.upload("signed.txt", &application.callback("/p", BODY, FORM)).status, 200);
    let received = application.received().remove(0);
    let url = STANDARD.decode(received.header("x-oss-pub-key-url").unwrap_or_default()).unwrap();
    let url = String::from_utf8(url).unwrap();
    let path = url.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap_or_default();
    let pem = countersign_conformance::running::get(&calling.running.store, &path);
    assert_eq!(pem.status, 200);
    assert!(pem.text().starts_with("-----BEGIN PUBLIC KEY-----\n"), "{}", pem.text());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let key = file("key.pem", &pem.body);
    let signature =
        file("signature", &STANDARD.decode(received.header("authorization").unwrap_or_default()).unwrap());
    let verified = |body: &[u8]| {
        let text = file("text", &[b"/p\n", body].concat());
        let output = std::process::Command::new("openssl")
            .args(["dgst", "-md5", "-verify", &key, "-signature", &signature, &text])
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    assert!(verified(&received.body), "openssl accepts the signature");
    assert!(!verified(b"altered"), "and only over what was sent");
}

#[test]
fn tells_the_uploader_each_way_in_which_the_application_failed() {
    let calling = Calling::new();
    let raw = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
    let json = "application/json";
    let too_long = 3 * 1024 * 1024 + 1;
    let redirected = Application::answering(Reply::ok());
    let cases = [
        ("500", Reply::status(500, json, "{}"), "Error status : 500."),
        ("201", Reply::status(201, json, r#"{"Status":"OK"}"#), "Error status : 201."),
        (
            "301",
            raw(&format!(
                "HTTP/1.1 301 Moved\r\nLocation: {}/\r\nContent-Length: 2\r\n\r\n{{}}",
                redirected.url()
            )),
            "Error status : 301.",
        ),
        ("html", Reply::status(200, "text/html", "<p>OK</p>"), "Response body is not valid json format."),
        ("bare", Reply::status(200, json, "OK"), "Response body is not valid json format."),
        (
            "bom",
            Reply::status(200, json, "\u{feff}{\"Status\":\"OK\"}"),
            "Response body is not valid json format.",
        ),
        (
            "empty",
            Reply::status(200, json, ""),
            "Error Status : 400.User server return invalid conent-length value.",
        ),
        (
            "chunked",
            raw(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            ),
            "Error Status : 400.User server missing content-length.",
        ),
        (
            "unframed",
            raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}"),
            "Error Status : 400.User server missing content-length.",
        ),
        (
            "huge",
            raw(&format!("HTTP/1.1 200 OK\r\nContent-Length: {too_long}\r\n\r\n{{}}")),
            "Error Status : 400.User server return too long content-length value",
        ),
        ("late", Reply::ok().after(Duration::from_secs(6)), "Cost too long time."),
    ];
    for (name, reply, message) in cases {
        let application = Application::answering(reply);
        let key = format!("{name}.txt");
        let answer = calling.upload(&key, &application.callback("/", BODY, FORM));
        assert_failed(&calling, &key, &answer, message);
        assert!(answer.took < Duration::from_secs(6) || name == "late", "{name}: {:?}", answer.took);
        assert_eq!(application.received().len(), 1, "{name}");
    }
    assert!(redirected.received().is_empty(), "a redirect is never followed");
}

const UNREACHABLE: &str = "Error status : -1.OSS can not connect to your callbackUrl, please check it.";

#[test]
fn tells_the_uploader_that_the_application_was_not_reached() {
    let calling = Calling::new();
    let resetting = Application::resetting();
    let plain = Application::speaking_no_tls();
    for (key, url) in [
        ("reset.txt", resetting.url()),
        ("refused.txt", format!("http://127.0.0.1:{}/", free_port())),
        ("unresolved.txt", "http://no-such-host.invalid/".into()),
        ("tls.txt", format!("https://127.0.0.1:{}/", plain.port())),
    ] {
        let answer = calling.upload(key, &callback_parameter(&url, BODY, FORM));
        assert_failed(&calling, key, &answer, UNREACHABLE);
    }
}

fn assert_failed(calling: &Calling, key: &str, answer: &Answer, message: &str) {
    assert_eq!(answer.verdict(), "203 CallbackFailed", "{key}: {}", answer.text());
    assert_eq!(answer.element("Message").as_deref(), Some(message), "{key}");
    assert!(answer.element("EC").is_some_and(|code| code.starts_with("0007-")), "{key}");
    assert!(answer.element("RecommendDoc").is_some(), "{key}");
    assert_eq!(answer.header("content-type"), Some("application/xml"), "{key}");
    assert!(answer.header("etag").is_some(), "{key}");
    assert_eq!(calling.client.get("photos", key).text(), "hello world", "{key} stays stored");
    assert!(calling.outbox().contains(key), "{key} is still owed:\n{}", calling.outbox());
}

#[test]
fn refuses_destinations_outside_the_allowed_networks_and_says_how_to_allow_them() {
    let running = Running::store(&[]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    let application = Application::answering(Reply::ok());
    let mapped = format!("http://[::ffff:127.0.0.1]:{}/", application.port());
    for url in [
        application.url(),
        format!("http://localhost:{}/", application.port()),
        "http://169.254.169.254/".into(),
        "http://10.0.0.1/".into(),
        "http://0.0.0.0/".into(),
        "http://2130706433/".into(),
    ] {
        let form = Form::signed("guarded.txt", &PolicyText::open())
            .field("callback", callback_parameter(&url, BODY, FORM));
        let answer = form.file("x", "a/b", "x").post("photos").send(&running.store);
        assert!(matches!(answer.status, 203 | 400), "{url}: {} {}", answer.status, answer.text());
        if url.contains("127.0.0.1") {
            assert_eq!(answer.status, 203, "{}", answer.text());
            let allow = format!("--callback-allow 127.0.0.1/32:{}", application.port());
            assert!(
                answer.text().contains(&allow) || running.printed().contains(&allow),
                "{}\n{}",
                answer.text(),
                running.printed()
            );
        }
    }
    let form = Form::signed("mapped.txt", &PolicyText::open())
        .field("callback", callback_parameter(&mapped, BODY, FORM));
    assert!(form.file("x", "a/b", "x").post("photos").send(&running.store).status != 200);
    assert!(application.received().is_empty());
}

#[test]
fn tries_the_next_url_and_speaks_json() {
    let calling = Calling::new();
    let failing = Application::answering(Reply::status(502, "text/plain", "no"));
    let good = Application::answering(Reply::ok());
    let urls = format!("{};127.0.0.1:{}/second;", failing.url(), good.port());
    let template = r#"{"bucket":${bucket},"object":${object},"size":${size},"w":${imageInfo.width},"who":${x:who},"text":"${imageInfo.width},${size}"}"#;
    let answer = calling.upload("a \"b\".txt", &callback_parameter(&urls, template, "application/json"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(failing.received().len(), 1);
    assert_eq!(
        good.received()[0].text(),
        r#"{"bucket":"photos","object":"a \"b\".txt","size":11,"w":null,"who":"爱丽丝 & co","text":",11"}"#
    );
    assert_eq!(good.received()[0].header("content-type"), Some("application/json"));
}

#[test]
fn refuses_malformed_parameters_before_anything_is_stored() {
    let calling = Calling::new();
    let json = |text: &str| STANDARD.encode(text);
    let url = "http://127.0.0.1:1/";
    let cases = [
        ("%%%".to_owned(), "The callback configuration is not base64 encoded."),
        (json("{"), "The callback configuration is not json format."),
        (
            json(r#"{"callbackUrl":"http://my.com:test/","callbackBody":"a"}"#),
            "The callback url configuration is invalid.",
        ),
        (
            json(r#"{"callbackUrl":"ftp://a.com/","callbackBody":"a"}"#),
            "The callback url configuration is invalid.",
        ),
        (
            json(r#"{"callbackUrl":"a.com;a.com;a.com;a.com;a.com;a.com","callbackBody":"a"}"#),
            "The number of callback url exceed max value.",
        ),
        (
            json(&format!(r#"{{"callbackUrl":"{url}","callbackHost":"a\r\nb","callbackBody":"a"}}"#)),
            "The callback host configuration is invalid.",
        ),
        (json(&format!(r#"{{"callbackUrl":"{url}","callbackBody":1}}"#)), "The callback body is invalid."),
        (
            json(&format!(r#"{{"callbackUrl":"{url}","callbackBody":"a=$(object)"}}"#)),
            "The callback body is invalid.",
        ),
        (json(&format!(r#"{{"callbackUrl":"{url}","callbackBody":""}}"#)), "The callback body is empty."),
        (
            json(&format!(r#"{{"callbackUrl":"{url}","callbackBody":"a","callbackBodyType":1}}"#)),
            "The callback body type configuration is invalid.",
        ),
        (
            json(&format!(r#"{{"callbackUrl":"{url}","callbackBody":"a","callbackBodyType":"text/plain"}}"#)),
            "The body type of callback is not supported.",
        ),
        (
            json(&format!(r#"{{"callbackUrl":"{url}","callbackBody":"{}"}}"#, "a".repeat(6000))),
            "The length of callback exceed max value.",
        ),
    ];
    for (parameter, message) in cases {
        let answer = calling.upload("never.txt", &parameter);
        assert_eq!(answer.verdict(), "400 InvalidArgument", "{message}: {}", answer.text());
        assert_eq!(answer.element("Message").as_deref(), Some(message));
    }
    assert_eq!(calling.client.keys("photos"), Vec::<String>::new());
    let none = calling.upload("none.txt", &json(r#"{"callbackUrl":"","callbackBody":"a"}"#));
    assert_eq!((none.status, none.body.len()), (200, 0), "an empty URL means no callback");
}

#[test]
fn put_object_calls_back_when_the_header_or_the_query_asks() {
    let calling = Calling::new();
    let application =
        Application::answering(Reply::status(200, "application/json", r#"{"Status":"OK","n":1}"#));
    let callback = application.callback("/put", "o=${object}&who=${x:who}&op=${operation}", FORM);
    let variables = STANDARD.encode(r#"{"x:who":"bob"}"#);
    let headers = [("x-oss-callback", callback.as_str()), ("x-oss-callback-var", variables.as_str())];
    let answer = calling.client.request("PUT", "photos", "put.txt", "", &headers, "data");
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"Status":"OK","n":1}"#));
    assert_eq!(application.received()[0].text(), "o=put.txt&who=bob&op=PutObject");
    let both = format!(
        "callback={}",
        percent_encoding::utf8_percent_encode(&callback, percent_encoding::NON_ALPHANUMERIC)
    );
    let answer = calling.client.request("PUT", "photos", "twice.txt", &both, &headers, "data");
    assert_eq!(answer.status / 100, 4, "{}", answer.text());
}

#[test]
fn measures_real_images() {
    let calling = Calling::new();
    let application = Application::answering(Reply::ok());
    // A GIF of 3 by 2 pixels and a BMP of 5 by 4, heads only: sizes are read from headers.
    let gif = b"GIF89a\x03\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x03\x00\x02\x00\x00\x02\x02\x84\x5f\x00;";
    let callback =
        application.callback("/", "${imageInfo.width}x${imageInfo.height} ${imageInfo.format}", FORM);
    let form = Form::signed("a.gif", &PolicyText::open()).field("callback", callback).file(
        "a.gif",
        "image/gif",
        gif.to_vec(),
    );
    assert_eq!(form.post("photos").send(&calling.running.store).status, 200);
    assert_eq!(application.received()[0].text(), "3x2 gif");
}

#[test]
fn a_callback_into_the_store_itself_does_not_hang_it() {
    let calling = Calling::new();
    let callback = callback_parameter(&format!("http://{}/", calling.running.store), BODY, FORM);
    let answer = calling.upload("self.txt", &callback);
    assert_eq!(answer.verdict(), "203 CallbackFailed", "{}", answer.text());
    assert_eq!(calling.client.get("photos", "self.txt").status, 200);
}

#[test]
fn an_uploader_that_hangs_up_after_the_commit_does_not_stop_the_callback() {
    use std::io::Write;
    let calling = Calling::new();
    let application = Application::answering(Reply::ok().after(Duration::from_secs(1)));
    let post = Form::signed("gone.txt", &PolicyText::open())
        .field("callback", application.callback("/", BODY, FORM))
        .file("x", "a/b", "x")
        .post("photos");
    let mut stream = countersign_conformance::wire::connect(&calling.running.store).unwrap();
    stream.write_all(&[post.head(), post.body].concat()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    drop(stream);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(application.received().len(), 1);
    assert_eq!(calling.client.get("photos", "gone.txt").status, 200);
    calling.assert_settled("gone.txt");
}

#[test]
fn calls_back_from_every_address_that_reaches_the_bucket() {
    let running = Running::store(&[
        "--callback-allow",
        "127.0.0.0/8",
        "--domain",
        "store.test",
        "--cname",
        "img.example.com=photos",
    ]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    let application = Application::answering(Reply::ok());
    let by_path = running.store.clone();
    let addresses = [
        ("photos.oss.aliyuncs.com", "/"),
        ("photos.oss-cn-hangzhou.aliyuncs.com", "/"),
        ("photos.oss-cn-beijing.aliyuncs.com", "/"),
        ("photos.store.test", "/"),
        ("img.example.com", "/"),
        (by_path.as_str(), "/photos/"),
        (by_path.as_str(), "/photos"),
    ];
    for (number, (host, path)) in addresses.iter().enumerate() {
        let key = format!("h/{number}");
        let form = Form::signed(&key, &PolicyText::open())
            .field("callback", application.callback("/", "${bucket}/${object}", FORM))
            .file("x", "a/b", "x");
        let mut post = form.post("photos");
        post.headers[0].1 = (*host).to_owned();
        post.target = (*path).to_owned();
        let answer = post.send(&running.store);
        assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"Status":"OK"}"#), "{host}{path}");
    }
    assert_eq!(application.received().len(), addresses.len());
}
