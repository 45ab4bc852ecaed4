//! Stage 5 of an upload: the call to the application (protocol 02 §3 to §6).
//!
//! Each URL in turn: resolve the name once, judge the addresses, connect to the very address that was
//! judged, sign, send, read a bounded answer. No redirect is followed, no proxy variable is read, no
//! connection is kept. What the outcome means for the uploader is decided elsewhere.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use countersign_protocol::callback::answer::{judge_body, judge_head};
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::callback_message::CallbackMessage;
use crate::destination_guard;
use crate::server::ServerState;

mod callback_request;
mod callback_tls;

pub(crate) use callback_tls::client_config;

/// How many addresses of one name are tried.
const ADDRESSES_MAX: usize = 4;
/// The most bytes that the head of an answer may have.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// What hyper says of a Content-Length that is no number; it gives no other sign. A test pins it.
const LENGTH_ERROR: &str = "invalid content-length parsed";

/// The application's answer, to be relayed as it is.
#[derive(Debug, Clone)]
pub(crate) struct CallbackReply {
    /// Its type; JSON where it named none.
    pub(crate) content_type: HeaderValue,
    /// Its bytes.
    pub(crate) body: Bytes,
}

/// Calls the URLs in order until one answers well; else the last one's failure.
pub(crate) async fn deliver(
    state: &ServerState,
    message: &CallbackMessage,
) -> Result<CallbackReply, CallbackFailure> {
    // Never waited for: a callback that leads back here must not wait for itself.
    let _place = state.callbacks.try_acquire().map_err(|_| CallbackFailure::TooManyRequests)?;
    let mut outcome = Err(CallbackFailure::Unreachable);
    for url in &message.urls {
        let attempt =
            tokio::time::timeout(state.options.limits.callback_timeout, attempt(state, message, url));
        outcome = attempt.await.unwrap_or(Err(CallbackFailure::TimedOut));
        match &outcome {
            Ok(_) => break,
            Err(failure) => {
                tracing::info!(request_id = message.request_id, url, %failure, "a callback URL failed")
            }
        }
    }
    outcome
}

async fn attempt(
    state: &ServerState,
    message: &CallbackMessage,
    url: &str,
) -> Result<CallbackReply, CallbackFailure> {
    let url = CallbackUrl::parse(url).map_err(|_| CallbackFailure::Unreachable)?;
    let request = callback_request::signed(state, message, &url)?;
    let stream = connect(state, &url).await?;
    if !url.tls {
        return exchange(stream, request, state.options.limits.callback_reply_bytes_max).await;
    }
    let host = url.host.trim_end_matches('.').to_owned();
    let name = ServerName::try_from(host).map_err(|_| CallbackFailure::TlsFailed)?;
    let handshake = TlsConnector::from(Arc::clone(&state.callback_tls)).connect(name, stream);
    let stream = handshake.await.map_err(|error| {
        tracing::info!(%error, %url, "a callback's TLS handshake failed");
        CallbackFailure::TlsFailed
    })?;
    exchange(stream, request, state.options.limits.callback_reply_bytes_max).await
}

/// Connects to an address that the guard has let through; IPv4 first, as OSS knows nothing else.
async fn connect(state: &ServerState, url: &CallbackUrl) -> Result<TcpStream, CallbackFailure> {
    let mut addresses = resolve(url).await?;
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let mut refused = None;
    let mut permitted = Vec::with_capacity(addresses.len());
    for address in addresses {
        match destination_guard::check(address, &state.options.callback_allow) {
            Ok(address) => permitted.push(address),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    if let (true, Some(refusal)) = (permitted.is_empty(), refused) {
        tracing::warn!(%url, %refusal, "a callback was refused");
        return Err(CallbackFailure::DestinationRefused { allow: refusal.option() });
    }
    for address in permitted.into_iter().take(ADDRESSES_MAX) {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                return Ok(stream);
            }
            Err(error) => tracing::info!(%url, %address, %error, "a callback could not connect"),
        }
    }
    Err(CallbackFailure::Unreachable)
}

async fn resolve(url: &CallbackUrl) -> Result<Vec<SocketAddr>, CallbackFailure> {
    if let Ok(address) = url.host.parse::<Ipv4Addr>() {
        return Ok(vec![SocketAddr::from((address, url.port))]);
    }
    match tokio::net::lookup_host((url.host.as_str(), url.port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => {
            tracing::info!(%url, %error, "a callback's host could not be resolved");
            Err(CallbackFailure::NameUnresolved)
        }
    }
}

/// Sends the request over a fresh connection and reads the answer.
async fn exchange<T>(
    stream: T,
    request: Request<Full<Bytes>>,
    reply_bytes_max: u64,
) -> Result<CallbackReply, CallbackFailure>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|_| CallbackFailure::AnswerBroken)?;
    let conversation = async {
        let response = sender.send_request(request).await.map_err(|error| unreadable(&error))?;
        read(response, reply_bytes_max).await
    };
    // The connection must be driven beside the conversation; that it ends first ends nothing.
    let driver = async {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a callback's connection ended early");
        }
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        reply = conversation => reply,
        never = driver => match never {},
    }
}

async fn read(response: Response<Incoming>, reply_bytes_max: u64) -> Result<CallbackReply, CallbackFailure> {
    let (head, mut body) = response.into_parts();
    // A chunked answer has no length, whatever else it says.
    let chunked = head.headers.contains_key(TRANSFER_ENCODING);
    let length = head.headers.get(CONTENT_LENGTH).filter(|_| !chunked).map(HeaderValue::as_bytes);
    let length = judge_head(head.status.as_u16(), length)?;
    if length > reply_bytes_max {
        return Err(CallbackFailure::LengthTooLong);
    }
    let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0).min(HEAD_BYTES_MAX));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreadable(&error))?;
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    let content_type = head.headers.get(CONTENT_TYPE);
    judge_body(content_type.and_then(|value| value.to_str().ok()), &bytes)?;
    let content_type = content_type.cloned().unwrap_or(HeaderValue::from_static("application/json"));
    Ok(CallbackReply { content_type, body: bytes.freeze() })
}

fn unreadable(error: &hyper::Error) -> CallbackFailure {
    tracing::info!(%error, "a callback's answer could not be read");
    if error.is_parse() && error.to_string().contains(LENGTH_ERROR) {
        return CallbackFailure::LengthInvalid;
    }
    CallbackFailure::AnswerBroken
}

/// The value of `x-oss-pub-key-url`.
pub(crate) fn key_url_header(url: &str) -> HeaderValue {
    HeaderValue::from_str(&STANDARD.encode(url)).unwrap_or_else(|_| HeaderValue::from_static(""))
}
