//! Lists the headers or form fields that are kept with an object (POST-39 to POST-44, OBJ-2).
//!
//! One reading for PutObject's headers and PostObject's fields, so that both store the same thing for the same
//! names. What could not be given back unaltered is refused here, before anything is stored.

use countersign_protocol::{ErrorCode, ObjectAcl, WireError, acl::AclError};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};

use crate::object::attributes::{DEFAULT_CONTENT_TYPE, ObjectAttributes, content_type_of_key};

/// The most bytes that names and values of all `x-oss-meta-*` together may have.
pub(crate) const USER_META_BYTES_MAX: usize = 8 * 1024;
/// The most bytes that the values of all other kept headers together may have.
pub(crate) const KEPT_BYTES_MAX: usize = 8 * 1024;
/// What begins the name of user metadata.
const USER_META_PREFIX: &str = "x-oss-meta-";
/// The storage classes of OSS: labels that are given back, nothing more.
const STORAGE_CLASSES: [&str; 5] = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];

/// Why something cannot be kept with an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// No such access control list.
    #[error(transparent)]
    Acl(#[from] AclError),
    /// No such storage class.
    #[error("no such storage class: {word:?}")]
    StorageClass {
        /// The word as it came.
        word: String,
    },
    /// A class whose objects have to be restored before they can be read, which nothing here does.
    #[error("objects of the class {class} are not archived here")]
    ArchiveClass {
        /// The class.
        class: &'static str,
    },
    /// Neither true nor false.
    #[error("x-oss-forbid-overwrite is {word:?}")]
    Overwrite {
        /// The word as it came.
        word: String,
    },
    /// More than `USER_META_BYTES_MAX` of user metadata.
    #[error("user metadata of {bytes} bytes is more than {USER_META_BYTES_MAX}")]
    UserMetaTooLarge {
        /// How many bytes names and values have.
        bytes: usize,
    },
    /// More than `KEPT_BYTES_MAX` in the other headers that are kept.
    #[error("the headers that are kept have {bytes} bytes, which is more than {KEPT_BYTES_MAX}")]
    HeadersTooLarge {
        /// How many bytes their values have.
        bytes: usize,
    },
    /// A value that could not be given back in a header, since it holds a control character or is no UTF-8.
    #[error("the value of {name} cannot be a header's value")]
    Value {
        /// The header or field.
        name: String,
    },
    /// A name that could not be given back as a header's name.
    #[error("{name:?} cannot be a header's name")]
    Name {
        /// The header or field.
        name: String,
    },
}

impl From<AttributeError> for WireError {
    fn from(error: AttributeError) -> Self {
        let invalid = |message: &'static str, name: &str| {
            Self::new(ErrorCode::InvalidArgument).with_message(message).with_element("ArgumentName", name)
        };
        match error {
            AttributeError::Acl(error) => error.into(),
            AttributeError::StorageClass { word } => {
                invalid("No such bucket storage class exists.", "x-oss-storage-class")
                    .with_element("ArgumentValue", word)
            }
            AttributeError::ArchiveClass { class } => {
                archive_class_refusal(class).with_element("Header", "x-oss-storage-class")
            }
            AttributeError::Overwrite { word } => {
                invalid("x-oss-forbid-overwrite is true or false.", "x-oss-forbid-overwrite")
                    .with_element("ArgumentValue", word)
            }
            AttributeError::UserMetaTooLarge { bytes } => {
                invalid("The user metadata is larger than 8 KB.", "x-oss-meta-*")
                    .with_element("ArgumentValue", bytes.to_string())
            }
            AttributeError::HeadersTooLarge { bytes } => {
                invalid("The headers to be kept with the object are larger than 8 KB.", "headers")
                    .with_element("ArgumentValue", bytes.to_string())
            }
            AttributeError::Value { name } => {
                invalid("The value cannot be kept: it is no text that a header can hold.", &name)
            }
            AttributeError::Name { name } => invalid("The name cannot be kept as a header's name.", &name),
        }
    }
}

/// Whether a header or field of this name, in any letter case, is user metadata.
pub(crate) fn is_user_metadata(name: &str) -> bool {
    name.get(..USER_META_PREFIX.len()).is_some_and(|front| front.eq_ignore_ascii_case(USER_META_PREFIX))
}

/// Collects what is to be kept. Names come in any letter case, other names are passed over. `content_type` is
/// the one that counts (a form has several places for it); without one it follows from the key's extension.
///
/// # Errors
/// What could not be given back unaltered, by its name.
pub fn gather<'a>(
    key: &str,
    content_type: Option<&str>,
    named: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<ObjectAttributes, AttributeError> {
    let given = content_type.filter(|given| !given.is_empty());
    let mut gathered = ObjectAttributes {
        content_type: match given {
            Some(given) => kept("Content-Type", given.as_bytes())?,
            None => content_type_of_key(key),
        },
        ..ObjectAttributes::default()
    };
    for (name, value) in named {
        take(&mut gathered, &name.to_ascii_lowercase(), value)?;
    }
    let meta_bytes = |(name, value): &(String, String)| name.len() - USER_META_PREFIX.len() + value.len();
    let bytes = gathered.metadata.iter().map(meta_bytes).sum();
    if bytes > USER_META_BYTES_MAX {
        return Err(AttributeError::UserMetaTooLarge { bytes });
    }
    let kept = [
        Some(&gathered.content_type),
        gathered.cache_control.as_ref(),
        gathered.content_disposition.as_ref(),
        gathered.content_encoding.as_ref(),
        gathered.expires.as_ref(),
    ];
    // Every listing reads them, and a form's field may be megabytes long.
    let bytes = kept.into_iter().flatten().map(String::len).sum();
    if bytes > KEPT_BYTES_MAX {
        return Err(AttributeError::HeadersTooLarge { bytes });
    }
    Ok(gathered)
}

/// The same for the headers of PutObject, which takes no type from the key's extension: an SDK that wants one sends it,
/// and its tests demand that a signed URL without one stores none.
pub(crate) fn gather_headers(key: &str, headers: &HeaderMap) -> Result<ObjectAttributes, AttributeError> {
    let content_type = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let given = content_type.as_deref().filter(|given| !given.is_empty());
    gather(key, given.or(Some(DEFAULT_CONTENT_TYPE)), named)
}

fn take(gathered: &mut ObjectAttributes, name: &str, value: &[u8]) -> Result<(), AttributeError> {
    match name {
        "cache-control" => gathered.cache_control = Some(kept(name, value)?),
        "content-disposition" => gathered.content_disposition = Some(kept(name, value)?),
        "content-encoding" => gathered.content_encoding = Some(kept(name, value)?),
        "expires" => gathered.expires = Some(kept(name, value)?),
        "x-oss-object-acl" => gathered.acl = ObjectAcl::parse(&kept(name, value)?)?,
        "x-oss-storage-class" => gathered.storage_class = Some(storage_class(&kept(name, value)?)?),
        _ if name.starts_with(USER_META_PREFIX) => {
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(AttributeError::Name { name: name.to_owned() });
            }
            gathered.metadata.push((name.to_owned(), kept(name, value)?));
        }
        _ => {}
    }
    Ok(())
}

/// The class in OSS's spelling, from a word in any letter case.
///
/// # Errors
/// [`AttributeError::StorageClass`], [`AttributeError::ArchiveClass`].
pub fn storage_class(word: &str) -> Result<String, AttributeError> {
    match STORAGE_CLASSES.into_iter().find(|class| class.eq_ignore_ascii_case(word)) {
        Some(class) if is_archive_class(class) => Err(AttributeError::ArchiveClass { class }),
        Some(class) => Ok(class.to_owned()),
        None => Err(AttributeError::StorageClass { word: word.to_owned() }),
    }
}

/// Whether what is in this class could not be read without being restored.
pub(crate) fn is_archive_class(class: &str) -> bool {
    class.ends_with("Archive")
}

/// The refusal of such a class: to take it for a label would promise that reading needs a restore.
pub(crate) fn archive_class_refusal(class: &str) -> WireError {
    WireError::new(ErrorCode::NotImplemented)
        .with_message(format!("This store does not implement the storage class {class}."))
}

/// Whether an object under the same key stays.
pub(crate) fn forbids_overwrite(word: Option<&str>) -> Result<bool, AttributeError> {
    match word {
        None | Some("") => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Some(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        Some(word) => Err(AttributeError::Overwrite { word: word.to_owned() }),
    }
}

/// A value that can be given back in a header as it came.
fn kept(name: &str, value: &[u8]) -> Result<String, AttributeError> {
    let text = std::str::from_utf8(value).ok().filter(|text| header_value(text).is_some());
    text.map(str::to_owned).ok_or_else(|| AttributeError::Value { name: name.to_owned() })
}

fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use countersign_protocol::Acl;

    use super::*;

    fn gather_one(name: &str, value: &[u8]) -> Result<ObjectAttributes, AttributeError> {
        gather("k", None, [(name, value)])
    }

    #[test]
    fn keeps_what_oss_keeps_and_passes_over_the_rest() {
        let named = [
            ("Cache-Control", "no-cache".as_bytes()),
            ("x-oss-meta-Author", "作者".as_bytes()),
            ("X-OSS-OBJECT-ACL", b"public-read"),
            ("x-oss-storage-class", b"ia"),
            ("x-oss-callback", b"ignored"),
        ];
        let gathered = gather("a/b.PNG", None, named).unwrap();
        assert_eq!(gathered.content_type, "image/png");
        assert_eq!(gathered.cache_control.as_deref(), Some("no-cache"));
        assert_eq!(gathered.metadata, [("x-oss-meta-author".to_owned(), "作者".to_owned())]);
        assert_eq!(gathered.acl, ObjectAcl::Own(Acl::PublicRead));
        assert_eq!(gathered.storage_class(), "IA");
    }

    #[test]
    fn a_given_content_type_takes_precedence_over_the_extension() {
        let content_type = |key, given| gather(key, given, []).unwrap().content_type;
        assert_eq!(content_type("a.png", Some("text/x-mine; charset=gbk")), "text/x-mine; charset=gbk");
        assert_eq!(content_type("a.png", Some("")), "image/png");
        assert_eq!(content_type("noextension", None), "application/octet-stream");
    }

    #[test]
    fn refuses_what_could_not_be_given_back() {
        let refused = |name, value| gather_one(name, value).unwrap_err();
        assert!(matches!(refused("x-oss-meta-a", b"b\r\nSet-Cookie: c"), AttributeError::Value { .. }));
        assert!(matches!(refused("cache-control", b"\xff\xfe"), AttributeError::Value { .. }));
        assert!(matches!(refused("x-oss-meta-a b", b"c"), AttributeError::Name { .. }));
        assert!(matches!(refused("x-oss-object-acl", b"world"), AttributeError::Acl(_)));
        assert!(matches!(refused("x-oss-storage-class", b"Gold"), AttributeError::StorageClass { .. }));
    }

    #[test]
    fn keeps_values_byte_by_byte() {
        let kept = |value| gather_one("x-oss-meta-a", value).map(|gathered| gathered.metadata[0].1.clone());
        assert_eq!(kept(b" a\t").as_deref(), Ok(" a\t"));
        assert_eq!(kept(b"").as_deref(), Ok(""));
        assert!(gather_one("x-oss-object-acl", b" private").is_err());
        assert!(gather_one("x-oss-storage-class", b"IA ").is_err());
    }

    #[test]
    fn overwriting_is_forbidden_by_one_word_in_any_letter_case() {
        let words = [None, Some(""), Some("false"), Some("False"), Some("true"), Some("TRUE")];
        let forbids = words.map(|word| forbids_overwrite(word).unwrap());
        assert_eq!(forbids, [false, false, false, false, true, true]);
        for word in ["yes", "1", "true ", "\ttrue"] {
            assert!(forbids_overwrite(Some(word)).is_err(), "{word:?}");
        }
    }

    #[test]
    fn counts_names_and_values_of_user_metadata_together() {
        let value = vec![b'v'; USER_META_BYTES_MAX - 1];
        assert!(gather_one("x-oss-meta-a", &value).is_ok());
        assert_eq!(
            gather_one("x-oss-meta-ab", &value),
            Err(AttributeError::UserMetaTooLarge { bytes: USER_META_BYTES_MAX + 1 })
        );
    }
}
