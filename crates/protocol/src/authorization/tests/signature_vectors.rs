//! The golden vectors: every intermediate value, signed and verified.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::super::{RequestView, v1, v4};
use super::{authenticate, borrowed};
use crate::access_key::AccessKeySecret;
use crate::credential_scope::CredentialScope;

#[derive(Deserialize)]
struct Vectors<T> {
    source: String,
    cases: Vec<T>,
}

#[derive(Deserialize)]
struct Request {
    name: String,
    access_key_id: String,
    secret: String,
    method: String,
    bucket: Option<String>,
    key: Option<String>,
    raw_query: Option<String>,
    headers: Vec<(String, String)>,
    string_to_sign: String,
    signature: String,
}

#[derive(Deserialize)]
struct HeaderV1 {
    #[serde(flatten)]
    request: Request,
    now: jiff::Timestamp,
    date_line: String,
    authorization: String,
}

#[derive(Deserialize)]
struct UrlV1 {
    #[serde(flatten)]
    request: Request,
    expires: i64,
    signed_query: String,
}

#[derive(Deserialize)]
struct V4 {
    #[serde(flatten)]
    request: Request,
    region: String,
    additional_headers: Vec<String>,
    date: String,
    now: jiff::Timestamp,
    canonical_request: String,
    canonical_request_sha256: String,
    scope: String,
    signing_key: String,
    authorization: Option<String>,
    lifetime_seconds: Option<i64>,
    signed_query: Option<String>,
}

fn read<T: DeserializeOwned>(file: &str, count: usize) -> Vec<T> {
    let vectors: Vectors<T> = serde_json::from_str(&crate::test_vectors::read(file)).unwrap();
    assert!(!vectors.source.is_empty());
    assert_eq!(vectors.cases.len(), count, "the file holds all its cases");
    vectors.cases
}

impl Request {
    fn secret(&self) -> AccessKeySecret {
        AccessKeySecret::from(self.secret.as_str())
    }

    fn view(&self) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            bucket: self.bucket.as_deref(),
            key: self.key.as_deref(),
            raw_query: self.raw_query.as_deref(),
            headers: borrowed(&self.headers),
        }
    }
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn signs_and_verifies_the_vectors_of_v1_headers() {
    for case in read::<HeaderV1>("header_signature_v1.json", 8) {
        let (request, secret) = (&case.request, case.request.secret());
        let mut view = request.view();
        let text = v1::string_to_sign(&view, &case.date_line);
        assert_eq!(String::from_utf8(text.clone()).unwrap(), request.string_to_sign, "{}", request.name);
        assert_eq!(v1::signature(&secret, &text), request.signature, "{}", request.name);
        let signed = v1::sign_header(&view, &request.access_key_id, &secret);
        assert_eq!(signed, case.authorization, "{}", request.name);
        view.headers.push(("Authorization", case.authorization.as_bytes()));
        assert_eq!(authenticate(&view, &secret, case.now), Ok(()), "{}", request.name);
    }
}

#[test]
fn signs_and_verifies_the_vectors_of_v1_urls() {
    for case in read::<UrlV1>("url_signature_v1.json", 5) {
        let (request, secret) = (&case.request, case.request.secret());
        let mut view = request.view();
        let text = v1::string_to_sign(&view, &case.expires.to_string());
        assert_eq!(String::from_utf8(text.clone()).unwrap(), request.string_to_sign, "{}", request.name);
        assert_eq!(v1::signature(&secret, &text), request.signature, "{}", request.name);
        let expires = jiff::Timestamp::from_second(case.expires).unwrap();
        let signed = v1::sign_url(&view, &request.access_key_id, &secret, expires);
        assert_eq!(signed, case.signed_query, "{}", request.name);
        view.raw_query = Some(&case.signed_query);
        assert_eq!(authenticate(&view, &secret, expires), Ok(()), "{}", request.name);
    }
}

fn check_v4(case: &V4, view: &RequestView<'_>) {
    let name = &case.request.name;
    let canonical = v4::canonical_request(view, &case.additional_headers);
    assert_eq!(String::from_utf8(canonical.clone()).unwrap(), case.canonical_request, "{name}");
    assert_eq!(hex(Sha256::digest(&canonical)), case.canonical_request_sha256, "{name}");
    let scope = CredentialScope::new(case.now, &case.region);
    assert_eq!(scope.to_string(), case.scope, "{name}");
    let secret = case.request.secret();
    assert_eq!(hex(scope.signing_key(&secret).as_slice()), case.signing_key, "{name}");
    let text = v4::string_to_sign(&case.date, &scope, &canonical);
    assert_eq!(text, case.request.string_to_sign, "{name}");
    assert_eq!(v4::signature(&secret, &scope, &text), case.request.signature, "{name}");
}

#[test]
fn signs_and_verifies_the_vectors_of_v4_headers() {
    for case in read::<V4>("header_signature_v4.json", 7) {
        let (request, secret) = (&case.request, case.request.secret());
        let mut view = request.view();
        check_v4(&case, &view);
        let additional: Vec<&str> = case.additional_headers.iter().map(String::as_str).collect();
        let signed = v4::sign_header(&view, &request.access_key_id, &secret, &case.region, &additional);
        assert_eq!(signed.as_ref(), Ok(case.authorization.as_ref().unwrap()), "{}", request.name);
        let signed = signed.unwrap();
        view.headers.push(("Authorization", signed.as_bytes()));
        assert_eq!(authenticate(&view, &secret, case.now), Ok(()), "{}", request.name);
    }
}

#[test]
fn signs_and_verifies_the_vectors_of_v4_urls() {
    for case in read::<V4>("url_signature_v4.json", 3) {
        let (request, secret) = (&case.request, case.request.secret());
        let (signed, lifetime) = (case.signed_query.as_deref().unwrap(), case.lifetime_seconds.unwrap());
        let mut view = request.view();
        let query = v4::sign_url(&view, &request.access_key_id, &secret, &case.region, case.now, lifetime);
        assert_eq!(query, signed, "{}", request.name);
        view.raw_query = Some(signed);
        check_v4(&case, &view);
        assert_eq!(authenticate(&view, &secret, case.now), Ok(()), "{}", request.name);
    }
}
