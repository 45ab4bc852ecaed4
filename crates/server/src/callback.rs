//! The call to the application: what is said, where it may go, how it is delivered.

pub(crate) mod callback_budget;
pub(crate) mod callback_dispatch;
pub mod callback_message;
pub mod destination_guard;
