//! Makes signed URLs, with which one object can be read until they expire.
//!
//! An application makes them for its users, and the page for "open". The strings that are signed are those of
//! [`super::v1`] and [`super::v4`].
//!
//! Clauses V1-13 to V1-15, V4-23 to V4-26.

use jiff::{SignedDuration, Timestamp};

use super::v4::LIFETIME_SECONDS_MAX;
use super::{RequestView, v1, v4};
use crate::access_key::AccessKeySecret;
use crate::url_encoding::{encode, encode_path};

/// Where the bucket's name goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// In front of the endpoint's host.
    VirtualHost,
    /// First in the path.
    Path,
}

/// A GET of one object, to be signed as a URL.
#[derive(Debug, Clone)]
pub struct GetUrl<'a> {
    /// Scheme and authority without a slash at the end, `http://127.0.0.1:9817`.
    pub endpoint: &'a str,
    /// How the URL names the bucket; an address in digits needs [`Addressing::Path`].
    pub addressing: Addressing,
    /// The bucket.
    pub bucket: &'a str,
    /// The key, decoded.
    pub key: &'a str,
    /// Further parameters, decoded, such as `response-content-disposition`.
    pub parameters: &'a [(&'a str, &'a str)],
    /// The token of a temporary key.
    pub security_token: Option<&'a str>,
    /// The signer's time.
    pub now: Timestamp,
    /// How long the URL lives, in seconds; V4 allows a week at most and is cut to that.
    pub lifetime_seconds: u32,
}

impl GetUrl<'_> {
    /// The URL signed by version 1.
    ///
    /// Source: V1-13 to V1-20.
    ///
    /// ```
    /// use countersign_protocol::AccessKeySecret;
    /// use countersign_protocol::authorization::{Addressing, GetUrl};
    ///
    /// let link = GetUrl {
    ///     endpoint: "http://127.0.0.1:9817",
    ///     addressing: Addressing::Path,
    ///     bucket: "demo",
    ///     key: "2026/a b.jpg",
    ///     parameters: &[("response-content-disposition", "attachment")],
    ///     security_token: None,
    ///     now: "2026-11-22T12:00:00Z".parse().unwrap(),
    ///     lifetime_seconds: 600,
    /// };
    /// let url = link.sign_v1("ak", &AccessKeySecret::from("sk"));
    /// let unsigned = "http://127.0.0.1:9817/demo/2026/a%20b.jpg?response-content-disposition=attachment&OSSAccessKeyId=ak";
    /// assert!(url.starts_with(&format!("{unsigned}&Expires=1795349400&Signature=")), "{url}");
    /// ```
    pub fn sign_v1(&self, access_key_id: &str, secret: &AccessKeySecret) -> String {
        let query = self.query("security-token");
        let lifetime = SignedDuration::from_secs(i64::from(self.lifetime_seconds));
        let expires = self.now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        self.url(&v1::sign_url(&self.view(query.as_deref()), access_key_id, secret, expires))
    }

    /// The URL signed by version 4 for a region such as `cn-hangzhou`.
    ///
    /// Source: V4-23 to V4-28.
    ///
    /// ```
    /// use countersign_protocol::AccessKeySecret;
    /// use countersign_protocol::authorization::{Addressing, GetUrl};
    ///
    /// let month = GetUrl {
    ///     endpoint: "https://oss-cn-hangzhou.aliyuncs.com",
    ///     addressing: Addressing::VirtualHost,
    ///     bucket: "photos",
    ///     key: "a.jpg",
    ///     parameters: &[],
    ///     security_token: None,
    ///     now: "2026-11-22T12:00:00Z".parse().unwrap(),
    ///     lifetime_seconds: 30 * 24 * 60 * 60,
    /// };
    /// let url = month.sign_v4("ak", &AccessKeySecret::from("sk"), "cn-hangzhou");
    /// assert!(url.starts_with("https://photos.oss-cn-hangzhou.aliyuncs.com/a.jpg?x-oss-signature-version=OSS4-HMAC-SHA256&"));
    /// assert!(url.contains("&x-oss-expires=604800&"), "cut to a week");
    /// ```
    pub fn sign_v4(&self, access_key_id: &str, secret: &AccessKeySecret, region: &str) -> String {
        let query = self.query("x-oss-security-token");
        let lifetime = i64::from(self.lifetime_seconds).clamp(1, LIFETIME_SECONDS_MAX);
        let view = self.view(query.as_deref());
        self.url(&v4::sign_url(&view, access_key_id, secret, region, self.now, lifetime))
    }

    fn view<'v>(&'v self, raw_query: Option<&'v str>) -> RequestView<'v> {
        RequestView {
            method: "GET",
            bucket: Some(self.bucket),
            key: Some(self.key),
            raw_query,
            headers: Vec::new(),
        }
    }

    fn query(&self, token_name: &'static str) -> Option<String> {
        let token = self.security_token.map(|token| (token_name, token));
        let pairs = self.parameters.iter().copied().chain(token);
        let items: Vec<String> =
            pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        (!items.is_empty()).then(|| items.join("&"))
    }

    fn url(&self, query: &str) -> String {
        let key = encode_path(self.key);
        match (self.addressing, self.endpoint.split_once("://")) {
            (Addressing::VirtualHost, Some((scheme, authority))) => {
                format!("{scheme}://{}.{authority}/{key}?{query}", self.bucket)
            }
            _ => format!("{}/{}/{key}?{query}", self.endpoint, self.bucket),
        }
    }
}
