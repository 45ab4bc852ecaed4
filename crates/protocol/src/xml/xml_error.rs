//! Errors of an XML request, and the answer that the client gets for each.
//!
//! Clauses GEN-23, CORS-1, BKT-15, BKT-16, ERR-6.

use crate::error_code::ErrorCode;
use crate::error_xml::WireError;

/// A refused document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Longer than this request may be.
    #[error("the document is longer than {bytes_max} bytes")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// Not well-formed, or not UTF-8.
    #[error("the document is not well-formed")]
    Malformed,
    /// A document type, a processing instruction or an entity besides XML's own five.
    #[error("document types, processing instructions and entities are refused")]
    Doctype,
    /// Nested too deeply, or too many elements.
    #[error("the document has too many elements")]
    TooManyElements,
    /// Another root.
    #[error("the root element is not {expected}")]
    Root {
        /// What it should be.
        expected: &'static str,
    },
    /// An element that does not belong where it is.
    #[error("the element {name} is unknown in {parent}")]
    Unknown {
        /// The element.
        name: String,
        /// What it stands in.
        parent: String,
    },
    /// An element that stands twice where it may stand once.
    #[error("the element {name} occurs more than once")]
    Repeated {
        /// The element.
        name: &'static str,
    },
    /// An element that has to be there.
    #[error("the element {name} is missing")]
    Missing {
        /// The element.
        name: &'static str,
    },
    /// A value that means nothing here.
    #[error("the element {name} has the invalid value {value:?}")]
    Value {
        /// The element.
        name: &'static str,
        /// Its text.
        value: String,
    },
    /// A number that is none of those it may be.
    #[error("the element {name} cannot be {value}")]
    Number {
        /// The element.
        name: &'static str,
        /// The number.
        value: String,
    },
    /// More items than the request may have.
    #[error("more than {items_max} elements {name}")]
    TooManyItems {
        /// The element.
        name: &'static str,
        /// The limit.
        items_max: usize,
    },
    /// More CORS rules than a bucket may have.
    #[error("more than ten CORS rules")]
    CorsRuleBeyondLimit,
    /// Lifecycle rules that contradict each other or themselves.
    #[error("{0}")]
    Lifecycle(LifecycleContradiction),
    /// A known element whose meaning is not offered; to ignore it would change what the rest does.
    #[error("the element {name} is not implemented")]
    NotImplemented {
        /// The element.
        name: &'static str,
    },
}

/// What is wrong between lifecycle rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleContradiction {
    /// Two rules with one id.
    #[error("two rules have the same ID")]
    SameId,
    /// Two rules for one prefix.
    #[error("two rules have the same prefix")]
    SamePrefix,
    /// One action under a prefix and under a longer one.
    #[error("the prefixes of two rules with the same action overlap")]
    Overlap,
    /// Days and dates in one action.
    #[error("an action mixes Days and CreatedBeforeDate")]
    DaysAndDate,
}

impl From<XmlError> for WireError {
    fn from(error: XmlError) -> Self {
        let detail = error.to_string();
        match error {
            XmlError::CorsRuleBeyondLimit => Self::new(ErrorCode::CORSRuleBeyondLimit),
            XmlError::Number { name, value } => Self::new(ErrorCode::InvalidArgument)
                .with_element("ArgumentName", name)
                .with_element("ArgumentValue", value),
            XmlError::NotImplemented { name } => Self::new(ErrorCode::NotImplemented)
                .with_message(format!("This store does not implement the element {name}."))
                .with_element("Element", name),
            XmlError::Lifecycle(LifecycleContradiction::DaysAndDate) => Self::new(ErrorCode::InvalidRequest)
                .with_message("Days and CreatedBeforeDate cannot be mixed in one action.")
                .with_ec("0014-00000080"),
            XmlError::Lifecycle(contradiction) => {
                Self::new(ErrorCode::InvalidRequest).with_message(format!("Lifecycle: {contradiction}."))
            }
            _ => Self::new(ErrorCode::MalformedXML)
                .with_ec("0015-00000231")
                .with_element("ErrorDetail", detail),
        }
    }
}
