//! Rejects requests whose framing or host is ambiguous (request smuggling), on the store's port and on the
//! application's (RFC 9112 §3.2, §6.1).
//!
//! The HTTP library decides some of it before a request is seen here, and shows no trace: chunks count before a
//! length, and the connection then ends; of equal lengths one is left; a bare LF ends a line.
//!
//! Clauses GEN-21.

use countersign_protocol::{ErrorCode, WireError};
use http::Version;
use http::header::{HOST, TRANSFER_ENCODING};
use http::request::Parts;

/// Why a request could be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// More than one `Host`, or none where the version demands it.
    #[error("A request has one Host header.")]
    Hosts,
    /// Coded in another way than once by chunks; stored bytes would be the coded ones.
    #[error("The only Transfer-Encoding is chunked, once.")]
    TransferCoding,
}

impl From<FramingError> for WireError {
    fn from(error: FramingError) -> Self {
        Self::new(ErrorCode::InvalidRequest).with_message(error.to_string())
    }
}

/// Refuses a head that leaves a choice.
///
/// # Errors
/// [`FramingError`], with the sentence for the client.
pub fn check(parts: &Parts) -> Result<(), FramingError> {
    let headers = &parts.headers;
    let count = |name: http::HeaderName| headers.get_all(name).iter().count();
    // A host in the target wins over the header and does not excuse its absence (RFC 9112 3.2).
    let hosts_min = usize::from(parts.version == Version::HTTP_11);
    if !(hosts_min..=1).contains(&count(HOST)) {
        return Err(FramingError::Hosts);
    }
    let Some(coding) = headers.get(TRANSFER_ENCODING) else { return Ok(()) };
    if count(TRANSFER_ENCODING) > 1 || !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
        return Err(FramingError::TransferCoding);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(version: Version, pairs: &[(http::HeaderName, &'static str)]) -> Result<(), FramingError> {
        let (mut parts, ()) = http::Request::builder().version(version).body(()).unwrap().into_parts();
        for (name, value) in pairs {
            parts.headers.append(name, http::HeaderValue::from_static(value));
        }
        check(&parts)
    }

    #[test]
    fn a_request_that_could_be_read_in_two_ways_is_refused() {
        let checked_11 = |more: &[(http::HeaderName, &'static str)]| {
            checked(Version::HTTP_11, &[&[(HOST, "a")], more].concat())
        };
        assert_eq!(checked_11(&[]), Ok(()));
        assert_eq!(checked_11(&[(TRANSFER_ENCODING, "Chunked")]), Ok(()));
        assert_eq!(checked_11(&[(HOST, "b")]), Err(FramingError::Hosts));
        for coding in ["gzip, chunked", "chunked, chunked", "identity"] {
            assert_eq!(checked_11(&[(TRANSFER_ENCODING, coding)]), Err(FramingError::TransferCoding));
        }
        let twice = [(TRANSFER_ENCODING, "chunked"), (TRANSFER_ENCODING, "chunked")];
        assert_eq!(checked_11(&twice), Err(FramingError::TransferCoding));
    }

    #[test]
    fn a_host_may_be_missing_only_before_1_1() {
        assert_eq!(checked(Version::HTTP_11, &[]), Err(FramingError::Hosts));
        assert_eq!(checked(Version::HTTP_10, &[]), Ok(()));
    }
}
