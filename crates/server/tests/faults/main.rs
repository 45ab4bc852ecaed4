//! Disks and catalogs that fail at the n-th call, behind the real server: every fault ends in a named error, the
//! next upload succeeds, and a scrub finds nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may end where it goes wrong, and wait for the machine"
)]

#[allow(dead_code, reason = "the uploads' tests use all of it")]
#[path = "../uploads/form.rs"]
mod form;
mod reads;
mod running_store;
mod syncs;
#[path = "../uploads/test_server.rs"]
mod test_server;
mod troubles;
#[allow(dead_code, reason = "the uploads' tests use all of it")]
#[path = "../uploads/wire_client.rs"]
mod wire_client;
mod writes;
