//! TLS to the database, by rustls: the certificate is verified, and it must be for the host that was asked for.

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

/// Who is trusted to vouch for the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// The public authorities.
    Public,
    /// The authorities in this file, and no others.
    File(PathBuf),
}

/// TLS could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of certificates cannot be read, or holds none.
    #[error("{} holds no certificate that can be read: {reason}", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// This build has no protocol in common with itself.
    #[error("TLS cannot be prepared: {0}")]
    Provider(#[from] rustls::Error),
}

/// Connects by TLS, or not at all.
#[derive(Clone)]
pub(crate) struct Connector(Option<Arc<ClientConfig>>);

impl Connector {
    /// One that trusts these; without, there is no TLS.
    pub(crate) fn new(roots: Option<&Roots>) -> Result<Connector, TlsError> {
        let Some(roots) = roots else { return Ok(Connector(None)) };
        let trusted = match roots {
            Roots::Public => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            Roots::File(path) => {
                let broken = |reason: String| TlsError::Roots { path: path.clone(), reason };
                let mut store = RootCertStore::empty();
                for certificate in
                    CertificateDer::pem_file_iter(path).map_err(|error| broken(error.to_string()))?
                {
                    let certificate = certificate.map_err(|error| broken(error.to_string()))?;
                    store.add(certificate).map_err(|error| broken(error.to_string()))?;
                }
                if store.is_empty() {
                    return Err(broken("it is empty".to_owned()));
                }
                store
            }
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        Ok(Connector(Some(Arc::new(config))))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Encrypted<S>;
    type TlsConnect = ToHost;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<ToHost, InvalidDnsNameError> {
        // By a socket of this machine there is no host, and no TLS either.
        let host = if host.is_empty() { "localhost" } else { host };
        Ok(ToHost { config: self.0.clone(), name: ServerName::try_from(host.to_owned())? })
    }
}

/// A handshake to come with one host.
pub(crate) struct ToHost {
    config: Option<Arc<ClientConfig>>,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for ToHost {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let config = self.config.ok_or_else(|| io::Error::other("TLS was not asked for"))?;
            let connected = tokio_rustls::TlsConnector::from(config).connect(self.name, stream).await?;
            Ok(Encrypted(Box::new(connected)))
        })
    }
}

/// A connection within TLS.
pub(crate) struct Encrypted<S>(Box<tokio_rustls::client::TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        // The certificate is verified for the host by name; the password's exchange adds nothing of it.
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
