//! Bucket names (GEN-11): 3 to 63 lower-case letters, digits and hyphens, no hyphen at either end.
//! Whether such a bucket exists is the store's knowledge.

use std::fmt;

use crate::{ErrorCode, WireError};

/// A bucket name that keeps OSS's rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketName(String);

impl BucketName {
    /// The fewest bytes a name has.
    pub const BYTES_MIN: usize = 3;
    /// The most bytes a name has.
    pub const BYTES_MAX: usize = 63;

    /// Checks a name.
    ///
    /// # Errors
    /// See [`BucketNameError`].
    ///
    /// ```
    /// use countersign_protocol::{BucketName, bucket_name::BucketNameError};
    ///
    /// assert_eq!(BucketName::parse("my-photos-2026")?.as_str(), "my-photos-2026");
    /// assert!(matches!(BucketName::parse("ab"), Err(BucketNameError::Length { .. })));
    /// assert!(matches!(BucketName::parse("My_Photos"), Err(BucketNameError::Character { .. })));
    /// # Ok::<(), BucketNameError>(())
    /// ```
    pub fn parse(name: &str) -> Result<Self, BucketNameError> {
        if name.len() < Self::BYTES_MIN || name.len() > Self::BYTES_MAX {
            return Err(BucketNameError::Length { name: name.to_owned() });
        }
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
            return Err(BucketNameError::Character { name: name.to_owned() });
        }
        if name.starts_with('-') || name.ends_with('-') {
            return Err(BucketNameError::HyphenAtAnEnd { name: name.to_owned() });
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as an owned text.
    ///
    /// ```
    /// use countersign_protocol::{BucketName, bucket_name::BucketNameError};
    ///
    /// assert_eq!(BucketName::parse("photos")?.into_string(), "photos");
    /// # Ok::<(), BucketNameError>(())
    /// ```
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for BucketName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Why a text is no bucket name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketNameError {
    /// Shorter than 3 or longer than 63 bytes.
    #[error("a bucket name has 3 to 63 characters: {name:?}")]
    Length {
        /// The name as it came.
        name: String,
    },
    /// Something else than `a-z`, `0-9` and `-`.
    #[error("a bucket name holds only a-z, 0-9 and the hyphen: {name:?}")]
    Character {
        /// The name as it came.
        name: String,
    },
    /// A hyphen in front or behind.
    #[error("a bucket name neither begins nor ends with a hyphen: {name:?}")]
    HyphenAtAnEnd {
        /// The name as it came.
        name: String,
    },
}

impl From<BucketNameError> for WireError {
    fn from(error: BucketNameError) -> Self {
        let (BucketNameError::Length { name }
        | BucketNameError::Character { name }
        | BucketNameError::HyphenAtAnEnd { name }) = error;
        Self::new(ErrorCode::InvalidBucketName).with_element("BucketName", name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_oss_accepts() {
        for name in ["abc", "post-test", "1-2-3", &"a".repeat(63)] {
            assert_eq!(BucketName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn refuses_every_broken_rule_by_its_own_name() {
        assert!(matches!(BucketName::parse("ab"), Err(BucketNameError::Length { .. })));
        assert!(matches!(BucketName::parse(&"a".repeat(64)), Err(BucketNameError::Length { .. })));
        for name in ["Abc", "a_b", "a.b", "a b", "büc", "a/b"] {
            assert!(matches!(BucketName::parse(name), Err(BucketNameError::Character { .. })), "{name}");
        }
        for name in ["-abc", "abc-"] {
            assert!(matches!(BucketName::parse(name), Err(BucketNameError::HyphenAtAnEnd { .. })), "{name}");
        }
    }
}
