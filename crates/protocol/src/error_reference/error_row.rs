//! One row of the error reference: a code with its explanation in both languages.

use crate::ErrorCode;
use crate::callback::cause::Explanation;

/// A language of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocLanguage {
    /// English.
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

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
    pub fn explanation(&self, language: DocLanguage) -> &Explanation {
        match language {
            DocLanguage::English => &self.english,
            DocLanguage::Chinese => &self.chinese,
        }
    }
}
