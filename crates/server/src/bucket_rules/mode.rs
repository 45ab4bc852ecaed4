//! The bucket mode: how much a bucket demands of the policy of a form (everything, what matters, or what OSS
//! demands).
//!
//! Holds the three words and where they are kept. OSS has no such setting, so its header carries our name.
//!
//! Clauses POST-49, BKT-18.

use countersign_protocol::xml::is_writable;
use countersign_protocol::{ErrorCode, ObjectKey, WireError};
use countersign_store::BucketRecord;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::bucket_rules::settings;

/// The header that sets the mode when a bucket is made, and that shows it.
pub const MODE_HEADER: HeaderName = HeaderName::from_static("x-oss-countersign-mode");

/// What a form may hold that its policy does not mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BucketMode {
    /// Anything but what grants more than its absence, such as an access control list of its own.
    Guarded,
    /// Anything, as with OSS. What a bucket is without a word about it.
    #[default]
    Compat,
    /// Nothing.
    Strict,
}

impl BucketMode {
    /// The word on the wire: `guarded`, `compat` or `strict`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guarded => "guarded",
            Self::Compat => "compat",
            Self::Strict => "strict",
        }
    }

    /// Reads the word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Guarded, Self::Compat, Self::Strict].into_iter().find(|mode| mode.as_str() == word)
    }

    /// The mode of a bucket. A word that cannot be read, which only damage can leave, demands the most.
    pub fn of(bucket: &BucketRecord) -> Self {
        match bucket.settings.get(settings::MODE) {
            None => Self::default(),
            Some(word) => std::str::from_utf8(word).ok().and_then(Self::parse).unwrap_or(Self::Strict),
        }
    }

    /// Whether it refuses forms that the other lets in.
    pub(crate) fn demands_more_than(self, other: Self) -> bool {
        let demand = |mode| match mode {
            Self::Compat => 0,
            Self::Guarded => 1,
            Self::Strict => 2,
        };
        demand(self) > demand(other)
    }

    /// Refuses a key that a strict bucket does not take: one that XML 1.0 cannot write, so that parsers which go by
    /// the letter refuse every list it is in.
    ///
    /// # Errors
    /// InvalidObjectName.
    pub(crate) fn check_key(self, key: &ObjectKey) -> Result<(), WireError> {
        if self != Self::Strict || is_writable(key.as_str()) {
            return Ok(());
        }
        Err(WireError::new(ErrorCode::InvalidObjectName)
            .with_message(
                "The key has a character that XML cannot write, which a bucket in the mode strict refuses.",
            )
            .with_element("BucketMode", self.as_str()))
    }

    /// The mode that a request asks for, if it does.
    pub(crate) fn asked(headers: &HeaderMap) -> Result<Option<Self>, WireError> {
        let Some(value) = headers.get(MODE_HEADER) else { return Ok(None) };
        let word = String::from_utf8_lossy(value.as_bytes());
        Self::parse(&word).map(Some).ok_or_else(|| {
            WireError::new(ErrorCode::InvalidArgument)
                .with_message("The mode of a bucket is guarded, compat or strict.")
                .with_element("ArgumentName", MODE_HEADER.as_str())
                .with_element("ArgumentValue", word.into_owned())
        })
    }

    /// Shows the mode in an answer.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(MODE_HEADER, HeaderValue::from_static(self.as_str()));
    }
}
