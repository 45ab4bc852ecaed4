//! Stage 5 of an upload: the call to the application (protocol 02 §3 to §6).
//!
//! Each URL in turn: resolve the name once, judge the addresses, connect to the very address that was
//! judged (or use a connection to it that is open already), sign, send, read a bounded answer. No redirect
//! is followed, no proxy variable is read. What the outcome means for the uploader is decided elsewhere.
//!
//! An application may close a connection while the next callback is on its way over it. If not a byte of an
//! answer has come, the callback is sent once more, over a fresh connection and within the same time. It
//! bears the same request id; an application that took it and fell silent is called a second time, as it
//! may be called again after a timeout.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};
use http::{HeaderValue, Request};
use http_body_util::Full;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::callback_message::CallbackMessage;
use crate::destination_guard;
use crate::server::ServerState;

mod callback_connection;
mod callback_exchange;
mod callback_request;
mod callback_signing;
mod callback_tls;

pub(crate) use callback_connection::CallbackConnections;
use callback_connection::{CallbackConnection, Destination};
use callback_exchange::{NoAnswer, exchange};
pub(crate) use callback_signing::{CallbackSignature, SigningLine};
pub(crate) use callback_tls::client_config;

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

/// Calls the URLs in order until one answers well; else the last one's failure. `signature` is the first
/// URL's.
pub(crate) async fn deliver(
    state: &Arc<ServerState>,
    message: &Arc<CallbackMessage>,
    signature: CallbackSignature,
) -> Result<CallbackReply, CallbackFailure> {
    // Never waited for: a callback that leads back here must not wait for itself.
    let _place = state.callbacks.try_acquire().map_err(|_| CallbackFailure::TooManyRequests)?;
    let mut outcome = Err(CallbackFailure::Unreachable);
    let mut signature = Some(signature);
    for url in &message.urls {
        let signature = signature.take().unwrap_or_else(|| CallbackSignature::begin(state, message, url));
        let attempt = attempt(state, message, url, signature);
        let attempt = tokio::time::timeout(state.options.limits.callback_timeout, attempt);
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
    state: &Arc<ServerState>,
    message: &CallbackMessage,
    url: &str,
    signature: CallbackSignature,
) -> Result<CallbackReply, CallbackFailure> {
    let url = CallbackUrl::parse(url).map_err(|_| CallbackFailure::Unreachable)?;
    let addresses = permitted(state, &url).await?;
    let request = callback_request::signed(state, message, &url, &signature.ready().await?)?;
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        let destination = Destination {
            address,
            tls: url.tls,
            host: url.host.clone(),
            host_header: message.host.as_deref().unwrap_or(&url.authority).to_owned(),
        };
        if let Some(kept) = state.callback_connections.take(&destination) {
            match converse(state, destination.clone(), kept, request.clone()).await {
                Err(NoAnswer::Silent) => tracing::debug!(%url, "a kept connection had been closed"),
                Err(NoAnswer::Failed(failure)) => return Err(failure),
                Ok(reply) => return Ok(reply),
            }
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let fresh = open(state, &url, stream).await?;
                return converse(state, destination, fresh, request).await.map_err(|none| match none {
                    NoAnswer::Silent => CallbackFailure::AnswerBroken,
                    NoAnswer::Failed(failure) => failure,
                });
            }
            Err(error) => tracing::info!(%url, %address, %error, "a callback could not connect"),
        }
    }
    Err(CallbackFailure::Unreachable)
}

/// The addresses of the URL's host that the guard lets through; IPv4 first, as OSS knows nothing else.
async fn permitted(state: &ServerState, url: &CallbackUrl) -> Result<Vec<SocketAddr>, CallbackFailure> {
    let mut addresses = resolve(state, url).await?;
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
    Ok(permitted)
}

async fn resolve(state: &ServerState, url: &CallbackUrl) -> Result<Vec<SocketAddr>, CallbackFailure> {
    if let Ok(address) = url.host.parse::<Ipv4Addr>() {
        return Ok(vec![SocketAddr::from((address, url.port))]);
    }
    let unresolved = |error: &dyn std::fmt::Display| {
        tracing::info!(%url, %error, "a callback's host could not be resolved");
        CallbackFailure::NameUnresolved
    };
    // Half of the attempt's time, so that it is told what was waited for.
    let waiting = tokio::time::timeout(
        state.options.limits.callback_timeout / 2,
        Arc::clone(&state.lookups).acquire_owned(),
    );
    let permit = match waiting.await {
        Ok(permit) => permit.map_err(|error| unresolved(&error))?,
        Err(_) => return Err(unresolved(&"too many names are being resolved, and nobody answers for them")),
    };
    let (host, port) = (url.host.clone(), url.port);
    // The thread keeps the permit, not whoever waits: names that nobody answers for must not take the threads
    // that wait for the disk.
    let asked = tokio::task::spawn_blocking(move || {
        let addresses = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        drop(permit);
        addresses
    });
    match asked.await {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(unresolved(&error)),
        Err(lost) => Err(unresolved(&lost)),
    }
}

/// Makes a connection of a stream: with TLS where the URL says so.
async fn open(
    state: &ServerState,
    url: &CallbackUrl,
    stream: TcpStream,
) -> Result<CallbackConnection, CallbackFailure> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    if !url.tls {
        return CallbackConnection::over(stream).await.map_err(|_| CallbackFailure::AnswerBroken);
    }
    let host = url.host.trim_end_matches('.').to_owned();
    let name = ServerName::try_from(host).map_err(|_| CallbackFailure::TlsFailed)?;
    let handshake = TlsConnector::from(Arc::clone(&state.callback_tls)).connect(name, stream);
    let stream = handshake.await.map_err(|error| {
        tracing::info!(%error, %url, "a callback's TLS handshake failed");
        CallbackFailure::TlsFailed
    })?;
    CallbackConnection::over(stream).await.map_err(|_| CallbackFailure::AnswerBroken)
}

/// Sends the request over the connection, and keeps that for the next one once the answer was read.
async fn converse(
    state: &ServerState,
    destination: Destination,
    mut connection: CallbackConnection,
    request: Request<Full<Bytes>>,
) -> Result<CallbackReply, NoAnswer> {
    let reply = exchange(&mut connection, request, state.options.limits.callback_reply_bytes_max).await?;
    state.callback_connections.keep(destination, connection);
    Ok(reply)
}

/// The value of `x-oss-pub-key-url`.
pub(crate) fn key_url_header(url: &str) -> HeaderValue {
    HeaderValue::from_str(&STANDARD.encode(url)).unwrap_or_else(|_| HeaderValue::from_static(""))
}
