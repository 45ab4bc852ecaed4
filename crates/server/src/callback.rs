//! Upload callbacks: the message, the allowed networks, the delivery.

pub(crate) mod address;
mod attempt_metrics;
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
