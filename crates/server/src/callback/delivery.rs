//! Stage 5 of an upload: the call to the application (protocol 02 §3 to §6).
//!
//! Each URL in turn: resolve the name once, judge the addresses, connect to the very address that was
//! judged (or use a connection to it that is open already), sign, send, read a bounded answer. No redirect
//! is followed, no proxy variable is read. What the outcome means for the uploader is decided elsewhere.
//!
//! Where a name has several addresses, connecting divides the time that is left among them, so that one which
//! drops packets does not take it all. A failure is logged once, here, with everything that tells why.
//!
//! An application may close a connection while the next callback is on its way over it. If not a byte of an
//! answer has come, the callback is sent once more, over a fresh connection and within the same time. It
//! bears the same request id; an application that took it and fell silent is called a second time, as it
//! may be called again after a timeout.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};
use http::{HeaderValue, Request};
use http_body_util::Full;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::callback::message::CallbackMessage;
use crate::holder::CallbackDestination;
use crate::server::ServerState;

use crate::callback::address::permitted;
use crate::callback::connection::{CallbackConnection, Destination};
use crate::callback::exchange::{NoAnswer, ReplyBounds, exchange};
use crate::callback::progress::{Phase, Progress};
use crate::callback::request;
use crate::callback::signing::CallbackSignature;
use crate::callback::wait::CallbackWait;

/// How many addresses of one name are tried.
const ADDRESSES_MAX: usize = 4;

/// The application's answer, to be relayed as it is.
#[derive(Debug, Clone)]
pub(crate) struct CallbackReply {
    /// Its type; JSON where it named none.
    pub(crate) content_type: HeaderValue,
    /// Its bytes.
    pub(crate) body: Bytes,
}

/// How a callback ended.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The answer, or the last URL's failure.
    pub(crate) outcome: Result<CallbackReply, CallbackFailure>,
    /// Whether no URL leads to a destination that is permitted.
    pub(crate) refused_everywhere: bool,
}

/// Calls the URLs in order until one answers well; else the last one's failure. `signature` is the first
/// URL's. The answer counts to `client`, who is waiting for it.
pub(crate) async fn deliver(
    state: &Arc<ServerState>,
    client: IpAddr,
    message: &Arc<CallbackMessage>,
    signature: CallbackSignature,
) -> Delivery {
    let mut refused_everywhere = true;
    let mut outcome = Err(CallbackFailure::Unreachable);
    let mut signature = Some(signature);
    for url in &message.urls {
        let signature = signature.take().unwrap_or_else(|| CallbackSignature::begin(state, message, url));
        let progress = Progress::of(client);
        outcome = attempt_in_a_place(state, message, url, signature, &progress).await;
        match &outcome {
            Ok(_) => break,
            Err(failure) => {
                log(message, url, &progress, failure);
                refused_everywhere &= matches!(failure, CallbackFailure::DestinationRefused { .. });
            }
        }
    }
    Delivery { refused_everywhere: refused_everywhere && outcome.is_err(), outcome }
}

/// The one line about a failed attempt.
fn log(message: &CallbackMessage, url: &str, progress: &Progress, failure: &CallbackFailure) {
    let (phase, address, reason) = (progress.phase(), progress.address(), progress.reasons());
    let request_id = &message.request_id;
    tracing::warn!(%request_id, url, address, %phase, reason, %failure, "a callback failed");
}

/// One attempt, which counts to its URL's destination and may have to give way.
async fn attempt_in_a_place(
    state: &Arc<ServerState>,
    message: &Arc<CallbackMessage>,
    url: &str,
    signature: CallbackSignature,
    progress: &Progress,
) -> Result<CallbackReply, CallbackFailure> {
    let url = CallbackUrl::parse(url).map_err(|_| CallbackFailure::Unreachable)?;
    let wait = Arc::new(CallbackWait::begun_now());
    // Never waited for: a callback that leads back here must not wait for itself.
    let place = state.callbacks.take(CallbackDestination::from(&url), Arc::clone(&wait));
    let _place = place.ok_or(CallbackFailure::TooManyRequests)?;
    let deadline = Instant::now() + state.options.limits.callback_timeout;
    let attempt = attempt(state, message, &url, signature, deadline, progress);
    tokio::select! {
        biased;
        () = wait.gives_way() => Err(CallbackFailure::GaveWay),
        outcome = tokio::time::timeout_at(deadline, attempt) => outcome.unwrap_or(Err(CallbackFailure::TimedOut)),
    }
}

async fn attempt(
    state: &Arc<ServerState>,
    message: &Arc<CallbackMessage>,
    url: &CallbackUrl,
    signature: CallbackSignature,
    deadline: Instant,
    progress: &Progress,
) -> Result<CallbackReply, CallbackFailure> {
    let mut addresses = permitted(state, url, progress).await?;
    addresses.truncate(ADDRESSES_MAX);
    progress.enter(Phase::Sign);
    let request = request::signed(state, message, url, &signature.ready().await?)?;
    let destination = |address| Destination {
        address,
        tls: url.tls,
        host: url.host.clone(),
        host_header: message.host.as_deref().unwrap_or(&url.authority).to_owned(),
    };
    // An open connection to any of them is better than a new one to the first.
    for address in &addresses {
        let Some(kept) = state.callback_connections.take(&destination(*address)) else { continue };
        progress.try_address(*address);
        match call(state, destination(*address), kept, request.clone(), progress).await {
            Err(NoAnswer::Silent) => tracing::debug!(%url, "a kept connection had been closed"),
            Err(NoAnswer::Failed(failure)) => return Err(failure),
            Ok(reply) => return Ok(reply),
        }
    }
    let (address, connection) = connect(state, url, &addresses, deadline, progress).await?;
    call(state, destination(address), connection, request, progress).await.map_err(|none| match none {
        NoAnswer::Silent => {
            progress.because("the connection ended without an answer");
            CallbackFailure::AnswerBroken
        }
        NoAnswer::Failed(failure) => failure,
    })
}

/// A connection to the first address that takes one and, where TLS is wanted, agrees upon it. Each gets its share of
/// the time that is left, the last one all of it; nothing has been sent before, so the next one may be tried.
async fn connect(
    state: &ServerState,
    url: &CallbackUrl,
    addresses: &[SocketAddr],
    deadline: Instant,
    progress: &Progress,
) -> Result<(SocketAddr, CallbackConnection), CallbackFailure> {
    let mut failure = CallbackFailure::Unreachable;
    for (tried, address) in addresses.iter().enumerate() {
        progress.try_address(*address);
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        match tokio::time::timeout(share, open(state, url, *address, progress)).await {
            Ok(Ok(connection)) => return Ok((*address, connection)),
            Ok(Err(failed)) => failure = failed,
            Err(_) => {
                progress.because("no answer in its share of the time");
                failure = CallbackFailure::TimedOut;
            }
        }
    }
    Err(failure)
}

/// Opens a connection to an address: with TLS where the URL says so.
async fn open(
    state: &ServerState,
    url: &CallbackUrl,
    address: SocketAddr,
    progress: &Progress,
) -> Result<CallbackConnection, CallbackFailure> {
    let stream = TcpStream::connect(address).await.map_err(|error| {
        progress.because(error);
        CallbackFailure::Unreachable
    })?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let broken = |error| {
        progress.because(error);
        CallbackFailure::AnswerBroken
    };
    if !url.tls {
        return CallbackConnection::over(stream).await.map_err(broken);
    }
    progress.enter(Phase::Tls);
    let host = url.host.trim_end_matches('.').to_owned();
    let name = ServerName::try_from(host).map_err(|_| CallbackFailure::TlsFailed)?;
    let handshake = TlsConnector::from(Arc::clone(&state.callback_tls)).connect(name, stream);
    let stream = handshake.await.map_err(|error| {
        progress.because(error);
        CallbackFailure::TlsFailed
    })?;
    CallbackConnection::over(stream).await.map_err(broken)
}

/// Sends the request over the connection, and keeps that for the next one once the answer was read.
async fn call(
    state: &ServerState,
    destination: Destination,
    mut connection: CallbackConnection,
    request: Request<Full<Bytes>>,
    progress: &Progress,
) -> Result<CallbackReply, NoAnswer> {
    let bounds =
        ReplyBounds { bytes_max: state.options.limits.callback_reply_bytes_max, budget: &state.answers };
    let reply = exchange(&mut connection, request, bounds, progress).await?;
    state.callback_connections.keep(destination, connection);
    Ok(reply)
}

/// The value of `x-oss-pub-key-url`.
pub(crate) fn key_url_header(url: &str) -> HeaderValue {
    HeaderValue::from_str(&STANDARD.encode(url)).unwrap_or_else(|_| HeaderValue::from_static(""))
}
