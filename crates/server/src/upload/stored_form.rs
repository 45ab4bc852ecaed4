//! Decides how a form's file will be stored: the final key, the attributes, and whether an existing
//! object stays.
//!
//! It is read before the policy is held against the form, so that each condition judges the very value that a later
//! HEAD gives back. For the same reason nothing is trimmed here: a word with white space around it is refused.
//!
//! Clauses POST-39 to POST-49.

use countersign_protocol::form::{FormError, FormFields, effective_content_type, final_key, takes_file_name};
use countersign_protocol::object_key::ObjectKeyError;
use countersign_protocol::policy::StoredValues;
use countersign_protocol::{ErrorCode, ObjectKey, WireError};

use crate::object::attribute_headers;
use crate::object::attributes::ObjectAttributes;

/// The field, and the request header, that give the object a list of its own.
pub(crate) const ACL: &str = "x-oss-object-acl";

/// Fields that are words, not texts: white space around them would be read by some and not by others.
const WORDS: [&str; 6] = [
    ACL,
    "x-oss-storage-class",
    "x-oss-content-type",
    "Content-Type",
    "x-oss-forbid-overwrite",
    "success_action_status",
];

/// A form with every default and guess filled in.
#[derive(Debug)]
pub(crate) struct StoredForm {
    /// The key with the file's name in it.
    pub(crate) key: ObjectKey,
    /// What is kept beside the bytes.
    pub(crate) attributes: ObjectAttributes,
    /// Whether an object under the same key stays.
    pub(crate) forbid_overwrite: bool,
}

impl StoredForm {
    /// Reads the form. `acl_header` is the request's header, which the field outweighs; `class` is the bucket's.
    pub(crate) fn read(
        acl_header: Option<&str>,
        fields: &FormFields,
        class: &str,
    ) -> Result<Self, WireError> {
        refuse_padded_words(fields)?;
        let literal_key = fields.key().map_err(WireError::from)?;
        if literal_key.is_empty() {
            return Err(ObjectKeyError::Empty.into());
        }
        if fields.has_foreign_file_name() && takes_file_name(literal_key) {
            return Err(FormError::FileNameNotUtf8.into());
        }
        let key = final_key(literal_key, fields.file().filename.as_deref()).map_err(WireError::from)?;
        let attributes = attributes(acl_header, fields, &key)?.in_class_of_bucket(class);
        let forbid_overwrite = attribute_headers::forbids_overwrite(fields.get("x-oss-forbid-overwrite"))?;
        Ok(Self { key, attributes, forbid_overwrite })
    }

    /// What conditions of a policy are held against.
    pub(crate) fn values(&self) -> StoredValues<'_> {
        StoredValues {
            content_type: Some(&self.attributes.content_type),
            acl: self.attributes.acl.as_str(),
            storage_class: self.attributes.storage_class(),
            forbid_overwrite: self.forbid_overwrite,
        }
    }
}

fn refuse_padded_words(fields: &FormFields) -> Result<(), WireError> {
    let part = ("Content-Type", fields.file().content_type.as_deref());
    let words = WORDS.into_iter().map(|name| (name, fields.get(name))).chain([part]);
    for (name, value) in words {
        if value.is_some_and(|value| value.starts_with(is_padding) || value.ends_with(is_padding)) {
            return Err(WireError::new(ErrorCode::InvalidArgument)
                .with_message(format!("The value of {name} has white space or control characters around it."))
                .with_element("ArgumentName", name));
        }
    }
    Ok(())
}

/// What cannot be seen around a word: white space, control characters, and characters of no width.
fn is_padding(letter: char) -> bool {
    let has_no_width = matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    letter.is_whitespace() || letter.is_control() || has_no_width
}

/// What is kept with the object. An empty field is one that did not come, but for metadata, which may be empty.
fn attributes(
    acl_header: Option<&str>,
    fields: &FormFields,
    key: &ObjectKey,
) -> Result<ObjectAttributes, WireError> {
    let header = acl_header.map(|value| (ACL, value.as_bytes()));
    let kept = |name: &str, value: &str| !value.is_empty() || attribute_headers::is_user_metadata(name);
    let filled = fields.iter().filter(|(name, value)| kept(name, value));
    let named = header.into_iter().chain(filled.map(|(name, value)| (name, value.as_bytes())));
    Ok(attribute_headers::gather(key.as_str(), effective_content_type(fields), named)?)
}

#[cfg(test)]
mod tests;
