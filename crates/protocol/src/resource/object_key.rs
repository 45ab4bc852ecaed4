//! Object keys (POST-31 to POST-33, GEN-12): 1 to 1023 bytes of UTF-8, without NUL, not beginning with a backslash.
//!
//! OSS's documents also forbid a leading slash, yet its own form samples upload `/user/a/objectName.txt`.
//! A name that can be stored must also be readable, so a leading slash is accepted everywhere and the key
//! is kept as it came. Everything else is a name: `..`, `//`, spaces, emoji.

use std::fmt;

use crate::{ErrorCode, WireError};

/// The name of an object inside its bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// The most bytes a key has.
    pub const BYTES_MAX: usize = 1023;

    /// Checks a key; it is kept byte for byte.
    ///
    /// # Errors
    /// See [`ObjectKeyError`].
    ///
    /// ```
    /// use countersign_protocol::{ObjectKey, object_key::ObjectKeyError};
    ///
    /// assert_eq!(ObjectKey::parse("相册/a b.jpg")?.as_str(), "相册/a b.jpg");
    /// assert_eq!(ObjectKey::parse(""), Err(ObjectKeyError::Empty));
    /// assert_eq!(ObjectKey::parse("\\a"), Err(ObjectKeyError::LeadingBackslash));
    /// assert!(matches!(ObjectKey::parse(&"a".repeat(1_024)), Err(ObjectKeyError::TooLong { .. })));
    /// # Ok::<(), ObjectKeyError>(())
    /// ```
    pub fn parse(key: &str) -> Result<Self, ObjectKeyError> {
        if key.is_empty() {
            return Err(ObjectKeyError::Empty);
        }
        if key.len() > Self::BYTES_MAX {
            return Err(ObjectKeyError::TooLong { bytes: key.len() });
        }
        if key.starts_with('\\') {
            return Err(ObjectKeyError::LeadingBackslash);
        }
        if key.contains('\0') {
            return Err(ObjectKeyError::HoldsNul);
        }
        Ok(Self(key.to_owned()))
    }

    /// Checks a key that came as bytes, for instance percent-decoded from a request path.
    ///
    /// # Errors
    /// See [`ObjectKeyError`]; also when the bytes are not UTF-8.
    ///
    /// ```
    /// use countersign_protocol::ObjectKey;
    ///
    /// assert_eq!(ObjectKey::parse_bytes("相册/a.jpg".as_bytes())?.into_string(), "相册/a.jpg");
    /// assert!(ObjectKey::parse_bytes(b"\xc9\xcf.jpg").is_err(), "GBK, not UTF-8");
    /// # Ok::<(), countersign_protocol::object_key::ObjectKeyError>(())
    /// ```
    pub fn parse_bytes(key: &[u8]) -> Result<Self, ObjectKeyError> {
        Self::parse(std::str::from_utf8(key).map_err(|_| ObjectKeyError::NotUtf8)?)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as an owned text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for ObjectKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Why a text is no object key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectKeyError {
    /// Nothing at all.
    #[error("an object key is not empty")]
    Empty,
    /// More than 1023 bytes.
    #[error("an object key has at most 1023 bytes, this one has {bytes}")]
    TooLong {
        /// How many it has.
        bytes: usize,
    },
    /// A backslash in front.
    #[error("an object key does not begin with a backslash")]
    LeadingBackslash,
    /// A NUL somewhere.
    #[error("an object key holds no NUL")]
    HoldsNul,
    /// Bytes that are no UTF-8.
    #[error("an object key is UTF-8")]
    NotUtf8,
}

impl From<ObjectKeyError> for WireError {
    fn from(error: ObjectKeyError) -> Self {
        let message = match error {
            // What PHP's own test expects of a name in GBK.
            ObjectKeyError::NotUtf8 => {
                return Self::new(ErrorCode::InvalidArgument)
                    .with_message("The characters encoding must be utf-8.");
            }
            ObjectKeyError::Empty => "The Object name can not be empty.",
            ObjectKeyError::TooLong { .. } => "The Length of Object name must be less than 1024.",
            ObjectKeyError::LeadingBackslash | ObjectKeyError::HoldsNul => {
                "The specified object is not valid."
            }
        };
        Self::new(ErrorCode::InvalidObjectName).with_message(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_odd_names_as_they_are() {
        for key in ["a", "用户/照片 🦀.jpg", "..", "a//b", "a b+c#d%e", "/user/a", "dir/", &"k".repeat(1023)]
        {
            assert_eq!(ObjectKey::parse(key).unwrap().as_str(), key);
        }
    }

    #[test]
    fn refuses_each_broken_rule_with_the_words_of_oss() {
        let message = |key: &str| WireError::from(ObjectKey::parse(key).unwrap_err()).message().to_owned();
        assert_eq!(message(""), "The Object name can not be empty.");
        assert_eq!(message(&"k".repeat(1024)), "The Length of Object name must be less than 1024.");
        assert_eq!(message(&"é".repeat(512)), "The Length of Object name must be less than 1024.");
        assert_eq!(message("\\a"), "The specified object is not valid.");
        assert_eq!(message("a\0b"), "The specified object is not valid.");
        assert_eq!(ObjectKey::parse_bytes(b"a\xff"), Err(ObjectKeyError::NotUtf8));
    }
}
