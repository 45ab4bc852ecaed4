//! Signature V1, in the header and in the URL (V1-5 to V1-22): HMAC-SHA1 over a short string of the request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha1::Sha1;

use super::sub_resource::{SigningRule, standing};
use super::{
    AuthorizationError, RequestView, SignatureMismatch, check_access_key_id, check_skew, same_signature,
};
use crate::access_key::AccessKeySecret;
use crate::credential_scope::parse_v4_date;
use crate::url_encoding::{encode, query_pairs};
use crate::{ec, http_date};

/// How many contested parameters are tried both ways; a request with more is tried with all and with none.
const CONTESTED_MAX: usize = 4;
/// The parameters of a signed URL itself.
const URL_PARAMETERS: [&[u8]; 3] = [b"OSSAccessKeyId", b"Expires", b"Signature"];

/// What `Authorization: OSS id:signature` claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderAuthorization {
    /// The key id.
    pub access_key_id: String,
    /// The signature, base64.
    pub signature: String,
}

/// What a signed URL claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlAuthorization {
    /// The key id.
    pub access_key_id: String,
    /// `Expires` as sent; it stands in the string in this spelling.
    pub expires: String,
    /// The signature, base64.
    pub signature: String,
}

impl HeaderAuthorization {
    pub(super) fn read(rest: &str) -> Result<Self, AuthorizationError> {
        let (id, signature) = rest.trim().split_once(':').ok_or(AuthorizationError::HeaderInvalid)?;
        if id.is_empty() || signature.is_empty() {
            return Err(AuthorizationError::HeaderInvalid);
        }
        check_access_key_id(id, ec::KEY_ID_CHARACTERS)?;
        Ok(Self { access_key_id: id.to_owned(), signature: signature.to_owned() })
    }
}

impl UrlAuthorization {
    pub(super) fn read(view: &RequestView<'_>) -> Result<Self, AuthorizationError> {
        let required = |name| {
            view.parameter(name).filter(|v| !v.is_empty()).ok_or(AuthorizationError::UrlParameterMissing)
        };
        let claim = Self {
            access_key_id: required("OSSAccessKeyId")?,
            expires: required("Expires")?,
            signature: required("Signature")?,
        };
        check_access_key_id(&claim.access_key_id, ec::URL_KEY_ID_MALFORMED)?;
        Ok(claim)
    }

    fn expires_at(&self) -> Result<Timestamp, AuthorizationError> {
        let seconds: i64 = self.expires.parse().map_err(|_| AuthorizationError::ExpiresInvalid)?;
        // Beyond the year 9999 there is no moment to name; that is as good as never.
        let beyond = if seconds > 0 { Timestamp::MAX } else { Timestamp::MIN };
        Ok(Timestamp::from_second(seconds).unwrap_or(beyond))
    }
}

/// The bytes that version 1 signs. `date_line` is the request's date, or `Expires` in a URL.
///
/// Method, `Content-MD5`, `Content-Type` and the date line, the `x-oss-` headers, then the resource with the signed
/// query parameters. Source: V1-5 to V1-12.
///
/// ```
/// use countersign_protocol::authorization::{RequestView, v1};
///
/// let view = RequestView {
///     method: "PUT",
///     bucket: Some("examplebucket"),
///     key: Some("nelson"),
///     raw_query: Some("prefix=ignored&acl"),
///     headers: vec![("Content-Type", b"text/html"), ("x-oss-meta-author", b"alice")],
/// };
/// let text = v1::string_to_sign(&view, "Wed, 28 Dec 2022 10:27:41 GMT");
/// let expected = "PUT\n\ntext/html\nWed, 28 Dec 2022 10:27:41 GMT\nx-oss-meta-author:alice\n/examplebucket/nelson?acl";
/// assert_eq!(text, expected.as_bytes());
/// ```
pub fn string_to_sign(view: &RequestView<'_>, date_line: &str) -> Vec<u8> {
    compose(view, date_line.as_bytes(), |name| standing(name) != SigningRule::Unsigned)
}

/// The signature of a string, base64.
///
/// ```
/// use countersign_protocol::{AccessKeySecret, authorization::v1};
///
/// // The Go SDK's own test value.
/// let text = b"GET\n\n\n1699808204\n/bucket/key+123?security-token=token&versionId=versionId";
/// assert_eq!(v1::signature(&AccessKeySecret::from("sk"), text), "jzKYRrM5y6Br0dRFPaTGOsbrDhY=");
/// ```
pub fn signature(secret: &AccessKeySecret, string_to_sign: &[u8]) -> String {
    hmac_sha1(secret.as_bytes(), string_to_sign).map(|mac| STANDARD.encode(mac)).unwrap_or_default()
}

/// The value of the Authorization header. The date line is `x-oss-date`, else `Date`, of the view.
///
/// ```
/// use countersign_protocol::AccessKeySecret;
/// use countersign_protocol::authorization::{RequestView, v1};
///
/// // The Go SDK's own test value.
/// let view = RequestView {
///     method: "PUT",
///     bucket: Some("examplebucket"),
///     key: Some("nelson"),
///     raw_query: Some("acl"),
///     headers: vec![
///         ("Content-MD5", b"eB5eJF1ptWaXm4bijSPyxw=="),
///         ("Content-Type", b"text/html"),
///         ("x-oss-date", b"Wed, 28 Dec 2022 10:27:41 GMT"),
///         ("x-oss-meta-author", b"alice"),
///         ("x-oss-meta-magic", b"abracadabra"),
///     ],
/// };
/// assert_eq!(v1::sign_header(&view, "ak", &AccessKeySecret::from("sk")), "OSS ak:/afkugFbmWDQ967j1vr6zygBLQk=");
/// ```
pub fn sign_header(view: &RequestView<'_>, access_key_id: &str, secret: &AccessKeySecret) -> String {
    let date = view.header_text("x-oss-date").or_else(|| view.header_text("date")).unwrap_or_default();
    format!("OSS {access_key_id}:{}", signature(secret, &string_to_sign(view, &date)))
}

/// The whole query of a signed URL, the view's own parameters in front. A temporary key's `security-token`
/// has to be in the view's query already, because it is signed.
///
/// Source: V1-13 to V1-20.
///
/// ```
/// use countersign_protocol::AccessKeySecret;
/// use countersign_protocol::authorization::{RequestView, v1};
///
/// // The Go SDK's own test value.
/// let raw_query = Some("security-token=token&versionId=versionId");
/// let view = RequestView { method: "GET", bucket: Some("bucket"), key: Some("key+123"), raw_query, ..Default::default() };
/// let expires = jiff::Timestamp::from_second(1_699_808_204)?;
/// let query = v1::sign_url(&view, "ak", &AccessKeySecret::from("sk"), expires);
/// assert!(query.ends_with("&OSSAccessKeyId=ak&Expires=1699808204&Signature=jzKYRrM5y6Br0dRFPaTGOsbrDhY%3D"));
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn sign_url(
    view: &RequestView<'_>,
    access_key_id: &str,
    secret: &AccessKeySecret,
    expires: Timestamp,
) -> String {
    let expires = expires.as_second().to_string();
    let signature = signature(secret, &string_to_sign(view, &expires));
    let mut query = view.raw_query.map(|raw| format!("{raw}&")).unwrap_or_default();
    query += &format!(
        "OSSAccessKeyId={}&Expires={expires}&Signature={}",
        encode(access_key_id),
        encode(&signature)
    );
    query
}

/// Verifies the header's claim: the date, the clock, the signature.
///
/// Source: V1-5 to V1-12.
///
/// # Errors
/// [`AuthorizationError::DateInvalid`], [`AuthorizationError::RequestTimeTooSkewed`], then
/// [`AuthorizationError::SignatureMismatch`].
///
/// ```
/// use countersign_protocol::AccessKeySecret;
/// use countersign_protocol::authorization::{AuthorizationError, RequestView, v1};
///
/// let secret = AccessKeySecret::from("sk");
/// let date = ("Date", &b"Wed, 28 Dec 2022 10:27:41 GMT"[..]);
/// let view = RequestView { method: "GET", bucket: Some("demo"), headers: vec![date], ..Default::default() };
/// let signature = v1::signature(&secret, &v1::string_to_sign(&view, "Wed, 28 Dec 2022 10:27:41 GMT"));
/// let claim = v1::HeaderAuthorization { access_key_id: "ak".to_owned(), signature };
///
/// let at = |now: &str| v1::verify_header(&claim, &view, &secret, now.parse().unwrap());
/// assert_eq!(at("2022-12-28T10:42:41Z"), Ok(()));
/// assert!(matches!(at("2022-12-28T10:42:42Z"), Err(AuthorizationError::RequestTimeTooSkewed { .. })));
/// ```
pub fn verify_header(
    claim: &HeaderAuthorization,
    view: &RequestView<'_>,
    secret: &AccessKeySecret,
    now: Timestamp,
) -> Result<(), AuthorizationError> {
    let own = view.header_text("x-oss-date");
    let standard = view.header_text("date");
    let date = own.as_ref().or(standard.as_ref()).ok_or(AuthorizationError::DateInvalid)?;
    let instant = http_date::parse(date).or_else(|| parse_v4_date(date));
    check_skew(instant.ok_or(AuthorizationError::DateInvalid)?, now)?;
    // Some clients send x-oss-date and still put Date, or nothing, into the line; the own date is signed
    // among the headers all the same.
    let mut lines = vec![date.as_bytes()];
    if own.is_some() {
        lines.extend(standard.as_ref().map(|text| text.as_bytes()));
        lines.push(b"");
    }
    if lines.iter().any(|line| any_variation_matches(view, line, secret, &claim.signature)) {
        return Ok(());
    }
    Err(mismatch(&claim.access_key_id, &claim.signature, string_to_sign(view, date)))
}

/// Verifies a signed URL's claim: expiry, then the signature.
///
/// Source: V1-13 to V1-20.
///
/// # Errors
/// [`AuthorizationError::ExpiresInvalid`], [`AuthorizationError::Expired`],
/// [`AuthorizationError::SecurityTokenNotInQuery`], then [`AuthorizationError::SignatureMismatch`].
///
/// ```
/// use countersign_protocol::AccessKeySecret;
/// use countersign_protocol::authorization::{AuthorizationError, RequestView, v1};
///
/// // The Go SDK's own test value.
/// let raw_query = Some("security-token=token&versionId=versionId");
/// let view = RequestView { method: "GET", bucket: Some("bucket"), key: Some("key+123"), raw_query, ..Default::default() };
/// let claim = v1::UrlAuthorization {
///     access_key_id: "ak".to_owned(),
///     expires: "1699808204".to_owned(),
///     signature: "jzKYRrM5y6Br0dRFPaTGOsbrDhY=".to_owned(),
/// };
/// let at = |second| v1::verify_url(&claim, &view, &"sk".into(), jiff::Timestamp::from_second(second).unwrap());
/// assert_eq!(at(1_699_808_204), Ok(()));
/// assert!(matches!(at(1_699_808_205), Err(AuthorizationError::Expired { .. })));
/// ```
pub fn verify_url(
    claim: &UrlAuthorization,
    view: &RequestView<'_>,
    secret: &AccessKeySecret,
    now: Timestamp,
) -> Result<(), AuthorizationError> {
    let expires = claim.expires_at()?;
    if expires < now {
        return Err(AuthorizationError::Expired { expires, server_time: now });
    }
    if claim.access_key_id.starts_with("STS.") && view.parameter("security-token").is_none() {
        return Err(AuthorizationError::SecurityTokenNotInQuery);
    }
    if any_variation_matches(view, claim.expires.as_bytes(), secret, &claim.signature) {
        return Ok(());
    }
    Err(mismatch(&claim.access_key_id, &claim.signature, string_to_sign(view, &claim.expires)))
}

/// Tries the list as written, then with and without each contested parameter that the request has, then
/// with every parameter signed. Names that every SDK signs are never left out.
fn any_variation_matches(
    view: &RequestView<'_>,
    line: &[u8],
    secret: &AccessKeySecret,
    provided: &str,
) -> bool {
    let Ok(provided) = STANDARD.decode(provided) else { return false };
    let tried = |wanted: &dyn Fn(&[u8]) -> bool| {
        hmac_sha1(secret.as_bytes(), &compose(view, line, wanted))
            .is_some_and(|calculated| same_signature(&calculated, &provided))
    };
    if tried(&|name| standing(name) != SigningRule::Unsigned)
        || tried(&|name| standing(name) == SigningRule::Signed)
    {
        return true;
    }
    if tried(&|_| true) {
        return true;
    }
    let mut contested: Vec<Vec<u8>> =
        query_pairs(view.raw_query.unwrap_or_default()).into_iter().map(|(name, _)| name).collect();
    contested.retain(|name| standing(name) == SigningRule::Contested);
    contested.sort();
    contested.dedup();
    if contested.len() > CONTESTED_MAX {
        return false;
    }
    (1u32..(1 << contested.len()) - 1).any(|choice| {
        tried(&|name| match contested.iter().position(|candidate| candidate == name) {
            Some(place) => choice & (1 << place) != 0,
            None => standing(name) == SigningRule::Signed,
        })
    })
}

fn compose(view: &RequestView<'_>, line: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    let empty: &[u8] = b"";
    for part in [
        view.method.as_bytes(),
        view.header("content-md5").unwrap_or(empty),
        view.header("content-type").unwrap_or(empty),
        line,
    ] {
        text.extend_from_slice(part);
        text.push(b'\n');
    }
    for (name, value) in view.canonical_headers(|name| name.starts_with("x-oss-")) {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend_from_slice(&value);
        text.push(b'\n');
    }
    append_resource(&mut text, view, wanted);
    text
}

/// `/bucket/key?signed=parameters`, everything decoded.
fn append_resource(text: &mut Vec<u8>, view: &RequestView<'_>, wanted: impl Fn(&[u8]) -> bool) {
    text.push(b'/');
    if let Some(bucket) = view.bucket {
        text.extend_from_slice(bucket.as_bytes());
        text.push(b'/');
        text.extend_from_slice(view.key.unwrap_or_default().as_bytes());
    }
    let mut signed = query_pairs(view.raw_query.unwrap_or_default());
    signed.retain(|(name, _)| !URL_PARAMETERS.contains(&name.as_slice()) && wanted(name));
    // The first of a repeated parameter counts; the sort is stable, so it stays in front.
    signed.sort_by(|a, b| a.0.cmp(&b.0));
    signed.dedup_by(|later, first| later.0 == first.0);
    for (place, (name, value)) in signed.iter().enumerate() {
        text.push(if place == 0 { b'?' } else { b'&' });
        text.extend_from_slice(name);
        if !value.is_empty() {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }
}

/// HMAC takes a key of any length, so that `None` cannot occur; were it to, nothing would match it.
fn hmac_sha1(secret: &[u8], message: &[u8]) -> Option<[u8; 20]> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(message);
    Some(mac.finalize().into_bytes().into())
}

fn mismatch(id: &str, provided: &str, string_to_sign: Vec<u8>) -> AuthorizationError {
    AuthorizationError::SignatureMismatch(Box::new(SignatureMismatch {
        access_key_id: id.to_owned(),
        signature_provided: provided.to_owned(),
        string_to_sign,
        canonical_request: None,
    }))
}
