//! Forms that are refused: each gets its own answer and nothing is stored.

use std::io::Write;
use std::time::{Duration, Instant};

use countersign_conformance::form::BOUNDARY;
use countersign_conformance::wire::{connect, read_answer};
use countersign_conformance::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, Answer, Exchange, Form, MultipartBody, PolicyText, Running, StoreClient,
};

struct Refusing {
    running: Running,
    client: StoreClient,
}

impl Refusing {
    fn new() -> Refusing {
        let running = Running::store(&[]);
        let client = StoreClient::at(&running.store);
        client.create_bucket("photos");
        Refusing { running, client }
    }

    fn expect(&self, what: &str, form: &Form, verdict: &str) -> Answer {
        self.expect_exchange(what, &form.post("photos"), verdict)
    }

    fn expect_exchange(&self, what: &str, exchange: &Exchange, verdict: &str) -> Answer {
        let answer = exchange.send(&self.running.store);
        assert_eq!(answer.verdict(), verdict, "{what}: {}", answer.text());
        assert_eq!(answer.element("RequestId").as_deref(), answer.header("x-oss-request-id"), "{what}");
        assert!(answer.element("HostId").is_some(), "{what}");
        assert_eq!(self.client.keys("photos"), Vec::<String>::new(), "{what} left something behind");
        answer
    }
}

fn good(key: &str) -> Form {
    Form::signed(key, &PolicyText::open()).file("x.txt", "text/plain", "0123456789")
}

fn under(conditions: &str) -> Form {
    Form::signed("u/1/a.txt", &PolicyText::with(conditions)).file("x.txt", "text/plain", "0123456789")
}

#[test]
fn refuses_forms_that_do_not_meet_their_policy() {
    let store = Refusing::new();
    let past = PolicyText::of(
        r#"{"expiration":"2020-01-01T00:00:00.000Z","conditions":[["content-length-range",0,10]]}"#,
    );
    let answer = store.expect("expired", &Form::signed("a", &past).file("x", "a/b", "x"), "403 AccessDenied");
    assert_eq!(answer.element("Message").as_deref(), Some("Invalid according to Policy: Policy expired."));
    assert_eq!(answer.element("EC").as_deref(), Some("0006-00000213"));
    let wrong = good("a").without("signature").field("signature", "7ZujzRtMfKQIU51fpHd6Y412f+0=");
    store.expect("wrong signature", &wrong, "403 SignatureDoesNotMatch");
    let unknown = good("a").without("OSSAccessKeyId").field("OSSAccessKeyId", "nobody");
    store.expect("unknown key id", &unknown, "403 InvalidAccessKeyId");
    let answer = store.expect(
        "key outside the prefix",
        &under(r#"["starts-with","$key","u/2/"]"#),
        "403 AccessDenied",
    );
    let message = answer.element("Message").unwrap_or_default();
    assert!(
        message.starts_with(
            r#"Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "u/2/"]"#
        ),
        "{message}"
    );
    store.expect("another bucket", &under(r#"{"bucket":"elsewhere"}"#), "403 AccessDenied");
    store.expect("a field that is absent", &under(r#"["eq","$x-oss-meta-a","b"]"#), "403 AccessDenied");
    store.expect(
        "a type that is not in the list",
        &under(r#"["in","$content-type",["image/png"]]"#),
        "403 AccessDenied",
    );
    store.expect(
        "a value that is forbidden",
        &under(r#"["not-in","$success_action_status",["200"]]"#),
        "403 AccessDenied",
    );
}

#[test]
fn refuses_sizes_outside_the_range() {
    let store = Refusing::new();
    store.expect("one byte over", &under(r#"["content-length-range",0,9]"#), "400 EntityTooLarge");
    store.expect("one byte under", &under(r#"["content-length-range",11,20]"#), "400 EntityTooSmall");
    let exact = under(r#"["content-length-range",10,10]"#);
    assert_eq!(exact.post("photos").send(&store.running.store).status, 200);
}

#[test]
fn refuses_malformed_policies() {
    let store = Refusing::new();
    let expiry = r#""expiration":"2099-01-01T00:00:00.000Z""#;
    let malformed = [
        (
            "duplicate member",
            format!(
                r#"{{{expiry},"conditions":[["starts-with","$key","u/"]],"conditions":[["starts-with","$key",""]]}}"#
            ),
        ),
        (
            "duplicate member in a condition",
            format!(r#"{{{expiry},"conditions":[{{"key":"a","key":"u/1/a.txt"}}]}}"#),
        ),
        ("unknown operator", format!(r#"{{{expiry},"conditions":[["ends-with","$key",".txt"]]}}"#)),
        ("no conditions", format!(r#"{{{expiry}}}"#)),
        ("empty conditions", format!(r#"{{{expiry},"conditions":[]}}"#)),
        ("no expiration", r#"{"conditions":[["starts-with","$key",""]]}"#.to_owned()),
        ("expiration is a number", r#"{"expiration":1,"conditions":[["starts-with","$key",""]]}"#.to_owned()),
        ("range of strings", format!(r#"{{{expiry},"conditions":[["content-length-range","0","10"]]}}"#)),
        ("range upside down", format!(r#"{{{expiry},"conditions":[["content-length-range",10,1]]}}"#)),
        ("a surplus item", format!(r#"{{{expiry},"conditions":[["eq","$key","a","b"]]}}"#)),
        ("two properties", format!(r#"{{{expiry},"conditions":[{{"key":"a","bucket":"b"}}]}}"#)),
        ("truncated", format!(r#"{{{expiry},"conditions":[["starts-with","$key","""#)),
        ("empty", String::new()),
        ("an array", "[]".to_owned()),
        ("a thousand brackets", format!(r#"{{{expiry},"conditions":{}"#, "[".repeat(100_000))),
    ];
    for (what, json) in malformed {
        let form = Form::signed("u/1/a.txt", &PolicyText::of(json)).file("x", "a/b", "x");
        store.expect(what, &form, "400 InvalidPolicyDocument");
    }
    let form = Form::signed("a", &PolicyText("!!!not base64!!!".into())).file("x", "a/b", "x");
    store.expect("not base64", &form, "400 InvalidPolicyDocument");
}

#[test]
fn refuses_missing_and_repeated_fields() {
    let store = Refusing::new();
    store.expect("no key", &good("a").without("key"), "400 InvalidArgument");
    store.expect("an empty key", &good(""), "400 InvalidObjectName");
    store.expect("a leading backslash", &good("\\a"), "400 InvalidObjectName");
    store.expect("NUL in the key", &good("a\0b"), "400 InvalidObjectName");
    store.expect("1,024 bytes of key", &good(&"k".repeat(1024)), "400 InvalidObjectName");
    store.expect(
        "a key that grows too long",
        &good(&format!("{}${{filename}}", "k".repeat(1020))),
        "400 InvalidObjectName",
    );
    store.expect("no signature", &good("a").without("signature"), "400 InvalidArgument");
    store.expect("no key id", &good("a").without("OSSAccessKeyId"), "400 InvalidArgument");
    store.expect("a field named twice", &good("a").field("Key", "b"), "400 InvalidArgument");
    store.expect(
        "a second file behind the first",
        &good("a").field_after("file", "again"),
        "400 IncorrectNumberOfFilesInPOSTRequest",
    );
    store.expect("no file", &Form::signed("a", &PolicyText::open()), "400 MalformedPOSTRequest");
    let nowhere = good("a").post("nowhere");
    assert_eq!(nowhere.send(&store.running.store).verdict(), "404 NoSuchBucket");
}

#[test]
fn refuses_bodies_that_are_not_forms() {
    let store = Refusing::new();
    let mut exchange = good("a").post("photos");
    exchange.headers[1].1 = "application/json".into();
    store.expect_exchange("another type", &exchange, "400 RequestIsNotMultiPartContent");
    exchange.headers[1].1 = "multipart/form-data".into();
    store.expect_exchange("no boundary", &exchange, "400 RequestIsNotMultiPartContent");
    let empty = MultipartBody { boundary: BOUNDARY.into(), bytes: Vec::new() };
    store.expect_exchange("nothing", &empty.post("photos"), "400 MalformedPOSTRequest");
    let mut cut = good("a").encode();
    cut.bytes.truncate(cut.bytes.len() - BOUNDARY.len() - 6);
    store.expect_exchange("no closing delimiter", &cut.post("photos"), "400 MalformedPOSTRequest");
    let naked = MultipartBody {
        boundary: BOUNDARY.into(),
        bytes: format!("--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n--{BOUNDARY}--\r\n").into(),
    };
    store.expect_exchange(
        "a part without Content-Disposition",
        &naked.post("photos"),
        "400 MalformedPOSTRequest",
    );
    let exchange = good("a").post("photos").header("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww==");
    store.expect_exchange("another digest", &exchange, "400 InvalidDigest");
}

#[test]
fn refuses_form_heads_that_are_too_large() {
    let store = Refusing::new();
    let form = good("a");
    store.expect("a name of 9 KB", &form.clone().field(&"n".repeat(9 * 1024), "x"), "400 FieldItemTooLong");
    store.expect("a value of 3 MB", &form.clone().field("x:a", "v".repeat(3 << 20)), "400 FieldItemTooLong");
    let mut large = form;
    for number in 0..5 {
        large = large.field(&format!("x:{number}"), "v".repeat(2_000_000));
    }
    store.expect("8 MB before the file", &large, "400 MaxPOSTPreDataLengthExceededError");
    let mut endless = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"").into_bytes();
    endless.extend(std::iter::repeat_n(b'n', 4 << 20));
    let endless = MultipartBody { boundary: BOUNDARY.into(), bytes: endless };
    store.expect_exchange("a header that never ends", &endless.post("photos"), "400 FieldItemTooLong");
}

#[test]
fn answers_an_upload_whose_body_stops() {
    let store = Refusing::new();
    let post = good("a").post("photos");
    let mut stream = connect(&store.running.store).unwrap();
    stream.write_all(&post.head()).unwrap();
    stream.write_all(&post.body[..post.body.len() - 30]).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let answer = read_answer(&mut stream, Instant::now(), false);
    assert!(answer.map_or(true, |answer| answer.status == 400), "an error or a closed connection");
    assert_eq!(store.client.keys("photos"), Vec::<String>::new());
}

#[test]
fn a_refusal_reaches_a_browser_that_is_still_sending() {
    let store = Refusing::new();
    let cors = "<CORSConfiguration><CORSRule><AllowedOrigin>http://page.test</AllowedOrigin><AllowedMethod>POST</AllowedMethod><AllowedHeader>*</AllowedHeader></CORSRule></CORSConfiguration>";
    assert_eq!(store.client.request("PUT", "photos", "", "cors", &[], cors).status, 200);
    let past = PolicyText::of(
        r#"{"expiration":"2020-01-01T00:00:00.000Z","conditions":[["starts-with","$key",""]]}"#,
    );
    let form = Form::signed("a", &past).file("x", "a/b", vec![7u8; 4 << 20]);
    let answer = form.post("photos").header("Origin", "http://page.test").send(&store.running.store);
    assert_eq!(answer.verdict(), "403 AccessDenied");
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://page.test"));
    // A gigabyte is announced and nothing but the head is sent: the answer comes without waiting for the rest.
    let head = Form::signed("a", &past).file("x", "a/b", "").encode().bytes;
    let announced = Exchange::new("POST", "/")
        .host("photos.oss-cn-hangzhou.aliyuncs.com")
        .header("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
        .header("Content-Length", "1000000000");
    let mut stream = connect(&store.running.store).unwrap();
    let started = Instant::now();
    stream.write_all(&announced.head()).unwrap();
    stream.write_all(&head[..head.len() - BOUNDARY.len() - 8]).unwrap();
    let answer = read_answer(&mut stream, started, false).unwrap();
    assert_eq!(answer.verdict(), "403 AccessDenied");
    assert!(answer.took < Duration::from_secs(10), "{:?}", answer.took);
}

#[test]
fn refuses_a_form_without_the_v4_fields_that_its_policy_names() {
    let store = Refusing::new();
    let form = Form::empty()
        .field("key", "a")
        .field("policy", &PolicyText::open().0)
        .field("x-oss-signature-version", "OSS4-HMAC-SHA256")
        .field("x-oss-credential", format!("{ACCESS_KEY_ID}/20200101/cn-hangzhou/oss/aliyun_v4_request"))
        .field("x-oss-date", "20200101T000000Z")
        .field("x-oss-signature", "00")
        .file("x", "a/b", "x");
    let answer = form.post("photos").send(&store.running.store);
    assert_eq!(answer.status / 100, 4, "{}", answer.text());
    assert_eq!(store.client.keys("photos"), Vec::<String>::new());
    assert!(!answer.text().contains(ACCESS_KEY_SECRET));
}
