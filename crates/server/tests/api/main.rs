//! The API on loopback, with a real store in a temporary folder and requests signed by the protocol crate:
//! everything but PostObject.
#![allow(missing_docs, reason = "tests are sentences")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test should end it where it went wrong"
)]

mod advisories;
mod authentication;
mod bucket_operations;
mod budgets;
mod client;
mod client_demands;
mod cross_origin;
mod downloads;
mod error_reference;
mod expiry;
mod listings;
mod object_operations;
mod put_callback;
mod query_words;
mod rule_demands;
mod running_store;
mod transfer_demands;
mod uploads_by_put;
