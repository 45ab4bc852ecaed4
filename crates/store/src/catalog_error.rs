//! Why a catalog could not answer.

use crate::trouble::Trouble;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What the engine of a catalog said when it failed. It is written out with its causes, since many an engine says
/// what went wrong only there. All that waited for a batch share it, so it can be cloned.
#[derive(Clone)]
pub struct EngineError(Arc<dyn Error + Send + Sync>);

impl EngineError {
    /// The engine's error as it is, or a sentence where the engine has none.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> EngineError {
        EngineError(Arc::from(error.into()))
    }
}

impl fmt::Debug for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                said.push_str(": ");
                said.push_str(&text);
            }
            cause = error.source();
        }
        f.write_str(&said)
    }
}

impl Error for EngineError {}

/// The catalog could not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogError {
    /// The engine failed.
    #[error("the catalog's engine failed: {0}")]
    Engine(EngineError),
    /// The engine cannot be reached, or refuses for the moment: come again.
    #[error("the catalog cannot be reached: {0}")]
    Unavailable(EngineError),
    /// The engine says that its own files are damaged.
    #[error("the catalog is damaged: {0}")]
    Corrupt(EngineError),
    /// The machine below refused it for a reason that an operator can mend.
    #[error("the catalog cannot be read: {said}")]
    Trouble {
        /// Which.
        trouble: Trouble,
        /// The engine's own words, for the log.
        said: EngineError,
    },
    /// What is stored is not what this version writes.
    #[error("the catalog holds {found}, where {expected} was expected")]
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// The catalog was written by another version of the schema.
    #[error("the catalog has schema {found}; this program knows {known}{}", newer(*found, *known))]
    UnknownSchema {
        /// The schema number found.
        found: i64,
        /// The schema number of this program.
        known: i64,
    },
    /// There is no room to bring the catalog to this program's schema; it is as it was.
    #[error(
        "the catalog has schema {found} and must be brought to {known}, which needs {needed} bytes of room where it \
         lies, for a copy and for its new tables; {available} are free"
    )]
    NoRoomToMigrate {
        /// The schema number found.
        found: i64,
        /// The schema number of this program.
        known: i64,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// The catalog is shutting down.
    #[error("the catalog is shutting down")]
    Closed,
}

fn newer(found: i64, known: i64) -> &'static str {
    if found > known { ", so a newer version wrote it, and nothing of it was changed" } else { "" }
}

impl CatalogError {
    /// Whether it is a refusal of the machine that an operator can mend.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            CatalogError::Trouble { trouble, .. } => Some(*trouble),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("db error")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn what_an_engine_says_only_in_the_cause_is_written_out_once() {
        let said = EngineError::new(Outer(std::io::Error::other("connection refused")));
        assert_eq!(said.to_string(), "db error: connection refused");
        assert_eq!(
            CatalogError::Unavailable(said).to_string(),
            "the catalog cannot be reached: db error: connection refused"
        );
        let said = EngineError::new(Outer(std::io::Error::other("db error")));
        assert_eq!(said.to_string(), "db error");
    }
}
