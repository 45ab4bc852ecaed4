//! What a failure of the database means: come again, run the batch again, or broken.

use countersign_store::ApplyError;
use countersign_store::catalog::{CatalogError, EngineError};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// Why a statement, or a connection, failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The database could not be reached, or the connection was lost.
    #[error("the database cannot be reached: {0}")]
    Lost(EngineError),
    /// The transaction lost against another and was rolled back; it may be run again.
    #[error("the transaction has to be run again: {0}")]
    Again(EngineError),
    /// No room is left.
    #[error("the database has no room left: {0}")]
    Full(EngineError),
    /// The values of this batch are refused.
    #[error("the database refuses the values: {0}")]
    Values(EngineError),
    /// What is stored is damaged.
    #[error("the database is damaged: {0}")]
    Corrupt(EngineError),
    /// Anything else.
    #[error("the database failed: {0}")]
    Engine(EngineError),
}

/// The code of an error that the database gave.
pub(crate) fn sql_state(error: &Error) -> Option<&SqlState> {
    error.as_db_error().map(DbError::code)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let kind = kind_of(&error);
        kind(EngineError::new(error))
    }
}

/// Makes a failure of what was said.
type Kind = fn(EngineError) -> Failure;

fn kind_of(error: &Error) -> Kind {
    // Closed, reset, refused, not in time; or what came was not the protocol, after which the connection is of no
    // more use.
    let Some(database) = error.as_db_error() else { return Failure::Lost };
    let code = database.code();
    let kinds: [(&[SqlState], Kind); 3] = [
        (&[SqlState::DISK_FULL], Failure::Full),
        // A lock not got in time; a standby.
        (&[SqlState::LOCK_NOT_AVAILABLE, SqlState::READ_ONLY_SQL_TRANSACTION], Failure::Lost),
        (&[SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED], Failure::Corrupt),
    ];
    if let Some((_, kind)) = kinds.iter().find(|(codes, _)| codes.contains(code)) {
        return *kind;
    }
    match code.code().get(..2).unwrap_or_default() {
        "40" => Failure::Again,
        // Shutting down, too many connections, a statement not done in time.
        "08" | "53" | "57" => Failure::Lost,
        _ if database.parsed_severity().is_some_and(|severity| severity != Severity::Error) => Failure::Lost,
        "22" | "23" | "54" => Failure::Values,
        _ => Failure::Engine,
    }
}

impl Failure {
    /// The database did not answer.
    pub(crate) fn not_in_time() -> Failure {
        Failure::Lost(EngineError::new("it did not answer in time"))
    }

    /// As a query answers it.
    pub(crate) fn into_catalog_error(self) -> CatalogError {
        match self {
            Failure::Lost(said) | Failure::Again(said) | Failure::Full(said) => {
                CatalogError::Unavailable(said)
            }
            Failure::Corrupt(said) => CatalogError::Corrupt(said),
            Failure::Values(said) | Failure::Engine(said) => CatalogError::Engine(said),
        }
    }

    /// As a batch is answered that was certainly not committed.
    pub(crate) fn into_apply_error(self) -> ApplyError {
        match self {
            Failure::Lost(said) | Failure::Again(said) => ApplyError::Unavailable(said),
            Failure::Full(_) => ApplyError::Full,
            Failure::Corrupt(said) => ApplyError::Corrupt(said),
            Failure::Values(said) | Failure::Engine(said) => ApplyError::Engine(said),
        }
    }

    /// What was said.
    pub(crate) fn said(self) -> EngineError {
        match self {
            Failure::Lost(said)
            | Failure::Again(said)
            | Failure::Full(said)
            | Failure::Values(said)
            | Failure::Corrupt(said)
            | Failure::Engine(said) => said,
        }
    }
}

/// As a query answers it.
pub(crate) fn catalog_error(error: Error) -> CatalogError {
    Failure::from(error).into_catalog_error()
}
