//! Shares what there is only so much of (bytes of form heads, places for uploads, for callbacks, for connections and
//! for questions to an application) among those who ask for it, max-min: nobody is limited while there is room, and
//! when it is short the holder with most gives way.
//!
//! [`shares`] is the table and pure; [`places`] puts it behind a lock and gives a place back when it is dropped. Who
//! holds is the user's own type; [`client_network`] is the most usual one. Why so:
//! `docs/decisions/shares-when-places-are-short.md`.

pub mod client_network;
pub mod places;
pub mod shares;
