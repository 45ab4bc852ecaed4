//! What the store notes for itself: no user asked for it, and no rule refuses it.

use countersign_store::catalog::{Garbage, ScrubNote};

/// Something to be kept.
#[derive(Debug)]
pub(crate) enum Note {
    /// Garbage that is deleted.
    Forget(Vec<Garbage>),
    /// The mark of the blobs.
    Mark(u64),
    /// What a scrub found.
    Scrubbed(ScrubNote),
}
