//! The callback's signature (CB-47 to CB-50): base64 of RSASSA-PKCS1-v1_5 with MD5 over the decoded path,
//! the raw query and the body.
//!
//! The private key's operation is an argument, so that a program that only verifies needs no signer. MD5
//! and, for Alibaba's own key, 512 bits are what the wire demands; both are weak, and the receiver should
//! use https and an unguessable path besides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md_5_oid::{Digest as _, Md5};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPublicKey};

use crate::url_encoding::decode;

/// The public key of Alibaba Cloud OSS in production, 512 bits.
pub const ALIBABA_PRODUCTION_KEY_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\n\
    C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n\
    -----END PUBLIC KEY-----\n";

/// The addresses under which OSS names that key in `x-oss-pub-key-url`.
pub const ALIBABA_PRODUCTION_KEY_URLS: [&str; 2] = [
    "https://gosspublic.alicdn.com/callback_pub_key_v1.pem",
    "http://gosspublic.alicdn.com/callback_pub_key_v1.pem",
];

/// The private key's operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the callback could not be signed: {reason}")]
pub struct CallbackSignError {
    /// What the key's owner says.
    pub reason: String,
}

/// Signs a message with PKCS #1 v1.5 and MD5, hashing it itself: the private key's operation.
pub type RsaMd5Sign<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, CallbackSignError> + 'a;

/// A callback whose signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The Authorization header is no base64.
    #[error("the Authorization header is not base64")]
    NotBase64,
    /// The signature is not this key's over this request.
    #[error("the signature is not this key's over this request")]
    Mismatch,
}

/// A public key that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// No `BEGIN PUBLIC KEY` block, or not base64 inside it.
    #[error("there is no PEM block of a public key")]
    NotPem,
    /// The block holds no RSA key of a supported size.
    #[error("the PEM block holds no usable RSA key")]
    NotRsa,
}

/// A key that callbacks are verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(RsaPublicKey);

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo PEM, however its lines are broken.
    ///
    /// # Errors
    /// [`PublicKeyError::NotPem`] or [`PublicKeyError::NotRsa`].
    ///
    /// ```
    /// use countersign_protocol::callback::signature::{ALIBABA_PRODUCTION_KEY_PEM, PublicKey, PublicKeyError};
    ///
    /// assert_eq!(PublicKey::from_pem(ALIBABA_PRODUCTION_KEY_PEM)?.bits(), 512);
    /// assert_eq!(PublicKey::from_pem("ssh-rsa AAAA"), Err(PublicKeyError::NotPem));
    /// # Ok::<(), PublicKeyError>(())
    /// ```
    pub fn from_pem(pem: &str) -> Result<Self, PublicKeyError> {
        let (_, rest) = pem.split_once("-----BEGIN PUBLIC KEY-----").ok_or(PublicKeyError::NotPem)?;
        let (body, _) = rest.split_once("-----END PUBLIC KEY-----").ok_or(PublicKeyError::NotPem)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| PublicKeyError::NotPem)?;
        RsaPublicKey::from_public_key_der(&der).map(Self).map_err(|_| PublicKeyError::NotRsa)
    }

    /// The key's size in bits.
    pub fn bits(&self) -> usize {
        self.0.n().bits()
    }
}

/// The bytes that are signed. `path` is still encoded; the query stays as it is.
///
/// Source: CB-47 to CB-50.
///
/// ```
/// use countersign_protocol::callback::signature::string_to_sign;
///
/// let text = string_to_sign("/a%20b", Some("id=%31"), b"bucket=demo");
/// assert_eq!(text, b"/a b?id=%31\nbucket=demo", "the path is decoded, the query is not");
/// ```
pub fn string_to_sign(path: &str, raw_query: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut text = decode(path);
    if let Some(query) = raw_query {
        text.push(b'?');
        text.extend_from_slice(query.as_bytes());
    }
    text.push(b'\n');
    text.extend_from_slice(body);
    text
}

/// The Authorization header of a callback.
///
/// Source: CB-47 to CB-50.
///
/// # Errors
/// [`CallbackSignError`], when the private key's operation fails.
///
/// ```
/// use countersign_protocol::callback::signature::{CallbackSignError, sign};
///
/// // The key is elsewhere: here it would hash the message with MD5 and sign the digest.
/// let rsa_md5 = |message: &[u8]| -> Result<Vec<u8>, CallbackSignError> {
///     assert_eq!(message, b"/cb\nkey=a.jpg");
///     Ok(vec![0xfb; 3])
/// };
/// assert_eq!(sign(&rsa_md5, "/cb", None, b"key=a.jpg")?, "+/v7");
/// # Ok::<(), CallbackSignError>(())
/// ```
pub fn sign(
    rsa_md5: &RsaMd5Sign<'_>,
    path: &str,
    raw_query: Option<&str>,
    body: &[u8],
) -> Result<String, CallbackSignError> {
    rsa_md5(&string_to_sign(path, raw_query, body)).map(|signature| STANDARD.encode(signature))
}

/// Verifies a received callback. `path_and_query` is the request's target as it came.
///
/// Source: CB-47 to CB-50.
///
/// # Errors
/// [`VerifyError::NotBase64`] or [`VerifyError::Mismatch`].
///
/// ```
/// use countersign_protocol::callback::signature::{ALIBABA_PRODUCTION_KEY_PEM, PublicKey, VerifyError, verify};
///
/// // A callback that Alibaba Cloud OSS really sent: the example in its documentation.
/// let key = PublicKey::from_pem(ALIBABA_PRODUCTION_KEY_PEM).unwrap();
/// let sent = "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==";
/// assert_eq!(verify(&key, sent, "/index.php?id=1&index=2", b"bucket=yonghu-test"), Ok(()));
/// assert_eq!(verify(&key, sent, "/index.php?id=1&index=3", b"bucket=yonghu-test"), Err(VerifyError::Mismatch));
/// ```
pub fn verify(
    key: &PublicKey,
    authorization: &str,
    path_and_query: &str,
    body: &[u8],
) -> Result<(), VerifyError> {
    let signature = STANDARD.decode(authorization.trim()).map_err(|_| VerifyError::NotBase64)?;
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let digest = Md5::digest(string_to_sign(path, query, body));
    key.0.verify(Pkcs1v15Sign::new::<Md5>(), &digest, &signature).map_err(|_| VerifyError::Mismatch)
}

#[cfg(test)]
mod tests;
