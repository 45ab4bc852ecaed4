//! The languages in which the pages about errors are written.

/// A language of `docs/errors.md`, `docs/callback-errors.md` and the pages that the store serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Chinese, in simplified characters.
    Chinese,
}
