//! For application servers: sign upload policies, verify callbacks, keep a ledger.

pub mod clock;
pub mod upload_path;
