//! The secret of an access key. It is a type of its own so that it is never printed, never compared in variable time,
//! and wiped from memory after use. It does not know its key id.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The secret with which requests and forms are signed.
#[derive(Clone)]
pub struct AccessKeySecret(Zeroizing<Vec<u8>>);

impl AccessKeySecret {
    /// Takes over the bytes of the secret; they are wiped when the value is dropped.
    ///
    /// ```
    /// use countersign_protocol::AccessKeySecret;
    ///
    /// let secret = AccessKeySecret::new("OtxrzxIsfpFjA7Sx");
    /// assert_eq!(format!("{secret:?}"), "AccessKeySecret(redacted)");
    /// assert_eq!(secret, AccessKeySecret::from("OtxrzxIsfpFjA7Sx"), "compared in constant time");
    /// ```
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    /// The bytes, for the one place that feeds them to an HMAC or writes them into the owner's own file.
    ///
    /// ```
    /// use countersign_protocol::AccessKeySecret;
    ///
    /// assert_eq!(AccessKeySecret::from("OtxrzxIsfpFjA7Sx").as_bytes(), b"OtxrzxIsfpFjA7Sx");
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The HMAC-SHA256 of a message under this secret: 32 bytes.
    ///
    /// ```
    /// use countersign_protocol::AccessKeySecret;
    ///
    /// // RFC 4231, test case 2.
    /// let tag = AccessKeySecret::from("Jefe").hmac_sha256(b"what do ya want for nothing?");
    /// assert_eq!(tag[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    /// ```
    pub fn hmac_sha256(&self, message: &[u8]) -> [u8; 32] {
        *hmac_sha256(&self.0, message)
    }
}

impl fmt::Debug for AccessKeySecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessKeySecret(redacted)")
    }
}

impl PartialEq for AccessKeySecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for AccessKeySecret {}

impl From<String> for AccessKeySecret {
    fn from(secret: String) -> Self {
        Self::new(secret.into_bytes())
    }
}

impl From<&str> for AccessKeySecret {
    fn from(secret: &str) -> Self {
        Self::new(secret.as_bytes())
    }
}

/// HMAC-SHA256 of the message; any length of key is legal.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_itself_in_debug_output() {
        let secret = AccessKeySecret::from("do-not-print");
        assert!(!format!("{secret:?}").contains("do-not-print"));
    }

    #[test]
    fn equals_only_the_same_bytes() {
        assert_eq!(AccessKeySecret::from("sk"), AccessKeySecret::from("sk".to_owned()));
        assert_ne!(AccessKeySecret::from("sk"), AccessKeySecret::from("sk2"));
        assert_ne!(AccessKeySecret::from("sk"), AccessKeySecret::from("sK"));
    }
}
