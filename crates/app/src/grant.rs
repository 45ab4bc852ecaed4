//! What an application permits one user to upload: the user's id, and the folder, sizes and types of the uploads.
//!
//! A grant only ever narrows what the signer was told at its start; one that would widen it is refused, not cut down,
//! so that nobody believes in a limit that does not hold. Where it comes from is known to [`crate::router::hooks`], and
//! how it comes back with the callback to [`crate::signer::sealed_grant`].

use thiserror::Error;

use crate::{
    signer_options::{SignerOptions, is_family},
    upload_path::UploadPath,
};

/// The longest user id, in bytes.
pub const USER_BYTES_MAX: usize = 128;
/// How many content types one grant may list.
pub const CONTENT_TYPES_MAX: usize = 64;
/// The longest content type, in bytes.
const CONTENT_TYPE_BYTES_MAX: usize = 127;
/// How many custom values one grant may have.
pub const VALUES_MAX: usize = 16;
/// What the names and values of one grant may have together, in bytes: they travel in the callback parameter, which
/// has room for 5 KB.
pub const VALUES_BYTES_MAX: usize = 512;
/// The longest name of a value, in bytes.
const VALUE_NAME_BYTES_MAX: usize = 64;
/// Names that say something else already: the user, and what the client calls its file.
const TAKEN_NAMES: [&str; 2] = ["x:user", "x:name"];

/// What one caller may upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The application's own id of the user: 1 to 128 bytes without control characters.
    pub user: String,
    /// The folder that uploads stay in, and whose uploads the user may list.
    pub folder: UploadPath,
    /// The largest file in bytes, where it is smaller than the signer's.
    pub size_bytes_max: Option<u64>,
    /// The content types, where they are fewer than the signer's: whole ones, or one family such as `image/*`. Empty:
    /// the signer's.
    pub content_types: Vec<String>,
    /// Custom values that come back with the callback, names with their `x:` in front.
    pub values: Vec<(String, String)>,
}

/// Why a grant cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GrantError {
    /// Empty, too long, or with a control character.
    #[error("the user's id is empty, longer than 128 bytes, or has a control character in it")]
    User,
    /// A folder that this server does not sign for.
    #[error("the folder {folder:?} is not within {root:?}, which this server signs for")]
    Folder {
        /// What was granted.
        folder: String,
        /// What the signer has.
        root: String,
    },
    /// A size outside of the signer's range.
    #[error("files of {bytes} bytes are granted, and this server signs for {min} to {max}")]
    Size {
        /// What was granted.
        bytes: u64,
        /// The smallest that is signed for.
        min: u64,
        /// The largest that is signed for.
        max: u64,
    },
    /// A text that is no type, a type that is not signed for, or a family among others.
    #[error(
        "the content type {content_type:?} is none, is not among those signed for, or is a family among others"
    )]
    ContentType {
        /// What was granted.
        content_type: String,
    },
    /// Too many content types.
    #[error("more than 64 content types are granted")]
    ContentTypes,
    /// A name that is no `x:` and lower-case letters, digits, `-`, `_` or `.`, or that is taken or named twice.
    #[error("{name:?} cannot be the name of a custom value, or is there twice")]
    ValueName {
        /// The name.
        name: String,
    },
    /// Too many values, too long ones together, or a control character in one.
    #[error("the custom values are more than 16 or 512 bytes, or have a control character in them")]
    Values,
}

impl Grant {
    /// All that the signer permits, in this folder.
    ///
    /// ```
    /// use countersign_app::{grant::Grant, upload_path::UploadPath};
    ///
    /// let grant = Grant { size_bytes_max: Some(5_000_000), ..Grant::new("42", UploadPath::normalise("users/42")?) };
    /// assert_eq!((grant.user.as_str(), grant.folder.as_str()), ("42", "users/42/"));
    /// assert!(grant.content_types.is_empty(), "all types that the signer permits");
    /// # Ok::<(), countersign_app::upload_path::UploadPathError>(())
    /// ```
    #[must_use]
    pub fn new(user: impl Into<String>, folder: UploadPath) -> Self {
        Self {
            user: user.into(),
            folder,
            size_bytes_max: None,
            content_types: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Everything that comes back under a name, the user first.
    pub(crate) fn named_values(&self) -> impl Iterator<Item = (String, String)> {
        std::iter::once(("x:user".to_owned(), self.user.clone())).chain(self.values.iter().cloned())
    }

    /// Holds the grant against its bounds and against what the signer permits.
    ///
    /// # Errors
    /// [`GrantError`], the first that is found.
    ///
    /// ```
    /// use countersign_app::{AccessKeySecret, SignerOptions, grant::{Grant, GrantError}, upload_path::UploadPath};
    ///
    /// let mut signer = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
    /// signer.root = UploadPath::normalise("users/")?;
    /// let grant = Grant::new("42", UploadPath::normalise("users/42/")?);
    /// assert_eq!(grant.check(&signer), Ok(()));
    ///
    /// let elsewhere = Grant::new("42", UploadPath::normalise("backups/")?);
    /// assert!(matches!(elsewhere.check(&signer), Err(GrantError::Folder { .. })));
    /// let huge = Grant { size_bytes_max: Some(10_000_000_000), ..grant };
    /// assert!(matches!(huge.check(&signer), Err(GrantError::Size { .. })), "refused, not cut down");
    /// # Ok::<(), countersign_app::upload_path::UploadPathError>(())
    /// ```
    pub fn check(&self, signer: &SignerOptions) -> Result<(), GrantError> {
        if self.user.is_empty() || self.user.len() > USER_BYTES_MAX || has_control(&self.user) {
            return Err(GrantError::User);
        }
        if self.folder.clone().within(&signer.root).is_err() {
            let (folder, root) = (self.folder.as_str().to_owned(), signer.root.as_str().to_owned());
            return Err(GrantError::Folder { folder, root });
        }
        let (min, max) = (*signer.size_bytes.start(), *signer.size_bytes.end());
        if let Some(bytes) = self.size_bytes_max.filter(|bytes| !signer.size_bytes.contains(bytes)) {
            return Err(GrantError::Size { bytes, min, max });
        }
        self.check_content_types(&signer.content_types)?;
        self.check_values()
    }

    fn check_content_types(&self, signed_for: &[String]) -> Result<(), GrantError> {
        if self.content_types.len() > CONTENT_TYPES_MAX {
            return Err(GrantError::ContentTypes);
        }
        let alone = self.content_types.len() == 1;
        let may_be_granted = |content_type: &str| {
            let permitted = signed_for.is_empty()
                || signed_for.iter().any(|permitted| match permitted.strip_suffix('*') {
                    Some(family) => content_type.starts_with(family),
                    None => permitted == content_type,
                });
            is_content_type(content_type) && (alone || !is_family(content_type)) && permitted
        };
        match self.content_types.iter().find(|content_type| !may_be_granted(content_type)) {
            None => Ok(()),
            Some(odd) => Err(GrantError::ContentType { content_type: odd.clone() }),
        }
    }

    fn check_values(&self) -> Result<(), GrantError> {
        for (position, (name, _)) in self.values.iter().enumerate() {
            let again = self.values.iter().take(position).any(|(before, _)| before == name);
            if again || TAKEN_NAMES.contains(&name.as_str()) || !is_value_name(name) {
                return Err(GrantError::ValueName { name: name.clone() });
            }
        }
        let bytes: usize = self.values.iter().map(|(name, value)| name.len() + value.len()).sum();
        let readable = self.values.iter().all(|(_, value)| !has_control(value));
        if self.values.len() > VALUES_MAX || bytes > VALUES_BYTES_MAX || !readable {
            return Err(GrantError::Values);
        }
        Ok(())
    }
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// `family/kind` in the letters that types have, without parameters; the kind may be `*`.
fn is_content_type(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= CONTENT_TYPE_BYTES_MAX
        && text
            .split_once('/')
            .is_some_and(|(family, kind)| is_part(family) && (kind == "*" || is_part(kind)))
}

/// `x:` and what a form field and a template variable can be called on every store.
fn is_value_name(text: &str) -> bool {
    let letters = text.strip_prefix("x:").unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    !letters.is_empty() && text.len() <= VALUE_NAME_BYTES_MAX && letters.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_protocol::access_key::AccessKeySecret;

    fn signer(content_types: &[&str]) -> SignerOptions {
        let host = "http://demo.localhost:9817";
        SignerOptions {
            root: UploadPath::normalise("user").unwrap(),
            size_bytes: 1..=1000,
            content_types: content_types.iter().map(ToString::to_string).collect(),
            ..SignerOptions::new("ak", AccessKeySecret::new("sk"), "demo", host)
        }
    }

    fn grant() -> Grant {
        Grant::new("42", UploadPath::normalise("user/42").unwrap())
    }

    fn with_types(types: &[&str]) -> Grant {
        Grant { content_types: types.iter().map(ToString::to_string).collect(), ..grant() }
    }

    #[test]
    fn a_grant_never_widens_what_the_signer_permits() {
        assert_eq!(grant().check(&signer(&[])), Ok(()));
        let folder = UploadPath::normalise("user2").unwrap();
        assert!(matches!(Grant { folder, ..grant() }.check(&signer(&[])), Err(GrantError::Folder { .. })));
        let whole = Grant { folder: UploadPath::whole_bucket(), ..grant() };
        assert!(whole.check(&signer(&[])).is_err());
        for (bytes, fits) in [(0, false), (1, true), (1000, true), (1001, false), (u64::MAX, false)] {
            let sized = Grant { size_bytes_max: Some(bytes), ..grant() };
            assert_eq!(sized.check(&signer(&[])).is_ok(), fits, "{bytes}");
        }
        for (signed_for, granted, fits) in [
            (&[][..], &["image/png", "image/svg+xml"][..], true),
            (&[], &["image/*"], true),
            (&[], &["image/*", "image/png"], false),
            (&[], &["image"], false),
            (&[], &["image/png; charset=x"], false),
            (&[], &["*/*"], false),
            (&["image/*"], &["image/png"], true),
            (&["image/*"], &["image/*"], true),
            (&["image/*"], &["imagex/png"], false),
            (&["image/png"], &["image/*"], false),
            (&["image/png", "image/gif"], &["image/gif"], true),
            (&["image/png"], &["image/gif"], false),
        ] {
            assert_eq!(with_types(granted).check(&signer(signed_for)).is_ok(), fits, "{granted:?}");
        }
        assert_eq!(with_types(&["a/b"; 65]).check(&signer(&[])), Err(GrantError::ContentTypes));
    }

    #[test]
    fn ids_and_values_are_bounded_and_named_once() {
        for user in ["", "4\n2", &"a".repeat(129)] {
            assert_eq!(Grant { user: user.to_owned(), ..grant() }.check(&signer(&[])), Err(GrantError::User));
        }
        let valued = |values: &[(&str, &str)]| {
            let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Grant { values: values.collect(), ..grant() }.check(&signer(&[]))
        };
        assert_eq!(valued(&[("x:album", "海 ${x}"), ("x:a-b_c.1", "")]), Ok(()));
        for name in ["x:user", "x:name", "album", "x:", "x:Album", "x:a b", "x:a}", "X:a"] {
            assert!(matches!(valued(&[(name, "1")]), Err(GrantError::ValueName { .. })), "{name}");
        }
        assert!(valued(&[("x:a", "1"), ("x:a", "2")]).is_err());
        assert_eq!(valued(&[("x:a", "1\u{7f}")]), Err(GrantError::Values));
        assert_eq!(valued(&[("x:a", &"b".repeat(510))]), Err(GrantError::Values));
    }
}
