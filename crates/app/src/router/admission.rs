//! Decides which requests may ask for signatures and read the ledger, by a token or by a trusted proxy's header.
//!
//! Owns the two proofs that a service without a login of its own can demand: a token, or a header that a trusted
//! proxy in front sets after its login. An application that mounts the router behind its own login needs neither.
//! The callback is not guarded here: the store's signature is its proof.

use std::{fmt, sync::Arc};

use countersign_protocol::access_key::AccessKeySecret;
use http::{HeaderName, StatusCode, request::Parts};
use thiserror::Error;

use crate::answer::Answer;

/// The header that carries the token; `?token=` does the same for plain links.
pub const TOKEN_HEADER: &str = "x-countersign-token";

type Exemption = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

enum Proof {
    Token(AccessKeySecret),
    TrustedHeader { name: HeaderName, value: Option<AccessKeySecret> },
}

/// What a caller has to show. Without any proof configured everybody is admitted; with several, one of them is
/// enough.
#[derive(Clone, Default)]
pub struct Admission {
    proofs: Vec<Arc<Proof>>,
    exempt: Option<Exemption>,
}

/// The caller showed none of the proofs that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this address asks for a token: open the link that contains it, or send it as x-countersign-token")]
pub struct NotAdmitted;

impl Admission {
    /// Admits everybody.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// Admits whoever shows this token, in the header `x-countersign-token` or in the query as `token`.
    ///
    /// ```
    /// use countersign_app::router::admission::{Admission, NotAdmitted};
    ///
    /// let admission = Admission::open().or_token("open sesame".into());
    /// let (head, _) = http::Request::get("/signature").header("x-countersign-token", "open sesame").body(())?.into_parts();
    /// assert_eq!(admission.check(&head), Ok(()));
    /// let (bare, _) = http::Request::get("/signature").body(())?.into_parts();
    /// assert_eq!(admission.check(&bare), Err(NotAdmitted));
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn or_token(self, token: AccessKeySecret) -> Self {
        self.or(Proof::Token(token))
    }

    /// Admits requests with this header, which a proxy in front must set itself and drop from what comes in.
    /// With a value the header must equal it; without, it must not be empty.
    ///
    /// ```
    /// use countersign_app::router::admission::Admission;
    ///
    /// let admission = Admission::open().or_trusted_header(http::HeaderName::from_static("x-user"), None);
    /// let (known, _) = http::Request::get("/signature").header("x-user", "42").body(())?.into_parts();
    /// let (empty, _) = http::Request::get("/signature").header("x-user", "").body(())?.into_parts();
    /// assert!(admission.check(&known).is_ok() && admission.check(&empty).is_err());
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn or_trusted_header(self, name: HeaderName, value: Option<AccessKeySecret>) -> Self {
        self.or(Proof::TrustedHeader { name, value })
    }

    /// Lets the requests pass that the function names, for instance those that came over loopback.
    ///
    /// ```
    /// use countersign_app::router::admission::Admission;
    ///
    /// let health = |request: &http::request::Parts| request.uri.path() == "/healthz";
    /// let admission = Admission::open().or_token("open sesame".into()).exempting(health);
    /// let (head, _) = http::Request::get("/healthz").body(())?.into_parts();
    /// assert!(admission.check(&head).is_ok() && !admission.is_open());
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn exempting(mut self, exempt: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.exempt = Some(Arc::new(exempt));
        self
    }

    fn or(mut self, proof: Proof) -> Self {
        self.proofs.push(Arc::new(proof));
        self
    }

    /// Whether nobody is ever refused.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.proofs.is_empty()
    }

    /// Looks at a request's head.
    ///
    /// # Errors
    /// [`NotAdmitted`] when a proof is asked for and none was shown.
    pub fn check(&self, parts: &Parts) -> Result<(), NotAdmitted> {
        let exempt = self.exempt.as_ref().is_some_and(|exempt| exempt(parts));
        if self.is_open() || exempt || self.proofs.iter().any(|proof| proof.is_shown_by(parts)) {
            Ok(())
        } else {
            Err(NotAdmitted)
        }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Admission").field("proofs", &self.proofs.len()).finish_non_exhaustive()
    }
}

impl Proof {
    fn is_shown_by(&self, parts: &Parts) -> bool {
        match self {
            Self::Token(token) => shown_token(parts).is_some_and(|shown| *token == shown),
            Self::TrustedHeader { name, value } => match (value, parts.headers.get(name)) {
                (_, None) => false,
                (None, Some(shown)) => !shown.is_empty(),
                (Some(value), Some(shown)) => *value == AccessKeySecret::new(shown.as_bytes().to_vec()),
            },
        }
    }
}

fn shown_token(parts: &Parts) -> Option<AccessKeySecret> {
    if let Some(value) = parts.headers.get(TOKEN_HEADER) {
        return Some(AccessKeySecret::new(value.as_bytes().to_vec()));
    }
    let query = parts.uri.query()?;
    let raw = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(raw).collect();
    Some(AccessKeySecret::new(decoded))
}

impl From<NotAdmitted> for Answer {
    fn from(refused: NotAdmitted) -> Self {
        Self::refusal(StatusCode::UNAUTHORIZED, "NotAdmitted", &refused.to_string())
    }
}
