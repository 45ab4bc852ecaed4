//! Shares what there is only so much of (bytes of form heads, places for uploads, for callbacks and for
//! connections) among those who ask for it, max-min: nobody is limited while there is room, and when it is
//! short the holder with most gives way.
//!
//! [`shares`] is the table and pure; [`places`] puts it behind a lock and gives a place back when it is dropped.
//! What a holder is stands in [`holder`]. Why so: `docs/decisions/shares-when-places-are-short.md`.

pub(crate) mod holder;
pub(crate) mod places;
pub(crate) mod shares;
