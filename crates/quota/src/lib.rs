//! Fair quotas: shares a bounded resource (bytes of form heads, places for uploads, callbacks, connections, questions
//! to an application) among its users, max-min. No user is limited while there is room; when it is short, the user
//! that holds most gives way.
//!
//! [`shares`] is the table and pure; [`places`] puts it behind a lock and gives a place back when it is dropped. Who
//! holds is the user's own type; [`client_network`] is the most usual one. Why so:
//! `docs/decisions/shares-when-places-are-short.md`.

pub mod client_network;
pub mod places;
pub mod shares;
