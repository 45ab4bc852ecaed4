//! Signatures that the generator makes and the reference checks: OSS V1 (form and header) and the S3 V4 form
//! that garage understands. Written beside the store's own, so that what is measured is not what measures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

/// A made-up access key of a benchmark run.
#[derive(Clone)]
pub(crate) struct AccessKey {
    /// The public half.
    pub(crate) id: String,
    /// The secret half.
    pub(crate) secret: String,
}

impl AccessKey {
    /// V1 in base64: of a form the text is the base64 of its policy, of a header the string to sign.
    pub(crate) fn sign_v1(&self, text: &str) -> String {
        // HMAC takes a key of any length, so the empty answer is never seen.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes()) else { return String::new() };
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    /// The `Authorization` header of a V1 request without `x-oss-` headers.
    pub(crate) fn authorization_v1(
        &self,
        method: &str,
        content_type: &str,
        date: &str,
        resource: &str,
    ) -> String {
        let signature = self.sign_v1(&format!("{method}\n\n{content_type}\n{date}\n{resource}"));
        format!("OSS {}:{signature}", self.id)
    }

    /// S3 V4 in hexadecimal, of a form's policy in base64.
    pub(crate) fn sign_s3_v4(&self, day: &str, region: &str, policy: &str) -> String {
        let secret = format!("AWS4{}", self.secret);
        let key = [day, region, "s3", "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()));
        hex(&hmac_sha256(&key, policy.as_bytes()))
    }
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// Base64 as forms carry it.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn vectors(name: &str) -> Vec<Value> {
        let path = format!("{}/../vectors/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        file["cases"].as_array().unwrap().clone()
    }

    fn text(case: &Value, field: &str) -> String {
        case[field].as_str().unwrap().to_owned()
    }

    #[test]
    fn signs_forms_as_the_vectors_do() {
        let cases = vectors("post_signature_v1.json");
        assert!(!cases.is_empty());
        for case in cases {
            let key = AccessKey { id: String::new(), secret: text(&case, "secret") };
            assert_eq!(base64(text(&case, "policy_json")), text(&case, "policy_base64"));
            assert_eq!(key.sign_v1(&text(&case, "policy_base64")), text(&case, "signature"));
        }
    }

    #[test]
    fn a_tampered_policy_has_another_signature() {
        let key = AccessKey { id: String::new(), secret: "sk".to_owned() };
        assert_ne!(key.sign_v1("eyJ9"), key.sign_v1("eyJ8"));
    }

    #[test]
    fn signs_s3_policies_as_pythons_hmac_does() {
        // The expected value was computed with Python's hmac.
        let key =
            AccessKey { id: String::new(), secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned() };
        assert_eq!(
            key.sign_s3_v4("20151229", "us-east-1", "test"),
            "cb3bae51dbc7348f35933463db261a3a0d9085aed951dba8e9f99e0788e0429a"
        );
    }

    #[test]
    fn hexadecimal_has_two_digits_a_byte() {
        assert_eq!(hex(&[0, 15, 16, 255]), "000f10ff");
    }
}
