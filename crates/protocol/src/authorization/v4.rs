//! Signature V4, in the header and in the URL (V4-12 to V4-29): HMAC-SHA256 with a key of the day, the region and
//! the product, over the digest of a canonical request.

mod canonical;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use self::canonical::{UNSIGNED_PAYLOAD, canonical_request};
use super::{
    AuthorizationError, RequestView, SKEW_SECONDS_MAX, SignatureMismatch, VerifyOptions, check_access_key_id,
    check_skew, same_signature,
};
use crate::access_key::{AccessKeySecret, hmac_sha256};
use crate::credential_scope::{
    CredentialError, CredentialScope, V4_ALGORITHM, format_v4_date, parse_v4_date,
};
use crate::url_encoding::encode;
use crate::{ec, http_date};

/// The longest life of a signed URL.
pub const LIFETIME_SECONDS_MAX: i64 = 604_800;

/// What `Authorization: OSS4-HMAC-SHA256 …` claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The key id.
    pub access_key_id: String,
    /// The day and region that the signature is bound to.
    pub scope: CredentialScope,
    /// The further signed headers, lower-case, as listed.
    pub additional_headers: Vec<String>,
    /// The signature, lower-case hex.
    pub signature: String,
}

/// What a signed URL claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlAuthorization {
    /// Credential, further headers, signature.
    pub authorization: Authorization,
    /// `x-oss-date` as sent.
    pub date: String,
    /// `x-oss-expires` as sent.
    pub expires: String,
}

impl Authorization {
    pub(super) fn read(rest: &str) -> Result<Self, AuthorizationError> {
        let (mut credential, mut additional, mut signature) = (None, None, None);
        for item in rest.split(',') {
            let (name, value) = item.trim().split_once('=').ok_or(AuthorizationError::HeaderInvalid)?;
            let place = match name {
                "Credential" => &mut credential,
                "AdditionalHeaders" => &mut additional,
                "Signature" => &mut signature,
                _ => return Err(AuthorizationError::HeaderInvalid),
            };
            if place.replace(value).is_some() {
                return Err(AuthorizationError::HeaderInvalid);
            }
        }
        let credential = credential.ok_or(AuthorizationError::HeaderInvalid)?;
        let (id, scope) = CredentialScope::parse_credential(credential).map_err(|error| match error {
            CredentialError::Date => AuthorizationError::SignDateInvalid { ec: ec::HEADER_V4_SIGN_DATE },
            CredentialError::EmptyRegion => AuthorizationError::SigningRegion { region: String::new() },
            _ => AuthorizationError::HeaderInvalid,
        })?;
        check_access_key_id(id, ec::HEADER_V4_KEY_ID_MALFORMED)?;
        Ok(Self {
            access_key_id: id.to_owned(),
            scope,
            additional_headers: header_list(additional.unwrap_or_default()),
            signature: signature.ok_or(AuthorizationError::HeaderInvalid)?.to_owned(),
        })
    }
}

impl UrlAuthorization {
    pub(super) fn read(view: &RequestView<'_>) -> Result<Self, AuthorizationError> {
        let required = |name| view.parameter(name).ok_or(AuthorizationError::UrlParameterInvalid(name));
        if required("x-oss-signature-version")? != V4_ALGORITHM {
            return Err(AuthorizationError::UrlParameterInvalid("x-oss-signature-version"));
        }
        let credential = required("x-oss-credential")?;
        let (id, scope) = CredentialScope::parse_credential(&credential).map_err(|error| match error {
            CredentialError::Date => AuthorizationError::SignDateInvalid { ec: ec::URL_V4_SIGN_DATE },
            CredentialError::EmptyRegion => AuthorizationError::UrlRegion { region: String::new() },
            _ => AuthorizationError::UrlParameterInvalid("x-oss-credential"),
        })?;
        check_access_key_id(id, ec::URL_V4_KEY_ID_MALFORMED)?;
        let additional = view.parameter("x-oss-additional-headers").unwrap_or_default();
        Ok(Self {
            authorization: Authorization {
                access_key_id: id.to_owned(),
                scope,
                additional_headers: header_list(&additional),
                signature: required("x-oss-signature")?,
            },
            date: required("x-oss-date")?,
            expires: required("x-oss-expires")?,
        })
    }
}

/// The string that version 4 signs. `date` is the compact form, `20231216T162057Z`.
///
/// Source: V4-12 to V4-22.
///
/// ```
/// use countersign_protocol::{CredentialScope, authorization::v4};
///
/// let scope = CredentialScope::new("2023-12-16T16:20:57Z".parse()?, "cn-hangzhou");
/// let text = v4::string_to_sign("20231216T162057Z", &scope, b"GET\n/\n\n\n\nUNSIGNED-PAYLOAD");
/// let lines: Vec<&str> = text.lines().collect();
/// assert_eq!(lines[..3], ["OSS4-HMAC-SHA256", "20231216T162057Z", "20231216/cn-hangzhou/oss/aliyun_v4_request"]);
/// assert_eq!(lines[3].len(), 64, "the SHA-256 of the canonical request in hex");
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn string_to_sign(date: &str, scope: &CredentialScope, canonical_request: &[u8]) -> String {
    let digest = hex(&Sha256::digest(canonical_request));
    format!("{V4_ALGORITHM}\n{date}\n{scope}\n{digest}")
}

/// The signature of a string, lower-case hex.
///
/// ```
/// use countersign_protocol::{AccessKeySecret, CredentialScope, authorization::v4};
///
/// // The Go SDK's own test value.
/// let scope = CredentialScope::new("2023-12-16T16:20:57Z".parse()?, "cn-hangzhou");
/// let text = "OSS4-HMAC-SHA256\n20231216T162057Z\n20231216/cn-hangzhou/oss/aliyun_v4_request\n\
///             f4613657f1b108998e8dbd10a1aa5da621dc2c6e02c9ddec0f163664848704c4";
/// let signature = v4::signature(&AccessKeySecret::from("sk"), &scope, text);
/// assert_eq!(signature, "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe");
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn signature(secret: &AccessKeySecret, scope: &CredentialScope, string_to_sign: &str) -> String {
    hex(hmac_sha256(scope.signing_key(secret).as_slice(), string_to_sign.as_bytes()).as_slice())
}

/// The value of the Authorization header. The view has to carry the date (`x-oss-date` in the compact form,
/// or `Date`) and should carry `x-oss-content-sha256: UNSIGNED-PAYLOAD`. `additional_headers` names further
/// headers of the view to be signed.
///
/// Source: V4-12 to V4-22.
///
/// # Errors
/// [`AuthorizationError::DateInvalid`] when the view has no date that can be read.
///
/// ```
/// use countersign_protocol::AccessKeySecret;
/// use countersign_protocol::authorization::{AuthorizationError, RequestView, v4};
///
/// let secret = AccessKeySecret::from("sk");
/// let date = ("x-oss-date", &b"20231216T162057Z"[..]);
/// let view = RequestView { method: "GET", bucket: Some("demo"), headers: vec![date], ..Default::default() };
/// let header = v4::sign_header(&view, "ak", &secret, "cn-hangzhou", &[])?;
/// assert!(header.starts_with("OSS4-HMAC-SHA256 Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,Signature="));
///
/// let undated = RequestView { headers: Vec::new(), ..view };
/// assert_eq!(v4::sign_header(&undated, "ak", &secret, "cn-hangzhou", &[]), Err(AuthorizationError::DateInvalid));
/// # Ok::<(), AuthorizationError>(())
/// ```
pub fn sign_header(
    view: &RequestView<'_>,
    access_key_id: &str,
    secret: &AccessKeySecret,
    region: &str,
    additional_headers: &[&str],
) -> Result<String, AuthorizationError> {
    let (date, instant) = request_date(view)?;
    let scope = CredentialScope::new(instant, region);
    let additional = header_list(&additional_headers.join(";"));
    let text = string_to_sign(&date, &scope, &canonical_request(view, &additional));
    let signature = signature(secret, &scope, &text);
    let listed = if additional.is_empty() {
        String::new()
    } else {
        format!(",AdditionalHeaders={}", additional.join(";"))
    };
    Ok(format!("{V4_ALGORITHM} Credential={}{listed},Signature={signature}", scope.credential(access_key_id)))
}

/// The whole query of a signed URL, the view's own parameters in front. A temporary key's
/// `x-oss-security-token` has to be in the view's query already, because it is signed.
///
/// `lifetime_seconds` goes from 1 to [`LIFETIME_SECONDS_MAX`]; a server refuses any other. Source: V4-23 to V4-28.
///
/// ```
/// use countersign_protocol::AccessKeySecret;
/// use countersign_protocol::authorization::{RequestView, VerifyOptions, scheme, v4};
///
/// let secret = AccessKeySecret::from("sk");
/// let now = "2026-11-22T12:00:00Z".parse()?;
/// let view = RequestView { method: "GET", bucket: Some("demo"), key: Some("a.jpg"), ..Default::default() };
/// let query = v4::sign_url(&view, "ak", &secret, "cn-hangzhou", now, 600);
///
/// let received = RequestView { raw_query: Some(&query), ..view };
/// let options = VerifyOptions { now: "2026-11-22T12:09:00Z".parse()?, region: Some("cn-hangzhou") };
/// assert_eq!(scheme::detect(&received)?.verify(&received, &secret, &options), Ok(()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_url(
    view: &RequestView<'_>,
    access_key_id: &str,
    secret: &AccessKeySecret,
    region: &str,
    now: Timestamp,
    lifetime_seconds: i64,
) -> String {
    let date = format_v4_date(now);
    let scope = CredentialScope::new(now, region);
    let mut query = view.raw_query.map(|raw| format!("{raw}&")).unwrap_or_default();
    query += &format!(
        "x-oss-signature-version={V4_ALGORITHM}&x-oss-credential={}&x-oss-date={date}&x-oss-expires={lifetime_seconds}",
        encode(scope.credential(access_key_id))
    );
    let signed = RequestView { raw_query: Some(&query), ..view.clone() };
    let text = string_to_sign(&date, &scope, &canonical_request(&signed, &[]));
    let signature = signature(secret, &scope, &text);
    format!("{query}&x-oss-signature={signature}")
}

/// Verifies the header's claim: the date, the clock, day and region of the credential, the signature.
///
/// Source: V4-12 to V4-22.
///
/// # Errors
/// [`AuthorizationError`]: the date, the clock, the credential's day and region, then the signature.
///
/// ```
/// use countersign_protocol::authorization::{Authentication, AuthorizationError, RequestView, VerifyOptions, scheme, v4};
///
/// let secret = "sk".into();
/// let date = ("x-oss-date", &b"20231216T162057Z"[..]);
/// let mut view = RequestView { method: "GET", bucket: Some("demo"), headers: vec![date], ..Default::default() };
/// let authorization = v4::sign_header(&view, "ak", &secret, "cn-hangzhou", &[])?;
/// view.headers.push(("Authorization", authorization.as_bytes()));
///
/// let Authentication::HeaderV4(claim) = scheme::detect(&view)? else { panic!("it is signed with V4") };
/// let now = "2023-12-16T16:21:00Z".parse().unwrap();
/// let of = |region| v4::verify_header(&claim, &view, &secret, &VerifyOptions { now, region });
/// assert_eq!(of(Some("cn-hangzhou")), Ok(()));
/// assert!(matches!(of(Some("cn-beijing")), Err(AuthorizationError::SigningRegion { .. })));
/// # Ok::<(), AuthorizationError>(())
/// ```
pub fn verify_header(
    claim: &Authorization,
    view: &RequestView<'_>,
    secret: &AccessKeySecret,
    options: &VerifyOptions<'_>,
) -> Result<(), AuthorizationError> {
    let (date, instant) = request_date(view)?;
    check_skew(instant, options.now)?;
    check_scope(&claim.scope, instant, options.region, ec::HEADER_V4_SIGN_DATE)?;
    let verified = check_signature(claim, view, &date, secret);
    // Go SDK 1 and ossutil 1.7 send `Date` alone and sign its text as they sent it.
    let as_sent =
        view.header_text("date").filter(|sent| view.header("x-oss-date").is_none() && *sent != date);
    match as_sent {
        Some(sent) if verified.is_err() && check_signature(claim, view, &sent, secret).is_ok() => Ok(()),
        _ => verified,
    }
}

/// Verifies a signed URL's claim: its lifetime, day and region of the credential, the signature.
///
/// Source: V4-23 to V4-28.
///
/// # Errors
/// [`AuthorizationError`]: the lifetime, the clock, the credential's day and region, then the signature.
///
/// ```
/// use countersign_protocol::authorization::{Authentication, AuthorizationError, RequestView, VerifyOptions, scheme, v4};
///
/// let secret = "sk".into();
/// let view = RequestView { method: "GET", bucket: Some("demo"), key: Some("a.jpg"), ..Default::default() };
/// let query = v4::sign_url(&view, "ak", &secret, "cn-hangzhou", "2026-11-22T12:00:00Z".parse().unwrap(), 60);
/// let view = RequestView { raw_query: Some(&query), ..view };
///
/// let Authentication::UrlV4(claim) = scheme::detect(&view)? else { panic!("it is a signed URL") };
/// let at = |now: &str| {
///     let options = VerifyOptions { now: now.parse().unwrap(), region: None };
///     v4::verify_url(&claim, &view, &secret, &options)
/// };
/// assert_eq!(at("2026-11-22T12:01:00Z"), Ok(()));
/// assert!(matches!(at("2026-11-22T12:01:01Z"), Err(AuthorizationError::Expired { .. })));
/// # Ok::<(), AuthorizationError>(())
/// ```
pub fn verify_url(
    claim: &UrlAuthorization,
    view: &RequestView<'_>,
    secret: &AccessKeySecret,
    options: &VerifyOptions<'_>,
) -> Result<(), AuthorizationError> {
    let signed = parse_v4_date(&claim.date).ok_or(AuthorizationError::DateInvalid)?;
    let lifetime = claim.expires.parse().ok().filter(|seconds| (1..=LIFETIME_SECONDS_MAX).contains(seconds));
    let lifetime: i64 = lifetime.ok_or_else(|| AuthorizationError::LifetimeInvalid(claim.expires.clone()))?;
    let (now, start) = (options.now.as_second(), signed.as_second());
    if start > now.saturating_add(SKEW_SECONDS_MAX) {
        return Err(AuthorizationError::RequestTimeTooSkewed {
            request_time: signed,
            server_time: options.now,
        });
    }
    let end = start.saturating_add(lifetime);
    if end < now {
        let expires = Timestamp::from_second(end).unwrap_or(signed);
        return Err(AuthorizationError::Expired { expires, server_time: options.now });
    }
    check_scope(&claim.authorization.scope, signed, options.region, ec::URL_V4_SIGN_DATE).map_err(
        |error| match error {
            AuthorizationError::SigningRegion { region } => AuthorizationError::UrlRegion { region },
            other => other,
        },
    )?;
    if claim.authorization.access_key_id.starts_with("STS.")
        && view.parameter("x-oss-security-token").is_none()
    {
        return Err(AuthorizationError::SecurityTokenNotInQuery);
    }
    check_signature(&claim.authorization, view, &claim.date, secret)
}

fn check_scope(
    scope: &CredentialScope,
    instant: Timestamp,
    region: Option<&str>,
    day_ec: &'static str,
) -> Result<(), AuthorizationError> {
    if !scope.is_day_of(instant) {
        return Err(AuthorizationError::SignDateInvalid { ec: day_ec });
    }
    match region {
        Some(own) if own != scope.region() => {
            Err(AuthorizationError::SigningRegion { region: scope.region().to_owned() })
        }
        _ => Ok(()),
    }
}

fn check_signature(
    claim: &Authorization,
    view: &RequestView<'_>,
    date: &str,
    secret: &AccessKeySecret,
) -> Result<(), AuthorizationError> {
    if let Some(digest) = view.header_text("x-oss-content-sha256").filter(|digest| digest != UNSIGNED_PAYLOAD)
    {
        return Err(AuthorizationError::PayloadHashUnsupported(digest.into_owned()));
    }
    let canonical = canonical_request(view, &claim.additional_headers);
    let text = string_to_sign(date, &claim.scope, &canonical);
    let calculated = signature(secret, &claim.scope, &text);
    if same_signature(calculated.as_bytes(), claim.signature.as_bytes()) {
        return Ok(());
    }
    Err(AuthorizationError::SignatureMismatch(Box::new(SignatureMismatch {
        access_key_id: claim.access_key_id.clone(),
        signature_provided: claim.signature.clone(),
        string_to_sign: text.into_bytes(),
        canonical_request: Some(canonical),
    })))
}

/// The request's date in the compact form: `x-oss-date`, else `Date`.
fn request_date(view: &RequestView<'_>) -> Result<(String, Timestamp), AuthorizationError> {
    let date = view.header_text("x-oss-date").or_else(|| view.header_text("date"));
    let date = date.ok_or(AuthorizationError::DateInvalid)?;
    let instant = parse_v4_date(&date).or_else(|| http_date::parse(&date));
    let instant = instant.ok_or(AuthorizationError::DateInvalid)?;
    Ok((format_v4_date(instant), instant))
}

/// Names separated by semicolons, lower-case, sorted, each once.
fn header_list(names: &str) -> Vec<String> {
    let names = names.split(';').map(str::trim).filter(|name| !name.is_empty());
    let mut names: Vec<String> = names.map(str::to_ascii_lowercase).collect();
    names.sort();
    names.dedup();
    names
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
