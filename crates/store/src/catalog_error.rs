//! Why a catalog could not answer.

use crate::trouble::Trouble;

/// The catalog could not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogError {
    /// The engine failed.
    #[error("the catalog's engine failed: {0}")]
    Engine(String),
    /// The machine below refused it for a reason that an operator can mend.
    #[error("the catalog cannot be read: {reason}")]
    Trouble {
        /// Which.
        trouble: Trouble,
        /// The engine's own words, for the log.
        reason: String,
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
    #[error("the catalog has schema {found}; this program knows {known}")]
    UnknownSchema {
        /// The schema number found.
        found: i64,
        /// The schema number of this program.
        known: i64,
    },
    /// The catalog is shutting down.
    #[error("the catalog is shutting down")]
    Closed,
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
