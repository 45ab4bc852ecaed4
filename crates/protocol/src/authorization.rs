//! Signs and verifies requests with signature V1 and V4, in the Authorization header and in the URL: everything
//! but PostObject (AUTH-1 to AUTH-8, V1-5 to V1-22, V4-12 to V4-29), whose form is signed in [`crate::post_signature`].
//!
//! Owns the canonical forms and their errors. It does not know which keys exist or what they may do: the
//! caller asks [`Authentication::access_key_id`], looks the secret up (an unknown id is
//! [`AuthorizationError::AccessKeyIdUnknown`], before anything else is looked at), and verifies.

mod authorization_error;
mod presign;
pub mod scheme;
pub mod sub_resource;
pub mod v1;
pub mod v4;

use std::borrow::Cow;

use jiff::Timestamp;

pub use authorization_error::{AuthorizationError, SKEW_SECONDS_MAX, SignatureMismatch};
pub use presign::{Addressing, GetUrl};
pub use scheme::Authentication;

/// The parts of a request that its signature covers. Built by the server from what it received and by a
/// signer from what it is about to send.
#[derive(Debug, Clone, Default)]
pub struct RequestView<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// The bucket, however the request addresses it.
    pub bucket: Option<&'a str>,
    /// The key, decoded, without the slash in front.
    pub key: Option<&'a str>,
    /// The query as sent, without the question mark.
    pub raw_query: Option<&'a str>,
    /// All headers in the order sent; names in any letter case.
    pub headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> RequestView<'a> {
    /// The first value of a header, trimmed; `None` when absent.
    ///
    /// ```
    /// use countersign_protocol::authorization::RequestView;
    ///
    /// let view = RequestView { headers: vec![("Content-Type", b" text/html "), ("Host", b"a"), ("host", b"b")], ..Default::default() };
    /// assert_eq!(view.header("content-type"), Some(&b"text/html"[..]), "no letter case, no blanks around the value");
    /// assert_eq!(view.header("host"), Some(&b"a"[..]), "the first of several");
    /// assert_eq!(view.header("date"), None);
    /// ```
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim_ascii())
    }

    /// The first value of a header as text; bytes that are not UTF-8 are replaced.
    ///
    /// ```
    /// use countersign_protocol::authorization::RequestView;
    ///
    /// let view = RequestView { headers: vec![("x-oss-meta-name", b"caf\xe9")], ..Default::default() };
    /// assert_eq!(view.header_text("X-OSS-Meta-Name").as_deref(), Some("caf\u{fffd}"), "Latin-1, not UTF-8");
    /// ```
    pub fn header_text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.header(name).map(String::from_utf8_lossy)
    }

    /// The first value of a query parameter, decoded.
    ///
    /// ```
    /// use countersign_protocol::authorization::RequestView;
    ///
    /// let view = RequestView { raw_query: Some("prefix=a%2Fb+c&acl"), ..Default::default() };
    /// assert_eq!(view.parameter("prefix").as_deref(), Some("a/b c"));
    /// assert_eq!(view.parameter("acl").as_deref(), Some(""), "named without a value");
    /// assert_eq!(view.parameter("Prefix"), None, "letter case counts");
    /// ```
    pub fn parameter(&self, name: &str) -> Option<String> {
        crate::url_encoding::query_value(self.raw_query?, name)
    }

    /// Headers that `wanted` (asked with the lower-case name) chooses: lower-case names, sorted, values
    /// trimmed, repeated ones joined with a comma.
    fn canonical_headers(&self, wanted: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
        let mut chosen: Vec<(String, Vec<u8>)> = Vec::new();
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            if !wanted(&name) {
                continue;
            }
            let value = value.trim_ascii();
            match chosen.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => {
                    values.push(b',');
                    values.extend_from_slice(value);
                }
                None => chosen.push((name, value.to_vec())),
            }
        }
        chosen.sort_by(|a, b| a.0.cmp(&b.0));
        chosen
    }
}

/// What a verification needs besides the request and the secret.
#[derive(Debug, Clone, Copy)]
pub struct VerifyOptions<'a> {
    /// The server's time.
    pub now: Timestamp,
    /// The only region that V4 scopes may name, such as `cn-hangzhou`; `None` accepts any.
    pub region: Option<&'a str>,
}

/// Refuses a request whose clock is more than [`SKEW_SECONDS_MAX`] from `now`, either way.
fn check_skew(request_time: Timestamp, now: Timestamp) -> Result<(), AuthorizationError> {
    if request_time.as_second().abs_diff(now.as_second()) > SKEW_SECONDS_MAX.unsigned_abs() {
        return Err(AuthorizationError::RequestTimeTooSkewed { request_time, server_time: now });
    }
    Ok(())
}

/// Refuses a key id with characters that no key id has. `ec` tells the place.
fn check_access_key_id(id: &str, ec: &'static str) -> Result<(), AuthorizationError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if id.is_empty() || id.len() > 128 || !id.bytes().all(legal) {
        return Err(AuthorizationError::AccessKeyIdMalformed { id: id.to_owned(), ec });
    }
    Ok(())
}

/// Whether two signatures are equal, in time that does not depend on where they differ.
fn same_signature(calculated: &[u8], provided: &[u8]) -> bool {
    use subtle::ConstantTimeEq as _;
    calculated.ct_eq(provided).into()
}

#[cfg(test)]
mod tests;
