//! Refuses browsers that were sent here by a foreign page: by a name that was made to lead to this machine
//! (DNS rebinding), or from another origin.

use std::net::IpAddr;

use http::uri::Authority;
use http::{HeaderMap, Uri, header};

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    /// It asks for a name that others can make lead here.
    #[error("this address answers to localhost and to its number")]
    Host,
    /// A page of another origin asks.
    #[error("pages elsewhere may not ask here")]
    Origin,
}

/// Whether a request that came to the address `local` asks for this listener by a name that only it has, and not from
/// a page of another origin.
///
/// # Errors
/// [`Foreign`].
pub(super) fn check(target: &Uri, headers: &HeaderMap, local: IpAddr) -> Result<(), Foreign> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).unwrap_or_default();
    // A host in the target counts before the header (RFC 9112 3.2.2).
    if !is_own(host, local) || target.authority().is_some_and(|target| !is_own(target.as_str(), local)) {
        return Err(Foreign::Host);
    }
    match text(header::ORIGIN) {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => Err(Foreign::Origin),
        _ => Ok(()),
    }
}

fn is_own(host: &str, local: IpAddr) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    // What stands before an @ is no host, and has no place here.
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host().to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    let number = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    number.is_ok_and(|number| number.is_loopback() || number.to_canonical() == local.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(host: &str, origin: Option<&str>, local: &str) -> Result<(), Foreign> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        check(&Uri::from_static("/"), &headers, local.parse().unwrap())
    }

    #[test]
    fn answers_to_loopback_and_to_the_address_that_was_reached_and_to_no_name() {
        for host in
            ["127.0.0.1:9819", "[::1]:9819", "LOCALHOST", "a.localhost:1", "10.0.0.5:9819", "10.0.0.5"]
        {
            assert_eq!(checked(host, None, "10.0.0.5"), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "10.0.0.6:9819",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "0.0.0.0:9819",
            "evil.example@127.0.0.1",
            "",
            "a b",
        ] {
            assert_eq!(checked(host, None, "10.0.0.5"), Err(Foreign::Host), "{host}");
        }
        assert_eq!(
            checked("10.0.0.5", None, "::ffff:10.0.0.5"),
            Ok(()),
            "IPv4 that came over an IPv6 socket"
        );
    }

    #[test]
    fn a_page_elsewhere_is_refused_and_its_own_origin_is_not() {
        let from = |origin| checked("127.0.0.1:9819", Some(origin), "127.0.0.1");
        assert_eq!(from("http://127.0.0.1:9819"), Ok(()));
        for origin in ["http://evil.example", "http://127.0.0.1:9818", "https://127.0.0.1:9819", "null", ""] {
            assert_eq!(from(origin), Err(Foreign::Origin), "{origin}");
        }
    }
}
