//! Makes signed callbacks for tests, with a store's key of their own.

use std::sync::{Arc, LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use countersign_protocol::callback::signature::{CallbackSignError, sign};
use countersign_sys::RsaMd5Key;
use http::{HeaderMap, HeaderValue, Method};

use crate::{callback_verifier::CallbackVerifier, clock::Clock, recorded_request::RecordedRequest};

/// Where the store of these tests says its key is.
pub(crate) const KEY_URL: &str = "http://127.0.0.1:9817/_countersign/callback_key_v1.pem";
/// The tutorial's body for one upload.
pub(crate) const BODY: &str =
    "filename=user-dir%2Fa.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200";

static KEY: LazyLock<RsaMd5Key> = LazyLock::new(|| RsaMd5Key::generate_2048().unwrap());

/// 2026-11-22T12:00:00.5Z, whatever the time is.
pub(crate) fn noon() -> Clock {
    Arc::new(|| "2026-11-22T12:00:00.5Z".parse().unwrap())
}

/// Trusts the test store and, as serving the real OSS does, Alibaba's key.
pub(crate) fn verifier() -> CallbackVerifier {
    CallbackVerifier::new().pin(KEY_URL, &KEY.public_key_pem().unwrap()).unwrap().pin_alibaba().unwrap()
}

pub(crate) fn authorization(path_and_query: &str, body: &[u8]) -> String {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let rsa_md5 =
        |message: &[u8]| KEY.sign(message).map_err(|error| CallbackSignError { reason: error.to_string() });
    sign(&rsa_md5, path, query, body).unwrap()
}

/// A callback as the store sends it, signed for its own path and body.
pub(crate) fn signed(path_and_query: &str, body: &str, request_id: &str) -> RecordedRequest {
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    };
    set("host", "127.0.0.1:9818");
    set("content-type", "application/x-www-form-urlencoded");
    set("content-length", &body.len().to_string());
    set("authorization", &authorization(path_and_query, body.as_bytes()));
    set("x-oss-pub-key-url", &STANDARD.encode(KEY_URL));
    set("x-oss-request-id", request_id);
    set("x-oss-bucket", "demo");
    set("user-agent", "aliyun-oss-callback");
    RecordedRequest {
        method: Method::POST,
        path: path_and_query.to_owned(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}
