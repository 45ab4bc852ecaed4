//! Verifies that a callback comes from the store (protocol: callback signature, and the check of the key's address).
//!
//! Owns the set of pinned keys and the order of the checks: the key's address must be exactly a pinned one, and
//! the signature must be that key's over path, query and body. Nothing is ever fetched: an address that is not
//! pinned is a refusal. Keys come as PEM text from wherever the program keeps them.
//!
//! A valid signature says that *the store* sent these bytes at some time. It carries no time and no nonce, and
//! with Alibaba's key it is the same for every customer; who lets uploaders write their own callback (a policy
//! that does not pin it) lets them write what is claimed here. Hence the ledger's idempotence, and the signer's
//! option to pin.
//!
//! Clauses CB-47 to CB-53.

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_protocol::callback::signature::{self, PublicKey};
use http::{HeaderMap, StatusCode};
use thiserror::Error;

use crate::{answer::Answer, grant::Grant, recorded_request::RecordedRequest, upload_facts::UploadFacts};
use key_address::{KeyAddress, KeyAddressError};

pub mod key_address;
#[cfg(test)]
pub(crate) mod signed_callback;

/// The header with the base64 of the key's address.
pub const KEY_URL_HEADER: &str = "x-oss-pub-key-url";

/// Verifies callbacks against the keys it was given.
#[derive(Clone, Debug, Default)]
pub struct CallbackVerifier {
    pinned: Vec<PinnedKey>,
}

#[derive(Clone, Debug)]
struct PinnedKey {
    address: KeyAddress,
    key: PublicKey,
}

/// A callback that is the store's own word. Only [`CallbackVerifier`] makes one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifiedCallback {
    /// The address of the key that verified, as the store sent it.
    pub key_url: String,
    /// What the body says about the upload.
    pub facts: UploadFacts,
    /// Whom the upload was granted to. There where the router authorizes each request
    /// ([`AppOptions::authorize`](crate::AppOptions::authorize)); elsewhere ask
    /// [`Signer::granted`](crate::Signer::granted).
    pub grant: Option<Grant>,
    /// The request as received.
    pub request: RecordedRequest,
}

/// Why a key cannot be pinned.
#[derive(Debug, Error)]
pub enum PinError {
    /// The address is none.
    #[error("the key's address {url}: {source}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        source: KeyAddressError,
    },
    /// The PEM holds no RSA public key.
    #[error("the key for {url} is not an RSA public key in PEM")]
    Key {
        /// The address it was given for.
        url: String,
    },
}

/// Why a callback is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallbackRefusal {
    /// A header without which nothing can be verified.
    #[error("the callback has no {name} header; a proxy in front may have dropped it")]
    MissingHeader {
        /// The header's name.
        name: &'static str,
    },
    /// A header that decides, twice.
    #[error("the callback has more than one {name} header")]
    RepeatedHeader {
        /// The header's name.
        name: &'static str,
    },
    /// `x-oss-pub-key-url` is not the base64 of an address.
    #[error("x-oss-pub-key-url is not the base64 of an http or https address")]
    KeyUrlUnreadable,
    /// An address that is not pinned. It is not fetched.
    #[error("the callback names a key that is not trusted here: {url}")]
    KeyNotPinned {
        /// The address in the callback.
        url: String,
    },
    /// The signature is not that key's over this path, query and body.
    #[error("the callback's signature does not fit its path, query and body")]
    SignatureMismatch,
    /// The body is longer than what is read.
    #[error("the callback's body is longer than {bytes_max} bytes")]
    BodyTooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// The body broke off or did not come in time.
    #[error("the callback's body did not arrive")]
    BodyIncomplete,
    /// The bodies of callbacks under way hold all the memory that they may have.
    #[error("too many callbacks are under way; try again")]
    Busy,
}

impl CallbackVerifier {
    /// Trusts no key yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the key in this PEM (SubjectPublicKeyInfo) under exactly this address.
    ///
    /// # Errors
    /// [`PinError`] when the address or the key is none.
    ///
    /// ```
    /// use countersign_app::CallbackVerifier;
    /// use countersign_app::callback_verifier::PinError;
    ///
    /// # let pem = countersign_sys::RsaMd5Key::generate_1024_for_tests()?.public_key_pem()?;
    /// // `pem` is the file that the store serves at this address.
    /// let store = "http://127.0.0.1:9817/_countersign/callback_key_v1.pem";
    /// let verifier = CallbackVerifier::new().pin(store, &pem)?;
    /// assert!(!verifier.is_empty());
    /// assert!(matches!(CallbackVerifier::new().pin(store, "no key"), Err(PinError::Key { .. })));
    /// assert!(matches!(CallbackVerifier::new().pin("store.pem", &pem), Err(PinError::Address { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pin(mut self, url: &str, pem: &str) -> Result<Self, PinError> {
        let address =
            KeyAddress::parse(url).map_err(|source| PinError::Address { url: url.to_owned(), source })?;
        let key = PublicKey::from_pem(pem).map_err(|_| PinError::Key { url: url.to_owned() })?;
        self.pinned.push(PinnedKey { address, key });
        Ok(self)
    }

    /// Trusts Alibaba's production key, which is bundled, under the addresses OSS sends for it.
    ///
    /// # Errors
    /// None in practice; a test pins the bundled key.
    pub fn pin_alibaba(self) -> Result<Self, PinError> {
        signature::ALIBABA_PRODUCTION_KEY_URLS
            .iter()
            .try_fold(self, |verifier, url| verifier.pin(url, signature::ALIBABA_PRODUCTION_KEY_PEM))
    }

    /// Whether no key is trusted, so that every callback would be refused.
    ///
    /// ```
    /// use countersign_app::CallbackVerifier;
    ///
    /// assert!(CallbackVerifier::new().is_empty());
    /// assert!(!CallbackVerifier::new().pin_alibaba()?.is_empty());
    /// # Ok::<(), countersign_app::callback_verifier::PinError>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pinned.is_empty()
    }

    /// Checks a callback's parts. `path_and_query` is what the store called, undecoded. Gives the address of the
    /// key that verified.
    ///
    /// Source: CB-47 to CB-50.
    ///
    /// # Errors
    /// [`CallbackRefusal`], which says what to tell the caller.
    ///
    /// ```
    /// use countersign_app::CallbackVerifier;
    /// use countersign_app::callback_verifier::CallbackRefusal;
    /// use http::{HeaderMap, HeaderValue};
    ///
    /// // A callback that Alibaba Cloud OSS really sent: the example in its documentation.
    /// let mut headers = HeaderMap::new();
    /// let signature = "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==";
    /// headers.insert("authorization", HeaderValue::from_static(signature));
    /// // The base64 of http://gosspublic.alicdn.com/callback_pub_key_v1.pem
    /// let key_url = "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==";
    /// headers.insert("x-oss-pub-key-url", HeaderValue::from_static(key_url));
    ///
    /// let verifier = CallbackVerifier::new().pin_alibaba()?;
    /// let key = verifier.verify(&headers, "/index.php?id=1&index=2", b"bucket=yonghu-test")?;
    /// assert_eq!(key, "http://gosspublic.alicdn.com/callback_pub_key_v1.pem");
    ///
    /// let changed = verifier.verify(&headers, "/index.php?id=1&index=2", b"bucket=another");
    /// assert_eq!(changed, Err(CallbackRefusal::SignatureMismatch));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify(
        &self,
        headers: &HeaderMap,
        path_and_query: &str,
        body: &[u8],
    ) -> Result<String, CallbackRefusal> {
        let (authorization, url, candidates) = self.candidates(headers)?;
        let fits =
            |pinned: &&PinnedKey| signature::verify(&pinned.key, authorization, path_and_query, body).is_ok();
        if candidates.iter().any(fits) { Ok(url) } else { Err(CallbackRefusal::SignatureMismatch) }
    }

    /// Checks what can be refused before the body is taken: that the headers are there, name a pinned key, and
    /// bring a signature as long as that key makes them.
    ///
    /// # Errors
    /// [`CallbackRefusal`], as [`CallbackVerifier::verify`] would answer for any body.
    ///
    /// ```
    /// use countersign_app::CallbackVerifier;
    /// use countersign_app::callback_verifier::CallbackRefusal;
    /// use http::{HeaderMap, HeaderValue};
    ///
    /// let verifier = CallbackVerifier::new().pin_alibaba()?;
    /// let mut headers = HeaderMap::new();
    /// assert_eq!(verifier.check_head(&headers), Err(CallbackRefusal::MissingHeader { name: "authorization" }));
    ///
    /// headers.insert("authorization", HeaderValue::from_static("AAAA"));
    /// // The base64 of http://gosspublic.alicdn.com@evil.example/callback_pub_key_v1.pem
    /// let key_url = "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbUBldmlsLmV4YW1wbGUvY2FsbGJhY2tfcHViX2tleV92MS5wZW0=";
    /// headers.insert("x-oss-pub-key-url", HeaderValue::from_static(key_url));
    /// assert!(matches!(verifier.check_head(&headers), Err(CallbackRefusal::KeyNotPinned { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_head(&self, headers: &HeaderMap) -> Result<(), CallbackRefusal> {
        self.candidates(headers).map(|_| ())
    }

    /// The signature, the key's address, and the pinned keys that could have made the one under the other.
    fn candidates<'a>(
        &self,
        headers: &'a HeaderMap,
    ) -> Result<(&'a str, String, Vec<&PinnedKey>), CallbackRefusal> {
        let authorization = only(headers, "authorization")?.trim();
        let key_url = only(headers, KEY_URL_HEADER)?;
        let decoded = STANDARD.decode(key_url.trim()).map_err(|_| CallbackRefusal::KeyUrlUnreadable)?;
        let url = String::from_utf8(decoded).map_err(|_| CallbackRefusal::KeyUrlUnreadable)?;
        let not_pinned = || CallbackRefusal::KeyNotPinned { url: url.clone() };
        let address = KeyAddress::parse(&url).map_err(|_| not_pinned())?;
        let mut candidates: Vec<&PinnedKey> =
            self.pinned.iter().filter(|pinned| pinned.address == address).collect();
        if candidates.is_empty() {
            return Err(not_pinned());
        }
        let bits = STANDARD.decode(authorization).map_or(0, |signature| signature.len() * 8);
        candidates.retain(|pinned| pinned.key.bits().next_multiple_of(8) == bits);
        if candidates.is_empty() {
            return Err(CallbackRefusal::SignatureMismatch);
        }
        Ok((authorization, url, candidates))
    }

    /// Checks a whole request as received. `called_path`, where given, is the path that the store called when a
    /// proxy in front changes it; the query stays as received.
    ///
    /// # Errors
    /// As [`CallbackVerifier::verify`].
    ///
    /// ```
    /// use countersign_app::{CallbackVerifier, recorded_request::RecordedRequest};
    ///
    /// let signature = "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==";
    /// let key_url = "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==";
    /// // A proxy in front has put another path in the place of /index.php.
    /// let (head, _) = http::Request::post("/internal/callback?id=1&index=2")
    ///     .header("authorization", signature)
    ///     .header("x-oss-pub-key-url", key_url)
    ///     .body(())?
    ///     .into_parts();
    /// let received = RecordedRequest::new(&head, "bucket=yonghu-test".into());
    ///
    /// let verifier = CallbackVerifier::new().pin_alibaba()?;
    /// assert!(verifier.verify_request(received.clone(), None).is_err());
    /// let verified = verifier.verify_request(received, Some("/index.php"))?;
    /// assert_eq!(verified.facts.bucket.as_deref(), Some("yonghu-test"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_request(
        &self,
        request: RecordedRequest,
        called_path: Option<&str>,
    ) -> Result<VerifiedCallback, CallbackRefusal> {
        let signed = match (called_path, request.path.split_once('?')) {
            (None, _) => request.path.clone(),
            (Some(path), None) => path.to_owned(),
            (Some(path), Some((_, query))) => format!("{path}?{query}"),
        };
        let key_url = self.verify(&request.headers, &signed, &request.body)?;
        Ok(VerifiedCallback { key_url, facts: UploadFacts::of(&request.body), grant: None, request })
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, CallbackRefusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(CallbackRefusal::MissingHeader { name })?;
    if values.next().is_some() {
        return Err(CallbackRefusal::RepeatedHeader { name });
    }
    match value.to_str() {
        Ok(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(CallbackRefusal::MissingHeader { name }),
    }
}

impl CallbackRefusal {
    /// The word for `Status` in the answer.
    ///
    /// ```
    /// use countersign_app::answer::Answer;
    /// use countersign_app::callback_verifier::CallbackRefusal;
    ///
    /// assert_eq!(CallbackRefusal::SignatureMismatch.code(), "SignatureMismatch");
    /// assert_eq!(Answer::from(CallbackRefusal::SignatureMismatch).status, 400);
    /// assert_eq!(Answer::from(CallbackRefusal::Busy).status, 503, "the store may try again");
    /// ```
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "MissingHeader",
            Self::RepeatedHeader { .. } => "RepeatedHeader",
            Self::KeyUrlUnreadable => "KeyUrlUnreadable",
            Self::KeyNotPinned { .. } => "KeyNotPinned",
            Self::SignatureMismatch => "SignatureMismatch",
            Self::BodyTooLong { .. } => "BodyTooLong",
            Self::BodyIncomplete => "BodyIncomplete",
            Self::Busy => "Busy",
        }
    }
}

impl From<CallbackRefusal> for Answer {
    fn from(refusal: CallbackRefusal) -> Self {
        let status = match refusal {
            CallbackRefusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::refusal(status, refusal.code(), &refusal.to_string())
    }
}

#[cfg(test)]
mod tests;
