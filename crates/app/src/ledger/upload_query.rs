//! Which uploads the ledger is asked to list, and how many one answer holds at most.

use crate::upload_path::UploadPath;

/// The most records one question is answered with.
pub const UPLOADS_MAX: u32 = 1_000;
/// The most bytes that the records of one answer hold, unless the first alone holds more.
pub const UPLOADS_BYTES_MAX: usize = 1024 * 1024;

/// What to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadQuery {
    /// Only uploads of exactly this key. Only then do the bodies of request and answer come along.
    pub key: Option<String>,
    /// Only uploads into this folder and those below it; the whole bucket is every folder.
    pub folder: UploadPath,
    /// At most so many, newest first; [`UPLOADS_MAX`] is the ceiling.
    pub limit: u32,
}

impl Default for UploadQuery {
    fn default() -> Self {
        Self { key: None, folder: UploadPath::whole_bucket(), limit: 100 }
    }
}
