//! Signs what the tests send, written from the protocol's description alone and independent of the code under test:
//! policy V1 and V4, and the V1 header for everything that is not a form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};

/// `now` moved by seconds, as a policy's `expiration` spells it.
pub fn expiration(seconds_from_now: i64) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds_from_now);
    then.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A POST policy: its base64 text.
#[derive(Clone, Debug)]
pub struct PolicyText(pub String);

impl PolicyText {
    /// From the JSON text, whatever it is.
    pub fn of(json: impl AsRef<[u8]>) -> PolicyText {
        PolicyText(STANDARD.encode(json))
    }

    /// An hour long, with these conditions (JSON array items).
    pub fn with(conditions: &str) -> PolicyText {
        PolicyText::of(format!(r#"{{"expiration":"{}","conditions":[{conditions}]}}"#, expiration(3600)))
    }

    /// An hour long, sizes 0 to 1048576000, any key.
    pub fn open() -> PolicyText {
        PolicyText::with(r#"["content-length-range",0,1048576000]"#)
    }
}

/// HMAC-SHA1 in base64, over any bytes.
pub fn hmac_sha1_base64(secret: &str, bytes: &[u8]) -> String {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(bytes);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("any length");
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// `Signature` of a POST form, V1.
pub fn sign_policy_v1(secret: &str, policy: &PolicyText) -> String {
    hmac_sha1_base64(secret, policy.0.as_bytes())
}

/// `x-oss-signature` of a POST form, V4; `date` is `YYYYMMDD`.
pub fn sign_policy_v4(secret: &str, date: &str, region: &str, policy: &PolicyText) -> String {
    let mut key = hmac_sha256(format!("aliyun_v4{secret}").as_bytes(), date.as_bytes());
    for word in [region, "oss", "aliyun_v4_request"] {
        key = hmac_sha256(&key, word.as_bytes());
    }
    hmac_sha256(&key, policy.0.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `Authorization` value of a V1 request. `resource` is `/bucket/key` decoded, with its signed query; `headers` are
/// those that will be sent, with `Date` among them.
pub fn authorization_v1(
    id: &str,
    secret: &str,
    method: &str,
    resource: &str,
    headers: &[(String, String)],
) -> String {
    let value = |name: &str| {
        headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value.as_str())
    };
    let mut canonical: Vec<(String, &String)> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| name.starts_with("x-oss-"))
        .collect();
    canonical.sort();
    let canonical: String = canonical.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let text = format!(
        "{method}\n{}\n{}\n{}\n{}{resource}",
        value("content-md5"),
        value("content-type"),
        value("date"),
        canonical
    );
    format!("OSS {id}:{}", hmac_sha1_base64(secret, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_published_vectors() {
        let policy = PolicyText::of(
            r#"{"expiration":"2030-01-01T00:00:00.000Z","conditions":[["content-length-range",0,1048576000]]}"#,
        );
        assert_eq!(sign_policy_v1("sk", &policy), "7ZujzRtMfKQIU51fpHd6Y412f+0=");
        let policy = PolicyText::of(
            r#"{"expiration":"2030-01-01T00:00:00.000Z","conditions":[{"bucket":"examplebucket"},{"x-oss-signature-version":"OSS4-HMAC-SHA256"},{"x-oss-credential":"ak/20231203/cn-hangzhou/oss/aliyun_v4_request"},{"x-oss-date":"20231203T121212Z"}]}"#,
        );
        assert_eq!(
            sign_policy_v4("sk", "20231203", "cn-hangzhou", &policy),
            "e134a6f3a58e89b8e2edc083c6cf8541f1a25cfaca733b3f7958ddfe9d6b64ef"
        );
    }
}
