//! What the server keeps about an object beside its bytes, and its opaque form in the store.
//!
//! The store hands these bytes back as it got them and never looks inside. Absent values take no room. Which
//! headers and fields end up here is decided in [`crate::object::attribute_headers`].

use bytes::Bytes;
use countersign_protocol::{Acl, ObjectAcl};
use serde::{Deserialize, Serialize};

/// The type of an object that nobody gave one.
pub(crate) const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

/// The storage class of an object that nothing gave one.
const STANDARD: &str = "Standard";

/// The attributes of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectAttributes {
    /// `Content-Type`, never empty.
    #[serde(rename = "t")]
    pub content_type: String,
    /// `Cache-Control` as given.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Disposition` as given.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Encoding` as given.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Expires` as given.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The object's own access control list.
    #[serde(rename = "a", default, with = "acl_word", skip_serializing_if = "inherits")]
    pub acl: ObjectAcl,
    /// `x-oss-storage-class` in OSS's spelling; `None` is Standard.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// User metadata: lower-case names with their `x-oss-meta-` in front, and values.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<(String, String)>,
}

impl Default for ObjectAttributes {
    fn default() -> Self {
        Self {
            content_type: DEFAULT_CONTENT_TYPE.to_owned(),
            cache_control: None,
            content_disposition: None,
            content_encoding: None,
            expires: None,
            acl: ObjectAcl::Default,
            storage_class: None,
            metadata: Vec::new(),
        }
    }
}

impl ObjectAttributes {
    /// The form in which the store keeps them.
    pub fn encode(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).expect("strings are written into memory"))
    }

    /// Reads what [`Self::encode`] wrote. Bytes of an unknown form are logged and read as a private object
    /// without metadata: it is served to its owner rather than lost.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_else(|error| {
            tracing::error!(%error, "the attributes of an object cannot be read");
            Self { acl: ObjectAcl::Own(Acl::Private), ..Self::default() }
        })
    }

    /// Reads what [`Self::encode`] wrote, for whoever must not take another form for a private object.
    ///
    /// # Errors
    /// When it is of an unknown form.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// In the bucket's storage class, unless one was named.
    #[must_use]
    pub fn in_class_of_bucket(mut self, class: &str) -> Self {
        if self.storage_class.is_none() && class != STANDARD {
            self.storage_class = Some(class.to_owned());
        }
        self
    }

    /// The storage class as it is shown.
    pub fn storage_class(&self) -> &str {
        self.storage_class.as_deref().unwrap_or(STANDARD)
    }
}

/// The type that a key's extension suggests.
pub fn content_type_of_key(key: &str) -> String {
    mime_guess::from_path(key).first_raw().unwrap_or(DEFAULT_CONTENT_TYPE).to_owned()
}

fn inherits(acl: &ObjectAcl) -> bool {
    *acl == ObjectAcl::Default
}

/// The list as its word on the wire, so that the stored form does not depend on how Rust names things.
mod acl_word {
    use countersign_protocol::ObjectAcl;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(acl: &ObjectAcl, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(acl.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectAcl, D::Error> {
        let word = String::deserialize(deserializer)?;
        ObjectAcl::parse(&word).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let attributes = ObjectAttributes {
            content_type: "image/jpeg".to_owned(),
            acl: ObjectAcl::Own(Acl::PublicRead),
            storage_class: Some("IA".to_owned()),
            metadata: vec![("x-oss-meta-author".to_owned(), "作者".to_owned())],
            ..ObjectAttributes::default()
        };
        assert_eq!(ObjectAttributes::decode(&attributes.encode()), attributes);
    }

    #[test]
    fn attributes_that_cannot_be_read_mean_a_private_object() {
        assert_eq!(ObjectAttributes::decode(b"?").acl, ObjectAcl::Own(Acl::Private));
    }
}
