//! Genuine callbacks of this store and of the real OSS, and forgeries of both.

use super::*;
use crate::callback_verifier::signed_callback::{BODY, KEY_URL, signed, verifier};
use http::HeaderValue;

const ALIBABA_URL: &str = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem";

fn refusal(request: RecordedRequest) -> CallbackRefusal {
    verifier().verify_request(request, None).unwrap_err()
}

fn with_key_url(url: &str) -> RecordedRequest {
    let mut request = signed("/callback", BODY, "5C");
    let encoded = HeaderValue::from_str(&STANDARD.encode(url)).unwrap();
    request.headers.insert(KEY_URL_HEADER, encoded);
    request
}

fn captured(key_url: &str, authorization: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(authorization).unwrap());
    headers.insert(KEY_URL_HEADER, HeaderValue::from_str(&STANDARD.encode(key_url)).unwrap());
    headers
}

#[test]
fn accepts_a_genuine_callback_and_reads_it() {
    let verified = verifier().verify_request(signed("/callback?a=1&b", BODY, "5C"), None).unwrap();
    assert_eq!(verified.key_url, KEY_URL);
    assert_eq!(verified.facts.key.as_deref(), Some("user-dir/a.jpg"));
    assert_eq!(verified.request.body, BODY);
}

#[test]
fn accepts_recorded_callbacks_of_the_real_oss_with_the_bundled_key() {
    let vectors: serde_json::Value =
        serde_json::from_str(&crate::test_vectors::read("callback_signature.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 7, "the captures are all there");
    for url in [ALIBABA_URL, "http://gosspublic.alicdn.com/callback_pub_key_v1.pem"] {
        for case in cases {
            let of = |name: &str| case[name].as_str().unwrap();
            let (path, body) = (of("path_and_query"), of("body"));
            let headers = captured(url, of("authorization"));
            assert_eq!(verifier().verify(&headers, path, body.as_bytes()).as_deref(), Ok(url), "{path}");
            let altered = verifier().verify(&headers, path, format!("{body} ").as_bytes());
            assert_eq!(altered, Err(CallbackRefusal::SignatureMismatch), "{path}");
        }
    }
}

#[test]
fn refuses_what_was_altered_on_the_way() {
    let mut body = signed("/callback", BODY, "5C");
    body.body = BODY.replace("108904", "108905").into();
    let mut path = signed("/callback", BODY, "5C");
    path.path = "/other".to_owned();
    let mut query = signed("/callback?a=1", BODY, "5C");
    query.path = "/callback?a=2".to_owned();
    let mut without_query = signed("/callback?a=1", BODY, "5C");
    without_query.path = "/callback".to_owned();
    for altered in [body, path, query, without_query] {
        assert_eq!(refusal(altered), CallbackRefusal::SignatureMismatch);
    }
}

#[test]
fn refuses_every_key_that_is_not_exactly_pinned() {
    for url in [
        "http://evil.example/callback_key_v1.pem",
        "http://gosspublic.alicdn.com@evil/callback_pub_key_v1.pem",
        "http://gosspublic.alicdn.com@evil/",
        "https://gosspublic.alicdn.com.evil.example/callback_pub_key_v1.pem",
        "https://gosspublic.alicdn.com/callback_pub_key_v1.pem?x",
        "https://gosspublic.alicdn.com/../key.pem",
        "https://127.0.0.1:9817/_countersign/callback_key_v1.pem",
        "http://127.0.0.1/_countersign/callback_key_v1.pem",
        "http://localhost:9817/_countersign/callback_key_v1.pem",
        "file:///etc/passwd",
        "",
    ] {
        let refused = refusal(with_key_url(url));
        let expected = CallbackRefusal::KeyNotPinned { url: url.to_owned() };
        let missing = url.is_empty() && matches!(refused, CallbackRefusal::MissingHeader { .. });
        assert!(refused == expected || missing, "{url}: {refused}");
    }
}

#[test]
fn refuses_a_pinned_address_with_a_signature_of_another_pinned_key() {
    assert_eq!(refusal(with_key_url(ALIBABA_URL)), CallbackRefusal::SignatureMismatch);
}

#[test]
fn refuses_headers_that_are_missing_repeated_or_unreadable() {
    for name in ["authorization", KEY_URL_HEADER] {
        let mut missing = signed("/callback", BODY, "5C");
        missing.headers.remove(name);
        assert_eq!(refusal(missing), CallbackRefusal::MissingHeader { name });
        let mut empty = signed("/callback", BODY, "5C");
        empty.headers.insert(name, HeaderValue::from_static(""));
        assert_eq!(refusal(empty), CallbackRefusal::MissingHeader { name });
        let mut twice = signed("/callback", BODY, "5C");
        twice.headers.append(name, HeaderValue::from_static("x"));
        assert_eq!(refusal(twice), CallbackRefusal::RepeatedHeader { name });
    }
    let mut in_clear = signed("/callback", BODY, "5C");
    in_clear.headers.insert(KEY_URL_HEADER, HeaderValue::from_static(KEY_URL));
    assert_eq!(refusal(in_clear), CallbackRefusal::KeyUrlUnreadable);
    let mut scheme = signed("/callback", BODY, "5C");
    scheme.headers.insert("authorization", HeaderValue::from_static("OSS x:y"));
    assert_eq!(refusal(scheme), CallbackRefusal::SignatureMismatch);
}

#[test]
fn trusts_no_key_by_default() {
    let request = signed("/callback", BODY, "5C");
    let refused = CallbackVerifier::new().verify_request(request, None).unwrap_err();
    assert_eq!(refused, CallbackRefusal::KeyNotPinned { url: KEY_URL.to_owned() });
}

#[test]
fn verifies_the_path_that_the_store_called_when_a_proxy_changed_it() {
    let mut request = signed("/outside/callback?a=1", BODY, "5C");
    request.path = "/inside?a=1".to_owned();
    assert!(verifier().verify_request(request.clone(), None).is_err());
    let verified = verifier().verify_request(request, Some("/outside/callback")).unwrap();
    assert_eq!(verified.request.path, "/inside?a=1", "the record keeps what was received");
}

#[test]
fn refuses_to_pin_malformed_addresses_and_keys() {
    assert!(CallbackVerifier::new().pin("gosspublic.alicdn.com", "").is_err());
    assert!(CallbackVerifier::new().pin(KEY_URL, "no key").is_err());
}
