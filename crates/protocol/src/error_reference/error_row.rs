//! One row of the error reference: a code with its explanation in both languages.

use crate::ErrorCode;
use crate::callback::cause::Explanation;
use crate::language::Language;

/// One error code with its explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorRow {
    /// The code that is explained.
    pub code: ErrorCode,
    /// Cause and remedy in English.
    pub english: Explanation,
    /// Cause and remedy in Chinese.
    pub chinese: Explanation,
}

impl ErrorRow {
    /// The explanation in one language.
    ///
    /// ```
    /// use countersign_protocol::error_reference::{ROWS, Topic};
    /// use countersign_protocol::language::Language;
    ///
    /// let row = ROWS.iter().find(|row| row.code.as_str() == "NoSuchKey").expect("it is answered");
    /// assert_ne!(row.explanation(Language::English).cause, row.explanation(Language::Chinese).cause);
    /// assert!(Topic::all().any(|topic| topic == Topic::Code(row)));
    /// ```
    pub fn explanation(&self, language: Language) -> &Explanation {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }
}
