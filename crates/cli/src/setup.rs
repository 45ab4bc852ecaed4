//! Sets up what only the running program has: the clock, randomness, the first credentials, the callback key, the
//! listeners and the signals. Each is made here once and handed on.

pub(crate) mod callback_key;
pub(crate) mod clock;
pub(crate) mod credentials;
pub(crate) mod data_folder;
pub(crate) mod ephemeral_folder;
pub(crate) mod listeners;
pub(crate) mod log;
pub(crate) mod private_file;
pub(crate) mod process_limits;
pub(crate) mod random;
pub(crate) mod readiness;
pub(crate) mod reload;
pub(crate) mod running;
pub(crate) mod running_app;
pub(crate) mod running_store;
pub(crate) mod shutdown;
pub(crate) mod signing;
pub(crate) mod store_server;
