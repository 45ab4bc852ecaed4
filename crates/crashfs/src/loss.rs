//! How a store can break its word.

/// How a store broke its word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// It does not start.
    #[error("the store does not open: {0}")]
    DoesNotOpen(String),
    /// The database is damaged.
    #[error("the catalog is damaged: {0}")]
    CatalogDamaged(String),
    /// The copy of the catalog from before a migration is not there, or not whole.
    #[error("the copy from before the migration: {0}")]
    CopyLost(String),
    /// It takes no new work.
    #[error("the store takes nothing more: {0}")]
    TakesNoMore(String),
    /// It cannot answer.
    #[error("a query fails: {0}")]
    QueryFails(String),
    /// A bucket is not as its client was told.
    #[error("the buckets are {found}, where {expected} was acknowledged")]
    Buckets {
        /// What is there.
        found: String,
        /// What must be there.
        expected: String,
    },
    /// An object that was acknowledged is gone.
    #[error("{0} was acknowledged and is gone")]
    ObjectGone(String),
    /// An object is there that was deleted, or half of a batch.
    #[error("{0} is there and must not be")]
    ObjectBack(String),
    /// An object is neither the old nor the new one.
    #[error("{key} is {found}, where {expected} was acknowledged")]
    ObjectChanged {
        /// Its key.
        key: String,
        /// What is there.
        found: String,
        /// What must be there.
        expected: String,
    },
    /// An object is listed and its bytes are not there.
    #[error("{key} cannot be read: {reason}")]
    ObjectUnreadable {
        /// Its key.
        key: String,
        /// Why.
        reason: String,
    },
    /// What is owed is not what was acknowledged.
    #[error("owed are {found}, where {expected} was acknowledged")]
    Owed {
        /// What is there.
        found: String,
        /// What must be there.
        expected: String,
    },
    /// A listing and the keys do not agree.
    #[error("the listing is wrong: {0}")]
    Listing(String),
    /// A blob that nothing names stays for ever.
    #[error("{0} is left, and nothing names it")]
    BlobLeft(String),
    /// A sequence was used twice.
    #[error("sequence {0} was used before")]
    SequenceUsedTwice(u64),
}
