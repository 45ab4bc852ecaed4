//! Which addresses this machine has, and which of them someone who asks can reach. The answer is always taken
//! from the system (interfaces, sockets), never from what a request says about itself.

pub(crate) mod interfaces;
pub(crate) mod qr_code;
pub(crate) mod reachable;
