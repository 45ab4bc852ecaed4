//! The addresses of this machine, and which of them a given client can reach. The answer is always taken from the
//! system (interfaces, sockets), never from what a request says about itself.

pub(crate) mod interfaces;
pub(crate) mod qr_code;
pub(crate) mod reachable;
