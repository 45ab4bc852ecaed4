//! Sends one callback request and reads the answer: the connection and its TLS, exactly the headers of CB-43 (but for
//! `Connection`), and a bounded answer, judged as OSS judges.
//!
//! Where a name has several addresses, connecting divides the time that is left among them, so that one which
//! drops packets does not take it all. No redirect is followed, no proxy variable is read.
//!
//! An application may close a connection while the next callback is on its way over it. If not a byte of an
//! answer has come, the callback is sent once more, over a fresh connection and within the same time. It
//! bears the same request id; an application that took it and fell silent is called a second time, as it
//! may be called again after a timeout.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use countersign_clock::Clock;
use countersign_protocol::callback::answer::{judge_body, judge_head};
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};
use countersign_protocol::http_date;
use countersign_sys::Md5;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use jiff::Timestamp;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::budget::fair_budget::{FairBudget, NoRoom};
use crate::callback::connection::{CallbackConnection, CallbackConnections, ConnectionKey};
use crate::callback::message::CallbackMessage;
use crate::callback::progress::{Phase, Progress};
use crate::limits::ANSWER_BYTES_UNCOUNTED;

/// What hyper says of a Content-Length that is no number; it gives no other sign. A test pins it.
const LENGTH_ERROR: &str = "invalid content-length parsed";

/// Why there is no good answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The connection ended, and not a byte of an answer had come.
    Silent,
    /// The failure that the uploader is told.
    Failed(CallbackFailure),
}

impl From<CallbackFailure> for NoAnswer {
    fn from(failure: CallbackFailure) -> Self {
        NoAnswer::Failed(failure)
    }
}

/// The application's answer, to be relayed as it is.
#[derive(Debug, Clone)]
pub(crate) struct CallbackReply {
    /// Its type; JSON where it named none.
    pub(crate) content_type: HeaderValue,
    /// Its bytes.
    pub(crate) body: Bytes,
}

/// Speaks HTTP with applications.
pub(super) struct Exchange {
    tls: Arc<ClientConfig>,
    /// Connections that are open and not in use.
    connections: Arc<CallbackConnections>,
    /// The value of `x-oss-pub-key-url`.
    key_url: HeaderValue,
    /// The account that owns the buckets.
    owner_id: &'static str,
    clock: Clock,
    /// The longest answer.
    reply_bytes_max: u64,
    /// What all answers share; one counts to the client that will be sent it.
    answers: FairBudget,
}

/// What is said to whom, and until when.
#[derive(Clone, Copy)]
pub(super) struct Call<'c> {
    /// What is said.
    pub(super) message: &'c Arc<CallbackMessage>,
    /// To whom.
    pub(super) url: &'c CallbackUrl,
    /// Where that is, as it was judged.
    pub(super) addresses: &'c [SocketAddr],
    /// The signature for this URL.
    pub(super) signature: &'c str,
    /// When the time is up.
    pub(super) deadline: Instant,
}

impl Exchange {
    /// Without a connection yet. `key_url` is where receivers find the public half of the key.
    ///
    /// # Errors
    /// When an added authority cannot be read.
    pub(super) fn new(
        extra_roots: &[CertificateDer<'static>],
        (key_url, owner_id): (&str, &'static str),
        clock: Clock,
        answers: FairBudget,
        reply_bytes_max: u64,
    ) -> Result<Self, rustls::Error> {
        Ok(Self {
            tls: client_config(extra_roots)?,
            connections: CallbackConnections::new(&clock),
            key_url: HeaderValue::from_str(&STANDARD.encode(key_url))
                .expect("the letters of base64 are those of a header"),
            owner_id,
            clock,
            reply_bytes_max,
            answers,
        })
    }

    /// Sends the message and reads the answer.
    pub(super) async fn call(
        &self,
        call: Call<'_>,
        progress: &Progress,
    ) -> Result<CallbackReply, CallbackFailure> {
        let Call { message, url, addresses, signature, deadline } = call;
        let request =
            signed_request(self.clock.wall(), &self.key_url, self.owner_id, message, url, signature)?;
        let destination = |address| ConnectionKey {
            address,
            tls: url.tls,
            host: url.host.clone(),
            host_header: message.host.as_deref().unwrap_or(&url.authority).to_owned(),
        };
        // An open connection to any of them is better than a new one to the first.
        for address in addresses {
            let Some(kept) = self.connections.take(&destination(*address)) else { continue };
            progress.try_address(*address);
            match self.send(destination(*address), kept, request.clone(), progress).await {
                Err(NoAnswer::Silent) => {
                    tracing::debug!(destination = %url.origin(), "a kept connection had been closed")
                }
                Err(NoAnswer::Failed(failure)) => return Err(failure),
                Ok(reply) => return Ok(reply),
            }
        }
        let (address, connection) = self.connect(url, addresses, deadline, progress).await?;
        self.send(destination(address), connection, request, progress).await.map_err(|none| match none {
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
        &self,
        url: &CallbackUrl,
        addresses: &[SocketAddr],
        deadline: Instant,
        progress: &Progress,
    ) -> Result<(SocketAddr, CallbackConnection), CallbackFailure> {
        let mut failure = CallbackFailure::Unreachable;
        for (tried, address) in addresses.iter().enumerate() {
            progress.try_address(*address);
            let left = deadline.saturating_duration_since(self.clock.monotonic());
            let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
            match self.clock.timeout(share, self.open(url, *address, progress)).await {
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
        &self,
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
        let handshake = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let stream = handshake.await.map_err(|error| {
            progress.because(error);
            CallbackFailure::TlsFailed
        })?;
        CallbackConnection::over(stream).await.map_err(broken)
    }

    /// Sends the request over the connection, and keeps that for the next one once the answer was read.
    async fn send(
        &self,
        destination: ConnectionKey,
        mut connection: CallbackConnection,
        request: Request<Full<Bytes>>,
        progress: &Progress,
    ) -> Result<CallbackReply, NoAnswer> {
        let heard_before = connection.heard_bytes();
        progress.send(connection.written(), request.body().size_hint().lower());
        let response = match connection.send(request).await {
            Ok(response) => response,
            Err(_) if connection.heard_bytes() == heard_before => return Err(NoAnswer::Silent),
            Err(error) => return Err(unreadable(&error, progress).into()),
        };
        progress.enter(Phase::Read);
        let reply = read(response, (self.reply_bytes_max, &self.answers), progress).await?;
        self.connections.keep(destination, connection);
        Ok(reply)
    }
}

/// The client side of TLS. SNI is always sent.
///
/// # Errors
/// When an added authority cannot be read.
fn client_config(extra_roots: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra_roots {
        roots.add(root.clone())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The request for one URL, with its signature.
fn signed_request(
    date: Timestamp,
    key_url: &HeaderValue,
    owner_id: &str,
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
    headers.put(DATE, &http_date::format(date))?;
    headers.put(AUTHORIZATION, signature)?;
    headers.put(USER_AGENT, "aliyun-oss-callback")?;
    headers.0.insert("x-oss-pub-key-url", key_url.clone());
    for (name, value) in [
        ("x-oss-bucket", message.bucket.as_str()),
        ("x-oss-owner", owner_id),
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

async fn read(
    response: Response<Incoming>,
    bounds: (u64, &FairBudget),
    progress: &Progress,
) -> Result<CallbackReply, CallbackFailure> {
    let (bytes_max, budget) = bounds;
    let (head, mut body) = response.into_parts();
    // A chunked answer has no length, whatever else it says.
    let chunked = head.headers.contains_key(TRANSFER_ENCODING);
    let length = head.headers.get(CONTENT_LENGTH).filter(|_| !chunked).map(HeaderValue::as_bytes);
    let length = judge_head(head.status.as_u16(), length)?;
    if length > bytes_max {
        return Err(CallbackFailure::LengthTooLong);
    }
    // What is not filled takes no memory, and what grew in place is not copied.
    let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0));
    let mut share = budget.count(&progress.client(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreadable(&error, progress))?;
        if let Some(data) = frame.data_ref() {
            let counted = (bytes.len() + data.len()).saturating_sub(ANSWER_BYTES_UNCOUNTED.max(bytes.len()));
            share.grow(counted).map_err(|NoRoom| CallbackFailure::AnswersTooMany)?;
            bytes.extend_from_slice(data);
        }
    }
    let content_type = head.headers.get(CONTENT_TYPE);
    judge_body(content_type.and_then(|value| value.to_str().ok()), &bytes)?;
    let content_type = content_type.cloned().unwrap_or(HeaderValue::from_static("application/json"));
    Ok(CallbackReply { content_type, body: share.bind(bytes.freeze()) })
}

fn unreadable(error: &hyper::Error, progress: &Progress) -> CallbackFailure {
    progress.because(error);
    if error.is_parse() && error.to_string().contains(LENGTH_ERROR) {
        return CallbackFailure::LengthInvalid;
    }
    CallbackFailure::AnswerBroken
}
