//! Loads TLS for a listener from a certificate and a key in PEM files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};

/// Why a listener cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFilesError {
    /// The certificate chain cannot be read.
    #[error("the certificate {} cannot be read: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The file holds no certificate.
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// The private key cannot be read.
    #[error("the private key {} cannot be read: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// Certificate and key do not go together, or the key is of a kind that is not supported.
    #[error("certificate and key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// The certificate and key of listeners, read from two files and read again when they have changed.
#[derive(Debug)]
pub struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl TlsFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// See [`TlsFilesError`].
    pub fn open(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsFilesError> {
        let current = RwLock::new(Arc::new(read(certificate, key)?));
        Ok(Arc::new(Self { certificate: certificate.to_owned(), key: key.to_owned(), current }))
    }

    /// Reads both files again; handshakes that begin from now on use what they hold.
    ///
    /// # Errors
    /// See [`TlsFilesError`]; what was in use stays in use then.
    pub fn reload(&self) -> Result<(), TlsFilesError> {
        let fresh = Arc::new(read(&self.certificate, &self.key)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// What a listener is run with; it follows each [`Self::reload`].
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub fn config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsFilesError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for TlsFiles {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Reads a certificate chain and its key, and sees that they go together.
fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsFilesError> {
    let unreadable = |source| TlsFilesError::Certificate { path: certificate.to_owned(), source };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(unreadable)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if chain.is_empty() {
        return Err(TlsFilesError::NoCertificate(certificate.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|source| TlsFilesError::Key { path: key.to_owned(), source })?;
    Ok(CertifiedKey::from_der(chain, private, &provider())?)
}
