//! One broken rule of the house, and where it is broken.

use std::fmt;
use std::path::{Path, PathBuf};

/// One broken rule, with the place where it is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Path relative to the repository.
    pub(crate) path: PathBuf,
    /// The line, where the rule is about one.
    pub(crate) line: Option<usize>,
    /// What is wrong, with the limit that was passed.
    pub(crate) what: String,
}

impl Violation {
    /// One that is about a whole file.
    pub(crate) fn of_file(path: &Path, what: String) -> Self {
        Violation { path: path.to_path_buf(), line: None, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.what),
            None => write!(f, "{}: {}", self.path.display(), self.what),
        }
    }
}
