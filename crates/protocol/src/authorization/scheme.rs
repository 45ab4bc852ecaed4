//! Finds out by which of five schemes a request is authenticated (AUTH-1 to AUTH-5). Unknown schemes, and two in one
//! request, are refused, never taken for anonymous.

use super::{AuthorizationError, RequestView, VerifyOptions, v1, v4};
use crate::access_key::AccessKeySecret;
use crate::credential_scope::V4_ALGORITHM;

/// How a request authenticates itself, with what it claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all.
    Anonymous,
    /// `Authorization: OSS id:signature`.
    HeaderV1(v1::HeaderAuthorization),
    /// `OSSAccessKeyId`, `Expires` and `Signature` in the query.
    UrlV1(v1::UrlAuthorization),
    /// `Authorization: OSS4-HMAC-SHA256 …`.
    HeaderV4(v4::Authorization),
    /// `x-oss-signature-version=OSS4-HMAC-SHA256` and its companions in the query.
    UrlV4(v4::UrlAuthorization),
}

/// Reads which scheme a request uses and what it claims, without judging whether the claim is true.
///
/// Source: AUTH-14.
///
/// # Errors
/// [`AuthorizationError`] for an unknown or malformed scheme, and for two schemes in one request. Nothing of what is
/// claimed is checked yet, so no error here says that a signature is wrong.
///
/// ```
/// use countersign_protocol::authorization::{Authentication, AuthorizationError, RequestView, scheme};
///
/// let signed = RequestView { headers: vec![("Authorization", b"OSS my-key:AAAA")], ..Default::default() };
/// assert_eq!(scheme::detect(&signed)?.access_key_id(), Some("my-key"));
/// assert_eq!(scheme::detect(&RequestView::default())?, Authentication::Anonymous);
///
/// let twice = RequestView { raw_query: Some("Signature=x"), ..signed };
/// assert_eq!(scheme::detect(&twice), Err(AuthorizationError::HeaderAndUrl));
/// # Ok::<(), AuthorizationError>(())
/// ```
pub fn detect(view: &RequestView<'_>) -> Result<Authentication, AuthorizationError> {
    let url_v1 = ["OSSAccessKeyId", "Expires", "Signature"].iter().any(|name| view.parameter(name).is_some());
    let url_v4 = ["x-oss-signature-version", "x-oss-credential", "x-oss-signature"]
        .iter()
        .any(|name| view.parameter(name).is_some());
    let Some(header) = view.header_text("authorization") else {
        if view.parameter("x-oss-signature-version").as_deref() == Some("OSS2") {
            return Err(AuthorizationError::Version2);
        }
        return match (url_v1, url_v4) {
            (false, false) => Ok(Authentication::Anonymous),
            (true, false) => v1::UrlAuthorization::read(view).map(Authentication::UrlV1),
            (false, true) => v4::UrlAuthorization::read(view).map(Authentication::UrlV4),
            (true, true) => Err(AuthorizationError::UrlParameterInvalid("x-oss-signature-version")),
        };
    };
    if url_v1 || url_v4 {
        return Err(AuthorizationError::HeaderAndUrl);
    }
    match header.split_once(' ') {
        Some(("OSS", rest)) => v1::HeaderAuthorization::read(rest).map(Authentication::HeaderV1),
        Some(("OSS2", _)) => Err(AuthorizationError::Version2),
        Some((V4_ALGORITHM, rest)) => v4::Authorization::read(rest).map(Authentication::HeaderV4),
        _ => Err(AuthorizationError::HeaderInvalid),
    }
}

impl Authentication {
    /// The key id that the request claims; `None` when anonymous.
    pub fn access_key_id(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::HeaderV1(claim) => Some(&claim.access_key_id),
            Self::UrlV1(claim) => Some(&claim.access_key_id),
            Self::HeaderV4(claim) => Some(&claim.access_key_id),
            Self::UrlV4(claim) => Some(&claim.authorization.access_key_id),
        }
    }

    /// Whether the request is a signed URL.
    ///
    /// ```
    /// use countersign_protocol::authorization::{RequestView, scheme};
    ///
    /// let query = Some("OSSAccessKeyId=ak&Expires=1699808204&Signature=AAAA");
    /// let link = scheme::detect(&RequestView { raw_query: query, ..Default::default() })?;
    /// assert!(link.is_url());
    /// # Ok::<(), countersign_protocol::authorization::AuthorizationError>(())
    /// ```
    pub fn is_url(&self) -> bool {
        matches!(self, Self::UrlV1(_) | Self::UrlV4(_))
    }

    /// The temporary key's token, from the place where this scheme carries it (AUTH-1 to AUTH-5).
    ///
    /// ```
    /// use countersign_protocol::authorization::{RequestView, scheme};
    ///
    /// let headers = vec![("Authorization", &b"OSS STS.key:AAAA"[..]), ("x-oss-security-token", b"token")];
    /// let view = RequestView { headers, ..Default::default() };
    /// assert_eq!(scheme::detect(&view)?.security_token(&view).as_deref(), Some("token"));
    /// # Ok::<(), countersign_protocol::authorization::AuthorizationError>(())
    /// ```
    pub fn security_token(&self, view: &RequestView<'_>) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::HeaderV1(_) | Self::HeaderV4(_) => {
                view.header_text("x-oss-security-token").map(|token| token.into_owned())
            }
            Self::UrlV1(_) => view.parameter("security-token"),
            Self::UrlV4(_) => view.parameter("x-oss-security-token"),
        }
    }

    /// Verifies the claim: expiry and clock first, then region, then the signature. Anonymous is refused
    /// nowhere here: what it may do is the caller's question.
    ///
    /// Source: AUTH-1 to AUTH-12.
    ///
    /// # Errors
    /// [`AuthorizationError::Expired`], [`AuthorizationError::RequestTimeTooSkewed`] and the like before
    /// [`AuthorizationError::SignatureMismatch`], which holds the string that the server would sign.
    ///
    /// ```
    /// use countersign_protocol::AccessKeySecret;
    /// use countersign_protocol::authorization::{AuthorizationError, RequestView, VerifyOptions, scheme, v1};
    ///
    /// let secret = AccessKeySecret::from("sk");
    /// let date = ("Date", &b"Wed, 28 Dec 2022 10:27:41 GMT"[..]);
    /// let mut view =
    ///     RequestView { method: "GET", bucket: Some("demo"), key: Some("a.jpg"), headers: vec![date], ..Default::default() };
    /// let authorization = v1::sign_header(&view, "ak", &secret);
    /// view.headers.push(("Authorization", authorization.as_bytes()));
    ///
    /// let claimed = scheme::detect(&view)?;
    /// let options = VerifyOptions { now: "2022-12-28T10:30:00Z".parse().unwrap(), region: None };
    /// assert_eq!(claimed.verify(&view, &secret, &options), Ok(()));
    ///
    /// let other = RequestView { key: Some("b.jpg"), ..view };
    /// let refused = claimed.verify(&other, &secret, &options);
    /// assert!(matches!(refused, Err(AuthorizationError::SignatureMismatch(_))));
    /// # Ok::<(), AuthorizationError>(())
    /// ```
    pub fn verify(
        &self,
        view: &RequestView<'_>,
        secret: &AccessKeySecret,
        options: &VerifyOptions<'_>,
    ) -> Result<(), AuthorizationError> {
        match self {
            Self::Anonymous => Ok(()),
            Self::HeaderV1(claim) => v1::verify_header(claim, view, secret, options.now),
            Self::UrlV1(claim) => v1::verify_url(claim, view, secret, options.now),
            Self::HeaderV4(claim) => v4::verify_header(claim, view, secret, options),
            Self::UrlV4(claim) => v4::verify_url(claim, view, secret, options),
        }
    }
}
