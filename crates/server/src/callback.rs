//! The call to the application: what is said, where it may go, how it is delivered.

pub(crate) mod address;
pub(crate) mod budget;
pub(crate) mod client;
mod connection;
pub(crate) mod destination_guard;
pub(crate) mod exchange;
pub(crate) mod message;
pub(crate) mod plan;
mod progress;
mod signing;
mod wait;
