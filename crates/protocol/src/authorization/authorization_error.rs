//! Errors of a request's authentication, and the answer that the client gets for each (AUTH-2 to AUTH-12,
//! V1-16 to V1-19, V4-18 to V4-28).

use jiff::Timestamp;

use crate::error_code::ErrorCode;
use crate::error_xml::WireError;
use crate::{ec, iso_time};

/// How far a request's clock may be from ours, in seconds.
pub const SKEW_SECONDS_MAX: i64 = 15 * 60;

/// A refused authentication.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// The Authorization header follows no known form, or names a scheme that is not offered.
    #[error("the Authorization header is malformed or names an unknown scheme")]
    HeaderInvalid,
    /// A V4 parameter of the query is missing or malformed.
    #[error("the query's {0} is missing or malformed")]
    UrlParameterInvalid(&'static str),
    /// Both the Authorization header and signature parameters in the URL are present.
    #[error("authentication is given both in the header and in the URL")]
    HeaderAndUrl,
    /// A V1 URL lacks one of its three parameters.
    #[error("a signed URL lacks Signature, Expires or OSSAccessKeyId")]
    UrlParameterMissing,
    /// `Expires` is no number.
    #[error("Expires is not a number of seconds")]
    ExpiresInvalid,
    /// The signed URL's time is over.
    #[error("the signed URL expired at {expires}")]
    Expired {
        /// When it expired.
        expires: Timestamp,
        /// The server's time.
        server_time: Timestamp,
    },
    /// `Date` and `x-oss-date` are missing or unreadable.
    #[error("the request has no valid date")]
    DateInvalid,
    /// The request's clock is too far from the server's.
    #[error("the request's time {request_time} is too far from {server_time}")]
    RequestTimeTooSkewed {
        /// What the request claims.
        request_time: Timestamp,
        /// The server's time.
        server_time: Timestamp,
    },
    /// The key id has characters that none has.
    #[error("the access key id {id:?} has illegal characters")]
    AccessKeyIdMalformed {
        /// The id as sent.
        id: String,
        /// The EC of the place where it was sent.
        ec: &'static str,
    },
    /// No such key id. Raised by the caller that knows the keys.
    #[error("the access key id {id:?} is unknown")]
    AccessKeyIdUnknown {
        /// The id as sent.
        id: String,
    },
    /// The day of a V4 credential is malformed or not the day of the request's date.
    #[error("the credential's day is malformed or not the day of the request")]
    SignDateInvalid {
        /// The EC of the place where it was sent.
        ec: &'static str,
    },
    /// The V4 credential names another region.
    #[error("the credential's region {region:?} is not the server's")]
    SigningRegion {
        /// The region as sent.
        region: String,
    },
    /// The credential in a V4 URL names no region, or another one.
    #[error("the region {region:?} of the URL's credential is not the server's")]
    UrlRegion {
        /// The region as sent.
        region: String,
    },
    /// A signature of version 2, which the Go and Python SDKs still offer.
    #[error("signature version 2 is not offered")]
    Version2,
    /// `x-oss-expires` is no number from 1 to 604800.
    #[error("x-oss-expires {0:?} is outside 1..=604800")]
    LifetimeInvalid(String),
    /// `x-oss-content-sha256` names anything but UNSIGNED-PAYLOAD.
    #[error("x-oss-content-sha256 {0:?} is not UNSIGNED-PAYLOAD")]
    PayloadHashUnsupported(String),
    /// A temporary key signs a URL whose query lacks the token.
    #[error("the query lacks the security token")]
    SecurityTokenNotInQuery,
    /// The signature is another.
    #[error("the signature differs")]
    SignatureMismatch(Box<SignatureMismatch>),
}

/// Everything a client needs to find out where its signature went astray. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureMismatch {
    /// The key id.
    pub access_key_id: String,
    /// The signature as sent.
    pub signature_provided: String,
    /// What the server would sign.
    pub string_to_sign: Vec<u8>,
    /// V4 only: the canonical request whose digest the string holds.
    pub canonical_request: Option<Vec<u8>>,
}

impl From<AuthorizationError> for WireError {
    fn from(error: AuthorizationError) -> Self {
        use AuthorizationError as E;
        let argument = |message: &'static str| Self::new(ErrorCode::InvalidArgument).with_message(message);
        let denied = |message: &'static str| Self::new(ErrorCode::AccessDenied).with_message(message);
        match error {
            E::HeaderInvalid => argument("Authorization header is invalid."),
            E::UrlParameterInvalid(name) => {
                argument("Query-string authentication parameter is missing or invalid.")
                    .with_element("ArgumentName", name)
            }
            E::HeaderAndUrl => {
                argument("Only one auth mechanism allowed; authentication is given in header and URL both.")
                    .with_element("ArgumentName", "Authorization")
            }
            E::UrlParameterMissing => denied(
                "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters.",
            ),
            E::ExpiresInvalid => denied("Invalid date (should be seconds since epoch)."),
            E::Expired { expires, server_time } => denied("Request has expired.")
                .with_element("Expires", iso_time::format(expires))
                .with_element("ServerTime", iso_time::format(server_time)),
            E::DateInvalid => denied("OSS authentication requires a valid Date.").with_ec(ec::DATE_INVALID),
            E::RequestTimeTooSkewed { request_time, server_time } => too_skewed(request_time, server_time),
            E::AccessKeyIdMalformed { id, ec } => Self::new(ErrorCode::InvalidAccessKeyId)
                .with_message("The OSS Access Key Id you provided contains non-acceptable characters.")
                .with_ec(ec)
                .with_element("OSSAccessKeyId", id),
            E::AccessKeyIdUnknown { id } => {
                Self::new(ErrorCode::InvalidAccessKeyId).with_element("OSSAccessKeyId", id)
            }
            E::SignDateInvalid { ec } => argument("Invalid signing date in Authorization.").with_ec(ec),
            E::SigningRegion { region } => argument("Invalid signing region in Authorization header.")
                .with_ec(ec::HEADER_V4_REGION)
                .with_element("Region", region),
            E::UrlRegion { region } => argument("The signing region in credential is invalid.")
                .with_element("ArgumentName", "x-oss-credential")
                .with_element("Region", region),
            E::Version2 => Self::new(ErrorCode::NotImplemented)
                .with_message("Signature version 2 (OSS2) is not implemented; sign with OSS4-HMAC-SHA256.")
                .with_element("Header", "Authorization"),
            E::LifetimeInvalid(text) => argument("x-oss-expires should be between 1 and 604800 seconds.")
                .with_element("ArgumentName", "x-oss-expires")
                .with_element("ArgumentValue", text),
            E::PayloadHashUnsupported(text) => argument("x-oss-content-sha256 should be UNSIGNED-PAYLOAD.")
                .with_element("ArgumentName", "x-oss-content-sha256")
                .with_element("ArgumentValue", text),
            E::SecurityTokenNotInQuery => Self::new(ErrorCode::InvalidRequest)
                .with_message("Security-token must be provided by query string parameter."),
            E::SignatureMismatch(mismatch) => mismatch.into_wire_error(),
        }
    }
}

fn too_skewed(request_time: Timestamp, server_time: Timestamp) -> WireError {
    WireError::new(ErrorCode::RequestTimeTooSkewed)
        .with_element("MaxAllowedSkewMilliseconds", (SKEW_SECONDS_MAX * 1000).to_string())
        .with_element("RequestTime", iso_time::format(request_time))
        .with_element("ServerTime", iso_time::format(server_time))
}

impl SignatureMismatch {
    fn into_wire_error(self) -> WireError {
        let mut error = WireError::new(ErrorCode::SignatureDoesNotMatch)
            .with_element("OSSAccessKeyId", self.access_key_id)
            .with_element("SignatureProvided", self.signature_provided)
            .with_element("StringToSign", String::from_utf8_lossy(&self.string_to_sign))
            .with_element("StringToSignBytes", spaced_hex(&self.string_to_sign));
        if let Some(canonical) = self.canonical_request {
            error = error
                .with_element("CanonicalRequest", String::from_utf8_lossy(&canonical))
                .with_element("CanonicalRequestBytes", spaced_hex(&canonical));
        }
        error
    }
}

/// Hex bytes separated by spaces.
fn spaced_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}
