//! Parses the address in `x-oss-pub-key-url`, so that it can be compared exactly with a pinned one.
//!
//! Widely copied samples compare the front of the text only, and `http://gosspublic.alicdn.com@evil/` passes
//! them. Here scheme, host, port and path are equal or the address is another.

use http::Uri;
use thiserror::Error;

/// The address of a published key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAddress {
    scheme: String,
    host: String,
    port: u16,
    path: String,
}

/// Why a text is not the address of a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyAddressError {
    /// Not an absolute http or https address.
    #[error("not an http or https address")]
    NotHttp,
    /// A user name in front of the host, which serves only to mislead.
    #[error("an address of a key cannot carry a user name")]
    UserInfo,
    /// A query or a fragment.
    #[error("an address of a key has no query and no fragment")]
    QueryOrFragment,
}

impl KeyAddress {
    /// Takes an address apart.
    ///
    /// # Errors
    /// For everything that is not plainly `http(s)://host[:port]/path`.
    ///
    /// ```
    /// use countersign_app::callback_verifier::key_address::{KeyAddress, KeyAddressError};
    ///
    /// let pinned = KeyAddress::parse("https://gosspublic.alicdn.com/callback_pub_key_v1.pem")?;
    /// assert_eq!(KeyAddress::parse("https://GOSSPUBLIC.alicdn.com:443/callback_pub_key_v1.pem")?, pinned);
    /// assert_ne!(KeyAddress::parse("https://gosspublic.alicdn.com.evil.example/callback_pub_key_v1.pem")?, pinned);
    /// assert_eq!(KeyAddress::parse("http://gosspublic.alicdn.com@evil.example/"), Err(KeyAddressError::UserInfo));
    /// # Ok::<(), KeyAddressError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, KeyAddressError> {
        if text.contains(['#', '?']) {
            return Err(KeyAddressError::QueryOrFragment);
        }
        let uri: Uri = text.parse().map_err(|_| KeyAddressError::NotHttp)?;
        let authority = uri.authority().ok_or(KeyAddressError::NotHttp)?;
        if authority.as_str().contains('@') {
            return Err(KeyAddressError::UserInfo);
        }
        let scheme = uri.scheme_str().unwrap_or_default();
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(KeyAddressError::NotHttp),
        };
        let host = authority.host().to_ascii_lowercase();
        let rest = authority.as_str().get(host.len()..).unwrap_or_default();
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => default_port,
            None => return Err(KeyAddressError::NotHttp),
            Some(digits) => digits.parse().map_err(|_| KeyAddressError::NotHttp)?,
        };
        if host.is_empty() {
            return Err(KeyAddressError::NotHttp);
        }
        Ok(Self { scheme: scheme.to_owned(), host, port, path: uri.path().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) -> bool {
        KeyAddress::parse(left).unwrap() == KeyAddress::parse(right).unwrap()
    }

    #[test]
    fn adds_the_default_port() {
        assert!(same("https://gosspublic.alicdn.com/k.pem", "https://GossPublic.alicdn.com:443/k.pem"));
        assert!(same("http://127.0.0.1:9817/k.pem", "HTTP://127.0.0.1:9817/k.pem"));
    }

    #[test]
    fn tells_scheme_host_port_and_path_apart() {
        let pinned = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem";
        for other in [
            "http://gosspublic.alicdn.com/callback_pub_key_v1.pem",
            "https://gosspublic.alicdn.com:8443/callback_pub_key_v1.pem",
            "https://gosspublic.alicdn.com.evil.example/callback_pub_key_v1.pem",
            "https://gosspublic.alicdn.com/other.pem",
            "https://gosspublic.alicdn.com/Callback_pub_key_v1.pem",
            "https://gosspublic.alicdn.com//callback_pub_key_v1.pem",
            "https://gosspublic.alicdn.com/callback%5Fpub_key_v1.pem",
            "https://evil.example/gosspublic.alicdn.com/callback_pub_key_v1.pem",
        ] {
            assert!(!same(pinned, other), "{other}");
        }
    }

    #[test]
    fn refuses_malformed_addresses() {
        for text in [
            "",
            "gosspublic.alicdn.com",
            "/callback_pub_key_v1.pem",
            "ftp://gosspublic.alicdn.com/k.pem",
            "file:///etc/passwd",
            "http://gosspublic.alicdn.com@evil.example/k.pem",
            "http://gosspublic.alicdn.com:80@evil.example/k.pem",
            "http://gosspublic.alicdn.com:80:81/k.pem",
            "http://gosspublic.alicdn.com:x/k.pem",
            "http://gosspublic.alicdn.com/k.pem?x",
            "http://gosspublic.alicdn.com/k.pem#x",
            "http://gosspublic.alicdn.com\\@evil.example/k.pem",
            "http:///k.pem",
        ] {
            assert!(KeyAddress::parse(text).is_err(), "{text}");
        }
    }
}
