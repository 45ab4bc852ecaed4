//! Parses what an application answers to a signature hook: a [`Grant`] as one JSON object.
//!
//! Strict on purpose. A member that is not known is refused, because a limit whose name was misspelt would otherwise be
//! no limit; so is a member that is there twice, a number in quotes, a `null`, and a type other than JSON's.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use thiserror::Error;

use crate::{
    answer::{Answer, JSON_TYPE},
    grant::Grant,
    ordered_members::OrderedMembers,
    upload_path::{UploadPath, UploadPathError},
};

/// The longest message of the application's that a caller is told, in characters.
const MESSAGE_CHARS_MAX: usize = 300;
/// So much of the reason why JSON could not be read is told, in characters: it may repeat what was sent.
const REASON_CHARS_MAX: usize = 200;

/// Why an answer with status 200 is no grant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnusableAnswer {
    /// A page, most likely that of a login.
    #[error("its type is {content_type:?} and not application/json")]
    NotJson {
        /// The type.
        content_type: String,
    },
    /// Not one object with the members of a grant.
    #[error("{reason}")]
    Shape {
        /// What is wrong, and where.
        reason: String,
    },
    /// A folder that is none.
    #[error("its folder {folder:?} cannot be used: {error}")]
    Folder {
        /// What was answered.
        folder: String,
        /// Why not.
        error: UploadPathError,
    },
}

/// The members of the answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GrantJson {
    user: String,
    folder: String,
    #[serde(default, deserialize_with = "present")]
    max_bytes: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    types: Option<Vec<String>>,
    #[serde(default)]
    /// A name that is there twice is found by the grant's own check.
    values: OrderedMembers<String>,
}

/// Reads a grant. Whether the signer permits it is not decided here.
///
/// # Errors
/// [`UnusableAnswer`].
pub(super) fn read_grant(answer: &Answer) -> Result<Grant, UnusableAnswer> {
    let shape =
        |reason: String| UnusableAnswer::Shape { reason: reason.chars().take(REASON_CHARS_MAX).collect() };
    if !is_json(answer) {
        let content_type = answer.content_type.clone().unwrap_or_default();
        return Err(UnusableAnswer::NotJson { content_type });
    }
    // A list of the members in order would be read as an object.
    if !answer.body.trim_ascii_start().starts_with(b"{") {
        return Err(shape("it is no JSON object".to_owned()));
    }
    let read: GrantJson = serde_json::from_slice(&answer.body).map_err(|error| shape(error.to_string()))?;
    let folder = UploadPath::normalise(&read.folder).map_err(|error| {
        let folder = read.folder.chars().take(REASON_CHARS_MAX).collect();
        UnusableAnswer::Folder { folder, error }
    })?;
    if read.types.as_ref().is_some_and(Vec::is_empty) {
        return Err(shape("its types are an empty list; without the member all are permitted".to_owned()));
    }
    Ok(Grant {
        user: read.user,
        folder,
        size_bytes_max: read.max_bytes,
        content_types: read.types.unwrap_or_default(),
        values: read.values.0,
    })
}

/// What the application says to the one it refuses: `message` of a JSON object, one line of some length.
pub(super) fn read_message(answer: &Answer) -> Option<String> {
    let object: Value = serde_json::from_slice(&answer.body).ok().filter(|_| is_json(answer))?;
    let message = object.get("message")?.as_str()?;
    let plain = !message.is_empty() && !message.chars().any(char::is_control);
    (plain && message.chars().count() <= MESSAGE_CHARS_MAX).then(|| message.to_owned())
}

fn is_json(answer: &Answer) -> bool {
    let kind = answer.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(JSON_TYPE)
}

/// A member that may be absent, and that is there when it is: `null` is no limit that anybody meant.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
