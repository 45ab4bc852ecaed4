//! What a scrub works on: the two seams of a store.

use crate::Clock;
use crate::blobs::Blobs;
use crate::catalog::Catalog;
use crate::pins::Pins;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a scrub looks at.
#[derive(Clone)]
pub(crate) struct Scrubbed {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) pins: Pins,
    pub(crate) clock: Clock,
    /// Set when whoever scrubs wants to end.
    pub(crate) ending: Arc<AtomicBool>,
}
