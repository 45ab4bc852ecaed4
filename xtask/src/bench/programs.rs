//! Where the programs of a run lie.

use std::path::PathBuf;

/// The programs of a run.
pub(super) struct Instruments {
    /// `countersign-bench`.
    pub(super) program: PathBuf,
    /// `countersign`.
    pub(super) countersign: PathBuf,
}
