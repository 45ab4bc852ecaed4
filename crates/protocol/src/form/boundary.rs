//! Reads the boundary of a form from the request's Content-Type.
//!
//! Clauses POST-3, POST-4, POST-16.

use super::FormError;
use super::header_parameters;

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
    ///
    /// ```
    /// use countersign_protocol::form::{Boundary, FormError};
    ///
    /// let boundary = Boundary::of_content_type(r#"multipart/form-data; boundary="a b""#)?;
    /// assert_eq!(boundary.as_bytes(), b"a b");
    /// assert_eq!(Boundary::of_content_type("application/json"), Err(FormError::NotMultipart));
    /// assert_eq!(Boundary::of_content_type("multipart/form-data"), Err(FormError::BoundaryMissing));
    /// # Ok::<(), FormError>(())
    /// ```
    pub fn of_content_type(content_type: &str) -> Result<Self, FormError> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("multipart/form-data") {
            return Err(FormError::NotMultipart);
        }
        let (_, parameters) = header_parameters::split(content_type).ok_or(FormError::BoundaryInvalid)?;
        let boundary = header_parameters::only(&parameters, "boundary")
            .map_err(|()| FormError::BoundaryInvalid)?
            .ok_or(FormError::BoundaryMissing)?;
        Self::new(boundary)
    }

    /// Checks a boundary that is known already.
    ///
    /// # Errors
    /// [`FormError::BoundaryInvalid`].
    ///
    /// ```
    /// use countersign_protocol::form::{Boundary, FormError};
    ///
    /// assert_eq!(Boundary::new("----7e1")?.as_bytes(), b"----7e1");
    /// assert_eq!(Boundary::new("line\r\nbreak"), Err(FormError::BoundaryInvalid));
    /// # Ok::<(), FormError>(())
    /// ```
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_boundary_wherever_it_stands_and_however_it_is_quoted() {
        for (content_type, boundary) in [
            ("multipart/form-data; boundary=9431149156168", "9431149156168"),
            ("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b:c=d\"", "a b:c=d"),
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryX; charset=utf-8",
                "----WebKitFormBoundaryX",
            ),
        ] {
            assert_eq!(Boundary::of_content_type(content_type).unwrap().as_bytes(), boundary.as_bytes());
        }
    }

    #[test]
    fn refuses_each_unusable_content_type_by_its_own_name() {
        let refused = |text: &str| Boundary::of_content_type(text).unwrap_err();
        assert_eq!(refused("application/json"), FormError::NotMultipart);
        assert_eq!(refused("multipart/mixed; boundary=a"), FormError::NotMultipart);
        assert_eq!(refused("multipart/form-data"), FormError::BoundaryMissing);
        assert_eq!(refused("multipart/form-data;"), FormError::BoundaryMissing);
        assert_eq!(refused("multipart/form-data; boundary="), FormError::BoundaryInvalid);
        assert_eq!(refused("multipart/form-data; boundary=a; boundary=b"), FormError::BoundaryInvalid);
        assert_eq!(refused("multipart/form-data; boundary=\"a"), FormError::BoundaryInvalid);
        assert_eq!(refused("multipart/form-data; boundary=\"a\r\nb\""), FormError::BoundaryInvalid);
        assert_eq!(refused("multipart/form-data; boundary=é"), FormError::BoundaryInvalid);
        let long = format!("multipart/form-data; boundary={}", "b".repeat(201));
        assert_eq!(refused(&long), FormError::BoundaryInvalid);
    }
}
