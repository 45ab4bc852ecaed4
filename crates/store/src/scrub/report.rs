//! What a scrub has found.

use crate::catalog::DamageRecord;

/// An object that is not what was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedObject {
    /// Its name, and what differs.
    pub record: DamageRecord,
    /// Where its bytes lie, or should: the path of a blob, or words for the catalog.
    pub place: String,
}

/// Something that could not be looked at, for no fault of the stored bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    /// What it is.
    pub what: String,
    /// Why it could not be looked at.
    pub reason: String,
}

/// What a scrub has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Objects whose bytes were read to their end.
    pub objects: u64,
    /// The bytes that were read.
    pub bytes: u64,
    /// Published blobs that the catalog was asked about.
    pub blobs: u64,
    /// Objects that are not what was acknowledged.
    pub damaged: Vec<DamagedObject>,
    /// What could not be looked at.
    pub unverified: Vec<Unverified>,
    /// Where blobs lie that nothing names. They are waste, not damage: nobody misses them.
    pub orphans: Vec<String>,
    /// How many of them were removed.
    pub orphans_removed: u64,
    /// What is wrong with the catalog itself.
    pub catalog: Vec<String>,
    /// Contents that were known to be damaged and were found whole.
    pub healed: Vec<u64>,
    /// The process that had the store open while it was scrubbed.
    pub beside: Option<u32>,
}

impl ScrubReport {
    /// Whether everything that was acknowledged is there and whole, as far as could be seen.
    pub fn is_good(&self) -> bool {
        self.damaged.is_empty() && self.unverified.is_empty() && self.catalog.is_empty()
    }
}
