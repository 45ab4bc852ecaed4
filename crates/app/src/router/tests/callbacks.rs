//! `POST /callback`: what is recorded, what is refused, and whose answer counts.

use super::*;

use axum::routing::post as route_post;
use http::HeaderValue;

fn request_of(recorded: RecordedRequest) -> http::Request<Body> {
    let mut request = http::Request::post(&recorded.path).body(Body::from(recorded.body)).unwrap();
    *request.headers_mut() = recorded.headers;
    request
}

pub(super) async fn call(router: &Router, recorded: RecordedRequest) -> Heard {
    ask(router, request_of(recorded)).await
}

async fn uploads(router: &Router) -> Vec<Value> {
    fetch(router, "/uploads").await.json()["uploads"].as_array().unwrap().clone()
}

#[tokio::test]
async fn records_a_genuine_callback_and_says_ok() {
    let router = router(options());
    let heard = call(&router, signed("/callback", BODY, "5C")).await;
    assert_eq!(heard.status, StatusCode::OK);
    assert_eq!(heard.header("content-type"), Some("application/json"));
    assert_eq!(heard.header("content-length"), Some(heard.body.len().to_string().as_str()));
    assert_eq!(heard.json()["Status"], "OK");
    assert_eq!(heard.json()["key"], "user-dir/a.jpg");
    let records = uploads(&router).await;
    assert_eq!(records.len(), 1);
    let contract =
        "answer calls height key mimeType name proven request requestId size time width".split(' ');
    assert_eq!(names(&records[0]), contract.collect::<Vec<_>>());
    assert_eq!((&records[0]["request"]["body"], &records[0]["answer"]["body"]), (&Value::Null, &Value::Null));
    let by_key = fetch(&router, "/uploads?key=user-dir%2Fa.jpg").await.json();
    assert_eq!(by_key["uploads"].as_array().unwrap().len(), 1);
    assert_eq!(by_key["uploads"][0]["request"]["body"], BODY);
    assert_eq!(by_key["uploads"][0]["answer"]["body"].as_str().unwrap().as_bytes(), heard.body);
    assert_eq!(fetch(&router, "/uploads?key=other").await.json()["uploads"], serde_json::json!([]));
}

#[tokio::test]
async fn records_an_upload_once_however_often_it_is_called() {
    let router = router(options());
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(call(&router, signed("/callback", BODY, "5C")).await.body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let records = uploads(&router).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["calls"], 3);
}

#[tokio::test]
async fn leaves_no_record_of_what_it_refuses() {
    use base64::Engine;
    let router = router(options());
    let genuine = || signed("/callback", BODY, "5C");
    let key_url = |url: &str| {
        let mut request = genuine();
        let encoded = base64::engine::general_purpose::STANDARD.encode(url);
        request.headers.insert("x-oss-pub-key-url", HeaderValue::from_str(&encoded).unwrap());
        request
    };
    let without = |name: &str| {
        let mut request = genuine();
        request.headers.remove(name);
        request
    };
    let altered = RecordedRequest { body: BODY.replace("108904", "1").into(), ..genuine() };
    for (status, request) in [
        ("SignatureMismatch", altered),
        ("KeyNotPinned", key_url("http://evil.example/key.pem")),
        ("KeyNotPinned", key_url("http://gosspublic.alicdn.com@evil/callback_pub_key_v1.pem")),
        ("SignatureMismatch", key_url("https://gosspublic.alicdn.com/callback_pub_key_v1.pem")),
        ("MissingHeader", without("authorization")),
        ("MissingHeader", without("x-oss-pub-key-url")),
    ] {
        let heard = call(&router, request).await;
        assert_eq!(heard.status, StatusCode::BAD_REQUEST, "{status}");
        assert_eq!(heard.json()["Status"], status);
        assert!(heard.json()["message"].is_string());
    }
    assert!(uploads(&router).await.is_empty());
}

/// A body of 10 MB in pieces of 64 KiB that counts how many were taken.
fn ten_megabytes(taken: &Arc<AtomicUsize>) -> Body {
    struct Counted(Arc<AtomicUsize>);
    impl http_body::Body for Counted {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            if self.0.fetch_add(1, Ordering::SeqCst) == 160 {
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(&[b'a'; 64 * 1024])))))
        }
    }
    Body::new(Counted(Arc::clone(taken)))
}

#[tokio::test]
async fn refuses_ten_megabytes_without_reading_them_all() {
    let router = router(options());
    for declared in [true, false] {
        let taken = Arc::new(AtomicUsize::new(0));
        let mut request = request_of(signed("/callback", BODY, "5C"));
        if declared {
            request.headers_mut().insert("content-length", HeaderValue::from_static("10485760"));
        } else {
            request.headers_mut().remove("content-length");
        }
        *request.body_mut() = ten_megabytes(&taken);
        let heard = ask(&router, request).await;
        assert_eq!(heard.status, StatusCode::BAD_REQUEST);
        assert_eq!(heard.json()["Status"], "BodyTooLong");
        tokio::task::yield_now().await;
        assert!(taken.load(Ordering::SeqCst) < 160, "the rest was left");
    }
    assert!(uploads(&router).await.is_empty());
}

#[tokio::test]
async fn sends_no_100_continue_for_a_body_over_the_limit() {
    let taken = Arc::new(AtomicUsize::new(0));
    let mut request = request_of(signed("/callback", BODY, "5C"));
    request.headers_mut().insert("content-length", HeaderValue::from_static("10485760"));
    request.headers_mut().insert("expect", HeaderValue::from_static("100-continue"));
    *request.body_mut() = ten_megabytes(&taken);
    assert_eq!(ask(&router(options()), request).await.status, StatusCode::BAD_REQUEST);
    tokio::task::yield_now().await;
    assert_eq!(taken.load(Ordering::SeqCst), 0);
}

/// It once took a megabyte from anybody before it looked at a header.
#[tokio::test]
async fn refuses_by_its_headers_a_request_that_is_no_callback() {
    let cases = [
        ("authorization", None, "MissingHeader"),
        ("authorization", Some("c2hvcnQ="), "SignatureMismatch"),
        ("authorization", Some("no base64"), "SignatureMismatch"),
        ("x-oss-pub-key-url", None, "MissingHeader"),
        ("x-oss-pub-key-url", Some("aHR0cDovL2V2aWwvdjEucGVt"), "KeyNotPinned"),
    ];
    for (name, value, status) in cases {
        let taken = Arc::new(AtomicUsize::new(0));
        let mut request = request_of(signed("/callback", BODY, "5C"));
        // Nothing is read even to be thrown away, since the sender waits to be asked for it.
        request.headers_mut().insert("expect", HeaderValue::from_static("100-continue"));
        request.headers_mut().remove("content-length");
        match value {
            Some(value) => request.headers_mut().insert(name, HeaderValue::from_static(value)),
            None => request.headers_mut().remove(name),
        };
        *request.body_mut() = ten_megabytes(&taken);
        let heard = ask(&router(options()), request).await;
        assert_eq!((heard.status, &heard.json()["Status"]), (StatusCode::BAD_REQUEST, &status.into()));
        tokio::task::yield_now().await;
        assert_eq!(taken.load(Ordering::SeqCst), 0, "{name}");
    }
}

#[tokio::test]
async fn takes_a_body_up_to_its_limit_and_not_a_byte_more() {
    let longest = "a".repeat(100);
    let router = router(AppOptions { callback_body_bytes_max: 100, ..options() });
    assert_eq!(call(&router, signed("/callback", &longest, "5C")).await.status, StatusCode::OK);
    let heard = call(&router, signed("/callback", &format!("{longest}a"), "5C")).await;
    assert_eq!(heard.json()["Status"], "BodyTooLong");
}

/// Bodies that never end: of all that come together, those that hold most give way to one that comes later.
#[tokio::test]
async fn unfinished_bodies_give_way_to_complete_callbacks() {
    let router = router(options());
    let mut stalled = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let mut request = request_of(signed("/callback", BODY, "5C"));
        request.headers_mut().remove("content-length");
        *request.body_mut() = stalled_body(Bytes::from(vec![b'a'; 60 * 1024]));
        let router = router.clone();
        stalled.spawn(async move { ask(&router, request).await.status });
    }
    // 300 of 60 KiB are more than 16 MiB: whoever came first has given way.
    assert_eq!(stalled.join_next().await.unwrap().unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(call(&router, signed("/callback", BODY, "5D")).await.status, StatusCode::OK);
}

/// A body that brings these bytes and then nothing.
fn stalled_body(bytes: Bytes) -> Body {
    struct Stalled(Option<Bytes>);
    impl http_body::Body for Stalled {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(http_body::Frame::data(bytes)))))
        }
    }
    Body::new(Stalled(Some(bytes)))
}

#[tokio::test]
async fn verifies_the_whole_path_where_it_is_mounted_deeper() {
    let mounted = Router::new().nest("/oss", router(options()));
    let heard = call(&mounted, signed("/oss/callback?a=1", BODY, "5C")).await;
    assert_eq!(heard.status, StatusCode::OK, "{heard:?}", heard = heard.body);
    let listed = fetch(&mounted, "/oss/uploads").await.json();
    assert_eq!(listed["uploads"][0]["request"]["path"], "/oss/callback?a=1");
}

#[tokio::test]
async fn verifies_the_path_outside_of_a_proxy() {
    let called_path = Some("/outside/done".to_owned());
    let behind_proxy = router(AppOptions { called_path, ..options() });
    let mut request = signed("/outside/done", BODY, "5C");
    request.path = "/callback".to_owned();
    assert_eq!(call(&behind_proxy, request.clone()).await.status, StatusCode::OK);
    assert_eq!(call(&router(options()), request).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_layer_alone_guards_any_handler() {
    let handler = |Extension(callback): Extension<VerifiedCallback>, body: Bytes| async move {
        format!("{} {}", callback.facts.key.unwrap(), body.len())
    };
    let guarded =
        Router::new().route("/mine", route_post(handler).layer(VerifyCallbackLayer::new(verifier())));
    let heard = call(&guarded, signed("/mine", BODY, "5C")).await;
    assert_eq!(heard.body, format!("user-dir/a.jpg {}", BODY.len()));
    let forged = RecordedRequest { body: "filename=x".into(), ..signed("/mine", BODY, "5C") };
    assert_eq!(call(&guarded, forged).await.status, StatusCode::BAD_REQUEST);
}

/// An application that says no to the first call and yes to the next, and counts them.
async fn hesitant_application(calls: &Arc<AtomicUsize>) -> Forward {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/done", listener.local_addr().unwrap());
    let calls = Arc::clone(calls);
    let handler = move || async move {
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            (StatusCode::FORBIDDEN, "not yet")
        } else {
            (StatusCode::OK, r#"{"Status":"OK","album":7}"#)
        }
    };
    let application = Router::new().route("/done", route_post(handler));
    tokio::spawn(async move { axum::serve(listener, application).await });
    url.parse().unwrap()
}

#[tokio::test]
async fn asks_the_application_behind_until_it_accepts() {
    let calls = Arc::new(AtomicUsize::new(0));
    let forward = hesitant_application(&calls).await;
    let router = router(AppOptions { forward: Some(forward), ..options() });
    let no = call(&router, signed("/callback", BODY, "5C")).await;
    assert_eq!((no.status, no.body.as_ref()), (StatusCode::FORBIDDEN, &b"not yet"[..]));
    assert_eq!(uploads(&router).await[0]["answer"]["status"], 403, "stored and declined is on record");
    for _ in 0..2 {
        let yes = call(&router, signed("/callback", BODY, "5C")).await;
        assert_eq!(yes.status, StatusCode::OK);
        assert_eq!(yes.json()["album"], 7);
    }
    for replayed in ["REPLAY1", "REPLAY2"] {
        assert_eq!(call(&router, signed("/callback", BODY, replayed)).await.json()["album"], 7);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2, "an accepted upload is not handed over again");
    let records = uploads(&router).await;
    assert_eq!((records.len(), &records[0]["answer"]["status"]), (1, &200.into()));
    let forged = RecordedRequest { body: "filename=x".into(), ..signed("/callback", BODY, "5C") };
    assert_eq!(call(&router, forged).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(calls.load(Ordering::SeqCst), 2, "what is not verified is not passed on");
}

#[tokio::test]
async fn reports_an_application_behind_that_is_silent_or_gone() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", silent.local_addr().unwrap());
    let forward: Forward = address.parse().unwrap();
    let forward = Some(forward.with_timeout(std::time::Duration::from_millis(50)));
    let router = router(AppOptions { forward, ..options() });
    let slow = call(&router, signed("/callback", BODY, "5C")).await;
    assert_eq!(slow.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(slow.json()["Status"], "ApplicationTooSlow");
    drop(silent);
    let gone = call(&router, signed("/callback", "filename=user-dir%2Fb.jpg", "5D")).await;
    assert_eq!(gone.status, StatusCode::BAD_GATEWAY);
    assert!(!String::from_utf8_lossy(&gone.body).contains("127.0.0.1"), "no address of the inside");
    assert_eq!(uploads(&router).await.len(), 2, "both are stored, and both are known");
}
