//! The range of sizes that a policy allows. It is checked by counting the bytes as they arrive, never by what a
//! header promises.
//!
//! Clauses POL-20 to POL-23.

use crate::{ErrorCode, WireError, ec};

/// The most bytes that PostObject takes, whatever the policy says.
pub const POST_OBJECT_BYTES_MAX: u64 = 5 << 30;

/// An inclusive range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeRange {
    /// The fewest bytes.
    pub bytes_min: u64,
    /// The most bytes.
    pub bytes_max: u64,
}

impl SizeRange {
    /// What a form without a policy may upload.
    pub const ANY: Self = Self { bytes_min: 0, bytes_max: POST_OBJECT_BYTES_MAX };

    /// The sizes that lie in both ranges; possibly none.
    ///
    /// ```
    /// use countersign_protocol::policy::SizeRange;
    ///
    /// let both = SizeRange { bytes_min: 1, bytes_max: 1_000 }.intersect(SizeRange { bytes_min: 0, bytes_max: 500 });
    /// assert_eq!(both, SizeRange { bytes_min: 1, bytes_max: 500 });
    /// ```
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self {
            bytes_min: self.bytes_min.max(other.bytes_min),
            bytes_max: self.bytes_max.min(other.bytes_max),
        }
    }

    /// Refuses as soon as more bytes have arrived than may be; called with every piece.
    ///
    /// # Errors
    /// [`SizeOutsideRange::TooLarge`].
    pub fn check_running(self, bytes_so_far: u64) -> Result<(), SizeOutsideRange> {
        if bytes_so_far > self.bytes_max {
            return Err(SizeOutsideRange::TooLarge { bytes_max: self.bytes_max });
        }
        Ok(())
    }

    /// Refuses a complete file outside the range.
    ///
    /// # Errors
    /// See [`SizeOutsideRange`].
    ///
    /// ```
    /// use countersign_protocol::WireError;
    /// use countersign_protocol::policy::{SizeOutsideRange, SizeRange};
    ///
    /// let range = SizeRange { bytes_min: 10, bytes_max: 20 };
    /// assert_eq!(range.check_running(5), Ok(()), "more may come");
    /// assert_eq!(range.check_running(21), Err(SizeOutsideRange::TooLarge { bytes_max: 20 }));
    /// let short = range.check_complete(5).unwrap_err();
    /// assert_eq!(WireError::from(short).code().as_str(), "EntityTooSmall");
    /// ```
    pub fn check_complete(self, bytes: u64) -> Result<(), SizeOutsideRange> {
        self.check_running(bytes)?;
        if bytes < self.bytes_min {
            return Err(SizeOutsideRange::TooSmall { bytes, bytes_min: self.bytes_min });
        }
        Ok(())
    }
}

/// A file whose size the policy does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SizeOutsideRange {
    /// More bytes than allowed; how many more is not known, since reading stopped.
    #[error("the file is larger than {bytes_max} bytes")]
    TooLarge {
        /// The most bytes allowed.
        bytes_max: u64,
    },
    /// Fewer bytes than demanded.
    #[error("the file has {bytes} bytes, fewer than {bytes_min}")]
    TooSmall {
        /// The bytes of the file.
        bytes: u64,
        /// The fewest bytes allowed.
        bytes_min: u64,
    },
}

impl From<SizeOutsideRange> for WireError {
    fn from(error: SizeOutsideRange) -> Self {
        match error {
            SizeOutsideRange::TooLarge { bytes_max } => Self::new(ErrorCode::EntityTooLarge)
                .with_ec(ec::POST_FILE_TOO_LARGE)
                .with_element("MaxSizeAllowed", bytes_max.to_string()),
            SizeOutsideRange::TooSmall { bytes, bytes_min } => Self::new(ErrorCode::EntityTooSmall)
                .with_ec(ec::POST_FILE_TOO_SMALL)
                .with_element("ProposedSize", bytes.to_string())
                .with_element("MinSizeAllowed", bytes_min.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_belong_to_the_range() {
        let range = SizeRange { bytes_min: 1, bytes_max: 3 };
        assert_eq!(range.check_complete(1), Ok(()));
        assert_eq!(range.check_complete(3), Ok(()));
        assert_eq!(range.check_complete(0), Err(SizeOutsideRange::TooSmall { bytes: 0, bytes_min: 1 }));
        assert_eq!(range.check_running(4), Err(SizeOutsideRange::TooLarge { bytes_max: 3 }));
        assert_eq!(range.check_running(0), Ok(()));
    }

    #[test]
    fn several_ranges_all_hold() {
        let both =
            SizeRange { bytes_min: 1, bytes_max: 9 }.intersect(SizeRange { bytes_min: 3, bytes_max: 20 });
        assert_eq!(both, SizeRange { bytes_min: 3, bytes_max: 9 });
    }
}
