//! Sends one request to the operator's own application, over http or https, bounded in time and in the size of the
//! answer.
//!
//! The certificate is always checked, against the public authorities of the web and those that are added. A redirect
//! is an answer like others and is never followed, because what is sent may hold a user's credentials. Proxies in the
//! environment are not asked. What is sent and what an answer means is known to [`crate::forward`] and
//! [`crate::signature_hook`].

use std::{io, net::IpAddr, net::SocketAddr, str::FromStr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Semaphore,
    task::JoinSet,
};
use tokio_rustls::TlsConnector;

use crate::{
    answer::Answer,
    byte_budget::{BudgetShort, ByteBudget},
};

/// How many questions for the application's address are under way at once. One that the system does not answer holds
/// a thread for longer than anybody waits, and the ledger needs threads of the same pool.
const LOOKUPS_MAX: usize = 8;

/// Where the application is, and what it may cost to ask it.
#[derive(Clone, Debug)]
pub(crate) struct ApplicationClient {
    pub(crate) authority: String,
    /// TLS, and the name that the certificate must hold for.
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    address: (String, u16),
    pub(crate) path_and_query: String,
    bounds: Bounds,
    answers: ByteBudget,
    lookups: Arc<Semaphore>,
}

/// What one question may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The time for all of it: connecting, sending, and the whole answer.
    pub(crate) time: Duration,
    /// The longest answer.
    pub(crate) answer_bytes_max: usize,
    /// What all answers may hold together.
    pub(crate) answers_bytes_max: usize,
}

/// Why an address is not that of an application.
#[derive(Debug, Error)]
pub enum ApplicationUrlError {
    /// Not an absolute http or https address.
    #[error("not an http or https address")]
    NotHttp,
    /// A user name or password in front of the host.
    #[error("the address of an application cannot carry a user name")]
    UserInfo,
    /// TLS cannot be set up, most likely for an authority that was added.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why the application's answer could not be fetched.
#[derive(Debug, Error)]
pub enum ApplicationError {
    /// No connection.
    #[error("the application behind cannot be reached: {0}")]
    Unreachable(#[from] io::Error),
    /// The connection broke, or what came was not HTTP.
    #[error("the application behind did not answer: {0}")]
    NoAnswer(#[from] hyper::Error),
    /// It took longer than it has.
    #[error("the application behind took too long")]
    TooSlow,
    /// The answer is longer than what is taken.
    #[error("the application behind answered more than {bytes_max} bytes")]
    AnswerTooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// The body broke off.
    #[error("the answer of the application behind broke off")]
    AnswerBroken,
    /// Other answers hold all the memory that they may have.
    #[error("the answers of the application behind that are being read hold all their memory")]
    AnswersTooMany,
    /// A value cannot stand in a header.
    #[error("this cannot be written as a request")]
    Unwritable(#[from] http::Error),
}

impl ApplicationClient {
    /// The application at this address.
    pub(crate) fn new(url: &str, bounds: Bounds) -> Result<Self, ApplicationUrlError> {
        let not_http = || ApplicationUrlError::NotHttp;
        let uri: Uri = Uri::from_str(url).map_err(|_| not_http())?;
        let authority = uri.authority().ok_or_else(not_http)?;
        let secure = uri.scheme_str() == Some("https");
        if !(secure || uri.scheme_str() == Some("http")) || uri.host().is_none_or(str::is_empty) {
            return Err(not_http());
        }
        if authority.as_str().contains('@') {
            return Err(ApplicationUrlError::UserInfo);
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
            bounds,
            answers: ByteBudget::new(bounds.answers_bytes_max),
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        })
    }

    /// Gives it another time.
    pub(crate) fn with_timeout(mut self, time: Duration) -> Self {
        self.bounds.time = time;
        self
    }

    /// Trusts these certificate authorities too, where the address is https.
    pub(crate) fn trusting(mut self, roots: &[CertificateDer<'static>]) -> Result<Self, ApplicationUrlError> {
        if let Some((config, _)) = &mut self.tls {
            *config = client_config(roots)?;
        }
        Ok(self)
    }

    /// Sends the request and brings the answer: its status, its type and its whole body.
    pub(crate) async fn ask(&self, mut request: Request<Full<Bytes>>) -> Result<Answer, ApplicationError> {
        request.headers_mut().insert(header::HOST, header_value(&self.authority)?);
        let asked = tokio::time::timeout(self.bounds.time, self.exchange(request));
        asked.await.map_err(|_| ApplicationError::TooSlow)?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, ApplicationError> {
        let stream = self.connect().await?;
        match &self.tls {
            None => self.exchange_over(stream, request).await,
            Some((config, name)) => {
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name.clone(), stream).await?;
                self.exchange_over(stream, request).await
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, ApplicationError> {
        let (host, port) = &self.address;
        if let Ok(number) = host.parse::<IpAddr>() {
            return Ok(TcpStream::connect((number, *port)).await?);
        }
        // It is never closed.
        let place = Arc::clone(&self.lookups).acquire_owned().await.map_err(|_| ApplicationError::TooSlow)?;
        let wanted = self.address.clone();
        // In a task of its own, so that giving up does not free the place while the system still looks.
        let lookup = tokio::spawn(async move {
            let found = tokio::net::lookup_host(wanted).await;
            drop(place);
            found.map(Iterator::collect::<Vec<SocketAddr>>)
        });
        let found = lookup.await.map_err(io::Error::other)??;
        Ok(TcpStream::connect(found.as_slice()).await?)
    }

    /// Sends the request over a stream of its own and reads the answer whole.
    async fn exchange_over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, ApplicationError> {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // In a set, so that giving up on the answer also ends the connection.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = self.read_answer(body).await?;
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        Ok(Answer {
            status: parts.status,
            content_type: content_type.and_then(|value| value.to_str().ok()).map(str::to_owned),
            body,
        })
    }

    /// The answer's bytes, which count until the last copy of them is gone.
    async fn read_answer(&self, mut body: hyper::body::Incoming) -> Result<Bytes, ApplicationError> {
        let bytes_max = self.bounds.answer_bytes_max;
        let share = self.answers.share();
        share.settle();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| ApplicationError::AnswerBroken)?.into_data() else { continue };
            if bytes.len() + data.len() > bytes_max {
                return Err(ApplicationError::AnswerTooLong { bytes_max });
            }
            share.grow(data.len()).map_err(|BudgetShort| ApplicationError::AnswersTooMany)?;
            bytes.extend_from_slice(&data);
        }
        Ok(share.bind(bytes.freeze()))
    }
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

/// A text as the value of a header.
pub(crate) fn header_value(text: &str) -> Result<HeaderValue, ApplicationError> {
    HeaderValue::from_str(text).map_err(|error| ApplicationError::Unwritable(error.into()))
}
