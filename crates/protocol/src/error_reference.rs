//! Explains every error code that the store answers: what happened and what to do about it, in English and Chinese.
//!
//! The store serves these rows under `/_countersign/docs/errors/` and the element `RecommendDoc` of an error links
//! there; `docs/errors.md` is made from them. Callback errors have a finer table of their own
//! ([`crate::callback::cause`]), which is shown on the same pages. Codes that only Alibaba Cloud OSS answers are
//! listed by name and not explained.

mod document;
mod error_row;
mod rows;

pub use document::markdown;
pub use error_row::ErrorRow;
pub use rows::ROWS;

use crate::callback::cause::CallbackCause;

/// What one page of the reference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A code such as `NoSuchBucket`.
    Code(&'static ErrorRow),
    /// One of the ways in which a callback fails, such as `timed-out`.
    Callback(CallbackCause),
}

impl Topic {
    /// Finds a topic by its name in an address: the word of a code, or the anchor of a callback's cause.
    ///
    /// ```
    /// use countersign_protocol::error_reference::Topic;
    ///
    /// assert_eq!(Topic::find("NoSuchBucket").map(Topic::name), Some("NoSuchBucket"));
    /// assert!(matches!(Topic::find("timed-out"), Some(Topic::Callback(_))));
    /// assert_eq!(Topic::find("no-such-topic"), None);
    /// assert!(Topic::all().all(|topic| Topic::find(topic.name()) == Some(topic)));
    /// ```
    pub fn find(name: &str) -> Option<Self> {
        let code = ROWS.iter().find(|row| row.code.as_str() == name).map(Self::Code);
        code.or_else(|| {
            CallbackCause::ALL.iter().copied().find(|cause| cause.row().anchor == name).map(Self::Callback)
        })
    }

    /// Every topic, in the order of the reference.
    pub fn all() -> impl Iterator<Item = Self> {
        let codes = ROWS.iter().map(Self::Code);
        codes.chain(CallbackCause::ALL.iter().copied().map(Self::Callback))
    }

    /// The topic's name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code(row) => row.code.as_str(),
            Self::Callback(cause) => cause.row().anchor,
        }
    }
}

#[cfg(test)]
mod tests;
