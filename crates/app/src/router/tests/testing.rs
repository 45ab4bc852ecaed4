//! The query parameters that only a test may use: its bucket and the address that is called back.

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_protocol::callback::CallbackParameter;

use super::*;
use crate::router::testing::TestingChoices;

fn for_tests() -> Router {
    let upload_host = Arc::new(|name: String| -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
        let host = (name == "photos").then(|| format!("http://127.0.0.1:9817/{name}"));
        Box::pin(async move { host })
    });
    router(AppOptions { switches: true, testing: Some(TestingChoices { upload_host }), ..options() })
}

#[tokio::test]
async fn a_test_chooses_its_bucket_and_who_is_called() {
    for version in [1, 4] {
        let asked = format!(
            "/signature?version={version}&bucket=photos&callback_url=http%3A%2F%2F127.0.0.1%3A8000%2Fcb%3Fa%3D1"
        );
        let answer = fetch(&for_tests(), &asked).await.json();
        assert_eq!(answer["host"], "http://127.0.0.1:9817/photos");
        let callback = answer["callback"].as_str().unwrap();
        let parsed = CallbackParameter::parse(callback).unwrap().unwrap();
        assert_eq!(parsed.urls[0].to_string(), "http://127.0.0.1:8000/cb?a=1");
        let policy = STANDARD.decode(answer["policy"].as_str().unwrap()).unwrap();
        let policy = String::from_utf8(policy).unwrap();
        assert!(policy.contains(r#"{"bucket":"photos"}"#) && policy.contains(callback), "{policy}");
    }
    let localhost = fetch(&for_tests(), "/signature?callback_url=http://LocalHost:8000/cb").await;
    assert_eq!(localhost.status, StatusCode::OK);
}

#[tokio::test]
async fn a_test_chooses_no_other_host_and_no_bucket_that_is_not_there() {
    for (query, code) in [
        ("bucket=nosuch", "InvalidBucket"),
        ("bucket=", "InvalidBucket"),
        ("bucket=..%2Fx", "InvalidBucket"),
        ("callback_url=", "InvalidCallbackUrl"),
        ("callback_url=https://127.0.0.1/", "InvalidCallbackUrl"),
        ("callback_url=127.0.0.1:80/", "InvalidCallbackUrl"),
        ("callback_url=http://app.example.com/", "InvalidCallbackUrl"),
        ("callback_url=http://10.0.0.1/", "InvalidCallbackUrl"),
        ("callback_url=http://127.0.0.1@evil.example/", "InvalidCallbackUrl"),
        ("callback_url=http://127.0.0.1:80%5C@evil.example/", "InvalidCallbackUrl"),
        ("callback_url=http://evil.example%23@127.0.0.1/", "InvalidCallbackUrl"),
        ("callback_url=http://localhost.evil.example/", "InvalidCallbackUrl"),
        ("callback_url=http://2130706433/", "InvalidCallbackUrl"),
        ("callback_url=http://127.0.0.1:0/", "InvalidCallbackUrl"),
        ("callback_url=http://127.0.0.1/;http://evil.example/", "InvalidCallbackUrl"),
        ("callback_url=http://127.0.0.1/%0d%0aHost:x", "InvalidCallbackUrl"),
        ("callback_url=http://127.0.0.1/&callback=0", "InvalidCallback"),
        ("callback_url=http://127.0.0.1/&callback_url=http://127.0.0.1/", "InvalidQuery"),
    ] {
        let heard = fetch(&for_tests(), &format!("/signature?{query}")).await;
        assert_eq!(
            (heard.status, &heard.json()["Status"]),
            (StatusCode::BAD_REQUEST, &code.into()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_a_test_may_choose_is_refused_by_name_elsewhere() {
    for query in ["bucket=demo", "callback_url=http://127.0.0.1:8000/cb"] {
        let switching = router(AppOptions { switches: true, ..options() });
        let heard = fetch(&switching, &format!("/signature?{query}")).await;
        assert_eq!((heard.status, &heard.json()["Status"]), (StatusCode::BAD_REQUEST, &"NotForTests".into()));
    }
}
