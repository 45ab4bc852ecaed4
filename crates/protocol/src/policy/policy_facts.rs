//! The values that a policy's conditions are compared with: what will be stored, and not merely what the form says. A
//! field that is absent counts as what its absence stores.
//!
//! Finding these values out (a type guessed from the key, the class of the bucket) is left to the store.
//!
//! Clauses POL-29 to POL-38.

use crate::form::{FormFields, effective_content_type};

/// The values under which a file will be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredValues<'a> {
    /// The content type; `None` only where nothing is known to guess it from.
    pub content_type: Option<&'a str>,
    /// The object's access control list, `default` for the bucket's.
    pub acl: &'a str,
    /// The storage class in OSS's spelling.
    pub storage_class: &'a str,
    /// Whether an object under the same key stays.
    pub forbid_overwrite: bool,
}

impl<'a> StoredValues<'a> {
    /// What OSS stores for a form whose words need no interpreting, in a bucket of the class Standard: for signers
    /// that check their own forms, and for tests.
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    /// use countersign_protocol::policy::StoredValues;
    ///
    /// let fields = FormFields::from_parts([("key", "a.jpg"), ("x-oss-object-acl", "public-read")], FilePart::default())?;
    /// let stored = StoredValues::as_sent(&fields);
    /// assert_eq!((stored.acl, stored.storage_class, stored.forbid_overwrite), ("public-read", "Standard", false));
    /// # Ok::<(), countersign_protocol::form::FormError>(())
    /// ```
    pub fn as_sent(fields: &'a FormFields) -> Self {
        Self {
            content_type: effective_content_type(fields),
            acl: fields.get_filled("x-oss-object-acl").unwrap_or("default"),
            storage_class: fields.get_filled("x-oss-storage-class").unwrap_or("Standard"),
            forbid_overwrite: fields.get("x-oss-forbid-overwrite") == Some("true"),
        }
    }
}

/// The bucket of the request's host, the form, and what it comes to.
#[derive(Debug, Clone, Copy)]
pub struct PolicyFacts<'a> {
    /// The bucket, for which there is no form field.
    pub bucket: &'a str,
    /// The form. Its key counts unexpanded.
    pub fields: &'a FormFields,
    /// What is stored for the fields that are interpreted.
    pub stored: StoredValues<'a>,
}

impl<'a> PolicyFacts<'a> {
    /// The facts of a form that [needs no interpreting](StoredValues::as_sent).
    pub fn as_sent(bucket: &'a str, fields: &'a FormFields) -> Self {
        Self { bucket, fields, stored: StoredValues::as_sent(fields) }
    }

    /// What the named field is compared by; `None` where an absent field stores nothing that could be compared.
    pub(super) fn value(&self, field: &str) -> Option<&'a str> {
        let word = |flag: bool| if flag { "true" } else { "false" };
        match field.to_lowercase().as_str() {
            "bucket" => Some(self.bucket),
            // Whichever place it comes from, the object has one type.
            "content-type" | "x-oss-content-type" => self.stored.content_type,
            "x-oss-object-acl" => Some(self.stored.acl),
            "x-oss-storage-class" => Some(self.stored.storage_class),
            "x-oss-forbid-overwrite" => Some(word(self.stored.forbid_overwrite)),
            // Read without the line ends that old encoders leave around base64.
            "callback" | "callback-var" => Some(self.fields.get(field).unwrap_or_default().trim()),
            // Empty ones are not kept, as if they had not come.
            "cache-control" | "content-disposition" | "content-encoding" | "expires" => {
                self.fields.get_filled(field)
            }
            // In the callback, a variable that is not given is an empty text.
            name if name.starts_with("x:") => Some(self.fields.get(field).unwrap_or_default()),
            _ => self.fields.get(field),
        }
    }
}
