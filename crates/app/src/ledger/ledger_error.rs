//! Why the ledger did not do what it was asked for.

use thiserror::Error;

/// Why the ledger did not do what it was asked for.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// SQLite refused, for instance because the disk is full.
    #[error("the upload ledger cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
    /// A record in the file cannot be read back.
    #[error("the upload ledger holds a record that cannot be read: {column}")]
    Unreadable {
        /// The column that holds something else than it should.
        column: &'static str,
    },
    /// The file was written by a later version.
    #[error("the upload ledger has format {found}, and this program knows up to {known}")]
    LaterFormat {
        /// The format in the file.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// The program is stopping.
    #[error("the upload ledger was interrupted")]
    Interrupted,
}
