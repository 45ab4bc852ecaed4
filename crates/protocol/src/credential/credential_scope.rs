//! The scope of a V4 credential, `<AccessKeyId>/<YYYYMMDD>/<region>/oss/aliyun_v4_request`, and the signing
//! key that follows from it (V4-1 to V4-6). Shared by form, header and URL signatures, which
//! differ only in what they sign.

use std::fmt;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use zeroize::Zeroizing;

use super::access_key::{AccessKeySecret, hmac_sha256};

/// The algorithm's name, which is also the value of `x-oss-signature-version`.
pub const V4_ALGORITHM: &str = "OSS4-HMAC-SHA256";

const PRODUCT: &str = "oss";
const TERMINATOR: &str = "aliyun_v4_request";

/// The day and region for which a V4 signing key is derived. The product is always `oss`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialScope {
    date: Date,
    region: String,
}

impl CredentialScope {
    /// The scope of the given moment's day in UTC. `region` is written like `cn-hangzhou`, without `oss-`.
    ///
    /// ```
    /// use countersign_protocol::CredentialScope;
    ///
    /// let scope = CredentialScope::new("2023-12-03T23:59:59Z".parse()?, "cn-hangzhou");
    /// assert_eq!(scope.credential("ak"), "ak/20231203/cn-hangzhou/oss/aliyun_v4_request");
    /// assert!(!scope.is_day_of("2023-12-04T00:00:00Z".parse()?), "days are those of UTC");
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn new(now: Timestamp, region: impl Into<String>) -> Self {
        Self { date: now.to_zoned(TimeZone::UTC).date(), region: region.into() }
    }

    /// Splits a credential into key id and scope. The key id is taken as everything before the last four
    /// parts, so that it may itself hold a slash.
    ///
    /// # Errors
    /// See [`CredentialError`].
    ///
    /// ```
    /// use countersign_protocol::{CredentialScope, credential_scope::CredentialError};
    ///
    /// let (id, scope) = CredentialScope::parse_credential("ak/20231203/cn-hangzhou/oss/aliyun_v4_request")?;
    /// assert_eq!((id, scope.region(), scope.date().as_str()), ("ak", "cn-hangzhou", "20231203"));
    /// let of_s3 = CredentialScope::parse_credential("ak/20231203/us-east-1/s3/aws4_request");
    /// assert_eq!(of_s3, Err(CredentialError::Ending));
    /// # Ok::<(), CredentialError>(())
    /// ```
    pub fn parse_credential(credential: &str) -> Result<(&str, Self), CredentialError> {
        let mut parts = credential.rsplitn(5, '/');
        let (terminator, product, region, date, access_key_id) =
            match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(t), Some(p), Some(r), Some(d), Some(a)) => (t, p, r, d, a),
                _ => return Err(CredentialError::Parts),
            };
        if terminator != TERMINATOR || product != PRODUCT {
            return Err(CredentialError::Ending);
        }
        if access_key_id.is_empty() {
            return Err(CredentialError::EmptyKeyId);
        }
        if region.is_empty() {
            return Err(CredentialError::EmptyRegion);
        }
        Ok((access_key_id, Self { date: parse_day(date)?, region: region.to_owned() }))
    }

    /// The credential of the given key in this scope, as it stands in `x-oss-credential`.
    pub fn credential(&self, access_key_id: &str) -> String {
        format!("{access_key_id}/{self}")
    }

    /// The day, as `YYYYMMDD`.
    pub fn date(&self) -> String {
        self.date.strftime("%Y%m%d").to_string()
    }

    /// The region, like `cn-hangzhou`.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether the moment lies in the scope's day (UTC).
    pub fn is_day_of(&self, moment: Timestamp) -> bool {
        moment.to_zoned(TimeZone::UTC).date() == self.date
    }

    /// The signing key: a chain of HMAC-SHA256 over day, region, product and terminator.
    ///
    /// Source: V4-2.
    ///
    /// ```
    /// use countersign_protocol::{AccessKeySecret, CredentialScope};
    ///
    /// let (_, scope) = CredentialScope::parse_credential("ak/20231203/cn-hangzhou/oss/aliyun_v4_request")?;
    /// let key = scope.signing_key(&AccessKeySecret::from("sk"));
    /// assert_eq!(key[..4], [0x69, 0x64, 0xfe, 0xc9]);
    /// # Ok::<(), countersign_protocol::credential_scope::CredentialError>(())
    /// ```
    pub fn signing_key(&self, secret: &AccessKeySecret) -> Zeroizing<[u8; 32]> {
        let mut first = Zeroizing::new(b"aliyun_v4".to_vec());
        first.extend_from_slice(secret.as_bytes());
        let mut key = hmac_sha256(&first, self.date().as_bytes());
        for link in [self.region.as_str(), PRODUCT, TERMINATOR] {
            key = hmac_sha256(key.as_slice(), link.as_bytes());
        }
        key
    }
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{PRODUCT}/{TERMINATOR}", self.date(), self.region)
    }
}

/// Reads `YYYYMMDD'T'HHMMSS'Z'`, the form of `x-oss-date` in V4.
///
/// `None` for any other form.
///
/// ```
/// use countersign_protocol::credential_scope::{format_v4_date, parse_v4_date};
///
/// let moment = parse_v4_date("20231203T121212Z").expect("a date");
/// assert_eq!(moment.to_string(), "2023-12-03T12:12:12Z");
/// assert_eq!(format_v4_date(moment), "20231203T121212Z");
/// assert_eq!(parse_v4_date("2023-12-03T12:12:12Z"), None);
/// ```
pub fn parse_v4_date(text: &str) -> Option<Timestamp> {
    let shape = text.len() == 16
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    if !shape {
        return None;
    }
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Writes the moment as `YYYYMMDD'T'HHMMSS'Z'`.
pub fn format_v4_date(moment: Timestamp) -> String {
    moment.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn parse_day(text: &str) -> Result<Date, CredentialError> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CredentialError::Date);
    }
    Date::strptime("%Y%m%d", text).map_err(|_| CredentialError::Date)
}

/// Why a text is no V4 credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Fewer than five parts.
    #[error("a credential has five parts separated by slashes")]
    Parts,
    /// Another product or terminator.
    #[error("a credential ends with /oss/aliyun_v4_request")]
    Ending,
    /// No key id.
    #[error("the credential's access key id is empty")]
    EmptyKeyId,
    /// No region.
    #[error("the credential's region is empty")]
    EmptyRegion,
    /// A day that is no date.
    #[error("the credential's date is not YYYYMMDD")]
    Date,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_the_signing_key_of_the_vector() {
        let now = parse_v4_date("20231203T121212Z").unwrap();
        let key = CredentialScope::new(now, "cn-hangzhou").signing_key(&AccessKeySecret::from("sk"));
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "6964fec96e2929c66d8602cc0a4bd25918c0fa64791aeb55736ffe06397879e0");
    }

    #[test]
    fn reads_back_the_credential_it_writes() {
        let now = parse_v4_date("20231203T121212Z").unwrap();
        let scope = CredentialScope::new(now, "cn-hangzhou");
        let credential = scope.credential("ak");
        assert_eq!(credential, "ak/20231203/cn-hangzhou/oss/aliyun_v4_request");
        assert_eq!(CredentialScope::parse_credential(&credential), Ok(("ak", scope)));
    }

    #[test]
    fn refuses_each_broken_credential_by_its_own_name() {
        let parse = |text: &'static str| CredentialScope::parse_credential(text).unwrap_err();
        assert_eq!(parse("ak/20231203/cn-hangzhou/oss"), CredentialError::Parts);
        assert_eq!(parse("ak/20231203/cn-hangzhou/s3/aliyun_v4_request"), CredentialError::Ending);
        assert_eq!(parse("ak/20231203/cn-hangzhou/oss/aws4_request"), CredentialError::Ending);
        assert_eq!(parse("/20231203/cn-hangzhou/oss/aliyun_v4_request"), CredentialError::EmptyKeyId);
        assert_eq!(parse("ak/20231203//oss/aliyun_v4_request"), CredentialError::EmptyRegion);
        assert_eq!(parse("ak/20231303/cn-hangzhou/oss/aliyun_v4_request"), CredentialError::Date);
        assert_eq!(parse("ak/2023123/cn-hangzhou/oss/aliyun_v4_request"), CredentialError::Date);
    }

    #[test]
    fn reads_only_the_compact_date_of_v4() {
        assert_eq!(format_v4_date(parse_v4_date("20231203T121212Z").unwrap()), "20231203T121212Z");
        for text in ["20231203T121212", "2023-12-03T12:12:12Z", "20231203T251212Z", "20231303T121212Z", ""] {
            assert_eq!(parse_v4_date(text), None, "{text}");
        }
    }
}
