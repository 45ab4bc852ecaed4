//! What two readers of one request could read differently: where its body ends and which host it is for.
//!
//! The HTTP library takes chunks before a length and then ends the connection. What it lets pass besides, and what
//! a proxy in front may have understood otherwise, is refused here, not interpreted (RFC 9112 §3.2, §6.1).

use countersign_protocol::{ErrorCode, WireError};
use http::HeaderMap;
use http::header::{HOST, TRANSFER_ENCODING};

/// Why a request could be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FramingError {
    /// More than one `Host`.
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
pub(crate) fn check(headers: &HeaderMap) -> Result<(), FramingError> {
    let count = |name: http::HeaderName| headers.get_all(name).iter().count();
    if count(HOST) > 1 {
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

    fn checked(pairs: &[(http::HeaderName, &'static str)]) -> Result<(), FramingError> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, http::HeaderValue::from_static(value));
        }
        check(&headers)
    }

    #[test]
    fn a_request_that_could_be_read_in_two_ways_is_refused() {
        assert_eq!(checked(&[(HOST, "a")]), Ok(()));
        assert_eq!(checked(&[(TRANSFER_ENCODING, "Chunked")]), Ok(()));
        assert_eq!(checked(&[(HOST, "a"), (HOST, "b")]), Err(FramingError::Hosts));
        for coding in ["gzip, chunked", "chunked, chunked", "identity"] {
            assert_eq!(checked(&[(TRANSFER_ENCODING, coding)]), Err(FramingError::TransferCoding));
        }
        let twice = [(TRANSFER_ENCODING, "chunked"), (TRANSFER_ENCODING, "chunked")];
        assert_eq!(checked(&twice), Err(FramingError::TransferCoding));
    }
}
