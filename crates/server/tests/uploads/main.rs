//! Uploads against a real server on loopback with a real store in a temporary folder: forms as browsers
//! send them, what is refused, bodies that are slow or break off, and callbacks to a real application.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may end where it goes wrong, and wait for the machine"
)]

mod application;
mod bucket_modes;
mod budgets;
mod callback_answers;
mod callback_attempts;
mod callbacks;
mod client_address;
mod fairness;
mod form;
mod form_advisories;
mod hour_of_timeouts;
mod images;
mod kept_connections;
mod listener;
mod refusals;
mod running_store;
mod slow_bodies;
mod success;
mod test_server;
mod tls;
mod wire_client;
