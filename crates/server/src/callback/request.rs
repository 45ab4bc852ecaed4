//! The request of a callback: exactly the headers of protocol 02 §3 (but for
//! `Connection`), and the signature of §4.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};
use countersign_protocol::http_date;
use countersign_sys::Md5;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;

use crate::access::OWNER_ID;
use crate::callback::message::CallbackMessage;
use crate::server::ServerState;

/// The request for one URL, with its signature.
pub(super) fn signed(
    state: &ServerState,
    message: &Arc<CallbackMessage>,
    url: &CallbackUrl,
    signature: &str,
) -> Result<Request<Full<Bytes>>, CallbackFailure> {
    let body = message.body.as_bytes();
    let mut digest = Md5::new();
    digest.update(body);
    let mut headers = Headers(HeaderMap::with_capacity(20));
    headers.put(HOST, message.host.as_deref().unwrap_or(&url.authority))?;
    // OSS closes; a server may always keep a connection open, and this one is ended by either side.
    headers.put(CONNECTION, "keep-alive")?;
    headers.put(CONTENT_LENGTH, &body.len().to_string())?;
    headers.put(CONTENT_TYPE, &message.content_type)?;
    headers.put(HeaderName::from_static("content-md5"), &STANDARD.encode(digest.finish()))?;
    headers.put(DATE, &http_date::format(state.options.clock.wall()))?;
    headers.put(AUTHORIZATION, signature)?;
    headers.put(USER_AGENT, "aliyun-oss-callback")?;
    headers.0.insert("x-oss-pub-key-url", state.callback_key_url.clone());
    for (name, value) in [
        ("x-oss-bucket", message.bucket.as_str()),
        ("x-oss-owner", OWNER_ID),
        ("x-oss-requester", &message.requester),
        ("x-oss-request-id", &message.request_id),
        ("x-oss-signature-version", "1.0"),
        ("x-oss-tag", "CALLBACK"),
        ("x-oss-additional-headers", ""),
    ] {
        headers.put(HeaderName::from_static(name), value)?;
    }
    for (name, value) in &message.additional_headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| CallbackFailure::Unreachable)?;
        headers.put(name, value)?;
    }
    let mut request = Request::new(Full::new(Bytes::from_owner(Body(Arc::clone(message)))));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.path_and_query().parse().map_err(|_| CallbackFailure::Unreachable)?;
    *request.headers_mut() = headers.0;
    Ok(request)
}

/// The message's body, of which every attempt sends the same copy.
struct Body(Arc<CallbackMessage>);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.0.body.as_bytes()
    }
}

/// Headers whose values were all checked when the parameter was read; one that is none after all is not sent.
struct Headers(HeaderMap);

impl Headers {
    fn put(&mut self, name: HeaderName, value: &str) -> Result<(), CallbackFailure> {
        let value = HeaderValue::from_str(value).map_err(|_| CallbackFailure::Unreachable)?;
        self.0.insert(name, value);
        Ok(())
    }
}
