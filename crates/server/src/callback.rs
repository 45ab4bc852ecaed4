//! The call to the application: what is said, where it may go, how it is delivered.

pub(crate) mod address;
pub(crate) mod budget;
pub(crate) mod connection;
pub(crate) mod delivery;
pub(crate) mod destination_guard;
mod exchange;
pub(crate) mod message;
mod progress;
mod request;
pub(crate) mod signing;
pub(crate) mod tls;
pub(crate) mod wait;
