//! The three endpoints, called as the page and the store call them.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::{admission::Admission, allowed_origins::AllowedOrigins, app_options::HostChooser, *};
use crate::{
    callback_verifier::signed_callback::{BODY, noon, signed, verifier},
    forward::Forward,
    ledger::UploadLedger,
    recorded_request::RecordedRequest,
    signer::Signer,
    signer_options::{CallbackOptions, SignerOptions},
    upload_path::UploadPath,
};
use countersign_protocol::access_key::AccessKeySecret;
use http::request::Parts;

mod authorized;
mod callbacks;
mod testing;

fn options() -> AppOptions {
    let secret = AccessKeySecret::new("sk");
    let signed = SignerOptions {
        root: UploadPath::normalise("user-dir").unwrap(),
        callback: Some(CallbackOptions::to("http://127.0.0.1:9818/callback")),
        ..SignerOptions::new("ak", secret, "demo", "http://demo.localhost:9817")
    };
    let signer = Signer::new(signed, noon()).unwrap();
    AppOptions::new(signer, verifier(), UploadLedger::in_memory().unwrap(), noon())
}

/// All three endpoints.
fn router(options: AppOptions) -> Router {
    super::router(options.clone()).merge(uploads_routes(options))
}

struct Heard {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn ask(router: &Router, request: http::Request<Body>) -> Heard {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Heard { status: parts.status, headers: parts.headers, body }
}

async fn get_with(router: &Router, address: &str, headers: &[(&str, &str)]) -> Heard {
    let mut request = http::Request::get(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ask(router, request.body(Body::empty()).unwrap()).await
}

async fn fetch(router: &Router, address: &str) -> Heard {
    get_with(router, address, &[]).await
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn signs_for_the_path_that_is_asked_for() {
    let heard = fetch(&router(options()), "/signature?path=user-dir/").await;
    assert_eq!(heard.status, StatusCode::OK);
    assert_eq!(heard.header("content-type"), Some("application/json"));
    assert_eq!(heard.header("cache-control"), Some("no-store"));
    let value = heard.json();
    let tutorial = ["accessid", "callback", "dir", "expire", "host", "policy", "signature"];
    assert_eq!(names(&value), tutorial);
    assert_eq!(value["dir"], "user-dir/");
    assert!(value["expire"].is_number());
    let listed = fetch(&router(options()), "/signature?path=user-dir/&fields=1").await.json();
    let key = serde_json::json!(["key", "user-dir/${filename}"]);
    assert_eq!(listed["fields"][0], key, "the list is for everyone to ask for");
    let deeper = fetch(&router(options()), "/signature?path=%2Fuser-dir%2F%2F%E7%85%A7").await;
    assert_eq!(deeper.json()["dir"], "user-dir/照/");
    assert_eq!(fetch(&router(options()), "/signature").await.json()["dir"], "user-dir/");
}

#[tokio::test]
async fn refuses_bad_paths_with_a_message() {
    for (path, words) in [
        ("", "empty"),
        ("%2F", "empty"),
        ("user-dir%2F..%2Fx", "\"..\""),
        ("other", "leaves the folder"),
        ("user-dir2", "leaves the folder"),
        ("user-dir%5Cx", "backslash"),
        ("user-dir%2F%00", "control"),
        ("user-dir%2F$%7Bfilename%7D", "variable"),
    ] {
        let heard = fetch(&router(options()), &format!("/signature?path={path}")).await;
        assert_eq!(heard.status, StatusCode::BAD_REQUEST, "{path}");
        let message = heard.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(words), "{path}: {message}");
        assert_eq!(heard.json()["Status"], "InvalidPath");
    }
    let twice = fetch(&router(options()), "/signature?path=user-dir&path=other").await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_caller_chooses_version_and_callback_only_when_that_is_enabled() {
    let address = "/signature?version=4&callback=0";
    let fixed = fetch(&router(options()), address).await.json();
    assert!(fixed.get("accessid").is_some() && fixed.get("callback").is_some());
    let switching = router(AppOptions { switches: true, ..options() });
    let switched = fetch(&switching, address).await.json();
    assert_eq!(switched["version"], "OSS4-HMAC-SHA256");
    assert!(switched.get("callback").is_none());
    assert!(fetch(&switching, "/signature?version=1&callback=1").await.json().get("callback").is_some());
    for nonsense in ["version=2", "callback=yes", "fields=yes"] {
        let heard = fetch(&switching, &format!("/signature?{nonsense}")).await;
        assert_eq!(heard.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn tells_each_device_the_address_from_the_servers_own_list() {
    let host_chooser: HostChooser = Arc::new(|parts: &Parts| {
        let asked = parts.headers.get("host")?.to_str().ok()?;
        (asked == "192.168.1.5:9818").then(|| "http://192.168.1.5:9817/demo".to_owned())
    });
    let router = router(AppOptions { host_chooser: Some(host_chooser), ..options() });
    let lan = get_with(&router, "/signature", &[("host", "192.168.1.5:9818")]).await.json();
    assert_eq!(lan["host"], "http://192.168.1.5:9817/demo");
    let foreign = get_with(&router, "/signature", &[("host", "evil.example")]).await.json();
    assert_eq!(foreign["host"], "http://demo.localhost:9817");
}

#[tokio::test]
async fn demands_the_token_for_signatures_and_the_ledger_only() {
    let admission = Admission::open().or_token(AccessKeySecret::new("a token+"));
    let router = router(AppOptions { admission, ..options() });
    for address in ["/signature", "/uploads"] {
        let refused = fetch(&router, address).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{address}");
        assert_eq!(refused.json()["Status"], "NotAdmitted");
        let wrong = get_with(&router, address, &[("x-countersign-token", "a token")]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        let header = get_with(&router, address, &[("x-countersign-token", "a token+")]).await;
        assert_eq!(header.status, StatusCode::OK);
        let query = fetch(&router, &format!("{address}?token=a%20token%2B")).await;
        assert_eq!(query.status, StatusCode::OK);
    }
    assert_eq!(callbacks::call(&router, signed("/callback", BODY, "5C")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn demands_the_header_of_a_trusted_proxy() {
    let name = http::HeaderName::from_static("x-user");
    let present = Admission::open().or_trusted_header(name.clone(), None);
    let equal = Admission::open().or_trusted_header(name, Some(AccessKeySecret::new("me")));
    for (admission, shown, status) in [
        (&present, "anyone", StatusCode::OK),
        (&present, "", StatusCode::UNAUTHORIZED),
        (&equal, "me", StatusCode::OK),
        (&equal, "anyone", StatusCode::UNAUTHORIZED),
    ] {
        let router = router(AppOptions { admission: admission.clone(), ..options() });
        assert_eq!(get_with(&router, "/signature", &[("x-user", shown)]).await.status, status, "{shown}");
        assert_eq!(fetch(&router, "/uploads").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn admits_exempt_clients_without_a_token() {
    let admission = Admission::open()
        .or_token(AccessKeySecret::new("token"))
        .exempting(|parts| parts.headers.contains_key("x-from-loopback"));
    let router = router(AppOptions { admission, ..options() });
    let exempt = get_with(&router, "/signature", &[("x-from-loopback", "1")]).await;
    assert_eq!(exempt.status, StatusCode::OK);
    assert_eq!(fetch(&router, "/signature").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn lets_pages_of_configured_origins_read_the_answer() {
    let origin = "https://app.example";
    let allow = "access-control-allow-origin";
    let with = |origins| router(AppOptions { origins, ..options() });
    let same_only = with(AllowedOrigins::from_list([]));
    let any = with(AllowedOrigins::from_list(["*".to_owned()]));
    let listed = with(AllowedOrigins::from_list([origin.to_owned()]));
    let asked = [("origin", origin)];
    assert_eq!(get_with(&same_only, "/signature", &asked).await.header(allow), None);
    assert_eq!(get_with(&any, "/signature", &asked).await.header(allow), Some("*"));
    let heard = get_with(&listed, "/signature?path=..", &asked).await;
    assert_eq!(heard.status, StatusCode::BAD_REQUEST);
    assert_eq!(heard.header(allow), Some(origin), "the reason of a refusal can be read too");
    assert_eq!(heard.header("vary"), Some("Origin"));
    let other = get_with(&listed, "/signature", &[("origin", "https://app.example.evil")]).await;
    assert_eq!(other.header(allow), None);
    assert_eq!(other.header("vary"), Some("Origin"));
}

#[tokio::test]
async fn answers_the_preflight_of_a_page_that_sends_a_token() {
    let admission = Admission::open().or_token(AccessKeySecret::new("token"));
    let origins = AllowedOrigins::Any;
    let router = router(AppOptions { admission, origins, ..options() });
    let request = http::Request::options("/signature")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "x-countersign-token")
        .body(Body::empty())
        .unwrap();
    let heard = ask(&router, request).await;
    assert_eq!(heard.status, StatusCode::NO_CONTENT);
    assert_eq!(heard.header("access-control-allow-origin"), Some("*"));
    assert_eq!(heard.header("access-control-allow-headers"), Some("x-countersign-token"));
}

#[tokio::test]
async fn a_preflight_permits_login_headers_to_allowed_origins_only() {
    let origins = AllowedOrigins::from_list(["https://app.example".to_owned()]);
    let router = router(AppOptions { origins, ..options() });
    let granted = async |origin: &str, asked: &str| {
        let request = http::Request::options("/signature")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", asked);
        let heard = ask(&router, request.body(Body::empty()).unwrap()).await;
        heard.header("access-control-allow-headers").map(str::to_owned)
    };
    let own = "x-countersign-token";
    let both = granted("https://app.example", "authorization, X-CSRF-Token").await;
    assert_eq!(both.as_deref(), Some("x-countersign-token, authorization, X-CSRF-Token"));
    assert_eq!(granted("https://evil.example", "authorization").await, None);
    assert_eq!(granted("https://app.example", "a b, (x), ,").await.as_deref(), Some(own), "names only");
    assert_eq!(granted("https://app.example", &"a,".repeat(40)).await.as_deref(), Some(own), "and not many");
    assert_eq!(granted("https://app.example", &"a".repeat(2000)).await.as_deref(), Some(own));
}

#[tokio::test]
async fn every_answer_carries_the_servers_date_refusals_too() {
    let origins = AllowedOrigins::from_list(["https://app.example".to_owned()]);
    let router = router(AppOptions { origins, ..options() });
    let now = Some("Sun, 22 Nov 2026 12:00:00 GMT");
    let asked = [("origin", "https://app.example")];
    let signed = get_with(&router, "/signature", &asked).await;
    assert_eq!(signed.header("date"), now);
    assert_eq!(signed.header("access-control-expose-headers"), Some("Date"), "readable from elsewhere");
    assert_eq!(fetch(&router, "/signature?path=..").await.header("date"), now);
    assert_eq!(fetch(&router, "/uploads").await.header("date"), now);
    let unsigned = http::Request::post("/callback").body(Body::empty()).unwrap();
    let refused = ask(&router, unsigned).await;
    assert_eq!((refused.status, refused.header("date")), (StatusCode::BAD_REQUEST, now));
}

#[tokio::test]
async fn without_a_hook_there_is_one_folder_although_the_signer_knows_the_whole_bucket() {
    let secret = AccessKeySecret::new("sk");
    let signer = Signer::new(SignerOptions::new("ak", secret, "demo", "http://demo.localhost:9817"), noon());
    let options = options();
    let router = router(AppOptions::new(signer.unwrap(), verifier(), options.ledger, options.clock));
    assert_eq!(fetch(&router, "/signature").await.json()["dir"], "user-dir/");
    assert_eq!(fetch(&router, "/signature?path=other").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_hook_is_asked_about_each_upload_until_it_says_yes() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let router = router(options().on_upload(move |callback| {
        let first = counting.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first {
                return crate::answer::Answer::refusal(StatusCode::FORBIDDEN, "NotYet", "come again");
            }
            crate::answer::Answer::accepting(&callback.facts)
        }
    }));
    let body = format!("{BODY}&name=a.jpg&reqId=5C");
    let recorded = || signed("/callback", &body, "5C");
    assert_eq!(callbacks::call(&router, recorded()).await.json()["Status"], "NotYet");
    for _ in 0..2 {
        assert_eq!(callbacks::call(&router, recorded()).await.json()["name"], "a.jpg");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
