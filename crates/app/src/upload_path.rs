//! Normalises the `path` of `GET /signature`, the folder that an upload is to go into, to a key prefix.
//!
//! Owns the one rule by which such a path becomes a key prefix. The rule is shared with the browser library
//! through `vectors/normalise_path.json`, because a client caches signatures by the path it sent and builds the
//! key from it: both sides must arrive at the same letters. Knows nothing of HTTP: what arrives here has been
//! percent-decoded once, and nothing is decoded again.

use thiserror::Error;

/// The most bytes a folder may have, its end slash included. A key has 1,023, and a file's name must fit behind
/// the folder.
pub const UPLOAD_PATH_BYTES_MAX: usize = 900;

/// A folder as it stands in front of a key: no leading slash, no empty, `.` or `..` segment, one slash at the
/// end. The empty folder (the whole bucket) exists only as a root, see [`UploadPath::whole_bucket`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UploadPath(String);

/// Why a path is not a folder to upload into.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UploadPathError {
    /// A character of the two control blocks (U+0000–001F, U+007F–009F).
    #[error("path contains a control character")]
    ControlCharacter,
    /// A `\`, which some systems take for a slash.
    #[error("path contains a backslash")]
    Backslash,
    /// `${` opens a form variable, and the store expands those after the policy was checked.
    #[error("path contains a variable: \"${{\" is not allowed in a folder")]
    Variable,
    /// A segment that is `.` or `..`.
    #[error("path contains a \".\" or \"..\" segment")]
    DotSegment,
    /// Nothing is left after normalising.
    #[error("path is empty")]
    Empty,
    /// More than [`UPLOAD_PATH_BYTES_MAX`] bytes.
    #[error("path is longer than 900 bytes")]
    TooLong,
    /// Not the configured root and not below it.
    #[error("path leaves the folder \"{root}\"")]
    OutsideRoot {
        /// The root that uploads have to stay in.
        root: String,
    },
}

impl UploadPath {
    /// Normalises a path as it was asked for.
    ///
    /// # Errors
    /// In the order of [`UploadPathError`]'s variants; [`UploadPathError::OutsideRoot`] is not decided here.
    ///
    /// ```
    /// use countersign_app::upload_path::{UploadPath, UploadPathError};
    ///
    /// assert_eq!(UploadPath::normalise("/users//42")?.as_str(), "users/42/");
    /// assert_eq!(UploadPath::normalise("users/../secrets"), Err(UploadPathError::DotSegment));
    /// assert_eq!(UploadPath::normalise("users/${filename}"), Err(UploadPathError::Variable));
    /// assert_eq!(UploadPath::normalise("/"), Err(UploadPathError::Empty));
    /// # Ok::<(), UploadPathError>(())
    /// ```
    pub fn normalise(path: &str) -> Result<Self, UploadPathError> {
        if path.chars().any(char::is_control) {
            return Err(UploadPathError::ControlCharacter);
        }
        if path.contains('\\') {
            return Err(UploadPathError::Backslash);
        }
        if path.contains("${") {
            return Err(UploadPathError::Variable);
        }
        let mut normalised = String::with_capacity(path.len() + 1);
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            if segment == "." || segment == ".." {
                return Err(UploadPathError::DotSegment);
            }
            normalised.push_str(segment);
            normalised.push('/');
        }
        match normalised.len() {
            0 => Err(UploadPathError::Empty),
            bytes if bytes > UPLOAD_PATH_BYTES_MAX => Err(UploadPathError::TooLong),
            _ => Ok(Self(normalised)),
        }
    }

    /// The root that leaves everything open: every folder of the bucket is below it.
    #[must_use]
    pub const fn whole_bucket() -> Self {
        Self(String::new())
    }

    /// Gives the path back if it is this root or below it.
    ///
    /// # Errors
    /// [`UploadPathError::OutsideRoot`]. The end slash is part of the comparison, so `user-dir2/` is outside of
    /// `user-dir/`.
    ///
    /// ```
    /// use countersign_app::upload_path::{UploadPath, UploadPathError};
    ///
    /// let root = UploadPath::normalise("users/42")?;
    /// assert!(UploadPath::normalise("users/42/albums")?.within(&root).is_ok());
    /// let beside = UploadPath::normalise("users/421")?.within(&root);
    /// assert_eq!(beside, Err(UploadPathError::OutsideRoot { root: "users/42/".to_owned() }));
    /// assert!(UploadPath::normalise("any/folder")?.within(&UploadPath::whole_bucket()).is_ok());
    /// # Ok::<(), UploadPathError>(())
    /// ```
    pub fn within(self, root: &Self) -> Result<Self, UploadPathError> {
        if self.0.starts_with(root.as_str()) {
            Ok(self)
        } else {
            Err(UploadPathError::OutsideRoot { root: root.0.clone() })
        }
    }

    /// The folder's letters, as they go in front of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;
