//! `--forward`: an existing application keeps its callback handler, and the verifying is done in front of it.
//!
//! Owns the one request that passes a verified callback on, over http or https, with a bounded time and a bounded
//! answer. The certificate is always checked, against the public authorities of the web and those that are added. What
//! is sent carries a verdict that only a trusted way may bring, so http is for the same machine or network.

use std::{str::FromStr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
};
use tokio_rustls::TlsConnector;

use crate::{
    answer::Answer,
    byte_budget::{BudgetShort, ByteBudget},
    callback_verifier::VerifiedCallback,
};

/// Within this time the application must have answered whole; the store gives up after 5 seconds.
pub const FORWARD_TIMEOUT: Duration = Duration::from_secs(4);
/// The longest answer that is relayed: the store takes no longer one.
pub const FORWARD_ANSWER_BYTES_MAX: usize = 3 * 1024 * 1024;
/// What the answers that are being relayed may hold together, in bytes.
const ANSWERS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Tells the application that the callback was verified. Whatever a caller sends under this name is dropped.
pub const VERDICT_HEADER: &str = "x-countersign-verdict";
/// The path and query that the store called, which its signature covers.
pub const PATH_HEADER: &str = "x-countersign-callback-path";
/// The address of the key that verified.
pub const KEY_URL_HEADER: &str = "x-countersign-key-url";

/// The only headers that are passed on. None of them is covered by the store's signature: they are what an existing
/// handler needs to read the body and to verify it once more. Whom a callback claims to come from (`x-oss-requester`,
/// `x-oss-owner`, `x-oss-bucket`) is not among them, nor what a login in front might have set.
const PASSED_ON: [&str; 9] = [
    "authorization",
    "content-md5",
    "content-type",
    "date",
    "user-agent",
    "x-oss-pub-key-url",
    "x-oss-request-id",
    "x-oss-signature-version",
    "x-oss-tag",
];

/// Where verified callbacks are passed on to.
#[derive(Clone, Debug)]
pub struct Forward {
    authority: String,
    /// TLS, and the name that the certificate must hold for.
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    address: (String, u16),
    path_and_query: String,
    timeout: Duration,
    answers: ByteBudget,
}

/// Why an address cannot be forwarded to.
#[derive(Debug, Error)]
pub enum ForwardUrlError {
    /// Not an absolute http or https address.
    #[error("not an http or https address: {url}")]
    NotHttp {
        /// What was given.
        url: String,
    },
    /// A user name or password in front of the host.
    #[error("a forward address cannot carry a user name")]
    UserInfo,
    /// TLS cannot be set up, most likely for an authority that was added.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why the application's answer could not be fetched.
#[derive(Debug, Error)]
pub enum ForwardError {
    /// No connection.
    #[error("the application behind cannot be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    /// The connection broke, or what came was not HTTP.
    #[error("the application behind did not answer: {0}")]
    NoAnswer(#[from] hyper::Error),
    /// Took longer than [`FORWARD_TIMEOUT`].
    #[error("the application behind took too long")]
    TooSlow,
    /// More than [`FORWARD_ANSWER_BYTES_MAX`], or it broke off.
    #[error("the application behind answered more than 3 MB")]
    AnswerTooLong,
    /// The body broke off.
    #[error("the answer of the application behind broke off")]
    AnswerBroken,
    /// Other answers hold all the memory that they may have.
    #[error("the answers of the application behind that are being relayed hold all their memory")]
    AnswersTooMany,
    /// A value cannot stand in a header.
    #[error("the callback cannot be written as a request")]
    Unwritable(#[from] http::Error),
}

impl FromStr for Forward {
    type Err = ForwardUrlError;

    fn from_str(url: &str) -> Result<Self, ForwardUrlError> {
        let not_http = || ForwardUrlError::NotHttp { url: url.to_owned() };
        let uri: Uri = url.parse().map_err(|_| not_http())?;
        let authority = uri.authority().ok_or_else(not_http)?;
        let secure = uri.scheme_str() == Some("https");
        if !(secure || uri.scheme_str() == Some("http")) || uri.host().is_none_or(str::is_empty) {
            return Err(not_http());
        }
        if authority.as_str().contains('@') {
            return Err(ForwardUrlError::UserInfo);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = if secure {
            let name = ServerName::try_from(host.clone()).map_err(|_| not_http())?;
            Some((client_config(&[])?, name))
        } else {
            None
        };
        Ok(Self {
            authority: authority.as_str().to_owned(),
            tls,
            address: (host, authority.port_u16().unwrap_or(if secure { 443 } else { 80 })),
            path_and_query: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            timeout: FORWARD_TIMEOUT,
            answers: ByteBudget::new(ANSWERS_BYTES_MAX),
        })
    }
}

impl Forward {
    /// Gives the application another time than [`FORWARD_TIMEOUT`].
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts these certificate authorities too, where the address is https.
    ///
    /// # Errors
    /// [`ForwardUrlError::Tls`] when one of them cannot be read.
    pub fn trusting(mut self, roots: &[CertificateDer<'static>]) -> Result<Self, ForwardUrlError> {
        if let Some((config, _)) = &mut self.tls {
            *config = client_config(roots)?;
        }
        Ok(self)
    }

    /// Passes a verified callback on and brings the application's answer: its status, its type and its body. A
    /// redirect is an answer like others and is not followed.
    ///
    /// # Errors
    /// When there is no whole answer in time.
    pub async fn send(&self, callback: &VerifiedCallback) -> Result<Answer, ForwardError> {
        let request = self.request(callback)?;
        tokio::time::timeout(self.timeout, self.exchange(request)).await.map_err(|_| ForwardError::TooSlow)?
    }

    fn request(&self, callback: &VerifiedCallback) -> Result<Request<Full<Bytes>>, ForwardError> {
        let recorded = &callback.request;
        let mut request = Request::builder()
            .method(recorded.method.clone())
            .uri(&self.path_and_query)
            .body(Full::new(recorded.body.clone()))?;
        let headers = request.headers_mut();
        *headers = passed_on(&recorded.headers);
        headers.insert(header::HOST, header_value(&self.authority)?);
        // The signed id, where there is one, and not what the header says.
        if let Some(id) = &callback.facts.request_id {
            headers.insert("x-oss-request-id", header_value(id)?);
        }
        headers.insert(VERDICT_HEADER, HeaderValue::from_static("verified"));
        headers.insert(PATH_HEADER, header_value(&recorded.path)?);
        headers.insert(KEY_URL_HEADER, header_value(&callback.key_url)?);
        Ok(request)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, ForwardError> {
        let (host, port) = &self.address;
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        match &self.tls {
            None => exchange_over(stream, request, &self.answers).await,
            Some((config, name)) => {
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name.clone(), stream).await?;
                exchange_over(stream, request, &self.answers).await
            }
        }
    }
}

/// The answer's bytes, which count until the last copy of them is gone.
async fn read_answer(mut body: hyper::body::Incoming, answers: &ByteBudget) -> Result<Bytes, ForwardError> {
    let share = answers.share();
    share.settle();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| ForwardError::AnswerBroken)?.into_data() else { continue };
        if bytes.len() + data.len() > FORWARD_ANSWER_BYTES_MAX {
            return Err(ForwardError::AnswerTooLong);
        }
        share.grow(data.len()).map_err(|BudgetShort| ForwardError::AnswersTooMany)?;
        bytes.extend_from_slice(&data);
    }
    Ok(share.bind(bytes.freeze()))
}

/// Sends the request over a stream of its own and reads the answer whole.
async fn exchange_over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    answers: &ByteBudget,
) -> Result<Answer, ForwardError> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // In a set, so that giving up on the answer also ends the connection.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await?;
    let (parts, body) = response.into_parts();
    let body = read_answer(body, answers).await?;
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    Ok(Answer {
        status: parts.status,
        content_type: content_type.and_then(|value| value.to_str().ok()).map(str::to_owned),
        body,
    })
}

/// The client side of TLS: the public authorities of the web and these.
fn client_config(further: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in further {
        roots.add(root.clone())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn header_value(text: &str) -> Result<HeaderValue, ForwardError> {
    HeaderValue::from_str(text).map_err(|error| ForwardError::Unwritable(error.into()))
}

fn passed_on(received: &HeaderMap) -> HeaderMap {
    let listed = PASSED_ON.iter().filter_map(|name| {
        let name = HeaderName::from_static(name);
        received.get(&name).map(|value| (name.clone(), value.clone()))
    });
    listed.collect()
}

#[cfg(test)]
mod tests;
